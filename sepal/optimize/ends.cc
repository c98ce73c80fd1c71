// What a reader puts between the ends of a graph and its operators, which work on images channels last: a transpose of
// each image that goes in or comes out in another order. For counting, the order of an end's axes is the caller's
// affair; so here the ends themselves are turned and the transposes are gone.

#include <algorithm>
#include <optional>

#include "sepal/optimize/optimize.h"

namespace sepal {
namespace {

/// The permutation of a transpose that a reader or a pass put in, not the file; nothing for all other nodes.
std::optional<Permutation> turned_by(const Node& node) {
  const auto* transpose = std::get_if<Transpose>(&node.op);
  return transpose != nullptr && node.name.empty() ? std::optional(transpose->permutation) : std::nullopt;
}

class Turning {
 public:
  explicit Turning(const Graph& old) : old_(old), uses_(count_uses(old)), map_(old.value_count()) {}

  Graph run() {
    turned_.about = old_.about;
    std::vector<bool> dropped(old_.nodes().size());
    for (const Port& port : old_.inputs()) add_input(port, dropped);
    for (std::size_t i = 0; i < old_.nodes().size(); ++i) {
      const Node& node = old_.nodes()[i];
      if (dropped[i] || is_last(node)) continue;
      std::vector<ValueId> inputs;
      for (const ValueId input : node.inputs) inputs.push_back(at(input));
      const std::span<const ValueId> outputs = turned_.add_node(node.op, std::move(inputs), node.name);
      for (std::size_t k = 0; k < outputs.size(); ++k) map(node.outputs[k], outputs[k]);
    }
    for (const Port& port : old_.outputs()) {
      const Node* producer = old_.producer(port.value);
      const bool last = producer != nullptr && !map_[Graph::index(port.value)];
      turned_.add_output(port.name, at(last ? producer->inputs[0] : port.value));
    }
    return std::move(turned_);
  }

 private:
  /// The input as its one order of reading has it, where every reader turns it in the same way.
  void add_input(const Port& port, std::vector<bool>& dropped) {
    std::optional<Permutation> order;
    std::vector<std::size_t> readers;
    for (std::size_t i = 0; i < old_.nodes().size(); ++i) {
      const Node& node = old_.nodes()[i];
      if (std::ranges::find(node.inputs, port.value) == node.inputs.end()) continue;
      const std::optional<Permutation> turn = turned_by(node);
      if (!turn || (order && *order != *turn)) return map(port.value, copied(port));
      order = turn;
      readers.push_back(i);
    }
    // Somebody may read it as an output of the graph, too.
    if (!order || uses_[Graph::index(port.value)] != static_cast<int>(readers.size()))
      return map(port.value, copied(port));
    const TensorType& type = old_.type(port.value);
    const ValueId input = turned_.add_input(port.name, {type.type, order->apply(type.shape)});
    for (const std::size_t reader : readers) {
      map(old_.nodes()[reader].outputs[0], input);
      dropped[reader] = true;
    }
  }

  ValueId copied(const Port& port) { return turned_.add_input(port.name, old_.type(port.value)); }

  /// Whether the node only turns what goes out.
  bool is_last(const Node& node) const {
    if (!turned_by(node)) return false;
    const auto ends = std::ranges::count(old_.outputs(), node.outputs[0], &Port::value);
    return ends == uses_[Graph::index(node.outputs[0])];
  }

  void map(ValueId old_value, ValueId value) { map_[Graph::index(old_value)] = value; }

  ValueId at(ValueId old_value) {
    std::optional<ValueId>& value = map_[Graph::index(old_value)];
    if (!value) value = turned_.add_constant(old_.constant(old_value));
    return *value;
  }

  const Graph& old_;
  const std::vector<int> uses_;
  std::vector<std::optional<ValueId>> map_;
  Graph turned_;
};

}  // namespace

Graph without_turned_ends(const Graph& graph) { return Turning(graph).run(); }

}  // namespace sepal
