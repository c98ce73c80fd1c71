#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "sepal/graph/graph.h"
#include "sepal/plan/plan.h"

namespace sepal {

/// One node in its graph, as the table of kernels sees it.
struct Site {
  const Graph& graph;
  const Node& node;

  const TensorType& input(std::size_t i) const { return graph.type(node.inputs[i]); }
  const TensorType& output(std::size_t i = 0) const { return graph.type(node.outputs[i]); }
  std::size_t inputs() const { return node.inputs.size(); }
  const Constant& constant(std::size_t i) const { return graph.constant(node.inputs[i]); }
  bool f32() const { return input(0).type == DataType::kF32 && output().type == DataType::kF32; }
  /// The values of a constant f32 input.
  const float* weights(std::size_t i) const { return constant(i)->values<float>().data(); }
};

/// A kernel that a plan may choose.
struct Candidate {
  std::string_view name;
  /// Whether the kernel can do this node.
  bool (*accepts)(const Site& site);
  /// Packs weights; may be null.
  void (*prepare)(const Site& site, Step& step);
  void (*run)(const Step& step, const Frame& frame) noexcept;
  /// Whether the output may take the memory of input `i`; null: of none.
  bool (*in_place)(const Site& site, std::size_t i) = nullptr;
  bool adds = false;   ///< it can add another value to its result
  bool gates = false;  ///< it can multiply its first input by a factor for every channel of an image
  /// Tells the step the room that it needs besides; may be null.
  void (*size)(const Site& site, Step& step) = nullptr;
};

/// The kernel for the node: the first in the table that accepts it, the reference last. Null if none does.
/// Ranking by predicted time comes when there is more than one to choose from.
const Candidate* select(const Site& site, bool reference_only);

/// Name of the row that takes what no other accepts: the slow path.
inline constexpr std::string_view kReference = "reference";

// The rows, one family a file.
std::span<const Candidate> convolution_candidates();
std::span<const Candidate> elementwise_candidates();
std::span<const Candidate> shape_candidates();
std::span<const Candidate> move_candidates();
std::span<const Candidate> resize_candidates();
std::span<const Candidate> transposed_candidates();
std::span<const Candidate> training_candidates();
std::span<const Candidate> product_candidates();

}  // namespace sepal
