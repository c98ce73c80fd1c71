#pragma once

#include <cstdint>

#include "sepal/base/range.h"
#include "sepal/tensor/elementwise.h"
#include "sepal/tensor/view.h"
#include "sepal/tensor/window.h"

namespace sepal {

/// A convolution in which every input channel has filters of its own. With the depth multiplier
/// m = output c / input c, output channel c * m + j is filter j of input channel c.
struct DepthwiseArgs {
  TensorView<const float> input;  ///< [n, h, w, c]
  const float* filter = nullptr;  ///< [kernel.h, kernel.w, c * m], one tap after another (pack_depthwise)
  const float* bias = nullptr;    ///< [c * m], or null
  Window window;
  Unary activation;
  TensorView<float> output;    ///< [n, h', w', c * m]; must not overlap input
  std::int64_t first_row = 0;  ///< the row of n * h' that output.data begins with; those before it are not asked for
  /// 0: input.data holds all rows. Else it is a ring of so many rows of the image at hand: row y lies in place y mod
  /// ring, and those are there that the rows asked for meet.
  std::int64_t ring = 0;
  /// The output lies in row panels, as pointwise() reads them, from panel 0 with the first pixel of first_row; for
  /// windows that fills_panels() names, and activations that are epilogues.
  bool output_panels = false;

  /// Where row y of an image begins.
  const float* input_row(std::int64_t image, std::int64_t y) const {
    const std::int64_t place = ring > 0 ? y % ring : image * input.shape.h() + y;
    return input.data + place * input.shape.w() * input.shape.c();
  }
};

/// Computes the output rows `rows`, counted through the batch (0 .. n * h'). Taps that fall into the padding are left
/// out or multiply zeros, so no padding is read; allocates nothing; disjoint rows may run at the same time, and give
/// the same bits in any division.
void depthwise(const DepthwiseArgs& args, Range rows) noexcept;

/// Whether a convolution of this kind can write row panels: windows that have tiles of their own.
bool fills_panels(const DepthwiseArgs& args) noexcept;

/// Brings a filter [c * m, kh, kw, 1] (Conv2d's layout) into depthwise()'s, [taps = kh * kw][c * m]; as many floats.
void pack_depthwise(const float* filter, std::int64_t channels, std::int64_t taps, float* packed) noexcept;

}  // namespace sepal
