#pragma once

// Normalisations. Means and variances are taken in two passes, with float sums in double (see Sum).

#include "sepal/kernels/reference/number.h"
#include "sepal/kernels/reference/walk.h"

namespace sepal::reference {

template <typename T>
struct BatchNormArgs {
  TensorView<const T> input = {};  ///< [..., c]
  const T* scale = nullptr;        ///< [c], as the next three
  const T* bias = nullptr;
  const T* mean = nullptr;
  const T* variance = nullptr;
  float epsilon = 1e-5f;
  TensorView<T> output = {};
};
template <typename T>
void batch_norm(const BatchNormArgs<T>& args) noexcept {
  using std::sqrt;
  const Shape& shape = args.input.shape;
  const std::int64_t elements = shape.elements();
  if (elements == 0) return;
  const std::int64_t channels = shape[shape.rank() - 1];
  for (std::int64_t c = 0; c < channels; ++c) {
    const T deviation = sqrt(args.variance[c] + static_cast<T>(args.epsilon));
    for (std::int64_t i = c; i < elements; i += channels) {
      args.output.data[i] = (args.input.data[i] - args.mean[c]) / deviation * args.scale[c] + args.bias[c];
    }
  }
}

template <typename T>
struct Moments {
  Sum<T> mean;
  Sum<T> inverse_deviation;  ///< 1 / sqrt(variance + epsilon)
};

/// Of `count` values; values(visit) calls visit(T) for each.
template <typename T, typename Values>
Moments<T> moments(std::int64_t count, float epsilon, const Values& values) {
  using std::sqrt;
  Sum<T> sum(0);
  values([&](const T& x) { sum = sum + term(x); });
  const Sum<T> mean = sum / static_cast<Sum<T>>(count);
  Sum<T> squares(0);
  values([&](const T& x) {
    const Sum<T> difference = term(x) - mean;
    squares = squares + difference * difference;
  });
  const Sum<T> variance = squares / static_cast<Sum<T>>(count);
  return {mean, Sum<T>(1) / sqrt(variance + static_cast<Sum<T>>(epsilon))};
}

template <typename T>
struct LayerNormArgs {
  TensorView<const T> input = {};
  TensorView<const T> scale = {};  ///< broadcasts to the input
  TensorView<const T> bias = {};   ///< broadcasts to the input; data is null for none
  int axis = 0;                    ///< normalises over the axes from this one on
  float epsilon = 1e-5f;
  TensorView<T> output = {};
  T* mean = nullptr;               ///< one for each index of the axes before, or null
  T* inverse_deviation = nullptr;  ///< the same
};
template <typename T>
void layer_norm(const LayerNormArgs<T>& args) noexcept {
  const Shape& shape = args.input.shape;
  const std::int64_t size = shape.elements(args.axis, shape.rank());
  const Strides none{};
  const bool biased = args.bias.data != nullptr;
  // Rows of no values are not walked over; their mean is 0 and their variance too.
  if (size == 0) {
    using std::sqrt;
    const std::int64_t rows = shape.elements(0, args.axis);
    const Sum<T> inverse = Sum<T>(1) / sqrt(static_cast<Sum<T>>(args.epsilon));
    if (args.mean != nullptr) std::fill_n(args.mean, rows, T(0));
    if (args.inverse_deviation != nullptr) std::fill_n(args.inverse_deviation, rows, static_cast<T>(inverse));
    return;
  }
  Moments<T> row{};
  std::int64_t i = 0;
  walk<2>(shape,
          {broadcast_strides(args.scale.shape, shape), biased ? broadcast_strides(args.bias.shape, shape) : none},
          [&](const auto& place) {
            const T* x = args.input.data + i;
            if (i % size == 0) {
              row = moments<T>(size, args.epsilon, [&](const auto& visit) { std::for_each_n(x, size, visit); });
              if (args.mean != nullptr) args.mean[i / size] = static_cast<T>(row.mean);
              if (args.inverse_deviation != nullptr) {
                args.inverse_deviation[i / size] = static_cast<T>(row.inverse_deviation);
              }
            }
            const Sum<T> scaled = (term(*x) - row.mean) * row.inverse_deviation * term(args.scale.data[place[0]]);
            args.output.data[i++] = static_cast<T>(biased ? scaled + term(args.bias.data[place[1]]) : scaled);
          });
}

template <typename T>
struct GroupNormArgs {
  TensorView<const T> input = {};  ///< [n, ..., c]
  const T* scale = nullptr;        ///< [c]
  const T* bias = nullptr;         ///< [c]
  std::int64_t groups = 1;
  float epsilon = 1e-5f;
  TensorView<T> output = {};
};
template <typename T>
void group_norm(const GroupNormArgs<T>& args) noexcept {
  const Shape& shape = args.input.shape;
  if (shape.elements() == 0) return;
  const std::int64_t channels = shape[shape.rank() - 1];
  const std::int64_t positions = shape.elements(1, shape.rank() - 1);
  const std::int64_t width = channels / args.groups;
  for (std::int64_t n = 0; n < shape[0]; ++n) {
    for (std::int64_t group = 0; group < args.groups; ++group) {
      const std::int64_t first = n * positions * channels + group * width;
      const auto each = [&](const auto& visit) {
        for (std::int64_t i = 0; i < positions; ++i) {
          for (std::int64_t c = 0; c < width; ++c) visit(first + i * channels + c, group * width + c);
        }
      };
      const Moments<T> all = moments<T>(positions * width, args.epsilon, [&](const auto& visit) {
        each([&](std::int64_t place, std::int64_t) { visit(args.input.data[place]); });
      });
      each([&](std::int64_t place, std::int64_t c) {
        const Sum<T> normal = (term(args.input.data[place]) - all.mean) * all.inverse_deviation;
        args.output.data[place] = static_cast<T>(normal * term(args.scale[c]) + term(args.bias[c]));
      });
    }
  }
}

template <typename T>
struct LocalResponseNormArgs {
  TensorView<const T> input = {};  ///< [n, ..., c]
  std::int64_t size = 1;           ///< channels (size - 1) / 2 before (rounded down) to (size - 1) / 2 after (up)
  float alpha = 1e-4f;
  float beta = 0.75f;
  float bias = 1;
  TensorView<T> output = {};  ///< must not be the input
};
template <typename T>
void local_response_norm(const LocalResponseNormArgs<T>& args) noexcept {
  using std::pow;
  const Shape& shape = args.input.shape;
  const std::int64_t elements = shape.elements();
  if (elements == 0) return;
  const std::int64_t channels = shape[shape.rank() - 1];
  const T share = static_cast<T>(args.alpha) / static_cast<T>(args.size);
  for (std::int64_t first = 0; first < elements; first += channels) {
    const T* x = args.input.data + first;
    for (std::int64_t c = 0; c < channels; ++c) {
      const std::int64_t from = c - std::min((args.size - 1) / 2, c);
      const std::int64_t to = c + std::min(args.size / 2, channels - 1 - c);
      Sum<T> squares(0);
      for (std::int64_t k = from; k <= to; ++k) squares = squares + term(x[k]) * term(x[k]);
      const T base = static_cast<T>(args.bias) + share * static_cast<T>(squares);
      args.output.data[first + c] = x[c] / pow(base, static_cast<T>(args.beta));
    }
  }
}

template <typename T>
struct SoftmaxArgs {
  TensorView<const T> input = {};
  int axis = 0;
  bool log = false;
  TensorView<T> output = {};
};
/// exp(x) / sum exp(x) along the axis, or its logarithm; shifted by the maximum, so that nothing overflows.
template <typename T>
void softmax(const SoftmaxArgs<T>& args) noexcept {
  using std::exp, std::log;
  const Shape& shape = args.input.shape;
  if (shape.elements() == 0) return;
  const std::int64_t length = shape[args.axis];
  const std::int64_t inner = shape.elements(args.axis + 1, shape.rank());
  for (std::int64_t i = 0; i < shape.elements(0, args.axis); ++i) {
    for (std::int64_t j = 0; j < inner; ++j) {
      const T* x = args.input.data + i * length * inner + j;
      T* y = args.output.data + i * length * inner + j;
      T best = x[0];
      for (std::int64_t k = 1; k < length; ++k) best = maximum(best, x[k * inner]);
      Sum<T> sum(0);
      for (std::int64_t k = 0; k < length; ++k) {
        const T shifted = x[k * inner] - best;
        const T power = exp(shifted);
        sum = sum + term(power);
        y[k * inner] = args.log ? shifted : power;
      }
      const T total = args.log ? static_cast<T>(log(sum)) : static_cast<T>(sum);
      for (std::int64_t k = 0; k < length; ++k) y[k * inner] = args.log ? y[k * inner] - total : y[k * inner] / total;
    }
  }
}

}  // namespace sepal::reference
