#include "sepal/measure/standard_network.h"

#include <map>
#include <utility>

#include "sepal/base/text.h"
#include "sepal/graph/twins.h"
#include "sepal/optimize/rewrite.h"
#include "sepal/zoo/weights.h"

// Which pairs there are is known to graph/twins; here they are replaced. A pair goes where its pointwise stage stands,
// so everything that it reads is there; its depthwise stage and what treats values one by one between the two are
// left out.

namespace sepal {
namespace {

/// A pair within a graph: the nodes of both stages.
struct Pair {
  std::string name;
  std::size_t depthwise = 0;
  std::size_t pointwise = 0;
};

bool is_float(const Graph& graph, std::size_t index) {
  const Node& node = graph.nodes()[index];
  return std::holds_alternative<Conv2d>(node.op) && graph.type(node.inputs[0]).type == DataType::kF32;
}

std::vector<Pair> pairs_of(const Graph& graph) {
  std::vector<Pair> pairs;
  for (const Twin& twin : standard_twins(graph)) {
    const Pair pair{twin.name, twin.nodes[0], twin.nodes[1]};
    if (is_float(graph, pair.depthwise) && is_float(graph, pair.pointwise)) pairs.push_back(pair);
  }
  return pairs;
}

/// For each node the pair that it is part of: its stages and all that lies between them.
std::map<std::size_t, std::size_t> members_of(const Graph& graph, const std::vector<Pair>& pairs) {
  std::map<std::size_t, std::size_t> members;
  for (std::size_t p = 0; p < pairs.size(); ++p) {
    std::vector<bool> depends(graph.value_count());
    for (std::size_t i = pairs[p].depthwise; i <= pairs[p].pointwise; ++i) {
      const Node& node = graph.nodes()[i];
      bool inside = i == pairs[p].depthwise;
      for (const ValueId input : node.inputs) inside = inside || depends[Graph::index(input)];
      if (!inside) continue;
      members.emplace(i, p);
      for (const ValueId output : node.outputs) depends[Graph::index(output)] = true;
    }
  }
  return members;
}

Node standard_node(Rewriter& to, const Pair& pair, WeightSource& weights) {
  const Graph& graph = to.old();
  const Node& depthwise = graph.nodes()[pair.depthwise];
  const Node& pointwise = graph.nodes()[pair.pointwise];
  Conv2d conv = std::get<Conv2d>(pointwise.op);
  conv.window = std::get<Conv2d>(depthwise.op).window;
  const Extent kernel = conv.window.kernel;
  const std::int64_t ci = graph.shape(depthwise.inputs[0]).c();
  const Shape filter{graph.shape(pointwise.outputs[0]).c(), kernel.h, kernel.w, ci};
  std::vector<ValueId> inputs = {to(depthwise.inputs[0]),
                                 to.graph().add_constant(weights.normal(filter, kernel.h * kernel.w * ci))};
  if (pointwise.inputs.size() > 2) inputs.push_back(to(pointwise.inputs[2]));
  return {.op = conv, .inputs = std::move(inputs), .outputs = {}, .name = pointwise.name};
}

}  // namespace

StandardNetwork standard_network(const Graph& graph, std::uint64_t seed) {
  const std::vector<Pair> pairs = pairs_of(graph);
  if (pairs.empty()) invalid("no depthwise convolution in f32 is followed by a pointwise one alone");
  const std::map<std::size_t, std::size_t> members = members_of(graph, pairs);
  StandardNetwork network;
  network.node_of.resize(graph.nodes().size());
  WeightSource weights(seed);
  Rewriter to(graph);
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = graph.nodes()[i];
    if (!to.is_live(node)) continue;
    const auto member = members.find(i);
    network.node_of[i] = to.graph().nodes().size();
    if (member == members.end()) {
      to.copy(node);
    } else if (const Pair& pair = pairs[member->second]; i == pair.pointwise) {
      Node standard = standard_node(to, pair, weights);
      to.replace(node.outputs[0], to.graph().add(standard.op, std::move(standard.inputs), std::move(standard.name)));
      network.pairs.push_back({pair.name, network.node_of[i]});
    }
  }
  for (const auto& [node, pair] : members) network.node_of[node] = network.node_of[pairs[pair].pointwise];
  network.graph = to.finish();
  return network;
}

}  // namespace sepal
