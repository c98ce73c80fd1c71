#pragma once

#include "sepal/base/range.h"
#include "sepal/kernels/depthwise.h"
#include "sepal/kernels/pointwise.h"

namespace sepal {

/// A depthwise convolution and the pointwise one that reads it, a few rows at a time: the map between them, which would
/// go out to memory and come back, is a piece of `room` that stays in the second cache.
struct SeparableArgs {
  DepthwiseArgs depthwise;  ///< output.shape [n, h', w', c]; output.data is not looked at
  PointwiseArgs pointwise;  ///< of all n h' w' rows; input is not looked at, ahead is wanted after the last row
  std::int64_t rows_at_once = 2;
  float* room = nullptr;  ///< rows_at_once * w' * c floats and a vector's slack; one for each caller at a time
};

/// Computes the output rows `rows`, counted through the batch (0 .. n * h'). Allocates nothing; disjoint rows may run
/// at the same time, each with a room of its own, and give the same bits in any division and for any rows_at_once.
void separable(const SeparableArgs& args, Range rows) noexcept;

}  // namespace sepal
