#pragma once

// A graph computed in double by the reference kernels' templates, for finite differences: only the operators of forward
// passes, and only f32 values (integers and booleans stay what they are).

#include <vector>

#include "sepal/graph/graph.h"

namespace sepal {

/// The single number `loss` over these values of the graph's inputs, in order.
double loss_in_double(const Graph& graph, ValueId loss, const std::vector<std::vector<double>>& inputs);

}  // namespace sepal
