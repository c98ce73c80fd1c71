// Layers and their other forms. Standard convolutions are found one by one; separable pairs by following a depthwise
// stage's values downwards, through whatever treats them one by one, until all of them arrive at a pointwise stage.

#include "sepal/graph/twins.h"

#include <algorithm>
#include <optional>
#include <set>

#include "sepal/base/text.h"
#include "sepal/base/visit.h"
#include "sepal/graph/op_kind.h"

namespace sepal {
namespace {

std::string name_of(const Graph& graph, std::size_t node) {
  const Node& it = graph.nodes()[node];
  return it.name.empty() ? format("{} {}", name_of(it.op), node) : it.name;
}

/// "block1/depthwise + pointwise": what both begin with, up to a slash, is said once.
std::string names_of(const std::string& first, const std::string& second) {
  const std::size_t slash = first.rfind('/');
  const bool shared = slash != std::string::npos && second.starts_with(first.substr(0, slash + 1));
  return format("{} + {}", first, shared ? second.substr(slash + 1) : second);
}

/// A convolution of the network that computes something: an image from the run, a filter from the file.
struct Stage {
  ConvReading reading;
  const Shape& input;
  const Shape& filter;
  const Shape& output;
  bool biased;

  bool is_depthwise() const { return sepal::is_depthwise(reading.conv, filter); }
  bool is_pointwise() const { return sepal::is_pointwise(reading.conv, filter); }
  bool is_standard() const { return reading.conv.groups == 1 && reading.conv.window.kernel != Extent{1, 1}; }
  /// By its numbers, as a standard convolution.
  ConvLayer layer() const {
    return {.batch = input.n(),
            .in = input.c(),
            .out = filter.n(),
            .size = {input.h(), input.w()},
            .window = reading.conv.window,
            .bias = biased};
  }
};

class Search {
 public:
  explicit Search(const Graph& graph)
      : graph_(graph), constant_(graph.value_count()), uses_(count_uses(graph)), readers_(graph.value_count()) {
    for (std::size_t i = 0; i < constant_.size(); ++i) constant_[i] = graph.is_constant(static_cast<ValueId>(i));
    for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
      const Node& node = graph.nodes()[i];
      const bool constant = std::ranges::all_of(node.inputs, [&](ValueId input) { return is_constant(input); });
      for (const ValueId output : node.outputs) constant_[Graph::index(output)] = constant;
      for (const ValueId input : node.inputs) readers_[Graph::index(input)].push_back(i);
    }
  }

  /// The node as a convolution with something to compute, or nothing.
  std::optional<Stage> stage(std::size_t at) const {
    const Node& node = graph_.nodes()[at];
    const std::optional<ConvReading> reading = convolution_of(node.op);
    if (!reading || is_constant(node.inputs[0]) || !is_constant(node.inputs[reading->filter])) return std::nullopt;
    const Shape& input = graph_.shape(node.inputs[0]);
    const Shape& output = graph_.shape(node.outputs[0]);
    if (input.elements() == 0 || output.elements() == 0) return std::nullopt;
    const bool biased = reading->bias && node.inputs.size() > *reading->bias;
    return Stage{*reading, input, graph_.shape(node.inputs[reading->filter]), output, biased};
  }

  /// The one node in which all that comes of the node's result ends up, having been treated value by value until
  /// then.
  std::optional<std::size_t> reached_from(std::size_t at) const {
    ValueId value = graph_.nodes()[at].outputs[0];
    while (true) {
      const std::vector<std::size_t>& readers = readers_[Graph::index(value)];
      if (uses_[Graph::index(value)] == 1 && readers.size() == 1 && !is_function(readers[0], {value})) {
        const bool as_data = graph_.nodes()[readers[0]].inputs[0] == value;
        return as_data ? std::optional(readers[0]) : std::nullopt;
      }
      const std::optional<ValueId> next = meeting_of(value);
      if (!next) return std::nullopt;
      value = *next;
    }
  }

 private:
  bool is_constant(ValueId value) const { return constant_[Graph::index(value)]; }

  /// Where the ways from `value` meet again: the first value through which all that depends on it passes, if only
  /// functions of single values lie between. x * sigmoid(x) is such a place for x.
  std::optional<ValueId> meeting_of(ValueId value) const {
    std::set<ValueId> values = {value};
    std::set<std::size_t> next(readers_[Graph::index(value)].begin(), readers_[Graph::index(value)].end());
    int open = uses_[Graph::index(value)];  // ways that have not ended in a node seen so far
    while (!next.empty()) {
      const std::size_t at = *next.begin();
      next.erase(next.begin());
      if (!is_function(at, values)) return std::nullopt;
      const Node& node = graph_.nodes()[at];
      for (const ValueId input : node.inputs) open -= values.contains(input) ? 1 : 0;
      if (open == 0) return node.outputs[0];
      open += uses_[Graph::index(node.outputs[0])];
      values.insert(node.outputs[0]);
      next.insert(readers_[Graph::index(node.outputs[0])].begin(), readers_[Graph::index(node.outputs[0])].end());
    }
    return std::nullopt;
  }

  /// Whether each result is a function of one value of each of `values`.
  bool is_function(std::size_t at, const std::set<ValueId>& values) const {
    const Node& node = graph_.nodes()[at];
    const auto ours = [&](ValueId input) { return values.contains(input); };
    return std::visit(Overload{[](const Unary&) { return true; }, [](const Cast&) { return true; },
                               [&](const BatchNorm&) { return ours(node.inputs[0]); },
                               [&](const Quantize&) { return ours(node.inputs[0]); },
                               [&](const Dequantize&) { return ours(node.inputs[0]); },
                               [&](const DynamicQuantize&) { return ours(node.inputs[0]); },
                               [&](const Binary&) {
                                 return std::ranges::all_of(
                                     node.inputs, [&](ValueId input) { return ours(input) || is_scale(node, input); });
                               },
                               [](const auto&) { return false; }},
                      node.op);
  }

  /// One number for all values, or one for each channel: what scales, shifts, limits and slopes are.
  bool is_scale(const Node& node, ValueId input) const {
    const Shape& shape = graph_.shape(input);
    if (shape.elements() == 1) return true;
    return is_constant(input) && shape.rank() >= 1 && shape.elements() == shape[shape.rank() - 1] &&
           shape.elements() == graph_.shape(node.outputs[0]).c();
  }

  const Graph& graph_;
  std::vector<bool> constant_;                     ///< of each value: known before a run
  std::vector<int> uses_;                          ///< of each value, outputs of the graph among them
  std::vector<std::vector<std::size_t>> readers_;  ///< of each value: the nodes, one entry a use
};

}  // namespace

std::vector<Twin> separable_twins(const Graph& graph) {
  const Search search(graph);
  std::vector<Twin> twins;
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    const std::optional<Stage> stage = search.stage(i);
    if (!stage || !stage->is_standard()) continue;
    std::string name = name_of(graph, i);
    const Comparison comparison = in_place(printable(name), [&] { return compare(stage->layer()); });
    twins.push_back({std::move(name), {i}, comparison});
  }
  return twins;
}

std::vector<Twin> standard_twins(const Graph& graph) {
  const Search search(graph);
  std::vector<Twin> twins;
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    const std::optional<Stage> depthwise = search.stage(i);
    if (!depthwise || !depthwise->is_depthwise()) continue;
    const std::optional<std::size_t> at = search.reached_from(i);
    const std::optional<Stage> pointwise = at ? search.stage(*at) : std::nullopt;
    if (!pointwise || !pointwise->is_pointwise() || pointwise->reading.conv.window.stride != Extent{1, 1}) continue;
    std::string name = names_of(name_of(graph, i), name_of(graph, *at));
    ConvLayer layer = depthwise->layer();
    layer.multiplier = layer.out / layer.in;
    layer.out = pointwise->filter.n();
    layer.bias = layer.bias && pointwise->biased;
    const Comparison comparison = in_place(printable(name), [&] { return compare(layer); });
    twins.push_back({std::move(name), {i, *at}, comparison});
  }
  return twins;
}

}  // namespace sepal
