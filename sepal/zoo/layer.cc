#include "sepal/zoo/layer.h"

#include "sepal/zoo/weights.h"

namespace sepal {
namespace {

ValueId add_input(Graph& graph, const ConvLayer& layer) {
  check(layer);
  return graph.add_input("input", {DataType::kF32, {layer.batch, layer.size.h, layer.size.w, layer.in}});
}

/// A convolution of `x` with a filter [co, kh, kw, ci / groups].
ValueId add_convolution(Graph& graph, ValueId x, const Conv2d& conv, const Shape& filter, bool bias,
                        WeightSource& weights, std::string name) {
  const std::int64_t taps = filter.elements(1, filter.rank());
  std::vector<ValueId> inputs = {x, graph.add_constant(weights.normal(filter, taps))};
  if (bias) inputs.push_back(graph.add_constant(weights.normal({filter[0]}, taps)));
  return graph.add(conv, std::move(inputs), std::move(name));
}

}  // namespace

Graph standard_layer(const ConvLayer& layer, std::uint64_t seed) {
  Graph graph;
  WeightSource weights(seed);
  const Extent& kernel = layer.window.kernel;
  const ValueId x = add_input(graph, layer);
  graph.add_output("output",
                   add_convolution(graph, x, {.window = layer.window}, {layer.out, kernel.h, kernel.w, layer.in},
                                   layer.bias, weights, "standard"));
  return graph;
}

Graph separable_layer(const ConvLayer& layer, std::uint64_t seed) {
  Graph graph;
  WeightSource weights(seed);
  const Extent& kernel = layer.window.kernel;
  const std::int64_t between = layer.multiplier * layer.in;
  const ValueId x = add_input(graph, layer);
  const ValueId filtered = add_convolution(graph, x, {.window = layer.window, .groups = layer.in},
                                           {between, kernel.h, kernel.w, 1}, layer.bias, weights, "depthwise");
  graph.add_output("output",
                   add_convolution(graph, filtered, {}, {layer.out, 1, 1, between}, layer.bias, weights, "pointwise"));
  return graph;
}

}  // namespace sepal
