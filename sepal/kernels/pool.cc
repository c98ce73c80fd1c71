#include "sepal/kernels/pool.h"

#include <limits>

#include "sepal/kernels/taps.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sepal/kernels/pool.cc"
#include <hwy/foreach_target.h>

#include "sepal/kernels/simd-inl.h"

// Vectors run over channels, taps that lie outside the image are clipped.

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

// combine(sum, value) over all taps of n channels at a time, then last(sum).
template <typename Combine, typename Last>
HWY_INLINE void over_taps(const PoolArgs& args, const Pixel& pixel, V initial, const Combine& combine,
                          const Last& last) {
  const std::int64_t c = args.input.shape.c();
  for (std::int64_t first = 0; first < c; first += kLanes) {
    V sum = initial;
    for (std::int64_t ky = pixel.rows.begin; ky < pixel.rows.end; ++ky) {
      const std::int64_t y = pixel.top + ky * args.window.dilation.h;
      for (std::int64_t kx = pixel.columns.begin; kx < pixel.columns.end; ++kx) {
        const std::int64_t x = pixel.left + kx * args.window.dilation.w;
        sum = combine(sum, load_upto(pixel.image + (y * args.input.shape.w() + x) * c + first, c - first));
      }
    }
    store_upto(last(sum), pixel.output + first, c - first);
  }
}

void pool_pixel(const PoolArgs& args, const Pixel& pixel) {
  if (args.kind == PoolKind::kMax) {
    const bool empty = pixel.rows.size() * pixel.columns.size() == 0;
    const V none =
        hn::Set(kTag, empty ? std::numeric_limits<float>::lowest() : -std::numeric_limits<float>::infinity());
    over_taps(
        args, pixel, none,
        // A NaN, once met, stays.
        [](V high, V x) HWY_ATTR { return hn::IfThenElse(hn::Eq(high, high), at_least(x, high), high); },
        [](V high) HWY_ATTR { return high; });
  } else {
    const V divisor = hn::Set(kTag, pixel.divisor);
    over_taps(
        args, pixel, hn::Zero(kTag), [](V sum, V x) HWY_ATTR { return hn::Add(sum, x); },
        [divisor](V sum) HWY_ATTR { return hn::Div(sum, divisor); });
  }
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
    pool_pixel(args, pixel);
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
