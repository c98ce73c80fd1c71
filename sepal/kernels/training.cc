#include "sepal/kernels/training.h"

#include <hwy/cache_control.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "sepal/kernels/elementwise.h"
#include "sepal/kernels/reference/gradient.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sepal/kernels/training.cc"
#include <hwy/foreach_target.h>

#include "sepal/kernels/slope-inl.h"

// Vectors run over channels; where a row has few of them, the loop over rows is inside, so that the constants of a
// channel stay in registers and several rows are in flight.

HWY_BEFORE_NAMESPACE();
namespace sepal::HWY_NAMESPACE {

/// body<vectors>(first channel, load, store) for all channels, a few vectors at a time: so many that a row's lines lie
/// together in memory, and few enough for their constants and sums to stay in registers. load and store touch no other
/// channels; `whole` stores whole vectors.
constexpr int kGroup = 4;
template <typename Whole, typename Body>
HWY_INLINE void each_group(std::int64_t channels, const Whole& whole, const Body& body) {
  const auto load = [](const float* p) HWY_ATTR __attribute__((always_inline)) { return hn::LoadU(kTag, p); };
  std::int64_t c = 0;
  for (; c + kGroup * kLanes <= channels; c += kGroup * kLanes) body.template operator()<kGroup>(c, load, whole);
  for (; c + kLanes <= channels; c += kLanes) body.template operator()<1>(c, load, whole);
  if (const std::int64_t rest = channels - c; rest > 0) {
    body.template operator()<1>(
        c, [=](const float* p) HWY_ATTR __attribute__((always_inline)) { return load_first(p, rest); },
        [=](V v, float* p) HWY_ATTR __attribute__((always_inline)) { store_first(v, p, rest); });
  }
}

HWY_INLINE auto plain_store() {
  return [](V v, float* p) HWY_ATTR __attribute__((always_inline)) { hn::StoreU(v, kTag, p); };
}

/// Calls body(store) with a store that goes past the caches where that is asked for and whole lines are written.
template <typename Body>
HWY_INLINE void with_store(bool streams, const float* to, std::int64_t channels, const Body& body) {
  const bool aligned = reinterpret_cast<std::uintptr_t>(to) % (kLineFloats * sizeof(float)) == 0;
  if (streams && kLanes == kLineFloats && channels % kLanes == 0 && aligned) {
    body([](V v, float* p) HWY_ATTR __attribute__((always_inline)) { hn::Stream(v, kTag, p); });
    hwy::FlushStream();
  } else {
    body([](V v, float* p) HWY_ATTR __attribute__((always_inline)) { hn::StoreU(v, kTag, p); });
  }
}

template <bool kMoves, typename Whole>
HWY_INLINE void moments_and_store(const float* rows, std::int64_t count, std::int64_t channels, float* to,
                                  float* moments, const Whole& whole) {
  each_group(channels, whole, [&]<int kVectors>(std::int64_t c, const auto& load, const auto& store) HWY_ATTR {
    Array<V, kVectors> pivot;
    Array<V, kVectors> sums;
    Array<V, kVectors> squares;
    for (int v = 0; v < kVectors; ++v) {
      pivot[v] = load(rows + c + v * kLanes);
      sums[v] = squares[v] = hn::Zero(kTag);
    }
    for (std::int64_t row = 0; row < count; ++row) {
      for (int v = 0; v < kVectors; ++v) {
        const std::int64_t at = row * channels + c + v * kLanes;
        const V value = load(rows + at);
        if constexpr (kMoves) store(value, to + at);
        const V x = hn::Sub(value, pivot[v]);
        sums[v] = hn::Add(sums[v], x);
        squares[v] = hn::MulAdd(x, x, squares[v]);
      }
    }
    // Not past the caches: these are read at once.
    for (int v = 0; v < kVectors; ++v) {
      const std::int64_t rest = channels - c - v * kLanes;
      store_upto(pivot[v], moments + c + v * kLanes, rest);
      store_upto(sums[v], moments + channels + c + v * kLanes, rest);
      store_upto(squares[v], moments + 2 * channels + c + v * kLanes, rest);
    }
  });
}

void row_moments(const float* rows, std::int64_t count, std::int64_t channels, float* to, bool streams,
                 float* moments) {
  with_store(streams, to, channels,
             [&](const auto& whole) HWY_ATTR { moments_and_store<true>(rows, count, channels, to, moments, whole); });
}

void measure_rows(const float* rows, std::int64_t count, std::int64_t channels, float* moments) {
  moments_and_store<false>(rows, count, channels, nullptr, moments, plain_store());
}

void move_values(const float* from, std::int64_t floats, float* to, bool streams) {
  with_store(streams, to, floats / kLanes * kLanes, [&](const auto& whole) HWY_ATTR {
    std::int64_t i = 0;
    for (; i + kLanes <= floats; i += kLanes) whole(hn::LoadU(kTag, from + i), to + i);
    if (i < floats) store_first(load_first(from + i, floats - i), to + i, floats - i);
  });
}

void affine_rows(const ReadArgs& read, const float* x, std::int64_t rows, std::int64_t channels, float* to) {
  const Epilogue epilogue = epilogue_of(read.activation);
  each_group(channels, plain_store(), [&]<int kVectors>(std::int64_t c, const auto& load, const auto& store) HWY_ATTR {
    Array<V, kVectors> factor;
    Array<V, kVectors> shift;
    for (int v = 0; v < kVectors; ++v) {
      factor[v] = load(read.factor + c + v * kLanes);
      shift[v] = load(read.shift + c + v * kLanes);
    }
    for (std::int64_t row = 0; row < rows; ++row) {
      for (int v = 0; v < kVectors; ++v) {
        const std::int64_t at = row * channels + c + v * kLanes;
        store(finished(hn::MulAdd(factor[v], load(x + at), shift[v]), epilogue), to + at);
      }
    }
  });
}

void gradient_rows(const GradientReadArgs& read, std::int64_t first, std::int64_t rows, std::int64_t channels,
                   float* to) {
  const float* g = read.g + first;
  const float* y = read.y + first;
  each_group(channels, plain_store(), [&]<int kVectors>(std::int64_t k, const auto& load, const auto& store) HWY_ATTR {
    Array<V, kVectors> a;
    Array<V, kVectors> b;
    Array<V, kVectors> c;
    for (int v = 0; v < kVectors; ++v) {
      a[v] = load(read.a + k + v * kLanes);
      b[v] = load(read.b + k + v * kLanes);
      c[v] = load(read.c + k + v * kLanes);
    }
    for (std::int64_t row = 0; row < rows; ++row) {
      for (int v = 0; v < kVectors; ++v) {
        const std::int64_t at = row * channels + k + v * kLanes;
        store(hn::MulAdd(a[v], load(g + at), hn::MulAdd(b[v], load(y + at), c[v])), to + at);
      }
    }
  });
}

/// False where the activation's derivative has no vector form.
bool mask_vectors(const ReadArgs& read, const float* x, std::int64_t rows, std::int64_t channels, const float* gradient,
                  float* dx, bool streams, float* sums) {
  return with_slope(read.activation, [&](const auto& slope) HWY_ATTR {
    with_store(streams, dx, channels, [&](const auto& whole) HWY_ATTR {
      each_group(channels, whole, [&]<int kVectors>(std::int64_t c, const auto& load, const auto& store) HWY_ATTR {
        Array<V, kVectors> factor;
        Array<V, kVectors> shift;
        Array<V, kVectors> mean;
        Array<V, kVectors> sum;
        Array<V, kVectors> products;
        for (int v = 0; v < kVectors; ++v) {
          factor[v] = load(read.factor + c + v * kLanes);
          shift[v] = load(read.shift + c + v * kLanes);
          mean[v] = load(read.mean + c + v * kLanes);
          sum[v] = products[v] = hn::Zero(kTag);
        }
        for (std::int64_t row = 0; row < rows; ++row) {
          for (int v = 0; v < kVectors; ++v) {
            const std::int64_t at = row * channels + c + v * kLanes;
            const V value = load(x + at);
            const V g = hn::Mul(load(gradient + at), slope(hn::MulAdd(factor[v], value, shift[v])));
            store(g, dx + at);
            sum[v] = hn::Add(sum[v], g);
            products[v] = hn::MulAdd(g, hn::Sub(value, mean[v]), products[v]);
          }
        }
        for (int v = 0; v < kVectors; ++v) {
          const std::int64_t rest = channels - c - v * kLanes;
          store_upto(sum[v], sums + c + v * kLanes, rest);
          store_upto(products[v], sums + channels + c + v * kLanes, rest);
        }
      });
    });
  });
}

void gradient_sums(const float* gradient, const float* x, const float* mean, std::int64_t rows, std::int64_t channels,
                   float* sums) {
  each_group(channels, plain_store(), [&]<int kVectors>(std::int64_t c, const auto& load, const auto& store) HWY_ATTR {
    Array<V, kVectors> sum;
    Array<V, kVectors> products;
    Array<V, kVectors> middle;
    for (int v = 0; v < kVectors; ++v) {
      middle[v] = load(mean + c + v * kLanes);
      sum[v] = products[v] = hn::Zero(kTag);
    }
    for (std::int64_t row = 0; row < rows; ++row) {
      for (int v = 0; v < kVectors; ++v) {
        const std::int64_t at = row * channels + c + v * kLanes;
        const V g = load(gradient + at);
        sum[v] = hn::Add(sum[v], g);
        products[v] = hn::MulAdd(g, hn::Sub(load(x + at), middle[v]), products[v]);
      }
    }
    for (int v = 0; v < kVectors; ++v) {
      store(sum[v], sums + c + v * kLanes);
      store(products[v], sums + channels + c + v * kLanes);
    }
  });
}

}  // namespace sepal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sepal {
namespace {

/// Channels whose sums over blocks are joined side by side.
constexpr std::int64_t kJoined = 16;

HWY_EXPORT(row_moments);
HWY_EXPORT(affine_rows);
HWY_EXPORT(gradient_rows);
HWY_EXPORT(mask_vectors);
HWY_EXPORT(measure_rows);
HWY_EXPORT(move_values);
HWY_EXPORT(gradient_sums);
}  // namespace

void read_coefficients(const BatchNormArgs& norm, std::int64_t channels, float* factor, float* shift) noexcept {
  for (std::int64_t c = 0; c < channels; ++c) {
    const double a = double{norm.scale[c]} / std::sqrt(double{norm.variance[c]} + double{norm.epsilon});
    factor[c] = static_cast<float>(a);
    shift[c] = static_cast<float>(double{norm.bias[c]} - double{norm.mean[c]} * a);
  }
}

void gradient_coefficients(const BatchNormArgs& norm, const float* scale_gradient, const float* bias_gradient,
                           std::int64_t count, std::int64_t channels, float* a, float* b, float* c) noexcept {
  // dy = scale / d (g - bias' / n - (y - mean) / d scale' / n), d the deviation.
  const auto n = static_cast<double>(count);
  for (std::int64_t k = 0; k < channels; ++k) {
    const double inverse = 1 / std::sqrt(double{norm.variance[k]} + double{norm.epsilon});
    const double factor = double{norm.scale[k]} * inverse;
    const double slope = -factor * inverse * double{scale_gradient[k]} / n;
    a[k] = static_cast<float>(factor);
    b[k] = static_cast<float>(slope);
    c[k] = static_cast<float>(-factor * double{bias_gradient[k]} / n - slope * double{norm.mean[k]});
  }
}

void row_moments(const float* rows, std::int64_t count, std::int64_t channels, float* to, bool streams,
                 float* moments) noexcept {
  HWY_DYNAMIC_DISPATCH(row_moments)(rows, count, channels, to, streams, moments);
}

void measure_rows(const float* rows, std::int64_t count, std::int64_t channels, float* moments) noexcept {
  HWY_DYNAMIC_DISPATCH(measure_rows)(rows, count, channels, moments);
}

bool streams(std::int64_t floats) noexcept {
  return floats * static_cast<std::int64_t>(sizeof(float)) >= kStreamedBytes;
}

void move_rows(const float* from, std::int64_t floats, float* to, bool streams) noexcept {
  HWY_DYNAMIC_DISPATCH(move_values)(from, floats, to, streams);
}

void join_moments(const float* moments, std::int64_t blocks, std::int64_t block, std::int64_t count,
                  std::int64_t channels, float* mean, float* variance) noexcept {
  // Chan, Golub and LeVeque (1983), equations 2.1: means and squared deviations of two parts give those of the whole.
  for (std::int64_t first = 0; first < channels; first += kJoined) {
    const std::int64_t width = std::min(kJoined, channels - first);
    std::array<double, kJoined> means{};
    std::array<double, kJoined> squares{};
    double whole = 0;
    for (std::int64_t i = 0; i < blocks; ++i) {
      const float* part = moments + i * moment_floats(channels) + first;
      const auto n = static_cast<double>(std::min(block, count - i * block));
      const double share = n / (whole + n);
      const double one_of_n = 1 / n;
      for (std::int64_t c = 0; c < width; ++c) {
        const auto k = static_cast<std::size_t>(c);
        const double sum = double{part[channels + c]};
        const double offset = sum * one_of_n;
        const double difference = double{part[c]} + offset - means[k];
        squares[k] += double{part[2 * channels + c]} - sum * offset + difference * difference * whole * share;
        means[k] += difference * share;
      }
      whole += n;
    }
    for (std::int64_t c = 0; c < width; ++c) {
      const auto k = static_cast<std::size_t>(c);
      mean[first + c] = static_cast<float>(means[k]);
      variance[first + c] = static_cast<float>(std::max(squares[k] / whole, 0.0));
    }
  }
}

void read_rows(const ReadArgs& read, const float* x, std::int64_t rows, std::int64_t channels, float* to) noexcept {
  if (read.factor == nullptr) {
    std::copy_n(x, rows * channels, to);
    return;
  }
  if (is_epilogue(read.activation)) return HWY_DYNAMIC_DISPATCH(affine_rows)(read, x, rows, channels, to);
  const ReadArgs affine = {.factor = read.factor, .shift = read.shift, .mean = read.mean, .activation = {}};
  HWY_DYNAMIC_DISPATCH(affine_rows)(affine, x, rows, channels, to);
  unary(read.activation, to, to, {0, rows * channels});
}

void read_gradient_rows(const GradientReadArgs& read, std::int64_t first, std::int64_t rows, std::int64_t channels,
                        float* to) noexcept {
  if (read.y == nullptr) {
    std::copy_n(read.g + first, rows * channels, to);
  } else {
    HWY_DYNAMIC_DISPATCH(gradient_rows)(read, first, rows, channels, to);
  }
}

void mask_rows(const ReadArgs& read, const float* x, std::int64_t rows, std::int64_t channels, const float* gradient,
               float* dx, bool streams, float* sums) noexcept {
  if (HWY_DYNAMIC_DISPATCH(mask_vectors)(read, x, rows, channels, gradient, dx, streams, sums)) return;
  // Rare functions go value by value, then once more for the sums.
  for (std::int64_t i = 0; i < rows * channels; ++i) {
    const std::int64_t c = i % channels;
    dx[i] = gradient[i] * reference::derivative(read.activation, read.factor[c] * x[i] + read.shift[c]);
  }
  const ReadArgs none = {.factor = read.factor, .shift = read.shift, .mean = read.mean, .activation = {}};
  HWY_DYNAMIC_DISPATCH(mask_vectors)(none, x, rows, channels, dx, dx, false, sums);
}

void gradient_sums(const float* gradient, const float* x, const float* mean, std::int64_t rows, std::int64_t channels,
                   float* sums) noexcept {
  HWY_DYNAMIC_DISPATCH(gradient_sums)(gradient, x, mean, rows, channels, sums);
}

void join_sums(const float* sums, std::int64_t blocks, const BatchNormArgs& norm, std::int64_t channels,
               float* scale_gradient, float* bias_gradient) noexcept {
  for (std::int64_t first = 0; first < channels; first += kJoined) {
    const std::int64_t width = std::min(kJoined, channels - first);
    std::array<double, kJoined> sum{};
    std::array<double, kJoined> products{};
    for (std::int64_t i = 0; i < blocks; ++i) {
      const float* part = sums + 2 * i * channels + first;
      for (std::int64_t c = 0; c < width; ++c) {
        const auto k = static_cast<std::size_t>(c);
        sum[k] += double{part[c]};
        products[k] += double{part[channels + c]};
      }
    }
    for (std::int64_t c = first; c < first + width; ++c) {
      const auto k = static_cast<std::size_t>(c - first);
      const double inverse = 1 / std::sqrt(double{norm.variance[c]} + double{norm.epsilon});
      bias_gradient[c] = static_cast<float>(sum[k]);
      scale_gradient[c] = static_cast<float>(products[k] * inverse);
    }
  }
}

}  // namespace sepal
#endif
