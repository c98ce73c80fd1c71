#pragma once

#include <map>
#include <optional>
#include <vector>

#include "sepal/graph/graph.h"

namespace sepal {

/// The batch norm that reads a value, and what is known of its gradient: g with respect to what the batch norm gives,
/// and the gradients of its scale and bias, each the sum over all who read it.
struct NormSums {
  ValueId input{};
  ValueId scale{};
  ValueId bias{};
  ValueId mean{};
  ValueId variance{};
  float epsilon = 1e-5f;
  ValueId g{};
  ValueId scale_gradient{};
  ValueId bias_gradient{};
};

/// Gradients so far while the graph is walked backwards. What several readers give to one value is added up.
class GradientSums {
 public:
  GradientSums(Graph& graph, std::span<const ValueId> variables);

  Graph& graph() { return graph_; }

  /// Whether the value depends on a variable.
  bool needed(ValueId value) const { return needed_[Graph::index(value)]; }
  /// The sum so far; nothing where nobody gave any.
  std::optional<ValueId> of(ValueId value) const;
  /// Adds to the value's gradient, if it is needed.
  void add(ValueId value, ValueId gradient);

  /// The same of a batch norm by the moments of its batch, kept by the mean's value until the walk comes to where the
  /// moments are from.
  void add(const NormSums& sums);
  std::optional<NormSums> norm_of(ValueId mean) const;
  /// The gradient with respect to the batch norm's input; scale and bias get theirs.
  ValueId leave(const NormSums& sums);
  /// Scale and bias get their gradients.
  void give_parameters(const NormSums& sums);

  // Short forms for rules.
  ValueId binary(BinaryKind kind, ValueId a, ValueId b) { return graph_.add(Binary{kind}, {a, b}); }
  ValueId unary(const Unary& function, ValueId x) { return graph_.add(function, {x}); }
  ValueId number(float value);
  /// The values summed down to the shape from which they were broadcast.
  ValueId reduce_to(ValueId value, const Shape& shape);

 private:
  Graph& graph_;
  std::vector<bool> needed_;
  std::map<ValueId, ValueId> sums_;
  std::map<ValueId, NormSums> norms_;
};

/// Adds to the gradients of the node's inputs, from those of its outputs. Throws Error(kUnsupported) where the operator
/// has no gradient.
void add_input_gradients(GradientSums& sums, const Node& node);

// The rules of convolutions and batch norms, which speak of more than one node.
bool is_batch_mean(const Graph& graph, ValueId mean);
void differentiate(GradientSums& sums, const Node& node, const Conv2d& conv, ValueId dy);
void differentiate(GradientSums& sums, const Node& node, const ConvTranspose2d& conv, ValueId dy);
void differentiate(GradientSums& sums, const Node& node, const BatchNorm& norm, ValueId dy);
/// These have several outputs, any of which may have a gradient.
void differentiate(GradientSums& sums, const Node& node, const TrainingConv2d& conv);
void differentiate(GradientSums& sums, const Node& node, const BatchMoments& moments);

}  // namespace sepal
