#include "sepal/graph/twins.h"

#include <optional>

#include "sepal/base/text.h"
#include "sepal/base/visit.h"

namespace sepal {
namespace {

std::string name_of(const Graph& graph, std::size_t node) {
  const Node& it = graph.nodes()[node];
  return it.name.empty() ? format("{} {}", name_of(it.op), node) : it.name;
}

/// The convolution by its numbers; `out` is what follows from its filter.
ConvLayer layer_of(const Graph& graph, const Node& node, const Conv2d& conv) {
  const Shape& input = graph.shape(node.inputs[0]);
  return {.batch = input.n(),
          .in = input.c(),
          .out = graph.shape(node.inputs[1]).n(),
          .size = {input.h(), input.w()},
          .window = conv.window,
          .bias = node.inputs.size() > 2};
}

/// Values pass through one by one: what may stand between the two stages of a separable convolution.
bool is_between(const Op& op) {
  return std::visit(Overload{[](const BatchNorm&) { return true; }, [](const Unary&) { return true; },
                             [](const Quantize&) { return true; }, [](const Dequantize&) { return true; },
                             [](const Binary& binary) { return binary.kind == BinaryKind::kPRelu; },
                             [](const auto&) { return false; }},
                    op);
}

/// For each value the one node that reads it, as its first input and as nobody's output; -1 where there are others.
std::vector<std::ptrdiff_t> only_readers(const Graph& graph) {
  const std::vector<int> uses = count_uses(graph);
  std::vector<std::ptrdiff_t> readers(graph.value_count(), -1);
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    const std::vector<ValueId>& inputs = graph.nodes()[i].inputs;
    if (inputs.empty() || uses[Graph::index(inputs[0])] != 1) continue;
    readers[Graph::index(inputs[0])] = static_cast<std::ptrdiff_t>(i);
  }
  return readers;
}

/// "block1/depthwise + pointwise": what both begin with, up to a slash, is said once.
std::string names_of(const std::string& first, const std::string& second) {
  const std::size_t slash = first.rfind('/');
  const bool shared = slash != std::string::npos && second.starts_with(first.substr(0, slash + 1));
  return format("{} + {}", first, shared ? second.substr(slash + 1) : second);
}

}  // namespace

std::vector<Twin> separable_twins(const Graph& graph) {
  std::vector<Twin> twins;
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = graph.nodes()[i];
    const auto* conv = std::get_if<Conv2d>(&node.op);
    if (conv == nullptr || conv->groups != 1 || conv->window.kernel == Extent{1, 1}) continue;
    if (graph.shape(node.outputs[0]).elements() == 0 || graph.shape(node.inputs[0]).elements() == 0) continue;
    std::string name = name_of(graph, i);
    Comparison comparison = in_place(printable(name), [&] { return compare(layer_of(graph, node, *conv)); });
    twins.push_back({std::move(name), {i}, std::move(comparison)});
  }
  return twins;
}

std::vector<Twin> standard_twins(const Graph& graph) {
  const std::vector<std::ptrdiff_t> readers = only_readers(graph);
  const auto reader_of = [&](std::size_t node) { return readers[Graph::index(graph.nodes()[node].outputs[0])]; };
  std::vector<Twin> twins;
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& first = graph.nodes()[i];
    const auto* depthwise = std::get_if<Conv2d>(&first.op);
    if (depthwise == nullptr || !is_depthwise(*depthwise, graph.shape(first.inputs[1]))) continue;
    if (graph.shape(first.outputs[0]).elements() == 0) continue;
    std::ptrdiff_t next = reader_of(i);
    while (next >= 0 && is_between(graph.nodes()[static_cast<std::size_t>(next)].op))
      next = reader_of(static_cast<std::size_t>(next));
    if (next < 0) continue;
    const auto at = static_cast<std::size_t>(next);
    const Node& second = graph.nodes()[at];
    const auto* pointwise = std::get_if<Conv2d>(&second.op);
    if (pointwise == nullptr || !is_pointwise(*pointwise, graph.shape(second.inputs[1])) ||
        pointwise->window.stride != Extent{1, 1}) {
      continue;
    }
    std::string name = names_of(name_of(graph, i), name_of(graph, at));
    ConvLayer layer = layer_of(graph, first, *depthwise);
    layer.multiplier = layer.out / layer.in;
    layer.out = graph.shape(second.outputs[0]).c();
    layer.bias = layer.bias && second.inputs.size() > 2;
    Comparison comparison = in_place(printable(name), [&] { return compare(layer); });
    twins.push_back({std::move(name), {i, at}, std::move(comparison)});
  }
  return twins;
}

}  // namespace sepal
