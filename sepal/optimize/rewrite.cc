#include "sepal/optimize/rewrite.h"

#include <algorithm>
#include <ranges>

namespace sepal {

Rewriter::Rewriter(const Graph& old)
    : old_(old), map_(old.value_count()), uses_(old.value_count()), live_(old.value_count()) {
  graph_.about = old.about;
  for (const Port& port : old.inputs()) replace(port.value, graph_.add_input(port.name, old.type(port.value)));
  for (const Port& port : old.outputs()) {
    live_[Graph::index(port.value)] = true;
    ++uses_[Graph::index(port.value)];
  }
  for (const Node& node : std::views::reverse(old.nodes())) {
    if (!is_live(node)) continue;
    for (const ValueId input : node.inputs) {
      live_[Graph::index(input)] = true;
      ++uses_[Graph::index(input)];
    }
  }
}

ValueId Rewriter::operator()(ValueId old_value) {
  std::optional<ValueId>& value = map_[Graph::index(old_value)];
  if (!value && old_.is_constant(old_value)) value = graph_.add_constant(old_.constant(old_value));
  return value.value();
}

std::vector<ValueId> Rewriter::operator()(std::span<const ValueId> old_values) {
  std::vector<ValueId> values;
  values.reserve(old_values.size());
  for (const ValueId value : old_values) values.push_back((*this)(value));
  return values;
}

void Rewriter::copy(const Node& node) {
  const std::span<const ValueId> outputs = graph_.add_node(node.op, (*this)(node.inputs), node.name);
  for (std::size_t i = 0; i < outputs.size(); ++i) replace(node.outputs[i], outputs[i]);
}

bool Rewriter::is_live(const Node& node) const {
  return std::ranges::any_of(node.outputs, [&](ValueId output) { return live_[Graph::index(output)]; });
}

Graph Rewriter::finish() {
  for (const Port& port : old_.outputs()) graph_.add_output(port.name, (*this)(port.value));
  return std::move(graph_);
}

Graph rewrite(const Graph& graph, const std::function<bool(Rewriter&, const Node&)>& visit) {
  Rewriter rewriter(graph);
  for (const Node& node : graph.nodes()) {
    if (rewriter.is_live(node) && !visit(rewriter, node)) rewriter.copy(node);
  }
  return rewriter.finish();
}

std::int64_t constant_bytes(const Graph& graph) {
  std::int64_t bytes = 0;
  for (std::size_t i = 0; i < graph.value_count(); ++i) {
    const Constant& constant = graph.constant(ValueId{static_cast<std::uint32_t>(i)});
    if (constant != nullptr) bytes += static_cast<std::int64_t>(constant->bytes());
  }
  return bytes;
}

std::optional<float> uniform_value(const Constant& constant) {
  if (constant == nullptr || constant->type() != DataType::kF32 || constant->elements() == 0) return std::nullopt;
  const std::span<const float> values = constant->values<float>();
  if (!std::ranges::all_of(values, [&](float value) { return value == values[0]; })) return std::nullopt;
  return values[0];
}

}  // namespace sepal
