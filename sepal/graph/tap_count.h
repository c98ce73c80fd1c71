#pragma once

#include "sepal/graph/count.h"

namespace sepal {

/// A window along one axis: `positions` of it, `stride` apart, the first `padding` before the image; `taps` of it,
/// `dilation` apart.
struct AxisWindow {
  std::int64_t positions = 1;
  std::int64_t stride = 1;
  std::int64_t taps = 1;
  std::int64_t dilation = 1;
  std::int64_t padding = 0;
};

/// What of a window falls on an image.
struct TapCount {
  Count taps;       ///< pairs of a position and one of its taps that lies on the image
  Count positions;  ///< positions with at least one such tap
};

/// In closed form, whatever the sizes: position y and tap t count where 0 <= y stride + t dilation - padding < extent.
TapCount count_taps(const AxisWindow& window, std::int64_t extent);

/// The transpose: how many of 0 .. extent - 1 are y stride + t dilation - padding for at least one pair.
/// Takes min(taps, stride) steps. Throws Error(kInvalid) where those are more than 2^24.
Count count_reached(const AxisWindow& window, std::int64_t extent);

}  // namespace sepal
