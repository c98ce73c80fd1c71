#include "sepal/plan/fusion.h"

#include <optional>

namespace sepal {
namespace {

class Finder {
 public:
  explicit Finder(const Graph& graph) : graph_(graph), uses_(count_uses(graph)), reader_(graph.value_count(), 0) {
    for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
      for (const ValueId input : graph.nodes()[i].inputs) reader_[Graph::index(input)] = i;
    }
  }

  void find(Fusions& found) const {
    for (std::size_t i = 0; i < graph_.nodes().size(); ++i) {
      const Node& node = graph_.nodes()[i];
      const auto* binary = std::get_if<Binary>(&node.op);
      if (binary == nullptr || binary->kind != BinaryKind::kAdd) continue;
      const ValueId sum = node.outputs[0];
      const TensorType& type = graph_.type(sum);
      if (type.type != DataType::kF32 || graph_.type(node.inputs[0]) != type || graph_.type(node.inputs[1]) != type)
        continue;
      const std::optional<std::size_t> a = position(node.inputs[0]);
      const std::optional<std::size_t> b = position(node.inputs[1]);
      const std::size_t later = a > b ? 0 : 1;
      const ValueId result = node.inputs[later];
      const ValueId addend = node.inputs[1 - later];
      if (a == b || !suits(result) || graph_.is_constant(addend)) continue;
      Fusion fusion{.addend = addend, .output = sum, .nodes = {i}};
      if (uses_[Graph::index(sum)] == 1) take_function(fusion);
      found.emplace(*position(result), std::move(fusion));
    }
  }

 private:
  /// Where in the order the value's node stands; nothing for inputs and constants, which are there from the start.
  std::optional<std::size_t> position(ValueId value) const {
    const Node* producer = graph_.producer(value);
    if (producer == nullptr) return std::nullopt;
    return static_cast<std::size_t>(producer - graph_.nodes().data());
  }

  /// The result of a convolution that nobody else reads and that has no activation before the addition.
  bool suits(ValueId result) const {
    const Node* producer = graph_.producer(result);
    const auto* conv = producer == nullptr ? nullptr : std::get_if<Conv2d>(&producer->op);
    return conv != nullptr && conv->activation == Unary{} && uses_[Graph::index(result)] == 1;
  }

  void take_function(Fusion& fusion) const {
    const std::size_t reader = reader_[Graph::index(fusion.output)];
    const Node& node = graph_.nodes()[reader];
    const auto* function = std::get_if<Unary>(&node.op);
    if (function == nullptr || node.inputs.empty() || node.inputs[0] != fusion.output) return;
    fusion.nodes.push_back(reader);
    fusion.activation = *function;
    fusion.output = node.outputs[0];
  }

  const Graph& graph_;
  std::vector<int> uses_;
  std::vector<std::size_t> reader_;  ///< of each value one node that reads it
};

}  // namespace

void find_additions(const Graph& graph, Fusions& fusions) { Finder(graph).find(fusions); }

}  // namespace sepal
