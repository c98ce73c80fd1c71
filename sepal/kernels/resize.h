#pragma once

#include <cstdint>

#include "sepal/base/range.h"
#include "sepal/tensor/view.h"

namespace sepal {

/// Where each output position along an axis finds its value: first_share of the position `first` of the input and
/// second_share of `second`, or `first` as it is where there are no shares. Where one position has it all it stands
/// twice, with halves, so that a neighbour that does not count cannot make a NaN of an infinity.
struct ResizeAxis {
  const std::int32_t* first = nullptr;
  const std::int32_t* second = nullptr;
  const float* first_share = nullptr;
  const float* second_share = nullptr;
};

/// Images of another size, from the nearest pixel or from two by two. Where the pixels lie is the caller's business:
/// the axes are tables.
struct ResizeArgs {
  TensorView<const float> input;  ///< [n, h, w, c]
  ResizeAxis rows;                ///< [h'], rows of the input
  /// Floats of an input row: of each output pixel (resize_pixelwise), else of each float of an output row, with
  /// kResizePadding entries more, all 0.
  ResizeAxis columns;
  TensorView<float> output;  ///< [n, h', w', c]; must not overlap input
};

/// True where pixels have channels enough to be taken one by one; else rows are gathered float by float.
constexpr bool resize_pixelwise(std::int64_t channels) { return channels > 2; }

/// Entries after the table of a row that is gathered: as many as a vector has lanes, at most.
inline constexpr std::int64_t kResizePadding = 16;

/// Computes the output rows `rows`, counted through the batch (0 .. n * h'). Allocates nothing; disjoint rows may run
/// at the same time, and give the same bits in any division.
void resize(const ResizeArgs& args, Range rows) noexcept;

}  // namespace sepal
