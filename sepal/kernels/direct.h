#pragma once

#include <cstdint>

#include "sepal/base/range.h"
#include "sepal/kernels/packed.h"
#include "sepal/tensor/elementwise.h"
#include "sepal/tensor/view.h"
#include "sepal/tensor/window.h"

namespace sepal {

/// Any 2-D convolution, dense or grouped: group g reads input channels g * ci / groups ... and gives
/// output channels g * co / groups ...
struct DirectArgs {
  TensorView<const float> input;  ///< [n, h, w, ci]
  const float* packed = nullptr;  ///< pack_direct of the filter and the bias
  const float* zeros = nullptr;   ///< ci / groups zeros: what a tap in the padding reads
  Window window;
  std::int64_t groups = 1;  ///< divides ci and co
  Unary activation;
  TensorView<float> output;       ///< [n, h', w', co]; must not overlap input
  const float* addend = nullptr;  ///< as output, added before the activation; may be output; or null
  const float* ahead = nullptr;   ///< packed weights that somebody wants next; or null
  std::int64_t first_row = 0;     ///< the row of n * h' that output.data and addend begin with
  /// Floats from an output pixel to its neighbour and from a row to the next, where that is more than the output's
  /// shape says (its data is not dense: a transposed convolution's phase). Then n = 1 and the activation is_epilogue().
  std::int64_t pixel_pitch = 0;
  std::int64_t row_pitch = 0;
};

/// Computes the output rows `rows`, counted through the batch (0 .. n * h'), without im2col: the product's
/// tile goes tap by tap along pointers into the image. Allocates nothing; disjoint rows may run at the same
/// time, and give the same bits in any division.
void direct(const DirectArgs& args, Range rows) noexcept;

/// Floats that pack_direct writes for a filter [co, kh, kw, ci / groups] with k = kh * kw * ci / groups.
constexpr std::int64_t packed_direct_floats(std::int64_t groups, std::int64_t co, std::int64_t k) {
  return groups * packed_floats(co / groups, k);
}

/// Packs a filter [co, kh, kw, ci / groups] and its bias ([co], or null), one group's panels after another's.
void pack_direct(const float* filter, const float* bias, std::int64_t groups, std::int64_t co, std::int64_t k,
                 float* packed) noexcept;

}  // namespace sepal
