#pragma once

// Convolutions and matrix products over 8-bit integers, as ONNX ConvInteger, QLinearConv, MatMulInteger and
// QLinearMatMul define them: sums of (x - zero) (w - zero) in 32 bits, modulo 2^32, and for the QLinear pair a
// float multiplier, rounding half to even, a zero point and saturation. Padding stands for the zero point.

#include "sepal/kernels/reference/matmul.h"
#include "sepal/kernels/reference/quantize.h"
#include "sepal/kernels/reference/slide.h"

namespace sepal::reference {

/// A parameter that is one value for all, or one for each channel (or row, or column).
template <typename T>
struct PerChannel {
  const T* data = nullptr;
  std::int64_t count = 1;  ///< 1: the same for all

  T operator[](std::int64_t channel) const { return data[count == 1 ? 0 : channel]; }
};

/// 8-bit values, whose products (at most 2^16) are summed in 64 bits and so never overflow.
template <typename X, typename F>
struct IntegerConvSite {
  TensorView<const X> input = {};   ///< [n, h, w, ci]
  TensorView<const F> filter = {};  ///< [co, kh, kw, ci / groups]
  X x_zero = 0;
  PerChannel<F> filter_zero = {};  ///< of co
  Window window = {};
  std::int64_t groups = 1;
};

/// Calls store(place in the output, output channel, sum) for every output value.
template <typename X, typename F, typename Store>
void each_integer_sum(const IntegerConvSite<X, F>& site, const Shape& output, const Store& store) {
  const Shape& input = site.input.shape;
  const Shape& filter = site.filter.shape;
  const std::int64_t depth = filter.c();
  const std::int64_t outputs_per_group = std::max<std::int64_t>(output.c() / site.groups, 1);
  slide(input, output, site.window, [&](const Place& place) {
    for (std::int64_t o = 0; o < output.c(); ++o) {
      const std::int64_t first_channel = o / outputs_per_group * depth;
      const std::int64_t filter_zero = site.filter_zero[o];
      std::int64_t sum = 0;
      for (std::int64_t i = place.rows.begin; i < place.rows.end; ++i) {
        const std::int64_t row = place.top + i * site.window.dilation.h;
        for (std::int64_t j = place.columns.begin; j < place.columns.end; ++j) {
          const std::int64_t column = place.left + j * site.window.dilation.w;
          const X* values =
              site.input.data + ((place.n * input.h() + row) * input.w() + column) * input.c() + first_channel;
          const F* weights = site.filter.data + ((o * filter.h() + i) * filter.w() + j) * depth;
          for (std::int64_t c = 0; c < depth; ++c) {
            sum += (std::int64_t{values[c]} - std::int64_t{site.x_zero}) * (std::int64_t{weights[c]} - filter_zero);
          }
        }
      }
      store(place.index * output.c() + o, o, sum);
    }
  });
}

template <typename X, typename F>
struct IntegerConv2dArgs {
  IntegerConvSite<X, F> site = {};
  TensorView<std::int32_t> output = {};  ///< [n, h', w', co]
};
template <typename X, typename F>
void integer_conv2d(const IntegerConv2dArgs<X, F>& args) noexcept {
  each_integer_sum(args.site, args.output.shape, [&](std::int64_t place, std::int64_t, std::int64_t sum) {
    args.output.data[place] = static_cast<std::int32_t>(sum);
  });
}

template <typename X, typename F, typename Y>
struct QuantizedConv2dArgs {
  IntegerConvSite<X, F> site = {};
  float x_scale = 1;
  PerChannel<float> filter_scale = {};  ///< of co
  const std::int32_t* bias = nullptr;   ///< [co] in units of x_scale * filter_scale, or null
  float y_scale = 1;
  Y y_zero = 0;
  TensorView<Y> output = {};  ///< [n, h', w', co]
};
template <typename X, typename F, typename Y>
void quantized_conv2d(const QuantizedConv2dArgs<X, F, Y>& args) noexcept {
  each_integer_sum(args.site, args.output.shape, [&](std::int64_t place, std::int64_t o, std::int64_t sum) {
    const auto total = static_cast<std::int32_t>(sum + (args.bias == nullptr ? 0 : args.bias[o]));
    const float multiplier = args.x_scale * args.filter_scale[o] / args.y_scale;
    args.output.data[place] = quantized(static_cast<float>(total) * multiplier, args.y_zero);
  });
}

template <typename A, typename B>
struct IntegerMatMulArgs {
  TensorView<const A> a = {};            ///< [..., m, k]
  TensorView<const B> b = {};            ///< [..., k, n]
  PerChannel<A> a_zero = {};             ///< of m, or of [..., m] where each matrix has its own
  PerChannel<B> b_zero = {};             ///< of n, or of [..., n]
  TensorView<std::int32_t> output = {};  ///< [..., m, n]
};

/// Calls store(place in the output, sum) for every output value.
template <typename A, typename B, typename Store>
void each_integer_product(const TensorView<const A>& a, const TensorView<const B>& b, const PerChannel<A>& a_zero,
                          const PerChannel<B>& b_zero, const Shape& output, const Store& store) {
  const std::int64_t rows = output[output.rank() - 2];
  const std::int64_t columns = output[output.rank() - 1];
  each_matrix(a, b, output, [&](const MatrixPair<A, B>& pair) {
    const std::int64_t a_first = a_zero.count > rows ? pair.a_index * rows : 0;
    const std::int64_t b_first = b_zero.count > columns ? pair.b_index * columns : 0;
    multiply<std::int64_t>(
        rows, columns, a.shape[a.shape.rank() - 1], pair.a, pair.b,
        [&](std::int64_t i, std::int64_t j, A x, B w) {
          return (std::int64_t{x} - std::int64_t{a_zero[a_first + i]}) *
                 (std::int64_t{w} - std::int64_t{b_zero[b_first + j]});
        },
        [&](std::int64_t i, std::int64_t j, std::int64_t sum) { store(pair.output + i * columns + j, sum); });
  });
}

template <typename A, typename B>
void integer_matmul(const IntegerMatMulArgs<A, B>& args) noexcept {
  each_integer_product(
      args.a, args.b, args.a_zero, args.b_zero, args.output.shape,
      [&](std::int64_t place, std::int64_t sum) { args.output.data[place] = static_cast<std::int32_t>(sum); });
}

template <typename A, typename B, typename Y>
struct QuantizedMatMulArgs {
  TensorView<const A> a = {};  ///< [..., m, k]
  TensorView<const B> b = {};  ///< [..., k, n]
  PerChannel<A> a_zero = {};   ///< of m
  PerChannel<B> b_zero = {};   ///< of n
  float multiplier = 1;        ///< a_scale * b_scale / y_scale
  Y y_zero = 0;
  TensorView<Y> output = {};  ///< [..., m, n]
};
template <typename A, typename B, typename Y>
void quantized_matmul(const QuantizedMatMulArgs<A, B, Y>& args) noexcept {
  each_integer_product(args.a, args.b, args.a_zero, args.b_zero, args.output.shape,
                       [&](std::int64_t place, std::int64_t sum) {
                         const auto total = static_cast<float>(static_cast<std::int32_t>(sum));
                         args.output.data[place] = quantized(total * args.multiplier, args.y_zero);
                       });
}

}  // namespace sepal::reference
