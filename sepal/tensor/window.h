#pragma once

#include <cstdint>

#pragma GCC visibility push(default)

namespace sepal {

/// Rows and columns.
struct Extent {
  std::int64_t h = 1;
  std::int64_t w = 1;
  friend bool operator==(const Extent&, const Extent&) = default;
};

/// Rows and columns added around an image, independent on each side.
struct Padding {
  std::int64_t top = 0;
  std::int64_t left = 0;
  std::int64_t bottom = 0;
  std::int64_t right = 0;
  friend bool operator==(const Padding&, const Padding&) = default;
};

/// What slides over the image in a convolution or a pooling.
struct Window {
  Extent kernel{};
  Extent stride{};
  Extent dilation{};
  Padding padding{};
  friend bool operator==(const Window&, const Window&) = default;
};

/// Rows and columns that the dilated kernel spans: dilation * (kernel - 1) + 1.
Extent span_of(const Window& window);

/// Throws Error(kInvalid) unless kernel, stride and dilation are at least 1, padding at least 0, and all
/// of them below 2^31.
void check_window(const Window& window);

/// Output rows and columns of `window` over `input`, rounding down:
///   (input + padding - dilation * (kernel - 1) - 1) / stride + 1
/// as in ONNX Conv with explicit pads.
/// Throws Error(kInvalid) if the window is not valid or the dilated kernel is larger than the padded input.
Extent output_extent(Extent input, const Window& window);

/// The same rounding up, as pooling with ceil_mode does; a last window that would begin in the padding
/// after the input is left out.
Extent output_extent_ceil(Extent input, const Window& window);

}  // namespace sepal

#pragma GCC visibility pop
