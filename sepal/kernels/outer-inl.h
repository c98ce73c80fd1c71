// The micro-kernel of a filter's gradient, dW = dy' x: a tile of output channels by vectors of input channels, whose
// sums stay in registers while the pixels pass by. dy lies in row panels (simd-inl.h), from which it takes one value
// after another; x lies as it is, a pixel every so many floats.

#if defined(SEPAL_KERNELS_OUTER_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SEPAL_KERNELS_OUTER_INL_H_
#undef SEPAL_KERNELS_OUTER_INL_H_
#else
#define SEPAL_KERNELS_OUTER_INL_H_
#endif

#include <algorithm>

#include "sepal/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sepal::HWY_NAMESPACE {

/// Rows of k channels into row panels: at(c, load) gives the function of a row's number that makes its vector from
/// channel c on, where load reads no other channels than the row's own. The rows missing in the last panel are zeros.
template <typename At>
HWY_INLINE void fill_panels(std::int64_t rows, std::int64_t k, float* panels, const At& at) {
  for (std::int64_t first = 0; first < rows; first += kTileRows) {
    const std::int64_t high = std::min<std::int64_t>(kTileRows, rows - first);
    const auto vector = [&](std::int64_t c, const auto& load) HWY_ATTR __attribute__((always_inline)) {
      const auto value = at(c, load);
      if (high == kTileRows) {
        for (std::int64_t row = 0; row < kTileRows; ++row) {
          hn::StoreU(value(first + row), kTag, panels + row * kLanes);
        }
      } else {
        for (std::int64_t row = 0; row < high; ++row) hn::StoreU(value(first + row), kTag, panels + row * kLanes);
        for (std::int64_t row = high; row < kTileRows; ++row) hn::StoreU(hn::Zero(kTag), kTag, panels + row * kLanes);
      }
      panels += kTileRows * kLanes;
    };
    std::int64_t c = 0;
    for (; c + kLanes <= k; c += kLanes) {
      vector(c, [](const float* p) HWY_ATTR __attribute__((always_inline)) { return hn::LoadU(kTag, p); });
    }
    if (const std::int64_t rest = k - c; rest > 0) {
      vector(c, [=](const float* p) HWY_ATTR __attribute__((always_inline)) { return load_first(p, rest); });
    }
  }
}

/// Runs of pixels: `images` times `runs` times `rows` of them. dy's runs begin a panel each.
struct OuterTerms {
  const float* dy;
  std::int64_t dy_panel;  ///< floats from a panel to the next
  std::int64_t dy_run;    ///< from a run's first panel to the next run's
  const float* x;
  std::int64_t x_pixel;  ///< floats from a pixel to the next
  std::int64_t x_run;    ///< from a run's first pixel to the next run's
  std::int64_t rows;
  std::int64_t runs;
  std::int64_t images = 1;
  std::int64_t dy_image = 0;  ///< from an image's first run to the next one's
  std::int64_t x_image = 0;
};

/// Where a gradient [co, columns] lies.
struct OuterOutput {
  float* data;
  std::int64_t pitch;
  bool goes_on;  ///< adds to what is there
};

/// Output channels of one tile: as many as divide a vector, so that a line of dy's panels is used whole.
constexpr int kOuterRows = kHas32Registers ? 8 : 4;

template <int kVectors>
HWY_INLINE void outer_tile(const OuterTerms& terms, const OuterOutput& output, std::int64_t high,
                           std::int64_t columns) {
  Array<Array<V, kVectors>, kOuterRows> sums;
  for (int i = 0; i < kOuterRows; ++i) {
    for (int v = 0; v < kVectors; ++v) {
      const std::int64_t rest = output.goes_on && i < high ? columns - v * kLanes : 0;
      sums[i][v] = rest > 0 ? load_upto(output.data + i * output.pitch + v * kLanes, rest) : hn::Zero(kTag);
    }
  }
  const std::int64_t pitch = terms.x_pixel;
  for (std::int64_t all = 0; all < terms.images * terms.runs; ++all) {
    const std::int64_t image = all / terms.runs;
    const std::int64_t run = all % terms.runs;
    const float* x = terms.x + image * terms.x_image + run * terms.x_run;
    const float* dy = terms.dy + image * terms.dy_image + run * terms.dy_run;
    const auto pixel = [&](const float* values) HWY_ATTR __attribute__((always_inline)) {
      Array<V, kVectors> right;
      for (int v = 0; v < kVectors; ++v) right[v] = hn::LoadU(kTag, x + v * kLanes);
      for (int i = 0; i < kOuterRows; ++i) {
        const V left = hn::Set(kTag, values[i]);
        for (int v = 0; v < kVectors; ++v) sums[i][v] = hn::MulAdd(left, right[v], sums[i][v]);
      }
      x += pitch;
    };
    std::int64_t m = 0;
    for (; m + kTileRows <= terms.rows; m += kTileRows, dy += terms.dy_panel) {
      for (int i = 0; i < kTileRows; ++i) pixel(dy + i * kLanes);
    }
    for (int i = 0; m + i < terms.rows; ++i) pixel(dy + i * kLanes);
  }
  for (int i = 0; i < kOuterRows && i < high; ++i) {
    for (int v = 0; v < kVectors && v * kLanes < columns; ++v) {
      store_upto(sums[i][v], output.data + i * output.pitch + v * kLanes, columns - v * kLanes);
    }
  }
}

/// Columns first .. first + tile of co output channels, whose first has its panels at terms.dy. x is read in whole
/// vectors.
HWY_INLINE void outer_columns(OuterTerms terms, OuterOutput output, std::int64_t co, std::int64_t columns) {
  const float* dy = terms.dy;
  for (std::int64_t o = 0; o < co; o += kOuterRows, output.data += kOuterRows * output.pitch) {
    terms.dy = dy + o / kLanes * kTileRows * kLanes + o % kLanes;
    // The next tile of sums comes from far; it is asked for while this one runs.
    if (output.goes_on && o + 2 * kOuterRows <= co) {
      for (int i = 0; i < kOuterRows; ++i) {
        const float* next = output.data + (kOuterRows + i) * output.pitch;
        for (std::int64_t line = 0; line < kTileVectors * kLanes; line += kLineFloats) {
          __builtin_prefetch(next + line, 1);
        }
      }
    }
    if (columns <= kLanes) {
      outer_tile<1>(terms, output, co - o, columns);
    } else {
      outer_tile<kTileVectors>(terms, output, co - o, columns);
    }
  }
}

}  // namespace sepal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // SEPAL_KERNELS_OUTER_INL_H_
