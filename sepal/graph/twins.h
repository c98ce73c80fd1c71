#pragma once

#include <string>
#include <vector>

#include "sepal/graph/conv_layer.h"
#include "sepal/graph/graph.h"

namespace sepal {

/// A layer of a network beside its other form. Both forms are compared in f32, also where the network's numbers are
/// integers: MACs and parameters are the same, bytes and times are not.
struct Twin {
  std::string name;                ///< of its nodes: "stem", or "block_1/depthwise + pointwise"
  std::vector<std::size_t> nodes;  ///< indices in Graph::nodes()
  Comparison comparison;
};

/// Every standard convolution (one group, more than one tap) beside its separable twin. Here and below a convolution
/// is one of any numbers (Conv2d, QuantizedConv2d, IntegerConv2d) over an image that is computed in a run with a filter
/// that is not.
std::vector<Twin> separable_twins(const Graph& graph);

/// Every separable pair beside the standard convolution that it replaces: a depthwise convolution whose result goes,
/// value by value (normalisation, activations, scales, quantisation, also x * f(x) in steps) and to nobody else, to a
/// pointwise one of stride 1.
std::vector<Twin> standard_twins(const Graph& graph);

}  // namespace sepal
