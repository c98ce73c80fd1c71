#pragma once

// Gradients as their definitions read, for graph/training_op.h: of functions of one value, batch norm, convolution,
// pooling, resizing and the loss. Sums of float are kept in double (see Sum), so that these serve as the oracle of the
// fast kernels; they are themselves compared with finite differences of the forward operators.

#include <cmath>

#include "sepal/kernels/reference/elementwise.h"
#include "sepal/kernels/reference/number.h"
#include "sepal/kernels/reference/resize.h"
#include "sepal/kernels/reference/slide.h"
#include "sepal/tensor/elementwise.h"
#include "sepal/tensor/window.h"

namespace sepal::reference {

/// f'(x). At a corner, that of the side on which f is flat.
template <typename T>
T derivative(const Unary& function, T x) {
  using std::cos, std::exp, std::sin, std::sqrt, std::tanh, std::erf;
  const T alpha = static_cast<T>(function.alpha);
  const T beta = static_cast<T>(function.beta);
  const T zero(0);
  const T one(1);
  const T half(0.5);
  const auto inside = [&](T value, T low, T high) { return value > low && value < high ? one : zero; };
  switch (function.kind) {
    case UnaryKind::kIdentity:
      return one;
    case UnaryKind::kAbs:
      return x > zero ? one : (x < zero ? -one : zero);
    case UnaryKind::kNegate:
      return -one;
    case UnaryKind::kSign:
    case UnaryKind::kFloor:
    case UnaryKind::kCeil:
    case UnaryKind::kRound:
    case UnaryKind::kNot:
      return zero;
    case UnaryKind::kSqrt:
      return half / sqrt(x);
    case UnaryKind::kReciprocal:
      return -one / (x * x);
    case UnaryKind::kExp:
      return exp(x);
    case UnaryKind::kLog:
      return one / x;
    case UnaryKind::kErf:
      return static_cast<T>(1.12837916709551257390) * exp(-x * x);  // 2 / sqrt pi
    case UnaryKind::kSin:
      return cos(x);
    case UnaryKind::kCos:
      return -sin(x);
    case UnaryKind::kTanh:
      return one - tanh(x) * tanh(x);
    case UnaryKind::kRelu:
      return x > zero ? one : zero;
    case UnaryKind::kClip:
      return inside(x, alpha, beta);
    case UnaryKind::kLeakyRelu:
      return x >= zero ? one : alpha;
    case UnaryKind::kElu:
      return x >= zero ? one : alpha * exp(x);
    case UnaryKind::kSelu:
      return beta * (x > zero ? one : alpha * exp(x));
    case UnaryKind::kCelu:
      return x >= zero ? one : exp(x / alpha);
    case UnaryKind::kSigmoid:
      return sigmoid(x) * sigmoid(-x);
    case UnaryKind::kHardSigmoid:
      return alpha * inside(alpha * x + beta, zero, one);
    case UnaryKind::kHardSwish:
      return x <= T(-3) ? zero : (x >= T(3) ? one : x / T(3) + half);
    case UnaryKind::kSwish: {
      const T gate = sigmoid(alpha * x);
      return gate + alpha * x * gate * sigmoid(-alpha * x);
    }
    case UnaryKind::kMish: {
      const T t = tanh(softplus(x));
      return t + x * (one - t * t) * sigmoid(x);
    }
    case UnaryKind::kGelu:
      return (one + erf(x / static_cast<T>(1.41421356237309504880))) * half +
             x * exp(-x * x * half) * static_cast<T>(0.39894228040143267794);  // 1 / sqrt(2 pi)
    case UnaryKind::kGeluTanh: {
      const T scale = static_cast<T>(0.79788456080286535588);
      const T t = tanh(scale * (x + T(0.044715) * x * x * x));
      return half * (one + t) + half * x * (one - t * t) * scale * (one + T(0.134145) * x * x);
    }
    case UnaryKind::kSoftplus:
      return sigmoid(x);
    case UnaryKind::kSoftsign: {
      const T size = one + (x < zero ? -x : x);
      return one / (size * size);
    }
    case UnaryKind::kThresholdedRelu:
      return x > alpha ? one : zero;
  }
  return one;
}

template <typename T>
struct BatchMomentsArgs {
  TensorView<const T> input = {};  ///< [..., c]
  T* mean = nullptr;               ///< [c]
  T* variance = nullptr;           ///< [c]
};
template <typename T>
void batch_moments(const BatchMomentsArgs<T>& args) noexcept {
  const std::int64_t channels = args.input.shape[args.input.shape.rank() - 1];
  const std::int64_t elements = args.input.shape.elements();
  const auto count = static_cast<Sum<T>>(elements / channels);
  for (std::int64_t c = 0; c < channels; ++c) {
    Sum<T> sum(0);
    for (std::int64_t i = c; i < elements; i += channels) sum = sum + term(args.input.data[i]);
    const Sum<T> mean = sum / count;
    Sum<T> squares(0);
    for (std::int64_t i = c; i < elements; i += channels) {
      const Sum<T> difference = term(args.input.data[i]) - mean;
      squares = squares + difference * difference;
    }
    args.mean[c] = static_cast<T>(mean);
    args.variance[c] = static_cast<T>(squares / count);
  }
}

/// The vectors of a batch norm that stands behind some x [..., c].
template <typename T>
struct NormVectors {
  const T* scale = nullptr;
  const T* bias = nullptr;
  const T* mean = nullptr;
  const T* variance = nullptr;
  float epsilon = 1e-5f;

  /// (x - mean) / deviation.
  Sum<T> normalized(T x, std::int64_t c) const {
    using std::sqrt;
    return (term(x) - term(mean[c])) / sqrt(term(variance[c]) + static_cast<Sum<T>>(epsilon));
  }
};

template <typename T>
struct BatchNormSumsArgs {
  TensorView<const T> gradient = {};  ///< [..., c], with respect to the batch norm of x
  const T* input = nullptr;           ///< x
  NormVectors<T> norm = {};           ///< scale and bias are not looked at
  T* scale_gradient = nullptr;        ///< [c]
  T* bias_gradient = nullptr;
};
template <typename T>
void batch_norm_sums(const BatchNormSumsArgs<T>& args) noexcept {
  const std::int64_t channels = args.gradient.shape[args.gradient.shape.rank() - 1];
  const std::int64_t elements = args.gradient.shape.elements();
  for (std::int64_t c = 0; c < channels; ++c) {
    Sum<T> sum(0);
    Sum<T> products(0);
    for (std::int64_t i = c; i < elements; i += channels) {
      sum = sum + term(args.gradient.data[i]);
      products = products + term(args.gradient.data[i]) * args.norm.normalized(args.input[i], c);
    }
    args.bias_gradient[c] = static_cast<T>(sum);
    args.scale_gradient[c] = static_cast<T>(products);
  }
}

/// From g, the gradient with respect to the batch norm of a y with the moments of its batch, to that with respect to y.
template <typename T>
struct NormGradient {
  NormVectors<T> norm = {};           ///< of y; bias is not looked at
  const T* scale_gradient = nullptr;  ///< [c]
  const T* bias_gradient = nullptr;
  std::int64_t count = 1;  ///< values of a channel

  Sum<T> operator()(T g, T y, std::int64_t c) const {
    using std::sqrt;
    const auto n = static_cast<Sum<T>>(count);
    const Sum<T> centred = term(g) - term(bias_gradient[c]) / n - norm.normalized(y, c) * term(scale_gradient[c]) / n;
    return term(norm.scale[c]) / sqrt(term(norm.variance[c]) + static_cast<Sum<T>>(norm.epsilon)) * centred;
  }
};

template <typename T>
struct BatchNormInputGradientArgs {
  TensorView<const T> gradient = {};  ///< g [..., c]
  const T* input = nullptr;           ///< x
  NormGradient<T> norm = {};
  T* output = nullptr;  ///< dx
};
template <typename T>
void batch_norm_input_gradient(const BatchNormInputGradientArgs<T>& args) noexcept {
  const std::int64_t channels = args.gradient.shape[args.gradient.shape.rank() - 1];
  const std::int64_t elements = args.gradient.shape.elements();
  for (std::int64_t i = 0; i < elements; ++i) {
    args.output[i] = static_cast<T>(args.norm(args.gradient.data[i], args.input[i], i % channels));
  }
}

/// How a convolution of a training step reads x.
template <typename T>
struct ConvRead {
  bool on = false;  ///< activation(batch norm of x), not x
  NormVectors<T> norm = {};
  Unary activation = {};

  T normalized(T x, std::int64_t c) const {
    return static_cast<T>(norm.normalized(x, c) * term(norm.scale[c]) + term(norm.bias[c]));
  }
  T operator()(T x, std::int64_t c) const { return on ? apply(activation, normalized(x, c)) : x; }
};

/// Calls body(x's index, filter's index, y's index, ci) for every product of a convolution; the sums of one y lie
/// together.
template <typename Body>
void for_each_product(const Shape& input, const Shape& filter, const Shape& output, const Window& window,
                      std::int64_t groups, const Body& body) {
  const std::int64_t depth = filter.c();
  const std::int64_t width = output.c() / groups;
  slide(input, output, window, [&](const Place& place) {
    for (std::int64_t o = 0; o < output.c(); ++o) {
      for (std::int64_t i = place.rows.begin; i < place.rows.end; ++i) {
        const std::int64_t row = place.top + i * window.dilation.h;
        for (std::int64_t j = place.columns.begin; j < place.columns.end; ++j) {
          const std::int64_t column = place.left + j * window.dilation.w;
          const std::int64_t pixel = ((place.n * input.h() + row) * input.w() + column) * input.c();
          const std::int64_t tap = ((o * filter.h() + i) * filter.w() + j) * depth;
          for (std::int64_t c = 0; c < depth; ++c) {
            const std::int64_t channel = o / width * depth + c;
            body(pixel + channel, tap + c, place.index * output.c() + o, channel);
          }
        }
      }
    }
  });
}

template <typename T>
struct TrainingConv2dArgs {
  TensorView<const T> input = {};   ///< x [n, h, w, ci]
  TensorView<const T> filter = {};  ///< [co, kh, kw, ci / groups]
  Window window = {};
  std::int64_t groups = 1;
  ConvRead<T> read = {};
  TensorView<T> output = {};  ///< y [n, h', w', co]
  T* mean = nullptr;          ///< [co]
  T* variance = nullptr;
};
template <typename T>
void training_conv2d(const TrainingConv2dArgs<T>& args) noexcept {
  const std::int64_t elements = args.output.shape.elements();
  for (std::int64_t i = 0; i < elements; ++i) args.output.data[i] = T(0);
  // One sum at a time: the products of a y follow one another.
  std::int64_t at = -1;
  Sum<T> sum(0);
  const auto put = [&] {
    if (at >= 0) args.output.data[at] = static_cast<T>(sum);
  };
  for_each_product(args.input.shape, args.filter.shape, args.output.shape, args.window, args.groups,
                   [&](std::int64_t x, std::int64_t w, std::int64_t y, std::int64_t channel) {
                     if (y != at) {
                       put();
                       at = y;
                       sum = Sum<T>(0);
                     }
                     sum = sum + term(args.read(args.input.data[x], channel)) * term(args.filter.data[w]);
                   });
  put();
  batch_moments(BatchMomentsArgs<T>{.input = args.output, .mean = args.mean, .variance = args.variance});
}

template <typename T>
struct Conv2dGradientArgs {
  TensorView<const T> input = {};   ///< x [n, h, w, ci]
  TensorView<const T> filter = {};  ///< [co, kh, kw, ci / groups]
  Window window = {};
  std::int64_t groups = 1;
  ConvRead<T> read = {};
  TensorView<const T> gradient = {};  ///< g [n, h', w', co]
  const T* output = nullptr;          ///< y, where its batch norm is what g is the gradient of; or null
  NormGradient<T> norm = {};          ///< then of y
  T* filter_gradient = nullptr;
  T* input_gradient = nullptr;  ///< or null
  T* scale_gradient = nullptr;  ///< with read.on and input_gradient
  T* bias_gradient = nullptr;
};
template <typename T>
void conv2d_gradient(const Conv2dGradientArgs<T>& args) noexcept {
  const Shape& input = args.input.shape;
  const Shape& output = args.gradient.shape;
  const std::int64_t channels = output.c();
  const auto dy = [&](std::int64_t i) {
    const T g = args.gradient.data[i];
    return args.output == nullptr ? term(g) : args.norm(g, args.output[i], i % channels);
  };
  // Tap by tap and channel by channel, so that each sum is one number.
  const Window& window = args.window;
  const std::int64_t depth = args.filter.shape.c();
  const std::int64_t width = channels / args.groups;
  const auto pixel_of = [&](std::int64_t n, std::int64_t row, std::int64_t column) {
    return ((n * input.h() + row) * input.w() + column) * input.c();
  };
  T* to = args.filter_gradient;
  for (std::int64_t o = 0; o < channels; ++o) {
    for (std::int64_t i = 0; i < window.kernel.h; ++i) {
      for (std::int64_t j = 0; j < window.kernel.w; ++j) {
        for (std::int64_t c = 0; c < depth; ++c) {
          const std::int64_t channel = o / width * depth + c;
          Sum<T> sum(0);
          slide(input, output, window, [&](const Place& place) {
            if (i < place.rows.begin || i >= place.rows.end || j < place.columns.begin || j >= place.columns.end)
              return;
            const std::int64_t x =
                pixel_of(place.n, place.top + i * window.dilation.h, place.left + j * window.dilation.w) + channel;
            sum = sum + term(args.read(args.input.data[x], channel)) * dy(place.index * channels + o);
          });
          *to++ = static_cast<T>(sum);
        }
      }
    }
  }
  if (args.input_gradient == nullptr) return;
  const auto output_of = [](std::int64_t position, std::int64_t stride, std::int64_t extent) {
    return position < 0 || position % stride != 0 || position / stride >= extent ? -1 : position / stride;
  };
  for (std::int64_t at = 0; at < input.elements(); ++at) {
    const std::int64_t channel = at % input.c();
    const std::int64_t column = at / input.c() % input.w();
    const std::int64_t row = at / input.c() / input.w() % input.h();
    const std::int64_t n = at / input.c() / input.w() / input.h();
    Sum<T> sum(0);
    for (std::int64_t i = 0; i < window.kernel.h; ++i) {
      const std::int64_t y = output_of(row + window.padding.top - i * window.dilation.h, window.stride.h, output.h());
      for (std::int64_t j = 0; y >= 0 && j < window.kernel.w; ++j) {
        const std::int64_t x =
            output_of(column + window.padding.left - j * window.dilation.w, window.stride.w, output.w());
        if (x < 0) continue;
        const std::int64_t group = channel / depth;
        for (std::int64_t o = group * width; o < (group + 1) * width; ++o) {
          const std::int64_t tap = ((o * window.kernel.h + i) * window.kernel.w + j) * depth + channel % depth;
          sum = sum + term(args.filter.data[tap]) * dy(((n * output.h() + y) * output.w() + x) * channels + o);
        }
      }
    }
    const T slope =
        args.read.on ? derivative(args.read.activation, args.read.normalized(args.input.data[at], channel)) : T(1);
    args.input_gradient[at] = static_cast<T>(sum * term(slope));
  }
  if (!args.read.on) return;
  batch_norm_sums(BatchNormSumsArgs<T>{.gradient = {args.input_gradient, input},
                                       .input = args.input.data,
                                       .norm = args.read.norm,
                                       .scale_gradient = args.scale_gradient,
                                       .bias_gradient = args.bias_gradient});
}

template <typename T>
struct PoolGradientArgs {
  TensorView<const T> input = {};     ///< [n, h, w, c]
  TensorView<const T> gradient = {};  ///< [n, h', w', c]
  PoolKind kind = PoolKind::kMax;
  Window window = {};
  bool count_padding = false;
  T* output = nullptr;  ///< as input
};
template <typename T>
void pool_gradient(const PoolGradientArgs<T>& args) noexcept {
  const Shape& input = args.input.shape;
  const Window& window = args.window;
  const std::int64_t channels = input.c();
  for (std::int64_t i = 0; i < input.elements(); ++i) args.output[i] = T(0);
  slide(input, args.gradient.shape, window, [&](const Place& place) {
    Range rows = place.rows;
    Range columns = place.columns;
    if (args.count_padding) {
      const Padding& padding = window.padding;
      rows = taps_inside(place.top + padding.top, window.dilation.h, window.kernel.h,
                         input.h() + padding.top + padding.bottom);
      columns = taps_inside(place.left + padding.left, window.dilation.w, window.kernel.w,
                            input.w() + padding.left + padding.right);
    }
    const auto count = static_cast<T>(std::max<std::int64_t>(rows.size() * columns.size(), 1));
    for (std::int64_t c = 0; c < channels; ++c) {
      const T gradient = args.gradient.data[place.index * channels + c];
      std::int64_t best = -1;
      for (std::int64_t i = place.rows.begin; i < place.rows.end; ++i) {
        const std::int64_t row = place.top + i * window.dilation.h;
        for (std::int64_t j = place.columns.begin; j < place.columns.end; ++j) {
          const std::int64_t column = place.left + j * window.dilation.w;
          const std::int64_t at = ((place.n * input.h() + row) * input.w() + column) * channels + c;
          if (args.kind == PoolKind::kAverage) {
            args.output[at] = args.output[at] + gradient / count;
          } else if (best < 0 || args.input.data[at] > args.input.data[best]) {
            best = at;
          }
        }
      }
      if (best >= 0) args.output[best] = args.output[best] + gradient;
    }
  });
}

template <typename T>
struct ResizeGradientArgs {
  TensorView<const T> gradient = {};  ///< of the resize's output
  Resample how = {};
  TensorView<T> output = {};  ///< of its input
};

/// Gives every output value's gradient to the input values that it heard, each by its share.
template <typename T>
class ResizeScatter {
 public:
  explicit ResizeScatter(const ResizeGradientArgs<T>& args) : args_(args) {}

  void compute() {
    const std::int64_t elements = args_.output.shape.elements();
    for (std::int64_t i = 0; i < elements; ++i) args_.output.data[i] = T(0);
    if (elements > 0 && args_.gradient.shape.elements() > 0) place(0, 0, 0, Sum<T>(1));
  }

 private:
  void place(int axis, std::int64_t from, std::int64_t to, Sum<T> weight) {
    const Shape& input = args_.output.shape;
    const Shape& output = args_.gradient.shape;
    if (axis == output.rank()) {
      T& sum = args_.output.data[to];
      sum = static_cast<T>(term(sum) + weight * term(args_.gradient.data[from]));
      return;
    }
    const std::int64_t length = input[axis];
    for (std::int64_t i = 0; i < output[axis]; ++i) {
      const std::int64_t next = from * output[axis] + i;
      const auto give = [&](std::int64_t at, Sum<T> share) { place(axis + 1, next, to * length + at, weight * share); };
      if (keeps_axis(args_.how, input, output, axis)) {
        give(i, Sum<T>(1));
      } else if (args_.how.mode == ResizeMode::kNearest) {
        const auto where = input_place<float>(args_.how, axis, i, length, output[axis]);
        if (!extrapolates(args_.how, where, length)) give(nearest_to(args_.how.nearest, where, length), Sum<T>(1));
      } else {
        const Neighbours near = neighbours(args_.how, axis, i, length, output[axis]);
        if (extrapolates(args_.how, near.place, length)) continue;
        for (std::int64_t k = 0; k < near.count; ++k) {
          const double share = weight_of(args_.how, near, k, length);
          if (share != 0) give(std::clamp<std::int64_t>(near.first + k, 0, length - 1), static_cast<Sum<T>>(share));
        }
      }
    }
  }

  const ResizeGradientArgs<T>& args_;
};

template <typename T>
void resize_gradient(const ResizeGradientArgs<T>& args) noexcept {
  ResizeScatter<T>(args).compute();
}

template <typename T>
struct CrossEntropyArgs {
  TensorView<const T> logits = {};  ///< [n, classes]
  const T* target = nullptr;        ///< as logits
  float smoothing = 0;
  T* loss = nullptr;      ///< one
  T* gradient = nullptr;  ///< as logits
};
template <typename T>
void cross_entropy(const CrossEntropyArgs<T>& args) noexcept {
  using std::exp, std::log;
  const std::int64_t n = args.logits.shape[0];
  const std::int64_t classes = args.logits.shape[1];
  const auto smoothing = static_cast<Sum<T>>(args.smoothing);
  const auto rows = static_cast<Sum<T>>(n);
  Sum<T> loss(0);
  for (std::int64_t row = 0; row < n; ++row) {
    const T* logits = args.logits.data + row * classes;
    const T* target = args.target + row * classes;
    T most = logits[0];
    for (std::int64_t k = 1; k < classes; ++k) most = logits[k] > most ? logits[k] : most;
    Sum<T> sum(0);
    for (std::int64_t k = 0; k < classes; ++k) sum = sum + exp(term(logits[k]) - term(most));
    const Sum<T> total = log(sum);
    Sum<T> mass(0);
    const auto smooth = [&](std::int64_t k) {
      return (Sum<T>(1) - smoothing) * term(target[k]) + smoothing / static_cast<Sum<T>>(classes);
    };
    for (std::int64_t k = 0; k < classes; ++k) mass = mass + smooth(k);
    for (std::int64_t k = 0; k < classes; ++k) {
      const Sum<T> log_probability = term(logits[k]) - term(most) - total;
      loss = loss - smooth(k) * log_probability / rows;
      args.gradient[row * classes + k] = static_cast<T>((exp(log_probability) * mass - smooth(k)) / rows);
    }
  }
  *args.loss = static_cast<T>(loss);
}

/// Whether dropout keeps element `place` in this step: the bits of SplitMix64 (Steele et al. 2014) of the three.
inline bool keeps(std::uint64_t seed, std::uint64_t step, std::uint64_t place, float rate) {
  std::uint64_t bits = seed * 0x9E3779B97F4A7C15u + step;
  for (const std::uint64_t more : {place, std::uint64_t{0}}) {
    bits = bits + more + 0x9E3779B97F4A7C15u;
    bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9u;
    bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EBu;
    bits = bits ^ (bits >> 31);
  }
  return static_cast<float>(bits >> 40) * 0x1p-24f >= rate;
}

template <typename T>
struct DropoutArgs {
  TensorView<const T> input = {};
  float rate = 0;
  std::uint64_t seed = 0;
  std::int64_t step = 0;
  T* output = nullptr;  ///< may be input
};
template <typename T>
void dropout(const DropoutArgs<T>& args) noexcept {
  const T factor = T(1) / (T(1) - static_cast<T>(args.rate));
  for (std::int64_t i = 0; i < args.input.shape.elements(); ++i) {
    const bool keep = keeps(args.seed, static_cast<std::uint64_t>(args.step), static_cast<std::uint64_t>(i), args.rate);
    args.output[i] = keep ? args.input.data[i] * factor : T(0);
  }
}

}  // namespace sepal::reference
