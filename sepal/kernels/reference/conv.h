#pragma once

// Convolution and its transpose over NHWC, written as sums over the taps that fall on the image. The innermost
// loops run over contiguous channels, so that the float instance can serve where no fast kernel accepts.

#include "sepal/kernels/reference/elementwise.h"
#include "sepal/kernels/reference/number.h"
#include "sepal/kernels/reference/slide.h"
#include "sepal/tensor/elementwise.h"
#include "sepal/tensor/window.h"

namespace sepal::reference {

template <typename T>
struct Conv2dArgs {
  TensorView<const T> input = {};   ///< [n, h, w, ci]
  TensorView<const T> filter = {};  ///< [co, kh, kw, ci / groups]
  const T* bias = nullptr;          ///< [co], or null
  Window window = {};
  std::int64_t groups = 1;
  Unary activation = {};
  TensorView<T> output = {};  ///< [n, h', w', co]; must not overlap input
};

/// Every output value is the sum of kh kw (ci / groups) products, those on padding left out, plus the bias.
template <typename T>
void conv2d(const Conv2dArgs<T>& args) noexcept {
  const Shape& input = args.input.shape;
  const Shape& filter = args.filter.shape;
  const std::int64_t depth = filter.c();
  const std::int64_t outputs = args.output.shape.c();
  const std::int64_t outputs_per_group = std::max<std::int64_t>(outputs / args.groups, 1);
  slide(input, args.output.shape, args.window, [&](const Place& place) {
    for (std::int64_t o = 0; o < outputs; ++o) {
      const std::int64_t first_channel = o / outputs_per_group * depth;
      Sum<T> sum = args.bias == nullptr ? Sum<T>(0) : term(args.bias[o]);
      for (std::int64_t i = place.rows.begin; i < place.rows.end; ++i) {
        const std::int64_t row = place.top + i * args.window.dilation.h;
        for (std::int64_t j = place.columns.begin; j < place.columns.end; ++j) {
          const std::int64_t column = place.left + j * args.window.dilation.w;
          const T* values =
              args.input.data + ((place.n * input.h() + row) * input.w() + column) * input.c() + first_channel;
          const T* weights = args.filter.data + ((o * filter.h() + i) * filter.w() + j) * depth;
          for (std::int64_t c = 0; c < depth; ++c) sum = sum + term(values[c]) * term(weights[c]);
        }
      }
      args.output.data[place.index * outputs + o] = apply(args.activation, static_cast<T>(sum));
    }
  });
}

template <typename T>
struct ConvTranspose2dArgs {
  TensorView<const T> input = {};   ///< [n, h, w, ci]
  TensorView<const T> filter = {};  ///< [ci, kh, kw, co / groups]
  const T* bias = nullptr;          ///< [co], or null
  Window window = {};               ///< of the convolution whose transpose this is
  std::int64_t groups = 1;
  TensorView<T> output = {};  ///< [n, h', w', co]; must not overlap input
};

/// Gathers rather than scatters: the output row y hears input row r through tap i where
/// r stride + i dilation - padding = y.
template <typename T>
void conv_transpose2d(const ConvTranspose2dArgs<T>& args) noexcept {
  const Shape& input = args.input.shape;
  const Shape& filter = args.filter.shape;
  const Shape& output = args.output.shape;
  if (output.elements() == 0) return;
  const Window& window = args.window;
  const std::int64_t depth = input.c() / args.groups;
  const std::int64_t width = filter.c();  // outputs of one group
  constexpr std::int64_t kLanes = 16;     // outputs summed at once, since they lie together in the filter
  const auto input_of = [](std::int64_t position, std::int64_t stride, std::int64_t extent) {
    return position < 0 || position % stride != 0 || position / stride >= extent ? -1 : position / stride;
  };
  T* result = args.output.data;
  for (std::int64_t n = 0; n < output.n(); ++n) {
    for (std::int64_t y = 0; y < output.h(); ++y) {
      for (std::int64_t x = 0; x < output.w(); ++x, result += output.c()) {
        for (std::int64_t o = 0; o < output.c();) {
          const std::int64_t group = o / width;
          const std::int64_t within = o % width;
          const std::int64_t lanes = std::min(kLanes, width - within);
          Sum<T> sums[kLanes];
          for (std::int64_t k = 0; k < lanes; ++k) sums[k] = args.bias == nullptr ? Sum<T>(0) : term(args.bias[o + k]);
          for (std::int64_t i = 0; i < filter.h(); ++i) {
            const std::int64_t row =
                input_of(y + window.padding.top - i * window.dilation.h, window.stride.h, input.h());
            if (row < 0) continue;
            for (std::int64_t j = 0; j < filter.w(); ++j) {
              const std::int64_t column =
                  input_of(x + window.padding.left - j * window.dilation.w, window.stride.w, input.w());
              if (column < 0) continue;
              const T* values = args.input.data + ((n * input.h() + row) * input.w() + column) * input.c();
              for (std::int64_t c = group * depth; c < (group + 1) * depth; ++c) {
                const T* weights = args.filter.data + ((c * filter.h() + i) * filter.w() + j) * width + within;
                for (std::int64_t k = 0; k < lanes; ++k) sums[k] = sums[k] + term(values[c]) * term(weights[k]);
              }
            }
          }
          for (std::int64_t k = 0; k < lanes; ++k) result[o + k] = static_cast<T>(sums[k]);
          o += lanes;
        }
      }
    }
  }
}

}  // namespace sepal::reference
