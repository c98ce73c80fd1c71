#pragma once

// How a window slides over an image, for convolution and pooling alike.

#include <algorithm>
#include <cstdint>

#include "sepal/base/range.h"
#include "sepal/tensor/shape.h"
#include "sepal/tensor/window.h"

namespace sepal::reference {

/// Those taps t of 0 .. kernel - 1 for which 0 <= first + t * dilation < extent: counted, not searched, so
/// that a window that is nearly all padding costs nothing.
inline Range taps_inside(std::int64_t first, std::int64_t dilation, std::int64_t kernel, std::int64_t extent) {
  const std::int64_t begin = first >= 0 ? 0 : (dilation - 1 - first) / dilation;
  const std::int64_t end = first >= extent ? 0 : std::min(kernel, (extent - first + dilation - 1) / dilation);
  return {begin, std::max(begin, end)};
}

/// One position of a sliding window: which output it computes, and which of its taps fall on the image.
struct Place {
  std::int64_t n;
  std::int64_t index;  ///< (n * h' + y) * w' + x
  Range rows;          ///< taps of the kernel, not rows of the image
  Range columns;
  std::int64_t top;  ///< row and column of tap 0; may lie outside the image
  std::int64_t left;
};

/// Calls body(place) for every position of a window over `input` that gives one pixel of `output`.
template <typename Body>
void slide(const Shape& input, const Shape& output, const Window& window, Body&& body) {
  if (output.elements() == 0) return;
  Place place{};
  for (place.n = 0; place.n < output.n(); ++place.n) {
    for (std::int64_t y = 0; y < output.h(); ++y) {
      place.top = y * window.stride.h - window.padding.top;
      place.rows = taps_inside(place.top, window.dilation.h, window.kernel.h, input.h());
      for (std::int64_t x = 0; x < output.w(); ++x) {
        place.left = x * window.stride.w - window.padding.left;
        place.columns = taps_inside(place.left, window.dilation.w, window.kernel.w, input.w());
        body(place);
        ++place.index;
      }
    }
  }
}

}  // namespace sepal::reference
