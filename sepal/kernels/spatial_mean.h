#pragma once

#include "sepal/base/range.h"
#include "sepal/tensor/view.h"

namespace sepal {

/// The mean of every channel over its image: global average pooling.
struct SpatialMeanArgs {
  TensorView<const float> input;  ///< [n, h, w, c]
  float* output = nullptr;        ///< [n, c]
};

/// Computes the output values `values`, counted through the batch (0 .. n * c), so that one image can be
/// divided by channels. Rows are summed first, then the rows' sums, so the error grows with h + w, not with
/// h * w. Allocates nothing; disjoint values may run at the same time, and give the same bits in any division.
void spatial_mean(const SpatialMeanArgs& args, Range values) noexcept;

}  // namespace sepal
