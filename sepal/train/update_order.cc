// A node's place is a number: that of the last node of the passes before it that it has to wait for. Nodes of the
// passes keep their order and stand before the updates that have their number.

#include "sepal/train/update_order.h"

#include <algorithm>
#include <optional>

#include "sepal/optimize/rewrite.h"

namespace sepal {

StepGraph with_early_updates(StepGraph step, std::size_t first) {
  const Graph& graph = step.graph;
  const std::span<const Node> nodes = graph.nodes();
  std::vector<std::optional<ValueId>> replaced(graph.value_count());  // by a slot's new value, its old one
  for (std::size_t i = 0; i < step.slots.size(); ++i) {
    const ValueId made = graph.outputs()[StepGraph::kFirstSlotOutput + i].value;
    replaced[Graph::index(made)] = graph.inputs()[StepGraph::kFirstSlotInput + i].value;
  }
  std::vector<std::size_t> place(nodes.size());
  std::vector<std::size_t> made_at(graph.value_count(), 0);
  std::vector<std::size_t> read_at(graph.value_count(), 0);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const Node& node = nodes[i];
    place[i] = i < first ? i : 0;
    if (i >= first) {
      for (const ValueId input : node.inputs) place[i] = std::max(place[i], made_at[Graph::index(input)]);
      for (const ValueId output : node.outputs) {
        const std::optional<ValueId> old = replaced[Graph::index(output)];
        if (old) place[i] = std::max(place[i], read_at[Graph::index(*old)]);
      }
    }
    for (const ValueId input : node.inputs) {
      std::size_t& last = read_at[Graph::index(input)];
      last = std::max(last, place[i]);
    }
    for (const ValueId output : node.outputs) made_at[Graph::index(output)] = place[i];
  }
  // What makes no slot only prepares for what does: it stands as late as its first reader lets it, so that its result
  // takes memory for a moment alone.
  std::vector<std::size_t> reader(graph.value_count(), nodes.size());
  for (std::size_t i = nodes.size(); i-- > first;) {
    const auto makes_slot = [&](ValueId output) { return replaced[Graph::index(output)].has_value(); };
    if (std::ranges::none_of(nodes[i].outputs, makes_slot)) {
      std::size_t soonest = nodes.size();
      for (const ValueId output : nodes[i].outputs) soonest = std::min(soonest, reader[Graph::index(output)]);
      place[i] = std::max(place[i], std::min(soonest, nodes.size() - 1));
    }
    for (const ValueId input : nodes[i].inputs) {
      std::size_t& soonest = reader[Graph::index(input)];
      soonest = std::min(soonest, place[i]);
    }
  }
  std::vector<std::size_t> order(nodes.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return place[i]; });

  Rewriter rewriter(graph);
  for (const std::size_t i : order) rewriter.copy(nodes[i]);
  step.graph = rewriter.finish();
  return step;
}

}  // namespace sepal
