#include "sepal/kernels/grouped.h"

#include <algorithm>
#include <cstring>

#include "sepal/kernels/elementwise.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sepal/kernels/grouped.cc"
#include <hwy/foreach_target.h>

#include "sepal/kernels/simd-inl.h"
#include "sepal/kernels/taps.h"

// A vector of output channels takes as many terms a tap as a group has channels: for term i lane l wants channel i of
// its own group. Those are lanes of one vector of the input, which a permutation brings into place; where a group is
// wider than a vector, they are one value for all lanes. So nearly every lane works, and no channel meets another
// group's, not even times zero: NaN and infinity stay in their group.
//
// A tile is a few neighbouring output columns of a row, whose sums stay in registers. Where it hangs over the edge of
// the image, or its vector over the last channel, what it sees of a line is first copied out, with zeros beside the
// image. Lines above and below the image are left out.

HWY_BEFORE_NAMESPACE();
namespace sepal::HWY_NAMESPACE {

/// One output row, and what all of its tiles share.
struct GroupedRow {
  const GroupedArgs* args;
  const float* image;
  float* output;
  const float* addend;  ///< or null
  std::int64_t top;     ///< the input line of tap row 0; may lie outside
  Range taps;           ///< the tap rows that lie inside
  Epilogue epilogue;
  const std::int32_t (*lanes)[kLanes];  ///< by term: the lane of the input that each lane wants

  std::int64_t left(std::int64_t x) const { return x * args->window.stride.w - args->window.padding.left; }
};

/// The output channels first .. first + count - 1, and where the input channels that they sum over begin.
struct GroupedChannels {
  std::int64_t first, count, input;
};

/// Output columns x .. x + kColumns - 1. kShared: all lanes are of one group.
template <int kColumns, bool kShared>
struct GroupedTile {
  static constexpr int kHalf = (kColumns + 1) / 2;

  static std::int64_t span(const Window& window) {
    return (kColumns - 1) * window.stride.w + (window.kernel.w - 1) * window.dilation.w + 1;
  }

  /// Adds what one tap gives: the first column's channels lie at `from`, its neighbour's `step` floats further.
  static HWY_INLINE void add_tap(Array<V, kColumns>& sums, const GroupedRow& row, const float* from, std::int64_t step,
                                 const float* weights) {
    // Two pointers, each with the same few multiples of the step: with one, g++ 12 has more of them than registers.
    const float* half = from + kHalf * step;
    for (std::int64_t i = 0; i < row.args->group; ++i, weights += row.args->input.shape.c()) {
      const V weight = hn::LoadU(kTag, weights);
      const auto lanes = hn::SetTableIndices(kTag, row.lanes[kShared ? 0 : i]);
      for (int j = 0; j < kColumns; ++j) {
        const float* pixel = j < kHalf ? from + j * step : half + (j - kHalf) * step;
        const V x = kShared ? hn::Set(kTag, pixel[i]) : hn::TableLookupLanes(hn::LoadU(kTag, pixel), lanes);
        sums[j] = hn::MulAdd(x, weight, sums[j]);
      }
    }
  }

  /// Copies what a tile's lanes read of one pixel, or zeros for one that is not there.
  static HWY_INLINE void copy(const float* pixel, std::int64_t floats, bool there, float* to) {
    if constexpr (kShared) {
      if (there) {
        std::memcpy(to, pixel, static_cast<std::size_t>(floats) * sizeof(float));
      } else {
        std::fill_n(to, floats, 0.0f);
      }
    } else {
      hn::Store(there ? load_upto(pixel, floats) : hn::Zero(kTag), kTag, to);
    }
  }

  /// False if the tile would have to copy out more than it has room for.
  static bool run(const GroupedRow& row, const GroupedChannels& channels, std::int64_t x) {
    const GroupedArgs& args = *row.args;
    const Window window = args.window;
    const Shape& in = args.input.shape;
    const std::int64_t c = in.c();
    const std::int64_t left = row.left(x);
    const std::int64_t seen = span(window);
    const std::int64_t floats = kShared ? args.group : std::min(kLanes, c - channels.input);
    const bool whole = kShared || floats == kLanes;
    const bool copies = kColumns > 1 && (!whole || left < 0 || left + seen > in.w());
    if (copies && seen > kAnyColumnsSeen) return false;
    HWY_ALIGN float room[kAnyColumnsSeen * std::max(kLanes, kMostGroupChannels)];
    constexpr std::int64_t kPitch = kShared ? kMostGroupChannels : kLanes;
    const Range taps =
        kColumns > 1 ? Range{0, window.kernel.w} : taps_inside(left, window.kernel.w, window.dilation.w, in.w());

    Array<V, kColumns> sums;
    for (V& sum : sums) sum = hn::LoadU(kTag, args.packed + channels.first);
    for (std::int64_t ky = row.taps.begin; ky < row.taps.end; ++ky) {
      const float* line = row.image + (row.top + ky * window.dilation.h) * in.w() * c + channels.input;
      const float* from = line + left * c;
      std::int64_t pitch = c;
      if (copies) {
        for (std::int64_t i = 0; i < seen; ++i) {
          copy(from + i * c, floats, left + i >= 0 && left + i < in.w(), room + i * kPitch);
        }
        from = room;
        pitch = kPitch;
      }
      for (std::int64_t kx = taps.begin; kx < taps.end; ++kx) {
        const float* weights = args.packed + (1 + (ky * window.kernel.w + kx) * args.group) * c + channels.first;
        const float* pixel = from + kx * window.dilation.w * pitch;
        if (kColumns == 1 && !whole) {
          copy(pixel, floats, true, room);
          pixel = room;
        }
        add_tap(sums, row, pixel, window.stride.w * pitch, weights);
      }
    }
    const std::int64_t place = x * c + channels.first;
    for (int j = 0; j < kColumns; ++j) {
      if (row.addend != nullptr) {
        sums[j] = hn::Add(sums[j], load_upto(row.addend + place + j * c, channels.count));
      }
      store_upto(finished(sums[j], row.epilogue), row.output + place + j * c, channels.count);
    }
    return true;
  }
};

/// All columns of the row, in tiles of three widths; the last one moves back so as to end with the row, and computes
/// what it shares with its neighbour again.
template <bool kShared>
void grouped_columns(const GroupedRow& row, const GroupedChannels& channels) {
  constexpr int kWide = kAnyColumns;
  constexpr int kMiddle = kWide / 2;
  constexpr int kNarrow = (kMiddle + 1) / 2;
  const std::int64_t w = row.args->output.shape.w();
  const bool once = row.addend != nullptr;  // which may be the output: nothing is added twice
  const auto fits = [&](std::int64_t x, int columns, std::int64_t least) {
    return w - x >= columns || (!once && w >= columns && w - x > least);
  };
  for (std::int64_t x = 0; x < w;) {
    if (fits(x, kWide, kMiddle) && GroupedTile<kWide, kShared>::run(row, channels, std::min(x, w - kWide))) {
      x += kWide;
    } else if (fits(x, kMiddle, kNarrow) &&
               GroupedTile<kMiddle, kShared>::run(row, channels, std::min(x, w - kMiddle))) {
      x += kMiddle;
    } else if (fits(x, kNarrow, 1) && GroupedTile<kNarrow, kShared>::run(row, channels, std::min(x, w - kNarrow))) {
      x += kNarrow;
    } else {
      GroupedTile<1, kShared>::run(row, channels, x++);
    }
  }
}

void grouped_rows(const GroupedArgs& args, Range rows) {
  const Shape& in = args.input.shape;
  const Shape& out = args.output.shape;
  const std::int64_t group = args.group;
  // Whole groups to a vector, or vectors to a group.
  const std::int64_t most = group <= kLanes ? kLanes / group * group : kLanes;
  HWY_ALIGN std::int32_t lanes[kMostGroupChannels][kLanes] = {};
  for (std::int64_t i = 0; i < group && group <= kLanes; ++i) {
    for (std::int64_t lane = 0; lane < most; ++lane) {
      lanes[i][lane] = static_cast<std::int32_t>(lane / group * group + i);
    }
  }
  for (std::int64_t index = rows.begin; index < rows.end; ++index) {
    const std::int64_t image = index / out.h();
    const std::int64_t top = index % out.h() * args.window.stride.h - args.window.padding.top;
    const std::int64_t place = index * out.w() * out.c();
    const GroupedRow row = {.args = &args,
                            .image = args.input.data + image * in.elements(1, 4),
                            .output = args.output.data + place,
                            .addend = args.addend == nullptr ? nullptr : args.addend + place,
                            .top = top,
                            .taps = taps_inside(top, args.window.kernel.h, args.window.dilation.h, in.h()),
                            .epilogue = epilogue_of(args.activation),
                            .lanes = lanes};
    for (std::int64_t first = 0; first < out.c();) {
      const std::int64_t begin = first / group * group;
      const std::int64_t end = group <= kLanes ? out.c() : begin + group;
      const GroupedChannels channels = {first, std::min(most, end - first), begin};
      if (kLanes < kMostGroupChannels && group > kLanes) {
        grouped_columns < kLanes<kMostGroupChannels>(row, channels);
      } else {
        grouped_columns<false>(row, channels);
      }
      first += channels.count;
    }
  }
}

}  // namespace sepal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sepal {
namespace {
HWY_EXPORT(grouped_rows);
}  // namespace

void grouped(const GroupedArgs& args, Range rows) noexcept {
  if (is_epilogue(args.activation)) return HWY_DYNAMIC_DISPATCH(grouped_rows)(args, rows);
  const std::int64_t floats = args.output.shape.w() * args.output.shape.c();
  for (std::int64_t row = rows.begin; row < rows.end; ++row) {
    HWY_DYNAMIC_DISPATCH(grouped_rows)(args, Range{row, row + 1});
    unary(args.activation, args.output.data, args.output.data, {row * floats, (row + 1) * floats});
  }
}

void pack_grouped(const float* filter, const float* bias, std::int64_t channels, std::int64_t taps, std::int64_t group,
                  float* packed) noexcept {
  for (std::int64_t c = 0; c < channels; ++c) packed[c] = bias == nullptr ? 0.0f : bias[c];
  packed += channels;
  for (std::int64_t term = 0; term < taps * group; ++term, packed += channels) {
    for (std::int64_t c = 0; c < channels; ++c) packed[c] = filter[c * taps * group + term];
  }
  std::fill(packed, packed + packed_grouped_floats(channels, taps, group) - (1 + taps * group) * channels, 0.0f);
}

}  // namespace sepal
#endif
