#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sepal/graph/op.h"
#include "sepal/graph/shape_rule.h"
#include "sepal/tensor/tensor.h"

namespace sepal {

/// A value of one graph: an input, a constant or the output of a node.
enum class ValueId : std::uint32_t {};

/// A constant, shared by all graphs and plans that use it and changed by none.
using Constant = std::shared_ptr<const Tensor>;

/// An operator at work: inputs that exist already, outputs that it brings into being.
struct Node {
  Op op;
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
  std::string name;  ///< as the model's file calls it; empty for what a reader or a pass put in
};

/// A named end of the graph.
struct Port {
  std::string name;
  ValueId value;
  friend bool operator==(const Port&, const Port&) = default;
};

/// What a model's file says about itself, kept from reading to writing.
struct About {
  std::string name;
  std::string documentation;
  std::string producer;
  std::string producer_version;
  std::string domain;
  std::int64_t version = 0;
  std::map<std::string, std::string> properties;  ///< ONNX metadata_props: labels, normalisation, anything
  friend bool operator==(const About&, const About&) = default;
};

/// A network: operators over typed values, in an order in which they can run. It can only grow, and only
/// by nodes whose inputs are there, so it is runnable by construction and free of cycles; every node has
/// passed its shape rule. Copies are cheap: constants are shared. A rewrite is a function that builds a new
/// graph (optimize/rewrite.h). Reading from several threads is safe.
class Graph {
 public:
  ValueId add_input(std::string name, const TensorType& type);
  ValueId add_constant(Constant tensor);
  ValueId add_constant(Tensor tensor) { return add_constant(std::make_shared<const Tensor>(std::move(tensor))); }
  /// Appends a node and returns its outputs. Throws Error(kInvalid), the node's name in front, if the inputs
  /// do not suit the operator.
  std::span<const ValueId> add_node(Op op, std::vector<ValueId> inputs, std::string name = {});
  /// The same for an operator with one output, or whose first is the one wanted.
  ValueId add(Op op, std::vector<ValueId> inputs, std::string name = {}) {
    return add_node(std::move(op), std::move(inputs), std::move(name)).front();
  }
  /// Throws Error(kInvalid) if the graph has an output of that name.
  void add_output(std::string name, ValueId value);

  std::span<const Port> inputs() const { return inputs_; }
  std::span<const Port> outputs() const { return outputs_; }
  std::span<const Node> nodes() const { return nodes_; }
  std::size_t value_count() const { return values_.size(); }

  const TensorType& type(ValueId value) const { return values_[index(value)].type; }
  const Shape& shape(ValueId value) const { return type(value).shape; }
  /// The constant behind the value, or null.
  const Constant& constant(ValueId value) const { return values_[index(value)].constant; }
  bool is_constant(ValueId value) const { return constant(value) != nullptr; }
  /// The node that makes the value, or null for inputs and constants.
  const Node* producer(ValueId value) const;

  About about;

  static constexpr std::size_t index(ValueId value) { return static_cast<std::size_t>(value); }

 private:
  struct Value {
    TensorType type;
    Constant constant;
    std::int64_t producer = -1;
  };
  ValueId add_value(Value value);

  std::vector<Value> values_;
  std::vector<Node> nodes_;
  std::vector<Port> inputs_;
  std::vector<Port> outputs_;
};

/// The same inputs, nodes (operators, names, connections) in the same order, outputs, constants (bit by bit)
/// and `about`; the numbering of values does not count.
bool operator==(const Graph& a, const Graph& b);

/// How many times each value is read: by nodes and as an output of the graph, indexed by Graph::index.
std::vector<int> count_uses(const Graph& graph);

/// Elements of all constants that nodes read, each constant counted once.
std::int64_t count_parameters(const Graph& graph);

}  // namespace sepal
