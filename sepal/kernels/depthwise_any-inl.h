// The depthwise tile for every window: any size, stride, dilation and depth multiplier. A row of neighbouring output
// columns keeps its sums in registers; a tap's weights are loaded once for all of them, and its input values are read
// where they lie, as operands of the multiplications: two loads a clock keep two FMAs busy.
//
// Where a tile hangs over the edge of the image, or channels are shared by several filters, what it sees of a line is
// first laid out in L1, a vector to a column, with zeros beside the image and every channel as often as it has filters.
// That costs a copy for each column of the line, and each is used by about as many taps as the window is wide.
// Lines above and below the image are left out.

#if defined(SEPAL_KERNELS_DEPTHWISE_ANY_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SEPAL_KERNELS_DEPTHWISE_ANY_INL_H_
#undef SEPAL_KERNELS_DEPTHWISE_ANY_INL_H_
#else
#define SEPAL_KERNELS_DEPTHWISE_ANY_INL_H_
#endif

#include <algorithm>

#include "sepal/kernels/depthwise.h"
#include "sepal/kernels/simd-inl.h"
#include "sepal/kernels/taps.h"

HWY_BEFORE_NAMESPACE();
namespace sepal::HWY_NAMESPACE {

/// One output row, and what all of its tiles share.
struct AnyRow {
  const DepthwiseArgs* args;
  std::int64_t image;  ///< its number
  float* output;       ///< the first pixel of the output row
  std::int64_t top;    ///< the input line of tap row 0; may lie outside
  Range taps;          ///< the tap rows that lie inside
  std::int64_t w, c;   ///< of the input
  std::int64_t co;     ///< c times the depth multiplier
  std::int64_t m;      ///< the depth multiplier
  Epilogue epilogue;

  const float* line(std::int64_t tap) const { return args->input_row(image, top + tap * args->window.dilation.h); }
  std::int64_t left(std::int64_t x) const { return x * args->window.stride.w - args->window.padding.left; }
  const float* weights(std::int64_t ky, std::int64_t kx) const {
    return args->filter + (ky * args->window.kernel.w + kx) * co;
  }
};

/// The output channels first .. first + count - 1: a vector of them, or fewer than one.
template <bool kWhole>
struct AnyChannels {
  std::int64_t first;
  std::int64_t count;

  HWY_INLINE V load(const float* p) const {
    if constexpr (kWhole) return hn::LoadU(kTag, p);
    return load_first(p, count);
  }
  HWY_INLINE void store(V v, float* p) const {
    if constexpr (kWhole) {
      hn::StoreU(v, kTag, p);
    } else {
      store_first(v, p, count);
    }
  }
  HWY_INLINE V bias(const AnyRow& row) const {
    return row.args->bias == nullptr ? hn::Zero(kTag) : load(row.args->bias + first);
  }
};

/// The input channels behind a vector of output channels: those of the same number ...
template <bool kShared>
struct InputChannels {
  std::int64_t first;
  InputChannels(const AnyRow&, std::int64_t channel) : first(channel) {}
  template <typename Channels>
  HWY_INLINE V of(const float* pixel, const Channels& channels) const {
    return channels.load(pixel + first);
  }
};

/// ... or, with a depth multiplier, channel (first + i) / m for lane i.
template <>
struct InputChannels<true> {
  std::int64_t first;
  std::int64_t count;  ///< from that one to the last of the pixel
  HWY_ALIGN std::int32_t lanes[kLanes];

  InputChannels(const AnyRow& row, std::int64_t channel) : first(channel / row.m), count(row.c - first) {
    std::int64_t filter = channel - first * row.m;  // counted, as a division a lane would cost more than a tile
    std::int32_t lane = 0;
    for (std::int32_t& mine : lanes) {
      mine = lane;
      if (++filter == row.m && lane + 1 < count) {
        filter = 0;
        ++lane;
      }
    }
  }
  template <typename Channels>
  HWY_INLINE V of(const float* pixel, const Channels&) const {
    return hn::TableLookupLanes(load_upto(pixel + first, count), hn::SetTableIndices(kTag, lanes));
  }
};

/// Calls body(AnyChannels) for every vector of output channels.
template <typename Body>
HWY_INLINE void each_channels(std::int64_t from, std::int64_t co, const Body& body) {
  std::int64_t c = from;
  for (; c + kLanes <= co; c += kLanes) body(AnyChannels<true>{c, kLanes});
  if (c < co) body(AnyChannels<false>{c, co - c});
}

/// Output columns x .. x + kColumns - 1.
template <int kColumns>
struct AnyTile {
  using Sums = Array<V, kColumns>;
  static constexpr int kHalf = (kColumns + 1) / 2;

  template <typename Channels>
  static HWY_INLINE void finish(const Sums& sums, const Epilogue& epilogue, const Channels& channels, float* output,
                                std::int64_t pitch) {
    if (epilogue.hard_swish) {
      for (int j = 0; j < kColumns; ++j) channels.store(hard_swish(sums[j]), output + j * pitch);
    } else {
      for (int j = 0; j < kColumns; ++j) channels.store(limited(sums[j], epilogue), output + j * pitch);
    }
  }

  /// All taps lie on the image, and there is a filter a channel.
  static void inside(const AnyRow& row, std::int64_t x) {
    // Locals, so that the compiler need not fear that stores change them.
    const Window window = row.args->window;
    const Epilogue epilogue = row.epilogue;
    const std::int64_t pitch = row.co;
    const std::int64_t step = window.stride.w * pitch;
    const std::int64_t tap_step = window.dilation.w * pitch;
    const std::int64_t first = row.left(x) * pitch;
    const float* first_weights = row.weights(row.taps.begin, 0);
    float* output = row.output + x * pitch;
    each_channels(0, pitch, [&](const auto& channels) HWY_ATTR __attribute__((always_inline)) {
      Sums sums;
      for (V& sum : sums) sum = channels.bias(row);
      const float* weights = first_weights + channels.first;
      for (std::int64_t ky = row.taps.begin; ky < row.taps.end; ++ky) {
        // Two pointers, each with the same few multiples of the step: with one, g++ 12 has more of them than registers.
        const float* from = row.line(ky) + first + channels.first;
        const float* half = from + kHalf * step;
        for (std::int64_t kx = 0; kx < window.kernel.w; ++kx, from += tap_step, half += tap_step, weights += pitch) {
          const V weight = channels.load(weights);
          for (int j = 0; j < kColumns; ++j) {
            const float* pixel = j < kHalf ? from + j * step : half + (j - kHalf) * step;
            sums[j] = hn::MulAdd(channels.load(pixel), weight, sums[j]);
          }
        }
      }
      finish(sums, epilogue, channels, output + channels.first, pitch);
    });
  }

  static std::int64_t span(const Window& window) {
    return (kColumns - 1) * window.stride.w + (window.kernel.w - 1) * window.dilation.w + 1;
  }

  /// By way of a copy of what the tile sees of a line.
  template <bool kShared>
  static void copied(const AnyRow& row, std::int64_t x) {
    const Window window = row.args->window;
    const Epilogue epilogue = row.epilogue;
    const std::int64_t pitch = row.co;
    const std::int64_t input_pitch = row.c;
    const std::int64_t left = row.left(x);
    const std::int64_t columns = span(window);
    const Range there = {std::clamp<std::int64_t>(-left, 0, columns),
                         std::clamp<std::int64_t>(row.w - left, 0, columns)};
    // Taps that meet the image in some column.
    const std::int64_t reach = (kColumns - 1) * window.stride.w;
    const std::int64_t first_tap = taps_inside(left + reach, window.kernel.w, window.dilation.w, row.w + reach).begin;
    const Range taps = {first_tap,
                        std::max(first_tap, taps_inside(left, window.kernel.w, window.dilation.w, row.w).end)};
    const std::int64_t first = (left + there.begin) * input_pitch;
    const float* first_weights = row.weights(row.taps.begin, taps.begin);
    const std::int64_t skipped = window.kernel.w - taps.size();
    float* output = row.output + x * pitch;
    // What the neighbours of a tap read, columns `stride` apart, lies side by side: all columns of a phase, then those
    // of the next.
    HWY_ALIGN float seen[kAnyColumnsSeen * kLanes];
    std::int32_t places[kAnyColumnsSeen];
    const std::int64_t phase = columns / window.stride.w + 1;
    const std::int64_t phases_end = std::min(there.begin + window.stride.w, there.end);
    for (std::int64_t first_of = 0; first_of < std::min(window.stride.w, columns); ++first_of) {
      std::int64_t place = first_of * phase;
      for (std::int64_t i = first_of; i < columns; i += window.stride.w, ++place) {
        places[i] = static_cast<std::int32_t>(place * kLanes);
        if (i < there.begin || i >= there.end) hn::Store(hn::Zero(kTag), kTag, seen + places[i]);
      }
    }
    each_channels(0, pitch, [&](const auto& channels) HWY_ATTR __attribute__((always_inline)) {
      Sums sums;
      for (V& sum : sums) sum = channels.bias(row);
      const InputChannels<kShared> inputs(row, channels.first);
      const float* weights = first_weights + channels.first;
      for (std::int64_t ky = row.taps.begin; ky < row.taps.end; ++ky, weights += skipped * pitch) {
        const float* pixel = row.line(ky) + first;
        for (std::int64_t begin = there.begin; begin < phases_end; ++begin, pixel += input_pitch) {
          const float* column = pixel;
          float* to = seen + places[begin];
          for (std::int64_t i = begin; i < there.end; i += window.stride.w, to += kLanes) {
            hn::Store(inputs.of(column, channels), kTag, to);
            column += window.stride.w * input_pitch;
          }
        }
        for (std::int64_t kx = taps.begin; kx < taps.end; ++kx, weights += pitch) {
          const V weight = channels.load(weights);
          const float* from = seen + places[kx * window.dilation.w];
          for (int j = 0; j < kColumns; ++j) sums[j] = hn::MulAdd(hn::Load(kTag, from + j * kLanes), weight, sums[j]);
        }
      }
      finish(sums, epilogue, channels, output + channels.first, pitch);
    });
  }

  /// False if the tile sees more than may be copied.
  static bool run(const AnyRow& row, std::int64_t x) {
    const Window& window = row.args->window;
    const std::int64_t left = row.left(x);
    if (row.m == 1 && left >= 0 && left + span(window) <= row.w) {
      inside(row, x);
      return true;
    }
    if (span(window) + window.stride.w > kAnyColumnsSeen) return false;
    if (row.m == 1) {
      copied<false>(row, x);
    } else {
      copied<true>(row, x);
    }
    return true;
  }
};

/// A single output column, several vectors of channels side by side, by the taps that lie on the image alone.
inline void any_column(const AnyRow& row, std::int64_t x) {
  constexpr int kVectors = 4;
  const Window& window = row.args->window;
  const std::int64_t left = row.left(x);
  const Range taps = taps_inside(left, window.kernel.w, window.dilation.w, row.w);
  const auto each_tap = [&](const auto& body) HWY_ATTR __attribute__((always_inline)) {
    for (std::int64_t ky = row.taps.begin; ky < row.taps.end; ++ky) {
      for (std::int64_t kx = taps.begin; kx < taps.end; ++kx) {
        body(row.line(ky) + (left + kx * window.dilation.w) * row.c, row.weights(ky, kx));
      }
    }
  };
  float* output = row.output + x * row.co;
  std::int64_t c = 0;
  for (; row.m == 1 && c + kVectors * kLanes <= row.co; c += kVectors * kLanes) {
    Array<V, kVectors> sums;
    for (int v = 0; v < kVectors; ++v) sums[v] = AnyChannels<true>{c + v * kLanes, kLanes}.bias(row);
    each_tap([&](const float* pixel, const float* weights) HWY_ATTR __attribute__((always_inline)) {
      for (int v = 0; v < kVectors; ++v) {
        const std::int64_t at = c + v * kLanes;
        sums[v] = hn::MulAdd(hn::LoadU(kTag, pixel + at), hn::LoadU(kTag, weights + at), sums[v]);
      }
    });
    for (int v = 0; v < kVectors; ++v) hn::StoreU(finished(sums[v], row.epilogue), kTag, output + c + v * kLanes);
  }
  const auto rest = [&]<bool kShared>() HWY_ATTR __attribute__((always_inline)) {
    each_channels(c, row.co, [&](const auto& channels) HWY_ATTR __attribute__((always_inline)) {
      const InputChannels<kShared> inputs(row, channels.first);
      V sum = channels.bias(row);
      each_tap([&](const float* pixel, const float* weights) HWY_ATTR __attribute__((always_inline)) {
        sum = hn::MulAdd(inputs.of(pixel, channels), channels.load(weights + channels.first), sum);
      });
      channels.store(finished(sum, row.epilogue), output + channels.first);
    });
  };
  if (row.m == 1) {
    rest.template operator()<false>();
  } else {
    rest.template operator()<true>();
  }
}

/// The output columns `range` in tiles of three widths; the last one moves back so as to end with them, and computes
/// what it shares with its neighbour again.
inline void any_columns(const AnyRow& row, Range range) {
  constexpr int kWide = kAnyColumns;
  constexpr int kMiddle = (kWide + 1) / 2;
  constexpr int kNarrow = (kMiddle + 1) / 2;
  const std::int64_t w = range.size();
  for (std::int64_t x = range.begin; x < range.end;) {
    const std::int64_t rest = range.end - x;
    if (w >= kWide && rest > kMiddle && AnyTile<kWide>::run(row, std::min(x, range.end - kWide))) {
      x += kWide;
    } else if (w >= kMiddle && rest > kNarrow && AnyTile<kMiddle>::run(row, std::min(x, range.end - kMiddle))) {
      x += kMiddle;
    } else if (w >= kNarrow && AnyTile<kNarrow>::run(row, std::min(x, range.end - kNarrow))) {
      x += kNarrow;
    } else {
      any_column(row, x++);
    }
  }
}

/// A whole output row. Columns that hang over the edge go by themselves where they are few and have few taps (a column
/// by itself takes those at half the rate), and where the stride is so large that a copy would serve a tap or two.
inline void any_columns(const AnyRow& row) {
  const Window& window = row.args->window;
  const std::int64_t w = row.args->output.shape.w();
  const std::int64_t last = row.w - (window.kernel.w - 1) * window.dilation.w - 1 + window.padding.left;
  const std::int64_t begin = std::min(w, (window.padding.left + window.stride.w - 1) / window.stride.w);
  const std::int64_t end = last < 0 ? begin : std::clamp(last / window.stride.w + 1, begin, w);
  const bool few = end - begin >= 3 * (w - end + begin) && window.kernel.w <= 7;
  if (row.m != 1 || (!few && window.stride.w <= 2)) return any_columns(row, {0, w});
  for (std::int64_t x = 0; x < begin; ++x) any_column(row, x);
  any_columns(row, {begin, end});
  for (std::int64_t x = end; x < w; ++x) any_column(row, x);
}

/// The output row `index`, counted through the batch.
inline void any_row(const DepthwiseArgs& args, std::int64_t index) {
  const Shape& in = args.input.shape;
  const Shape& out = args.output.shape;
  const std::int64_t image = index / out.h();
  const std::int64_t top = index % out.h() * args.window.stride.h - args.window.padding.top;
  any_columns({.args = &args,
               .image = image,
               .output = args.output.data + (index - args.first_row) * out.w() * out.c(),
               .top = top,
               .taps = taps_inside(top, args.window.kernel.h, args.window.dilation.h, in.h()),
               .w = in.w(),
               .c = in.c(),
               .co = out.c(),
               .m = out.c() / in.c(),
               .epilogue = epilogue_of(args.activation)});
}

}  // namespace sepal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // SEPAL_KERNELS_DEPTHWISE_ANY_INL_H_
