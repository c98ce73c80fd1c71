#include "sepal/kernels/pool.h"

#include <limits>

#include "sepal/kernels/taps.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sepal/kernels/pool.cc"
#include <hwy/foreach_target.h>

#include "sepal/kernels/simd-inl.h"

// Vectors run over channels, taps that lie outside the image are clipped. Where the windows of several neighbouring
// output columns lie inside, they go together, elsewhere a few vectors of channels, so that their sums (or maxima) do
// not wait for one another.

HWY_BEFORE_NAMESPACE();
namespace sepal::HWY_NAMESPACE {

// Output pixels (or vectors of one) that go together: enough that no comparison waits for the one before.
constexpr int kPoolColumns = 4;

// Output pixels side by side: the same taps of the kernel meet the image,
// `left` is the first one's tap 0, which may lie outside.
struct Pixels {
  const float* image;
  std::int64_t top, left;
  Range rows, columns;
  float divisor;
  float* output;
};

// The greatest value so far, and beside it whether all were numbers: to compare the two at every tap is what takes
// longest.
struct Greatest {
  HWY_INLINE Greatest() {}  // spelt out, as that of Sums (tile-inl.h)
  V high;
  hn::Mask<D> numbers;
  HWY_INLINE void begin(const Pixels& pixels) {
    const bool empty = pixels.rows.size() * pixels.columns.size() == 0;
    high = hn::Set(kTag, empty ? std::numeric_limits<float>::lowest() : -std::numeric_limits<float>::infinity());
    numbers = hn::Eq(high, high);
  }
  HWY_INLINE void take(V x) {
    numbers = hn::And(numbers, hn::Eq(x, x));
    high = hn::Max(high, x);
  }
  HWY_INLINE V result(const Pixels&) const {
    return hn::IfThenElse(numbers, high, hn::Set(kTag, std::numeric_limits<float>::quiet_NaN()));
  }
};

struct Mean {
  HWY_INLINE Mean() {}
  V sum;
  HWY_INLINE void begin(const Pixels&) { sum = hn::Zero(kTag); }
  HWY_INLINE void take(V x) { sum = hn::Add(sum, x); }
  HWY_INLINE V result(const Pixels& pixels) const { return hn::Div(sum, hn::Set(kTag, pixels.divisor)); }
};

// kColumns output pixels, kVectors vectors of channels from `first` on; load and store take a vector or part of one.
template <typename State, int kColumns, int kVectors, typename Load, typename Store>
HWY_INLINE void pool_channels(const PoolArgs& args, const Pixels& pixels, std::int64_t first, const Load& load,
                              const Store& store) {
  const Window window = args.window;
  const std::int64_t c = args.input.shape.c();
  const std::int64_t step = window.stride.w * c;
  const std::int64_t line = args.input.shape.w() * c;
  const std::int64_t taps = pixels.columns.size();
  const float* image =
      pixels.image + pixels.top * line + (pixels.left + pixels.columns.begin * window.dilation.w) * c + first;
  Array<Array<State, kVectors>, kColumns> states;
  for (int j = 0; j < kColumns; ++j) {
    for (State& state : states[j]) state.begin(pixels);
  }
  for (std::int64_t ky = pixels.rows.begin; ky < pixels.rows.end; ++ky) {
    const float* from = image + ky * window.dilation.h * line;
    for (std::int64_t kx = 0; kx < taps; ++kx, from += window.dilation.w * c) {
      for (int j = 0; j < kColumns; ++j) {
        for (int v = 0; v < kVectors; ++v) states[j][v].take(load(from + j * step + v * kLanes));
      }
    }
  }
  for (int j = 0; j < kColumns; ++j) {
    for (int v = 0; v < kVectors; ++v) store(states[j][v].result(pixels), pixels.output + j * c + first + v * kLanes);
  }
}

template <typename State, int kColumns>
void pool_pixels(const PoolArgs& args, const Pixels& pixels) {
  constexpr int kVectors = kPoolColumns / kColumns;
  const std::int64_t c = args.input.shape.c();
  const auto load = [](const float* p) HWY_ATTR __attribute__((always_inline)) { return hn::LoadU(kTag, p); };
  const auto store = [](V v, float* p) HWY_ATTR __attribute__((always_inline)) { hn::StoreU(v, kTag, p); };
  std::int64_t i = 0;
  for (; i + kVectors * kLanes <= c; i += kVectors * kLanes) {
    pool_channels<State, kColumns, kVectors>(args, pixels, i, load, store);
  }
  if constexpr (kVectors > 1) {
    for (; i + kLanes <= c; i += kLanes) pool_channels<State, kColumns, 1>(args, pixels, i, load, store);
  }
  if (const std::int64_t rest = c - i; rest > 0) {
    pool_channels<State, kColumns, 1>(
        args, pixels, i, [=](const float* p) HWY_ATTR __attribute__((always_inline)) { return load_first(p, rest); },
        [=](V v, float* p) HWY_ATTR __attribute__((always_inline)) { store_first(v, p, rest); });
  }
}

template <int kColumns>
void pool_pixels(const PoolArgs& args, const Pixels& pixels) {
  if (args.kind == PoolKind::kMax) {
    pool_pixels<Greatest, kColumns>(args, pixels);
  } else {
    pool_pixels<Mean, kColumns>(args, pixels);
  }
}

void pool_row(const PoolArgs& args, std::int64_t index) {
  const Window& window = args.window;
  const Shape& in = args.input.shape;
  const Shape& out = args.output.shape;
  Pixels pixel;
  pixel.image = args.input.data + index / out.h() * in.h() * in.w() * in.c();
  pixel.top = index % out.h() * window.stride.h - window.padding.top;
  pixel.rows = taps_inside(pixel.top, window.kernel.h, window.dilation.h, in.h());
  const std::int64_t span = (window.kernel.w - 1) * window.dilation.w + 1;
  // What lies within the padded image: a window that was rounded up hangs over
  // its end.
  const std::int64_t padded_rows = taps_inside(pixel.top + window.padding.top, window.kernel.h, window.dilation.h,
                                               window.padding.top + in.h() + window.padding.bottom)
                                       .size();
  for (std::int64_t x = 0; x < out.w();) {
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
    // The window of the last of several columns ends on the image, and so do
    // all before it.
    const std::int64_t last = pixel.left + (kPoolColumns - 1) * window.stride.w + span;
    if (pixel.left >= 0 && last <= in.w() && x + kPoolColumns <= out.w()) {
      pool_pixels<kPoolColumns>(args, pixel);
      x += kPoolColumns;
    } else {
      pool_pixels<1>(args, pixel);
      ++x;
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
