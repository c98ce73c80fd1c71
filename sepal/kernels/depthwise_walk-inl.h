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
#include <type_traits>

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
  HWY_INLINE void ask() {
    __builtin_prefetch(reinterpret_cast<const void*>(line), 0, 3);
    line += kLineFloats * sizeof(float);
  }
};

/// Asks for what lies a little behind p, on the way through memory in its order: a page (half of that and twice as much
/// gained less).
HWY_INLINE void ask_further(const float* p) {
  constexpr std::uintptr_t kBytes = 4096;
  __builtin_prefetch(reinterpret_cast<const void*>(reinterpret_cast<std::uintptr_t>(p) + kBytes), 0, 3);
}

/// Brings pixels that lie side by side, [pixels][channels], into groups: pixel p of a group goes to `to` + p kGroup,
/// the next group lies `plane` floats further. make.constants(c, load) is what all pixels share, make(constants, place,
/// load) the vector from float `place` of the pixels on. Four pixels at a time, so that they do share it.
template <typename Make>
HWY_INLINE void into_groups(std::int64_t pixels, std::int64_t channels, const Make& make, float* to,
                            std::int64_t plane) {
  constexpr int kAtOnce = 4;
  const auto vector = [&](std::int64_t first, int count, std::int64_t c, float* at, const auto& load) HWY_ATTR
      __attribute__((always_inline)) {
        const auto constants = make.constants(c, load);
        const std::int64_t place = first * channels + c;
        if (count == kAtOnce) {
          HWY_UNROLL(4)
          for (int i = 0; i < kAtOnce; ++i) {
            hn::StoreU(make(constants, place + i * channels, load), kTag, at + i * kGroup);
          }
        } else {
          for (int i = 0; i < count; ++i) {
            hn::StoreU(make(constants, place + i * channels, load), kTag, at + i * kGroup);
          }
        }
      };
  for (std::int64_t p = 0; p < pixels; p += kAtOnce) {
    const int count = static_cast<int>(std::min<std::int64_t>(kAtOnce, pixels - p));
    float* at = to + p * kGroup;
    for (std::int64_t group = 0; group < channels; group += kGroup, at += plane) {
      for (std::int64_t c = group; c < std::min(group + kGroup, channels); c += kLanes) {
        if (const std::int64_t rest = channels - c; rest >= kLanes) {
          vector(p, count, c, at + (c - group),
                 [](const float* from) HWY_ATTR __attribute__((always_inline)) { return hn::LoadU(kTag, from); });
        } else {
          vector(p, count, c, at + (c - group),
                 [=](const float* from) HWY_ATTR __attribute__((always_inline)) { return load_first(from, rest); });
        }
      }
    }
  }
}

/// Some rows of x of one phase, and the rows of dy that they hear; all pointers stand at a vector of the channels, and
/// neighbouring pixels are kGroup apart.
struct Walk {
  std::int64_t count = 0;  ///< rows of x
  std::int64_t step = 0;   ///< from one to the next, in rows of x; a row is row_pitch floats
  std::int64_t row_pitch = 0;
  const float* read = nullptr;  ///< the first row of what is read of x, or of x
  float* dx = nullptr;          ///< laid out as that
  /// For each row of x and each tap row the pixel 0 of a row of dy, zeros beside it.
  const float* const* lines = nullptr;
  int tap_rows = 0;                ///< of lines for a row of x
  const float* weights = nullptr;  ///< [kw][kGroup] of the first tap row
  float* sums = nullptr;           ///< laid out as weights; added to
  std::int64_t tap_step = 0;       ///< floats from one tap row to the next, of weights and of sums
  std::int64_t kernel = 0;         ///< columns of the window
  std::int64_t dilation = 0;       ///< of columns, as the next three
  std::int64_t stride = 0;
  std::int64_t padding = 0;       ///< left
  std::int64_t w = 0;             ///< of x
  std::int64_t columns = 0;       ///< of dy
  bool add = false;               ///< to dx, not write it
  Ahead x_ahead = {};             ///< a line for each pixel of x
  Array<Ahead, 2> dy_ahead = {};  ///< for each pixel or pair of them

  // For a whole walk, of the vector of channels at hand:
  std::int64_t pixel_pitch = 0;  ///< of x and dx
  const float* factor = nullptr;
  const float* shift = nullptr;
  const float* mean = nullptr;
  float low = 0, high = 0;
  float* dx_sum = nullptr;      ///< added to, as the next
  float* dx_product = nullptr;  ///< of dx and x - mean
};

/// How a walk comes by what is read of x, and what it does with dx.
enum class Ends {
  kRows,    ///< both lie in rows of the room
  kWhole,   ///< x is read, and dx finished and written, where they lie: the walk is the only one over these rows
  kStream,  ///< the same, past the caches
};

/// What a whole walk does at either end of a pixel. An activation is a pair of limits here.
template <Ends kEnds>
class PixelEnds {
 public:
  explicit HWY_INLINE PixelEnds(const Walk& walk)
      : factor_(hn::Zero(kTag)),
        shift_(factor_),
        mean_(factor_),
        low_(factor_),
        high_(factor_),
        sum_(factor_),
        product_(factor_) {
    if constexpr (kEnds != Ends::kRows) {
      factor_ = hn::LoadU(kTag, walk.factor);
      shift_ = hn::LoadU(kTag, walk.shift);
      mean_ = hn::LoadU(kTag, walk.mean);
      low_ = hn::Set(kTag, walk.low);
      high_ = hn::Set(kTag, walk.high);
    }
  }
  HWY_INLINE V value(V x) const {
    if constexpr (kEnds == Ends::kRows) return x;
    return at_most(at_least(hn::MulAdd(x, factor_, shift_), low_), high_);
  }
  /// `value` is that of x.
  HWY_INLINE void finish(V sum, V x, V value, float* to) {
    if constexpr (kEnds == Ends::kRows) {
      hn::StoreU(sum, kTag, to);
      return;
    }
    const V dx = hn::IfThenElseZero(hn::And(hn::Gt(value, low_), hn::Lt(value, high_)), sum);
    sum_ = hn::Add(sum_, dx);
    product_ = hn::MulAdd(dx, hn::Sub(x, mean_), product_);
    if constexpr (kEnds == Ends::kStream) {
      hn::Stream(dx, kTag, to);
    } else {
      hn::StoreU(dx, kTag, to);
    }
  }
  HWY_INLINE void keep_sums(const Walk& walk) const {
    if constexpr (kEnds == Ends::kRows) return;
    hn::StoreU(hn::Add(hn::LoadU(kTag, walk.dx_sum), sum_), kTag, walk.dx_sum);
    hn::StoreU(hn::Add(hn::LoadU(kTag, walk.dx_product), product_), kTag, walk.dx_product);
  }

 private:
  V factor_, shift_, mean_, low_, high_;
  V sum_, product_;
};

/// The weights and sums of some tap rows, in registers.
template <int kWidth, int kRows>
struct Taps {
  Array<Array<V, kWidth>, kRows> weights;
  Array<Array<V, kWidth>, kRows> sums;

  explicit HWY_INLINE Taps(const Walk& walk) {
    HWY_UNROLL(8)
    for (int row = 0; row < kRows; ++row) {
      HWY_UNROLL(8)
      for (int k = 0; k < kWidth; ++k) {
        weights[row][k] = hn::LoadU(kTag, walk.weights + row * walk.tap_step + k * kGroup);
        sums[row][k] = hn::Zero(kTag);
      }
    }
  }
  /// dy heard by tap k of a row: its part in a pixel's sum, and the pixel's in the tap's.
  HWY_INLINE V meet(int row, int k, V dy, V value, V sum) {
    sums[row][k] = hn::MulAdd(dy, value, sums[row][k]);
    return hn::MulAdd(dy, weights[row][k], sum);
  }
  HWY_INLINE void keep_sums(const Walk& walk) const {
    HWY_UNROLL(8)
    for (int row = 0; row < kRows; ++row) {
      HWY_UNROLL(8)
      for (int k = 0; k < kWidth; ++k) {
        float* const to = walk.sums + row * walk.tap_step + k * kGroup;
        hn::StoreU(hn::Add(hn::LoadU(kTag, to), sums[row][k]), kTag, to);
      }
    }
  }
};

/// Stride 1: pixel x hears tap k at column x + padding - k of dy.
template <int kWidth, int kRows, bool kAdd, Ends kEnds>
void walk_single(const Walk& walk) {
  Taps<kWidth, kRows> taps(walk);
  PixelEnds<kEnds> ends(walk);
  const std::int64_t pitch = kEnds == Ends::kRows ? kGroup : walk.pixel_pitch;
  const std::int64_t w = walk.w;
  Ahead x_ahead = walk.x_ahead;
  Array<Ahead, 2> dy_ahead = {walk.dy_ahead[0], walk.dy_ahead[1]};
  for (std::int64_t i = 0; i < walk.count; ++i) {
    const float* read = walk.read + i * walk.step * walk.row_pitch;
    float* dx = walk.dx + i * walk.step * walk.row_pitch;
    Array<const float*, kRows> lines;
    for (int row = 0; row < kRows; ++row) {
      lines[row] = walk.lines[i * walk.tap_rows + row] + (walk.padding - (kWidth - 1)) * kGroup;
    }
    for (std::int64_t x = 0; x < w; ++x, read += pitch, dx += pitch) {
      const V raw = hn::LoadU(kTag, read);
      const V value = ends.value(raw);
      V sum = kAdd ? hn::LoadU(kTag, dx) : hn::Zero(kTag);
      HWY_UNROLL(8)
      for (int row = 0; row < kRows; ++row) {
        HWY_UNROLL(8)
        for (int k = 0; k < kWidth; ++k) {
          sum = taps.meet(row, k, hn::LoadU(kTag, lines[row] + (x + kWidth - 1 - k) * kGroup), value, sum);
        }
      }
      ends.finish(sum, raw, value, dx);
      if constexpr (!kAdd) {
        x_ahead.ask();
        dy_ahead[0].ask();
        dy_ahead[1].ask();
      }
    }
  }
  taps.keep_sums(walk);
  ends.keep_sums(walk);
}

/// Stride 2: with u = x + padding, u = 2 i hears the even taps 2 q at column i - q, u = 2 i + 1 the odd ones there.
template <int kWidth, int kRows, bool kAdd, Ends kEnds>
void walk_double(const Walk& walk) {
  Taps<kWidth, kRows> taps(walk);
  PixelEnds<kEnds> ends(walk);
  const std::int64_t pitch = kEnds == Ends::kRows ? kGroup : walk.pixel_pitch;
  const std::int64_t first = walk.padding / 2;
  const std::int64_t pairs = (walk.w - 1 + walk.padding) / 2 + 1 - first;
  // Of the first and the last pair a pixel may be missing.
  const std::int64_t missing_before = walk.padding % 2;
  const std::int64_t missing_after = (walk.w + walk.padding) % 2;
  Ahead x_ahead = walk.x_ahead;
  Ahead dy_ahead = walk.dy_ahead[0];
  for (std::int64_t i = 0; i < walk.count; ++i) {
    const float* read = walk.read + i * walk.step * walk.row_pitch - missing_before * pitch;
    float* dx = walk.dx + i * walk.step * walk.row_pitch - missing_before * pitch;
    Array<const float*, kRows> lines;
    for (int row = 0; row < kRows; ++row) lines[row] = walk.lines[i * walk.tap_rows + row] + first * kGroup;
    const auto pair = [&](std::int64_t x, auto has_even, auto has_odd) HWY_ATTR __attribute__((always_inline)) {
      constexpr bool kEven = has_even;
      constexpr bool kOdd = has_odd;
      const V even = kEven ? hn::LoadU(kTag, read) : hn::Zero(kTag);
      const V odd = kOdd ? hn::LoadU(kTag, read + pitch) : hn::Zero(kTag);
      const V even_value = kEven ? ends.value(even) : even;
      const V odd_value = kOdd ? ends.value(odd) : odd;
      V even_sum = kAdd && kEven ? hn::LoadU(kTag, dx) : hn::Zero(kTag);
      V odd_sum = kAdd && kOdd ? hn::LoadU(kTag, dx + pitch) : hn::Zero(kTag);
      HWY_UNROLL(8)
      for (int row = 0; row < kRows; ++row) {
        HWY_UNROLL(8)
        for (int q = 0; q <= kWidth / 2; ++q) {
          const V dy = hn::LoadU(kTag, lines[row] + (x - q) * kGroup);
          if constexpr (kEven) even_sum = taps.meet(row, 2 * q, dy, even_value, even_sum);
          if (kOdd && q < kWidth / 2) odd_sum = taps.meet(row, 2 * q + 1, dy, odd_value, odd_sum);
        }
      }
      if constexpr (kEven) ends.finish(even_sum, even, even_value, dx);
      if constexpr (kOdd) ends.finish(odd_sum, odd, odd_value, dx + pitch);
      if constexpr (!kAdd) {
        x_ahead.ask();
        x_ahead.ask();
        dy_ahead.ask();
      }
      read += 2 * pitch;
      dx += 2 * pitch;
    };
    std::int64_t x = 0;
    if (missing_before > 0) pair(x++, std::false_type(), std::true_type());
    for (; x < pairs - missing_after; ++x) pair(x, std::true_type(), std::true_type());
    if (missing_after > 0) pair(x, std::true_type(), std::false_type());
  }
  taps.keep_sums(walk);
  ends.keep_sums(walk);
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

template <int kWidth, int kRows, bool kAdd, Ends kEnds>
void walk_columns(const Walk& walk) {
  walk.stride == 1 ? walk_single<kWidth, kRows, kAdd, kEnds>(walk) : walk_double<kWidth, kRows, kAdd, kEnds>(walk);
}

template <int kWidth, int kRows>
void walk_rows(const Walk& walk, Ends ends) {
  if constexpr (kWidth == 3) {
    if (ends == Ends::kWhole) return walk_columns<kWidth, kRows, false, Ends::kWhole>(walk);
    if (ends == Ends::kStream) return walk_columns<kWidth, kRows, false, Ends::kStream>(walk);
  }
  walk.add ? walk_columns<kWidth, kRows, true, Ends::kRows>(walk)
           : walk_columns<kWidth, kRows, false, Ends::kRows>(walk);
}

/// Whether a single walk can do all there is to do for a row with so many tap rows.
inline bool walks_whole(const Walk& walk, std::int64_t rows) {
  return has_walk(walk) && walk.kernel == 3 && rows >= 1 && rows <= tap_rows_at_once(walk);
}

/// `rows` tap rows, at most tap_rows_at_once().
inline void walk_any_rows(const Walk& walk, int rows, Ends ends) {
  if constexpr (!kPlain) {
    if (has_walk(walk)) {
      if (walk.kernel == 3) {
        if (rows == 1) return walk_rows<3, 1>(walk, ends);
        return rows == 2 ? walk_rows<3, 2>(walk, ends) : walk_rows<3, 3>(walk, ends);
      }
      if (walk.kernel == 5) return rows == 2 ? walk_rows<5, 2>(walk, ends) : walk_rows<5, 1>(walk, ends);
      return walk_rows<7, 1>(walk, ends);
    }
  }
  walk_any(walk);
}

}  // namespace sepal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // SEPAL_KERNELS_DEPTHWISE_WALK_INL_H_
