#pragma once

// One layer as a network of its own: what `sepal cost --layer --measure` times, standard against separable.

#include <cstdint>

#include "sepal/graph/conv_layer.h"
#include "sepal/graph/graph.h"

namespace sepal {

/// One convolution: "input" [batch, size.h, size.w, in] -> "output" [batch, h', w', out]. Weights are
/// He-initialised from the seed (zoo/weights.h), biases too, where the layer has them. Throws Error(kInvalid) as
/// check() does.
Graph standard_layer(const ConvLayer& layer, std::uint64_t seed = 1);

/// Its separable twin between the same ends: a depthwise convolution, then a pointwise one.
Graph separable_layer(const ConvLayer& layer, std::uint64_t seed = 1);

}  // namespace sepal
