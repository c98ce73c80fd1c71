// Where the gradients of a depthwise convolution are added up: a walk along rows of pixels for a vector of channels.
// Both gradients need the same neighbourhood of dy, so each of its values is loaded once and used twice, times a weight
// for dx and times a pixel for the filter's gradient; weights and the filter's sums stay in registers over all rows.
// Rows of dy lie between zeros, so that no edge needs a question.
//
// Rows and columns of x hear different taps by their phase, the distance past a multiple of the stride. The caller
// walks phase by phase of rows; a walk of stride 2 takes columns by pairs, one of each phase. Windows of 3, 5 and 7
// columns have walks of their own, of several tap rows at once as far as registers go; all others go tap by tap.

#if defined(SEPAL_KERNELS_DEPTHWISE_WALK_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SEPAL_KERNELS_DEPTHWISE_WALK_INL_H_
#undef SEPAL_KERNELS_DEPTHWISE_WALK_INL_H_
#else
#define SEPAL_KERNELS_DEPTHWISE_WALK_INL_H_
#endif

#include <algorithm>

#include "sepal/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sepal::HWY_NAMESPACE {

/// Channels that lie side by side in the room: a cache line of them, whatever the vector.
constexpr std::int64_t kGroup = kLineFloats;
static_assert(kGroup % kLanes == 0);

constexpr int kMostTapRows = 3;

/// Memory whose turn comes soon, as far as one has come with asking for it, a line at a time. What lies behind its end
/// may be asked for, too.
struct Ahead {
  std::uintptr_t line = 0;
  HWY_INLINE void ask(std::int64_t lines) const {
    __builtin_prefetch(reinterpret_cast<const void*>(line + static_cast<std::uintptr_t>(lines * 64)), 0, 3);
  }
};

/// Some rows of x of one phase, and the rows of dy that they hear; all pointers stand at a vector of the channels, and
/// neighbouring pixels are kGroup apart.
struct Walk {
  std::int64_t count;  ///< rows of x
  std::int64_t step;   ///< from one to the next, in rows of x; a row is row_pitch floats
  std::int64_t row_pitch;
  const float* read;  ///< the first row of what is read of x, a pixel of zeros on either side
  float* dx;          ///< laid out as that; the pixels beside a row are scribbled on
  /// For each row of x and each tap row the pixel 0 of a row of dy, zeros beside it.
  const float* const* lines;
  int tap_rows;           ///< of lines for a row of x
  const float* weights;   ///< [kw][kGroup] of the first tap row
  float* sums;            ///< laid out as weights; added to
  std::int64_t tap_step;  ///< floats from one tap row to the next, of weights and of sums
  std::int64_t kernel;    ///< columns of the window
  std::int64_t dilation;  ///< of columns, as the next three
  std::int64_t stride;
  std::int64_t padding;  ///< left
  std::int64_t w;        ///< of x
  std::int64_t columns;  ///< of dy
  bool add;              ///< to dx, not write it
  Ahead x_ahead;         ///< a line for each pixel of x
  Array<Ahead, 2> dy_ahead;  ///< for each pixel or pair of them
};

/// Stride 1: pixel x hears tap k at column x + padding - k of dy.
template <int kWidth, int kRows, bool kAdd>
void walk_single(const Walk& walk) {
  Array<Array<V, kWidth>, kRows> weights;
  Array<Array<V, kWidth>, kRows> sums;
  HWY_UNROLL(8)
  for (int row = 0; row < kRows; ++row) {
    HWY_UNROLL(8)
    for (int k = 0; k < kWidth; ++k) {
      weights[row][k] = hn::LoadU(kTag, walk.weights + row * walk.tap_step + k * kGroup);
      sums[row][k] = hn::Zero(kTag);
    }
  }
  for (std::int64_t i = 0; i < walk.count; ++i) {
    const float* read = walk.read + i * walk.step * walk.row_pitch;
    float* dx = walk.dx + i * walk.step * walk.row_pitch;
    Array<const float*, kRows> lines;
    for (int row = 0; row < kRows; ++row) {
      lines[row] = walk.lines[i * walk.tap_rows + row] + (walk.padding - (kWidth - 1)) * kGroup;
    }
    for (std::int64_t x = 0; x < walk.w * kGroup; x += kGroup) {
      const V value = hn::LoadU(kTag, read + x);
      V sum = kAdd ? hn::LoadU(kTag, dx + x) : hn::Zero(kTag);
      HWY_UNROLL(8)
      for (int row = 0; row < kRows; ++row) {
        HWY_UNROLL(8)
        for (int k = 0; k < kWidth; ++k) {
          const V dy = hn::LoadU(kTag, lines[row] + x + (kWidth - 1 - k) * kGroup);
          sum = hn::MulAdd(dy, weights[row][k], sum);
          sums[row][k] = hn::MulAdd(dy, value, sums[row][k]);
        }
      }
      hn::StoreU(sum, kTag, dx + x);
      if constexpr (!kAdd) {
        const std::int64_t pixel = i * walk.w + x / kGroup;
        walk.x_ahead.ask(pixel);
        for (const Ahead& ahead : walk.dy_ahead) ahead.ask(pixel);
      }
    }
  }
  HWY_UNROLL(8)
  for (int row = 0; row < kRows; ++row) {
    HWY_UNROLL(8)
    for (int k = 0; k < kWidth; ++k) {
      float* const to = walk.sums + row * walk.tap_step + k * kGroup;
      hn::StoreU(hn::Add(hn::LoadU(kTag, to), sums[row][k]), kTag, to);
    }
  }
}

/// Stride 2: with u = x + padding, u = 2 i hears the even taps 2 q at column i - q, u = 2 i + 1 the odd ones there.
template <int kWidth, int kRows, bool kAdd>
void walk_double(const Walk& walk) {
  Array<Array<V, kWidth>, kRows> weights;
  Array<Array<V, kWidth>, kRows> sums;
  HWY_UNROLL(8)
  for (int row = 0; row < kRows; ++row) {
    HWY_UNROLL(8)
    for (int k = 0; k < kWidth; ++k) {
      weights[row][k] = hn::LoadU(kTag, walk.weights + row * walk.tap_step + k * kGroup);
      sums[row][k] = hn::Zero(kTag);
    }
  }
  const std::int64_t first = walk.padding / 2;
  const std::int64_t pairs = (walk.w - 1 + walk.padding) / 2 + 1 - first;
  for (std::int64_t i = 0; i < walk.count; ++i) {
    const std::int64_t begin = i * walk.step * walk.row_pitch + (2 * first - walk.padding) * kGroup;
    const float* read = walk.read + begin;
    float* dx = walk.dx + begin;
    Array<const float*, kRows> lines;
    for (int row = 0; row < kRows; ++row) lines[row] = walk.lines[i * walk.tap_rows + row] + first * kGroup;
    for (std::int64_t x = 0; x < pairs * kGroup; x += kGroup) {
      const V even = hn::LoadU(kTag, read + 2 * x);
      const V odd = hn::LoadU(kTag, read + 2 * x + kGroup);
      V even_sum = kAdd ? hn::LoadU(kTag, dx + 2 * x) : hn::Zero(kTag);
      V odd_sum = kAdd ? hn::LoadU(kTag, dx + 2 * x + kGroup) : hn::Zero(kTag);
      HWY_UNROLL(8)
      for (int row = 0; row < kRows; ++row) {
        HWY_UNROLL(8)
        for (int q = 0; q <= kWidth / 2; ++q) {
          const V dy = hn::LoadU(kTag, lines[row] + x - q * kGroup);
          even_sum = hn::MulAdd(dy, weights[row][2 * q], even_sum);
          sums[row][2 * q] = hn::MulAdd(dy, even, sums[row][2 * q]);
          if (q < kWidth / 2) {
            odd_sum = hn::MulAdd(dy, weights[row][2 * q + 1], odd_sum);
            sums[row][2 * q + 1] = hn::MulAdd(dy, odd, sums[row][2 * q + 1]);
          }
        }
      }
      hn::StoreU(even_sum, kTag, dx + 2 * x);
      hn::StoreU(odd_sum, kTag, dx + 2 * x + kGroup);
      if constexpr (!kAdd) {
        const std::int64_t pair = i * pairs + x / kGroup;
        walk.x_ahead.ask(2 * pair);
        walk.x_ahead.ask(2 * pair + 1);
        walk.dy_ahead[0].ask(pair);
      }
    }
  }
  HWY_UNROLL(8)
  for (int row = 0; row < kRows; ++row) {
    HWY_UNROLL(8)
    for (int k = 0; k < kWidth; ++k) {
      float* const to = walk.sums + row * walk.tap_step + k * kGroup;
      hn::StoreU(hn::Add(hn::LoadU(kTag, to), sums[row][k]), kTag, to);
    }
  }
}

/// Any window, one tap row: tap by tap, as far as it meets dy.
inline void walk_any(const Walk& walk) {
  for (std::int64_t i = 0; i < walk.count && !walk.add; ++i) {
    float* const dx = walk.dx + i * walk.step * walk.row_pitch;
    for (std::int64_t x = 0; x < walk.w; ++x) hn::StoreU(hn::Zero(kTag), kTag, dx + x * kGroup);
  }
  for (std::int64_t k = 0; k < walk.kernel; ++k) {
    // Columns x = stride o + offset of x hear this tap at column o of dy.
    const std::int64_t offset = k * walk.dilation - walk.padding;
    const std::int64_t begin = offset >= 0 ? 0 : (-offset + walk.stride - 1) / walk.stride;
    const std::int64_t end = walk.w <= offset ? 0 : std::min(walk.columns, (walk.w - 1 - offset) / walk.stride + 1);
    const V weight = hn::LoadU(kTag, walk.weights + k * kGroup);
    V sum = hn::Zero(kTag);
    for (std::int64_t i = 0; i < walk.count; ++i) {
      const float* const dy = walk.lines[i * walk.tap_rows];
      const float* const read = walk.read + i * walk.step * walk.row_pitch;
      float* const dx = walk.dx + i * walk.step * walk.row_pitch;
      for (std::int64_t o = begin; o < end; ++o) {
        const std::int64_t x = (o * walk.stride + offset) * kGroup;
        const V value = hn::LoadU(kTag, dy + o * kGroup);
        sum = hn::MulAdd(value, hn::LoadU(kTag, read + x), sum);
        hn::StoreU(hn::MulAdd(value, weight, hn::LoadU(kTag, dx + x)), kTag, dx + x);
      }
    }
    float* const to = walk.sums + k * kGroup;
    hn::StoreU(hn::Add(hn::LoadU(kTag, to), sum), kTag, to);
  }
}

/// Whether the columns of a window have a walk of their own.
inline bool has_walk(const Walk& walk) {
  return !kPlain && walk.dilation == 1 && walk.stride <= 2 &&
         (walk.kernel == 3 || walk.kernel == 5 || walk.kernel == 7);
}

/// Tap rows that a walk takes at once: their weights and sums must fit into the registers.
inline int tap_rows_at_once(const Walk& walk) {
  if (!has_walk(walk)) return 1;
  if (walk.kernel == 3) return kHas32Registers ? 3 : 2;
  return walk.kernel == 5 && kHas32Registers ? 2 : 1;
}

template <int kWidth, int kRows>
void walk_rows(const Walk& walk) {
  if (walk.stride == 1) {
    walk.add ? walk_single<kWidth, kRows, true>(walk) : walk_single<kWidth, kRows, false>(walk);
  } else {
    walk.add ? walk_double<kWidth, kRows, true>(walk) : walk_double<kWidth, kRows, false>(walk);
  }
}

/// `rows` tap rows, at most tap_rows_at_once().
inline void walk_any_rows(const Walk& walk, int rows) {
  if constexpr (!kPlain) {
    if (has_walk(walk)) {
      if (walk.kernel == 3)
        return rows == 3 ? walk_rows<3, 3>(walk) : rows == 2 ? walk_rows<3, 2>(walk) : walk_rows<3, 1>(walk);
      if (walk.kernel == 5) return rows == 2 ? walk_rows<5, 2>(walk) : walk_rows<5, 1>(walk);
      return walk_rows<7, 1>(walk);
    }
  }
  walk_any(walk);
}

}  // namespace sepal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // SEPAL_KERNELS_DEPTHWISE_WALK_INL_H_
