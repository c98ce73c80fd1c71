#pragma once

// Random windows over random images, and the second formulation that they are checked against: an explicitly
// padded copy, unrolled into a matrix with one row a window position (im2col).

#include <algorithm>
#include <string>

#include "sepal/base/text.h"
#include "sepal/tensor/window.h"
#include "tests/kernels/reference_random.h"

namespace sepal {

struct WindowCase {
  Shape image;   ///< [n, h, w, ci]
  Shape filter;  ///< [co, kh, kw, ci / groups]
  Shape output;  ///< [n, h', w', co]
  Window window;
  std::int64_t groups = 1;

  std::string describe() const {
    const Window& w = window;
    return format("image {}, filter {}, groups {}, stride {}x{}, dilation {}x{}, padding {} {} {} {}", to_string(image),
                  to_string(filter), groups, w.stride.h, w.stride.w, w.dilation.h, w.dilation.w, w.padding.top,
                  w.padding.left, w.padding.bottom, w.padding.right);
  }
};

/// Kernel sides 1 to 7, strides and dilations 1 to 3, uneven padding, groups and multipliers, images from one
/// pixel on; a third of the cases are depthwise and a few pointwise.
inline WindowCase random_window_case(Random& random) {
  WindowCase test;
  Window& w = test.window;
  const bool pointwise = random.whole(0, 9) == 0;
  w.kernel = pointwise ? Extent{1, 1} : Extent{random.whole(1, 7), random.whole(1, 7)};
  w.stride = {random.whole(1, 3), random.whole(1, 3)};
  w.dilation = {random.whole(1, 3), random.whole(1, 3)};
  w.padding = {random.whole(0, 3), random.whole(0, 3), random.whole(0, 3), random.whole(0, 3)};
  const Extent span = span_of(w);
  std::int64_t h = random.coin() ? 1 : random.whole(1, 9);
  std::int64_t wide = random.coin() ? 1 : random.whole(1, 9);
  // Where the window does not fit, the image or its padding grows.
  const std::int64_t rows = std::max<std::int64_t>(span.h - h - w.padding.top - w.padding.bottom, 0);
  const std::int64_t columns = std::max<std::int64_t>(span.w - wide - w.padding.left - w.padding.right, 0);
  (random.coin() ? h : w.padding.bottom) += rows;
  (random.coin() ? wide : w.padding.left) += columns;
  test.groups = random.whole(1, 4);
  const std::int64_t depth = random.whole(0, 2) == 0 ? 1 : random.whole(1, 4);
  const std::int64_t outputs = test.groups * random.whole(1, 4);
  test.image = Shape{random.whole(1, 2), h, wide, test.groups * depth};
  test.filter = Shape{outputs, w.kernel.h, w.kernel.w, depth};
  const Extent extent = output_extent({h, wide}, w);
  test.output = Shape{test.image.n(), extent.h, extent.w, outputs};
  return test;
}

/// A padded copy: [n, h + top + bottom, w + left + right, c].
template <typename To, typename T>
std::pair<Shape, std::vector<To>> padded(const Shape& image, const std::vector<T>& values, const Padding& by, To fill) {
  const Shape shape{image.n(), image.h() + by.top + by.bottom, image.w() + by.left + by.right, image.c()};
  std::vector<To> result = filled<To>(shape, fill);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto at = coordinates(image, static_cast<std::int64_t>(i));
    const std::int64_t row = (at[0] * shape.h() + at[1] + by.top) * shape.w() + at[2] + by.left;
    result[static_cast<std::size_t>(row * shape.c() + at[3])] = static_cast<To>(values[i]);
  }
  return {shape, std::move(result)};
}

/// Rows [n h' w'] of columns [kh kw c]: what each position of the window sees of a padded copy.
template <typename T>
std::vector<std::vector<T>> unroll(const Shape& shape, const std::vector<T>& image, const Window& window,
                                   const Shape& output) {
  std::vector<std::vector<T>> matrix;
  for (std::int64_t n = 0; n < output.n(); ++n) {
    for (std::int64_t y = 0; y < output.h(); ++y) {
      for (std::int64_t x = 0; x < output.w(); ++x) {
        std::vector<T>& row = matrix.emplace_back();
        for (std::int64_t i = 0; i < window.kernel.h; ++i) {
          for (std::int64_t j = 0; j < window.kernel.w; ++j) {
            const std::int64_t pixel = (n * shape.h() + y * window.stride.h + i * window.dilation.h) * shape.w() +
                                       x * window.stride.w + j * window.dilation.w;
            const auto first = image.begin() + pixel * shape.c();
            row.insert(row.end(), first, first + shape.c());
          }
        }
      }
    }
  }
  return matrix;
}

/// The convolution as the product of the unrolled image with the filter, whose zeros outside its group are
/// written out.
template <typename Total, typename X, typename F>
std::vector<Total> convolve_by_matrix(const WindowCase& test, const std::vector<X>& image, const std::vector<F>& filter,
                                      const std::vector<Total>& bias) {
  const auto [shape, copy] = padded<Total>(test.image, image, test.window.padding, Total(0));
  const auto rows = unroll(shape, copy, test.window, test.output);
  const std::int64_t channels = test.image.c();
  const std::int64_t depth = test.filter.c();
  const std::int64_t outputs = test.filter.n();
  const std::int64_t taps = test.filter.h() * test.filter.w();
  std::vector<std::vector<Total>> columns;  // [co][kh kw c]
  for (std::int64_t o = 0; o < outputs; ++o) {
    std::vector<Total>& column = columns.emplace_back(static_cast<std::size_t>(taps * channels), Total(0));
    const std::int64_t group = o * test.groups / outputs;
    for (std::int64_t tap = 0; tap < taps; ++tap) {
      for (std::int64_t c = 0; c < depth; ++c) {
        column[static_cast<std::size_t>(tap * channels + group * depth + c)] =
            static_cast<Total>(filter[static_cast<std::size_t>((o * taps + tap) * depth + c)]);
      }
    }
  }
  std::vector<Total> result;
  for (const auto& row : rows) {
    for (std::size_t o = 0; o < columns.size(); ++o) {
      Total sum = bias.empty() ? Total(0) : bias[o];
      for (std::size_t k = row.size(); k-- > 0;) sum += row[k] * columns[o][k];
      result.push_back(sum);
    }
  }
  return result;
}

}  // namespace sepal
