#pragma once

#include <cstdint>

#include "sepal/base/range.h"
#include "sepal/tensor/view.h"
#include "sepal/tensor/window.h"

namespace sepal {

/// A transposed convolution, dense or grouped: input pixel r is heard by output pixel r * stride + tap * dilation -
/// padding, as in ONNX ConvTranspose.
struct TransposedArgs {
  TensorView<const float> input;  ///< [n, h, w, ci]
  const float* packed = nullptr;  ///< pack_transposed of the filter and the bias
  const float* zeros = nullptr;   ///< ci / groups zeros
  Window window;                  ///< of the convolution whose transpose this is
  std::int64_t groups = 1;        ///< divides ci and co
  TensorView<float> output;       ///< [n, h', w', co]; must not overlap input
};

/// Output rows are computed in groups of stride.h, the last of an image perhaps fewer.
constexpr std::int64_t transposed_row_groups(const Window& window, std::int64_t height) {
  return (height + window.stride.h - 1) / window.stride.h;
}

/// Computes the groups of output rows `groups`, counted through the batch (0 .. n * transposed_row_groups). Allocates
/// nothing; disjoint groups may run at the same time, and give the same bits in any division.
void transposed(const TransposedArgs& args, Range groups) noexcept;

/// Floats that pack_transposed writes. Of `args` the shapes, the window and the groups count.
std::int64_t packed_transposed_floats(const TransposedArgs& args) noexcept;

/// Packs a filter [ci, kh, kw, co / groups] and its bias ([co], or null) for `args`, of which the shapes, the window
/// and the groups count.
void pack_transposed(const TransposedArgs& args, const float* filter, const float* bias, float* packed) noexcept;

}  // namespace sepal
