#pragma once

#include <string>
#include <vector>

#include "sepal/graph/conv_layer.h"
#include "sepal/graph/graph.h"

namespace sepal {

/// A layer of a network beside its other form.
struct Twin {
  std::string name;                ///< of its nodes: "stem", or "block_1/depthwise + pointwise"
  std::vector<std::size_t> nodes;  ///< indices in Graph::nodes()
  Comparison comparison;
};

/// Every standard convolution (one group, more than one tap, filter a constant) beside its separable twin.
std::vector<Twin> separable_twins(const Graph& graph);

/// Every separable pair beside the standard convolution that it replaces: a depthwise convolution whose result goes,
/// through normalisation, activations and quantisation alone and to nobody else, to a pointwise one.
std::vector<Twin> standard_twins(const Graph& graph);

}  // namespace sepal
