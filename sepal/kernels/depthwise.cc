#include "sepal/kernels/depthwise.h"

#include <algorithm>

#include "sepal/kernels/elementwise.h"
#include "sepal/kernels/taps.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sepal/kernels/depthwise.cc"
#include <hwy/foreach_target.h>

#include "sepal/kernels/simd-inl.h"

// Vectors run over channels, tiles over neighbouring output columns; rows of taps above or below the image
// are clipped.
//
// Kernels 3 and 5 wide with stride 1 or 2 (FixedTile) load the input columns that a tile's outputs share once
// into registers and use them for every tap that meets them; a column left or right of the image is a zero
// register. Everything else (AnyTile: other widths, dilation, depth multipliers) loads the input anew for each
// tap, for several columns where all taps lie inside the image and one by one at the borders.

HWY_BEFORE_NAMESPACE();
namespace sepal::HWY_NAMESPACE {

// One output row, and what all of its tiles share.
struct Row {
  const DepthwiseArgs* args;
  const float* image;  // the first pixel of the input image
  float* output;       // the first pixel of the output row
  std::int64_t top;    // the input row of tap row 0; may lie outside
  Range taps;          // the tap rows that lie inside
  std::int64_t w, c;   // of the input
  std::int64_t co;     // c * m
  std::int64_t m;
  Clamp clamp;

  const float* line(std::int64_t tap) const { return image + (top + tap * args->window.dilation.h) * w * c; }
  std::int64_t left(std::int64_t x) const { return x * args->window.stride.w - args->window.padding.left; }
};

// Loads and stores of a whole vector (n is not looked at) or of its first n lanes.
template <bool kWhole>
HWY_INLINE V load(const float* p, std::int64_t n) {
  if constexpr (kWhole) return hn::LoadU(kTag, p);
  return load_first(p, n);
}
template <bool kWhole>
HWY_INLINE void store(V v, float* p, std::int64_t n) {
  if constexpr (kWhole) {
    hn::StoreU(v, kTag, p);
  } else {
    store_first(v, p, n);
  }
}
template <bool kWhole>
HWY_INLINE V bias_at(const DepthwiseArgs& args, std::int64_t c, std::int64_t n) {
  return args.bias == nullptr ? hn::Zero(kTag) : load<kWhole>(args.bias + c, n);
}

template <int kKernel, int kStride>
struct FixedTile {
  // Output columns x .. x + kColumns - 1; kBorder if any of their taps lies outside.
  template <int kColumns, bool kBorder>
  static void columns(const Row& row, std::int64_t x) {
    const std::int64_t whole = row.c / kLanes * kLanes;
    for (std::int64_t c = 0; c < whole; c += kLanes) channels<kColumns, kBorder, true>(row, x, c, kLanes);
    if (whole < row.c) channels<kColumns, kBorder, false>(row, x, whole, row.c - whole);
  }

  template <int kColumns, bool kBorder, bool kWhole>
  static HWY_INLINE void channels(const Row& row, std::int64_t x, std::int64_t c, std::int64_t n) {
    constexpr int kInputs = (kColumns - 1) * kStride + kKernel;
    const std::int64_t left = row.left(x);
    Array<V, kColumns> sums;
    for (V& sum : sums) sum = bias_at<kWhole>(*row.args, c, n);
    for (std::int64_t ky = row.taps.begin; ky < row.taps.end; ++ky) {
      const float* line = row.line(ky) + c;
      Array<V, kInputs> inputs;
      for (int i = 0; i < kInputs; ++i) {
        const std::int64_t column = left + i;
        if (kBorder && (column < 0 || column >= row.w)) {
          inputs[i] = hn::Zero(kTag);
        } else {
          inputs[i] = load<kWhole>(line + column * row.c, n);
        }
      }
      const float* filter = row.args->filter + ky * kKernel * row.c + c;
      for (int kx = 0; kx < kKernel; ++kx) {
        const V weight = load<kWhole>(filter + kx * row.c, n);
        for (int j = 0; j < kColumns; ++j) sums[j] = hn::MulAdd(inputs[j * kStride + kx], weight, sums[j]);
      }
    }
    for (int j = 0; j < kColumns; ++j) {
      store<kWhole>(clamped(sums[j], row.clamp), row.output + (x + j) * row.c + c, n);
    }
  }

  template <int kColumns>
  static HWY_INLINE void tile(const Row& row, std::int64_t x) {
    const std::int64_t left = row.left(x);
    if (left < 0 || left + (kColumns - 1) * kStride + kKernel > row.w) {
      columns<kColumns, true>(row, x);
    } else {
      columns<kColumns, false>(row, x);
    }
  }

  // The whole row, in tiles of two widths; the last one moves back so as to end with the row, and computes
  // what it shares with its neighbour again. A row narrower than a tile is left to AnyTile: false.
  static bool run(const Row& row) {
    constexpr int kWide = kDepthwiseColumns;
    constexpr int kNarrow = (kWide + 1) / 2;
    const std::int64_t w = row.args->output.shape.w();
    if (w < kNarrow) return false;
    for (std::int64_t x = 0; x < w;) {
      const std::int64_t rest = w - x;
      if (rest >= kWide && rest != 2 * kNarrow) {
        tile<kWide>(row, x);
        x += kWide;
      } else {
        tile<kNarrow>(row, std::min(x, w - kNarrow));
        x += kNarrow;
      }
    }
    return true;
  }
};

// The input values that output channels c .. c + n - 1 of a pixel need: the channels of the same number ...
template <bool kWhole>
struct SameChannels {
  std::int64_t c, n;
  SameChannels(const Row&, std::int64_t first, std::int64_t count) : c(first), n(count) {}
  HWY_INLINE V of(const float* pixel) const { return load<kWhole>(pixel + c, n); }
};

// ... or, with a depth multiplier, channel (c + i) / m for lane i.
template <bool kWhole>
struct SharedChannels {
  HWY_ALIGN std::int32_t index[kLanes];
  SharedChannels(const Row& row, std::int64_t first, std::int64_t) {
    for (std::int64_t i = 0; i < kLanes; ++i) {
      index[i] = static_cast<std::int32_t>(std::min(first + i, row.co - 1) / row.m);
    }
  }
  HWY_INLINE V of(const float* pixel) const {
    return hn::GatherIndex(kTag, pixel, hn::Load(hn::RebindToSigned<D>(), index));
  }
};

template <template <bool> typename Channels>
struct AnyTile {
  // Output columns x .. x + kColumns - 1, for which all of `taps` (columns of the kernel) lie inside.
  template <int kColumns>
  static void columns(const Row& row, std::int64_t x, Range taps) {
    const std::int64_t whole = row.co / kLanes * kLanes;
    for (std::int64_t c = 0; c < whole; c += kLanes) channels<kColumns, true>(row, x, taps, c, kLanes);
    if (whole < row.co) channels<kColumns, false>(row, x, taps, whole, row.co - whole);
  }

  template <int kColumns, bool kWhole>
  static HWY_INLINE void channels(const Row& row, std::int64_t x, Range taps, std::int64_t c, std::int64_t n) {
    const Window& window = row.args->window;
    const Channels<kWhole> values(row, c, n);
    Array<V, kColumns> sums;
    for (V& sum : sums) sum = bias_at<kWhole>(*row.args, c, n);
    for (std::int64_t ky = row.taps.begin; ky < row.taps.end; ++ky) {
      const float* line = row.line(ky);
      for (std::int64_t kx = taps.begin; kx < taps.end; ++kx) {
        const V weight = load<kWhole>(row.args->filter + (ky * window.kernel.w + kx) * row.co + c, n);
        const float* pixel = line + (row.left(x) + kx * window.dilation.w) * row.c;
        for (int j = 0; j < kColumns; ++j) {
          sums[j] = hn::MulAdd(values.of(pixel + j * window.stride.w * row.c), weight, sums[j]);
        }
      }
    }
    for (int j = 0; j < kColumns; ++j) {
      store<kWhole>(clamped(sums[j], row.clamp), row.output + (x + j) * row.co + c, n);
    }
  }

  static void run(const Row& row) {
    const Window& window = row.args->window;
    const std::int64_t w = row.args->output.shape.w();
    const std::int64_t span = (window.kernel.w - 1) * window.dilation.w;
    for (std::int64_t x = 0; x < w;) {
      const std::int64_t last = row.left(x + kDepthwiseColumns - 1) + span;
      if (row.left(x) >= 0 && last < row.w && x + kDepthwiseColumns <= w) {
        columns<kDepthwiseColumns>(row, x, {0, window.kernel.w});
        x += kDepthwiseColumns;
      } else {
        columns<1>(row, x, taps_inside(row.left(x), window.kernel.w, window.dilation.w, row.w));
        ++x;
      }
    }
  }
};

bool run_fixed(const Row& row) {
  const Window& window = row.args->window;
  if (row.m != 1 || window.dilation.w != 1) return false;
  if (window.kernel.w == 3 && window.stride.w == 1) return FixedTile<3, 1>::run(row);
  if (window.kernel.w == 3 && window.stride.w == 2) return FixedTile<3, 2>::run(row);
  if (window.kernel.w == 5 && window.stride.w == 1) return FixedTile<5, 1>::run(row);
  if (window.kernel.w == 5 && window.stride.w == 2) return FixedTile<5, 2>::run(row);
  return false;
}

void depthwise_row(const DepthwiseArgs& args, std::int64_t index) {
  const Shape& in = args.input.shape;
  const Shape& out = args.output.shape;
  const std::int64_t image = index / out.h();
  const std::int64_t top = index % out.h() * args.window.stride.h - args.window.padding.top;
  const Row row = {.args = &args,
                   .image = args.input.data + image * in.h() * in.w() * in.c(),
                   .output = args.output.data + index * out.w() * out.c(),
                   .top = top,
                   .taps = taps_inside(top, args.window.kernel.h, args.window.dilation.h, in.h()),
                   .w = in.w(),
                   .c = in.c(),
                   .co = out.c(),
                   .m = out.c() / in.c(),
                   .clamp = clamp_of(args.activation)};
  if (run_fixed(row)) return;
  if (row.m == 1) {
    AnyTile<SameChannels>::run(row);
  } else {
    AnyTile<SharedChannels>::run(row);
  }
}

}  // namespace sepal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sepal {
namespace {
HWY_EXPORT(depthwise_row);
}  // namespace

void depthwise(const DepthwiseArgs& args, Range rows) noexcept {
  const std::int64_t floats = args.output.shape.w() * args.output.shape.c();
  for (std::int64_t row = rows.begin; row < rows.end; ++row) {
    HWY_DYNAMIC_DISPATCH(depthwise_row)(args, row);
    if (!is_clamp(args.activation)) {
      unary(args.activation, args.output.data, args.output.data, {row * floats, (row + 1) * floats});
    }
  }
}

void pack_depthwise(const float* filter, std::int64_t channels, std::int64_t taps, float* packed) noexcept {
  for (std::int64_t tap = 0; tap < taps; ++tap) {
    for (std::int64_t c = 0; c < channels; ++c) packed[tap * channels + c] = filter[c * taps + tap];
  }
}

}  // namespace sepal
#endif
