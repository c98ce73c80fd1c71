#pragma once

#include "sepal/base/range.h"
#include "sepal/tensor/elementwise.h"
#include "sepal/tensor/view.h"
#include "sepal/tensor/window.h"

namespace sepal {

/// Maximum or mean over a sliding window.
struct PoolArgs {
  TensorView<const float> input;  ///< [n, h, w, c]
  Window window;
  PoolKind kind = PoolKind::kMax;
  bool count_include_pad = false;  ///< means divide by the taps within the padded image, not within the image
  TensorView<float> output;        ///< [n, h', w', c]; must not overlap input
};

/// Computes the output rows `rows`, counted through the batch (0 .. n * h'); h' and w' may be rounded up
/// (ceil_mode). A window that lies in the padding altogether gives the lowest float (max) or 0 (mean). A NaN is
/// larger than everything. Allocates nothing; disjoint rows may run at the same time.
void pool(const PoolArgs& args, Range rows) noexcept;

}  // namespace sepal
