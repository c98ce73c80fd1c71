#include "sepal/kernels/pool.h"

#include <limits>

#include "sepal/kernels/taps.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sepal/kernels/pool.cc"
#include <hwy/foreach_target.h>

#include "sepal/kernels/simd-inl.h"

// Vectors run over channels, a few at a time so that they hide each other's latency; taps that lie outside the image
// are clipped.

HWY_BEFORE_NAMESPACE();
namespace sepal::HWY_NAMESPACE {

// One output pixel: `taps` of the kernel meet the image, `first` is tap (0, 0), which may lie outside.
struct Pixel {
  const float* image;
  std::int64_t top, left;
  Range rows, columns;
  float divisor;
  float* output;
};

// The greatest value so far, and beside it whether all were numbers: to compare the two at every tap is what takes
// longest (Xception's first pool, 147x147x128: 1982 us with a comparison and a choice in the chain of maxima).
struct Greatest {
  V high;
  hn::Mask<D> numbers;
  HWY_INLINE void begin(const Pixel& pixel) {
    const bool empty = pixel.rows.size() * pixel.columns.size() == 0;
    high = hn::Set(kTag, empty ? std::numeric_limits<float>::lowest() : -std::numeric_limits<float>::infinity());
    numbers = hn::Eq(high, high);
  }
  HWY_INLINE void take(V x) {
    numbers = hn::And(numbers, hn::Eq(x, x));
    high = hn::Max(high, x);
  }
  HWY_INLINE V result(const Pixel&) const {
    return hn::IfThenElse(numbers, high, hn::Set(kTag, std::numeric_limits<float>::quiet_NaN()));
  }
};

struct Mean {
  V sum;
  HWY_INLINE void begin(const Pixel&) { sum = hn::Zero(kTag); }
  HWY_INLINE void take(V x) { sum = hn::Add(sum, x); }
  HWY_INLINE V result(const Pixel& pixel) const { return hn::Div(sum, hn::Set(kTag, pixel.divisor)); }
};

// kVectors vectors of channels from `c` on, `n` channels in the last one.
template <typename State, int kVectors>
HWY_INLINE void pool_channels(const PoolArgs& args, const Pixel& pixel, std::int64_t c, std::int64_t n) {
  const std::int64_t pitch = args.input.shape.c();
  const std::int64_t step = args.window.dilation.w * pitch;
  const std::int64_t line_step = args.window.dilation.h * args.input.shape.w() * pitch;
  const std::int64_t y = pixel.top + pixel.rows.begin * args.window.dilation.h;
  const std::int64_t x = pixel.left + pixel.columns.begin * args.window.dilation.w;
  const float* line = pixel.image + (y * args.input.shape.w() + x) * pitch + c;
  Array<State, kVectors> states;
  for (State& state : states) state.begin(pixel);
  for (std::int64_t ky = 0; ky < pixel.rows.size(); ++ky, line += line_step) {
    const float* tap = line;
    for (std::int64_t kx = 0; kx < pixel.columns.size(); ++kx, tap += step) {
      for (int v = 0; v + 1 < kVectors; ++v) states[v].take(hn::LoadU(kTag, tap + v * kLanes));
      states[kVectors - 1].take(load_upto(tap + (kVectors - 1) * kLanes, n));
    }
  }
  for (int v = 0; v + 1 < kVectors; ++v) hn::StoreU(states[v].result(pixel), kTag, pixel.output + c + v * kLanes);
  store_upto(states[kVectors - 1].result(pixel), pixel.output + c + (kVectors - 1) * kLanes, n);
}

template <typename State>
void pool_pixel(const PoolArgs& args, const Pixel& pixel) {
  constexpr int kVectors = 4;
  const std::int64_t channels = args.input.shape.c();
  std::int64_t c = 0;
  for (; c + kVectors * kLanes <= channels; c += kVectors * kLanes) {
    pool_channels<State, kVectors>(args, pixel, c, kLanes);
  }
  for (; c < channels; c += kLanes) pool_channels<State, 1>(args, pixel, c, channels - c);
}

void pool_row(const PoolArgs& args, std::int64_t index) {
  const Window& window = args.window;
  const Shape& in = args.input.shape;
  const Shape& out = args.output.shape;
  Pixel pixel;
  pixel.image = args.input.data + index / out.h() * in.h() * in.w() * in.c();
  pixel.top = index % out.h() * window.stride.h - window.padding.top;
  pixel.rows = taps_inside(pixel.top, window.kernel.h, window.dilation.h, in.h());
  // What lies within the padded image: a window that was rounded up hangs over its end.
  const std::int64_t padded_rows = taps_inside(pixel.top + window.padding.top, window.kernel.h, window.dilation.h,
                                               window.padding.top + in.h() + window.padding.bottom)
                                       .size();
  for (std::int64_t x = 0; x < out.w(); ++x) {
    pixel.left = x * window.stride.w - window.padding.left;
    pixel.columns = taps_inside(pixel.left, window.kernel.w, window.dilation.w, in.w());
    const std::int64_t padded_columns =
        taps_inside(pixel.left + window.padding.left, window.kernel.w, window.dilation.w,
                    window.padding.left + in.w() + window.padding.right)
            .size();
    const std::int64_t counted =
        args.count_include_pad ? padded_rows * padded_columns : pixel.rows.size() * pixel.columns.size();
    pixel.divisor = static_cast<float>(std::max<std::int64_t>(1, counted));
    pixel.output = args.output.data + (index * out.w() + x) * out.c();
    if (args.kind == PoolKind::kMax) {
      pool_pixel<Greatest>(args, pixel);
    } else {
      pool_pixel<Mean>(args, pixel);
    }
  }
}

}  // namespace sepal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sepal {
namespace {
HWY_EXPORT(pool_row);
}  // namespace

void pool(const PoolArgs& args, Range rows) noexcept {
  for (std::int64_t row = rows.begin; row < rows.end; ++row) HWY_DYNAMIC_DISPATCH(pool_row)(args, row);
}

}  // namespace sepal
#endif
