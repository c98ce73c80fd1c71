#include "sepal/plan/fusion.h"

#include <optional>

#include "sepal/kernels/packed.h"

namespace sepal {
namespace {

class Finder {
 public:
  explicit Finder(const Graph& graph) : graph_(graph), uses_(count_uses(graph)), reader_(graph.value_count(), 0) {
    for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
      for (const ValueId input : graph.nodes()[i].inputs) reader_[Graph::index(input)] = i;
    }
  }

  void find_additions(Fusions& found) const {
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

  void find_gates(Fusions& found) const {
    for (std::size_t i = 0; i < graph_.nodes().size(); ++i) {
      const Node& node = graph_.nodes()[i];
      const auto* binary = std::get_if<Binary>(&node.op);
      if (binary == nullptr || binary->kind != BinaryKind::kMultiply) continue;
      const std::size_t reader = reader_[Graph::index(node.outputs[0])];
      const Node& product = graph_.nodes()[reader];
      if (uses_[Graph::index(node.outputs[0])] != 1 || product.inputs.empty() || product.inputs[0] != node.outputs[0])
        continue;
      const Candidate* candidate = select({graph_, product}, false);
      if (candidate == nullptr || !candidate->gates) continue;
      const Shape& result = graph_.shape(product.outputs[0]);
      const auto gated = gate_of(node, 2 * panels(result.c()) * kPanelColumns);
      if (!gated || result.elements() == 0) continue;
      Fusion& fusion = found.try_emplace(reader, alone(product)).first->second;
      fusion.gated = gated;
      fusion.nodes.push_back(i);
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

  /// The operands of a multiplication, one a map of at least so many pixels and the other a factor for each channel.
  std::optional<Gated> gate_of(const Node& node, std::int64_t columns) const {
    const auto suits = [&](ValueId map, ValueId factors) {
      const TensorType& of = graph_.type(map);
      const Shape& shape = of.shape;
      return of.type == DataType::kF32 && graph_.type(factors).type == DataType::kF32 && shape.rank() == 4 &&
             graph_.shape(factors) == Shape{shape.n(), 1, 1, shape.c()} && shape.h() * shape.w() >= columns &&
             !graph_.is_constant(map) && !graph_.is_constant(factors);
    };
    const ValueId a = node.inputs[0];
    const ValueId b = node.inputs[1];
    if (suits(a, b)) return Gated{a, b};
    if (suits(b, a)) return Gated{b, a};
    return std::nullopt;
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

Fusion alone(const Node& conv) {
  return {.activation = std::get<Conv2d>(conv.op).activation, .output = conv.outputs[0]};
}

void find_additions(const Graph& graph, Fusions& fusions) { Finder(graph).find_additions(fusions); }

void find_gates(const Graph& graph, Fusions& fusions) { Finder(graph).find_gates(fusions); }

}  // namespace sepal
