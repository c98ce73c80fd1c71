#pragma once

// Maximum and average over a sliding window. A window without one tap on the image gives the lowest value of
// the type (finite, as in ONNX Runtime) with index 0, and the average 0.

#include "sepal/kernels/reference/number.h"
#include "sepal/kernels/reference/slide.h"
#include "sepal/tensor/view.h"
#include "sepal/tensor/window.h"

namespace sepal::reference {

template <typename T>
struct MaxPoolArgs {
  TensorView<const T> input = {};  ///< [n, h, w, c]
  Window window = {};
  TensorView<T> output = {};        ///< [n, h', w', c]; may be larger than the window rounds down to
  std::int64_t* indices = nullptr;  ///< as output, or null: the place of each maximum in [n, c, h, w]
  bool column_major = false;        ///< in [n, c, w, h] instead
};

/// The first of the largest; a NaN is larger than all.
template <typename T>
void max_pool(const MaxPoolArgs<T>& args) noexcept {
  const Shape& input = args.input.shape;
  const std::int64_t channels = input.c();
  slide(input, args.output.shape, args.window, [&](const Place& place) {
    for (std::int64_t c = 0; c < channels; ++c) {
      T best = std::numeric_limits<T>::lowest();
      std::int64_t index = -1;
      for (std::int64_t i = place.rows.begin; i < place.rows.end; ++i) {
        const std::int64_t row = place.top + i * args.window.dilation.h;
        for (std::int64_t j = place.columns.begin; j < place.columns.end; ++j) {
          const std::int64_t column = place.left + j * args.window.dilation.w;
          const T value = args.input.data[((place.n * input.h() + row) * input.w() + column) * channels + c];
          if (index >= 0 && !(value > best) && !(is_nan(value) && !is_nan(best))) continue;
          best = value;
          const std::int64_t pixel = args.column_major ? column * input.h() + row : row * input.w() + column;
          index = (place.n * channels + c) * input.h() * input.w() + pixel;
        }
      }
      args.output.data[place.index * channels + c] = best;
      if (args.indices != nullptr) args.indices[place.index * channels + c] = std::max<std::int64_t>(index, 0);
    }
  });
}

template <typename T>
struct AveragePoolArgs {
  TensorView<const T> input = {};  ///< [n, h, w, c]
  Window window = {};
  bool count_padding = false;  ///< divide by the taps within the padded image, not by those on the image
  TensorView<T> output = {};   ///< [n, h', w', c]
};
template <typename T>
void average_pool(const AveragePoolArgs<T>& args) noexcept {
  const Shape& input = args.input.shape;
  const Window& window = args.window;
  const std::int64_t channels = input.c();
  slide(input, args.output.shape, window, [&](const Place& place) {
    Range rows = place.rows;
    Range columns = place.columns;
    if (args.count_padding) {
      const Padding& padding = window.padding;
      // What rounding up adds after the padding counts for nobody.
      rows = taps_inside(place.top + padding.top, window.dilation.h, window.kernel.h,
                         input.h() + padding.top + padding.bottom);
      columns = taps_inside(place.left + padding.left, window.dilation.w, window.kernel.w,
                            input.w() + padding.left + padding.right);
    }
    const auto count = static_cast<Sum<T>>(std::max<std::int64_t>(rows.size() * columns.size(), 1));
    for (std::int64_t c = 0; c < channels; ++c) {
      Sum<T> sum(0);
      for (std::int64_t i = place.rows.begin; i < place.rows.end; ++i) {
        const std::int64_t row = place.top + i * window.dilation.h;
        for (std::int64_t j = place.columns.begin; j < place.columns.end; ++j) {
          const std::int64_t column = place.left + j * window.dilation.w;
          sum = sum + term(args.input.data[((place.n * input.h() + row) * input.w() + column) * channels + c]);
        }
      }
      args.output.data[place.index * channels + c] = static_cast<T>(sum / count);
    }
  });
}

}  // namespace sepal::reference
