#include "sepal/graph/graph.h"

#include <algorithm>
#include <set>

#include "sepal/base/text.h"

namespace sepal {

ValueId Graph::add_value(Value value) {
  values_.push_back(std::move(value));
  return ValueId{static_cast<std::uint32_t>(values_.size() - 1)};
}

ValueId Graph::add_input(std::string name, const TensorType& type) {
  for (const Port& port : inputs_) {
    if (port.name == name) invalid("two inputs are called \"{}\"", printable(name));
  }
  const ValueId value = add_value({.type = type, .constant = nullptr});
  inputs_.push_back({std::move(name), value});
  return value;
}

ValueId Graph::add_constant(Constant tensor) {
  const TensorType type{tensor->type(), tensor->shape()};
  return add_value({.type = type, .constant = std::move(tensor)});
}

std::span<const ValueId> Graph::add_node(Op op, std::vector<ValueId> inputs, std::string name) {
  std::vector<TensorType> types;
  types.reserve(inputs.size());
  for (const ValueId input : inputs) {
    expect(index(input) < values_.size(), "a node's inputs exist before it");
    types.push_back(type(input));
  }
  const std::vector<TensorType> results =
      in_place(name.empty() ? name_of(op) : printable(name), [&] { return infer(op, types); });
  Node node{std::move(op), std::move(inputs), {}, std::move(name)};
  for (const TensorType& result : results) {
    node.outputs.push_back(
        add_value({.type = result, .constant = nullptr, .producer = static_cast<std::int64_t>(nodes_.size())}));
  }
  nodes_.push_back(std::move(node));
  return nodes_.back().outputs;
}

void Graph::add_output(std::string name, ValueId value) {
  expect(index(value) < values_.size(), "an output is a value of the graph");
  for (const Port& port : outputs_) {
    if (port.name == name) invalid("two outputs are called \"{}\"", printable(name));
  }
  outputs_.push_back({std::move(name), value});
}

const Node* Graph::producer(ValueId value) const {
  const std::int64_t node = values_[index(value)].producer;
  return node < 0 ? nullptr : &nodes_[static_cast<std::size_t>(node)];
}

bool operator==(const Graph& a, const Graph& b) {
  if (a.about != b.about || a.inputs().size() != b.inputs().size() || a.nodes().size() != b.nodes().size() ||
      a.outputs().size() != b.outputs().size()) {
    return false;
  }
  // Values correspond by where they come from: the i-th input, the j-th output of the k-th node, a constant's bits.
  constexpr auto kUnknown = ValueId{~std::uint32_t{0}};
  std::vector<ValueId> twin(a.value_count(), kUnknown);
  const auto same = [&](ValueId left, ValueId right) {
    if (a.type(left) != b.type(right) || a.is_constant(left) != b.is_constant(right)) return false;
    if (a.is_constant(left))
      return a.constant(left) == b.constant(right) || identical(*a.constant(left), *b.constant(right));
    return twin[Graph::index(left)] == right;
  };
  for (std::size_t i = 0; i < a.inputs().size(); ++i) {
    const auto& [name, value] = a.inputs()[i];
    twin[Graph::index(value)] = b.inputs()[i].value;
    if (name != b.inputs()[i].name || a.type(value) != b.type(b.inputs()[i].value)) return false;
  }
  for (std::size_t i = 0; i < a.nodes().size(); ++i) {
    const Node& left = a.nodes()[i];
    const Node& right = b.nodes()[i];
    if (left.op != right.op || left.name != right.name || !std::ranges::equal(left.inputs, right.inputs, same))
      return false;
    // Equal operators over equal types have equal outputs, by the one shape rule.
    for (std::size_t j = 0; j < left.outputs.size(); ++j) twin[Graph::index(left.outputs[j])] = right.outputs[j];
  }
  return std::ranges::equal(a.outputs(), b.outputs(), [&](const Port& left, const Port& right) {
    return left.name == right.name && same(left.value, right.value);
  });
}

std::vector<int> count_uses(const Graph& graph) {
  std::vector<int> uses(graph.value_count());
  for (const Node& node : graph.nodes()) {
    for (const ValueId input : node.inputs) ++uses[Graph::index(input)];
  }
  for (const Port& port : graph.outputs()) ++uses[Graph::index(port.value)];
  return uses;
}

std::int64_t count_parameters(const Graph& graph) {
  std::set<const Tensor*> seen;
  std::int64_t count = 0;
  for (const Node& node : graph.nodes()) {
    for (const ValueId input : node.inputs) {
      const Constant& constant = graph.constant(input);
      if (constant != nullptr && seen.insert(constant.get()).second) count += constant->elements();
    }
  }
  return count;
}

}  // namespace sepal
