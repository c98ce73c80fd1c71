#include "sepal/kernels/depthwise.h"

#include <algorithm>

#include "sepal/kernels/elementwise.h"
#include "sepal/kernels/taps.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sepal/kernels/depthwise.cc"
#include <hwy/foreach_target.h>

#include "sepal/kernels/depthwise_tile-inl.h"

// Vectors run over channels, tiles over neighbouring output columns; rows of taps above or below the image
// are clipped.
//
// Square kernels of 3 and 5 with stride 1 or 2 have tiles of their own (depthwise_tile-inl.h). Everything else
// (AnyTile: other sizes, dilation, depth multipliers) loads the input anew for each tap, for several columns where all
// taps lie inside the image and one by one at the borders.

HWY_BEFORE_NAMESPACE();
namespace sepal::HWY_NAMESPACE {

// One output row, and what all of its tiles share.
struct Row {
  const DepthwiseArgs* args;
  std::int64_t image;  // its number
  float* output;       // the first pixel of the output row
  std::int64_t top;    // the input row of tap row 0; may lie outside
  Range taps;          // the tap rows that lie inside
  std::int64_t w, c;   // of the input
  std::int64_t co;     // c * m
  std::int64_t m;
  Epilogue epilogue;

  const float* line(std::int64_t tap) const { return args->input_row(image, top + tap * args->window.dilation.h); }
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
      store<kWhole>(finished(sums[j], row.epilogue), row.output + (x + j) * row.co + c, n);
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

alignas(64) constexpr float kZeros[kZeroLine] = {};

// Calls run<kernel, stride>() for windows that have tiles of their own; false for others.
template <typename Run>
bool with_fixed_window(const DepthwiseArgs& args, const Run& run) {
  const Window& window = args.window;
  const std::int64_t kernel = window.kernel.w;
  const std::int64_t stride = window.stride.w;
  if constexpr (kPlain) return false;  // nothing to gain without vectors, and much to compile
  if (args.input.shape.c() != args.output.shape.c() || window.dilation != Extent{1, 1} || window.kernel.h != kernel ||
      window.stride.h != stride) {
    return false;
  }
  if (kernel == 3 && stride == 1) return run.template operator()<3, 1>();
  if (kernel == 3 && stride == 2) return run.template operator()<3, 2>();
  if (kernel == 5 && stride == 1) return run.template operator()<5, 1>();
  if (kernel == 5 && stride == 2) return run.template operator()<5, 2>();
  return false;
}

FixedRows fixed_rows(const DepthwiseArgs& args, std::int64_t index, int lines) {
  const Shape& in = args.input.shape;
  const Shape& out = args.output.shape;
  FixedRows rows = {.lines = {},
                    .filter = args.filter,
                    .bias = args.bias == nullptr ? kZeros : args.bias,
                    .zeros = kZeros,
                    .output = args.output.data,
                    .panels = args.output_panels,
                    .pixel = (index - args.first_row) * out.w(),
                    .w = in.w(),
                    .channels = in.c(),
                    .padding = args.window.padding.left,
                    .columns = out.w(),
                    .epilogue = epilogue_of(args.activation)};
  const std::int64_t top = index % out.h() * args.window.stride.h - args.window.padding.top;
  for (int line = 0; line < lines; ++line) {
    const std::int64_t y = top + line;
    if (y >= 0 && y < in.h()) rows.lines[line] = args.input_row(index / out.h(), y);
  }
  return rows;
}

// One or two output rows (kRows) from `index` on by tiles of fixed size; false if none suits.
template <int kRows>
bool run_fixed(const DepthwiseArgs& args, std::int64_t index) {
  return with_fixed_window(args, [&]<int kKernel, int kStride>() {
    return run_fixed_rows<kKernel, kStride, kRows>(fixed_rows(args, index, (kRows - 1) * kStride + kKernel));
  });
}

bool accepts_fixed(const DepthwiseArgs& args) {
  return with_fixed_window(
      args, [&]<int kKernel, int kStride>() { return accepts_fixed_rows<kKernel, kStride>(fixed_rows(args, 0, 0)); });
}

void any_row(const DepthwiseArgs& args, std::int64_t index) {
  const Shape& in = args.input.shape;
  const Shape& out = args.output.shape;
  const std::int64_t image = index / out.h();
  const std::int64_t top = index % out.h() * args.window.stride.h - args.window.padding.top;
  const Row row = {.args = &args,
                   .image = image,
                   .output = args.output.data + (index - args.first_row) * out.w() * out.c(),
                   .top = top,
                   .taps = taps_inside(top, args.window.kernel.h, args.window.dilation.h, in.h()),
                   .w = in.w(),
                   .c = in.c(),
                   .co = out.c(),
                   .m = out.c() / in.c(),
                   .epilogue = epilogue_of(args.activation)};
  if (row.m == 1) {
    AnyTile<SameChannels>::run(row);
  } else {
    AnyTile<SharedChannels>::run(row);
  }
}

// The output rows `rows` of one image.
void depthwise_rows(const DepthwiseArgs& args, Range rows) {
  for (std::int64_t index = rows.begin; index < rows.end;) {
    if (index + 1 < rows.end && run_fixed<2>(args, index)) {
      index += 2;
      continue;
    }
    if (!run_fixed<1>(args, index)) any_row(args, index);
    ++index;
  }
}

}  // namespace sepal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sepal {
namespace {
HWY_EXPORT(depthwise_rows);
HWY_EXPORT(accepts_fixed);
}  // namespace

void depthwise(const DepthwiseArgs& args, Range rows) noexcept {
  const Shape& out = args.output.shape;
  const std::int64_t floats = out.w() * out.c();
  for (std::int64_t begin = rows.begin; begin < rows.end;) {
    // Within one image; by pairs where another pass over the rows follows, so that it finds them in the cache.
    const std::int64_t image_end = (begin / out.h() + 1) * out.h();
    const bool finished = is_epilogue(args.activation);
    const std::int64_t end = std::min({rows.end, image_end, finished ? rows.end : begin + 2});
    HWY_DYNAMIC_DISPATCH(depthwise_rows)(args, Range{begin, end});
    if (!finished) {
      const Range written = {(begin - args.first_row) * floats, (end - args.first_row) * floats};
      unary(args.activation, args.output.data, args.output.data, written);
    }
    begin = end;
  }
}

bool fills_panels(const DepthwiseArgs& args) noexcept {
  return is_epilogue(args.activation) && HWY_DYNAMIC_DISPATCH(accepts_fixed)(args);
}

void pack_depthwise(const float* filter, std::int64_t channels, std::int64_t taps, float* packed) noexcept {
  for (std::int64_t tap = 0; tap < taps; ++tap) {
    for (std::int64_t c = 0; c < channels; ++c) packed[tap * channels + c] = filter[c * taps + tap];
  }
}

}  // namespace sepal
#endif
