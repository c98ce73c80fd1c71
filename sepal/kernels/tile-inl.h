// The micro-kernel of every product: a tile of rows x vectors of sums that stay in registers while the
// product runs along its terms. A row's value is broadcast and meets the panel's vectors; each sum takes its
// terms one after another, so its bits depend neither on the tile's height nor on its neighbours.
//
// What feeds the tile differs: pointwise() runs once along kRows rows of a matrix, direct() once along every
// tap of a window. So the three steps stand apart, and the caller joins them.

#if defined(SEPAL_KERNELS_TILE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SEPAL_KERNELS_TILE_INL_H_
#undef SEPAL_KERNELS_TILE_INL_H_
#else
#define SEPAL_KERNELS_TILE_INL_H_
#endif

#include <utility>

#include "sepal/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sepal::HWY_NAMESPACE {

template <int kRows, int kVectors>
struct Sums {
  Array<Array<V, kVectors>, kRows> value;
};

/// Every row starts with the bias.
template <int kRows, int kVectors>
HWY_INLINE void start(Sums<kRows, kVectors>& sums, const float* bias) {
  for (int row = 0; row < kRows; ++row) {
    for (int v = 0; v < kVectors; ++v) sums.value[row][v] = hn::LoadU(kTag, bias + v * kLanes);
  }
}

/// Adds k terms: row i's values at rows[i][0 .. k - 1], the filter's at `panel`, a term every kPanelColumns.
template <int kRows, int kVectors>
HWY_INLINE void accumulate(Sums<kRows, kVectors>& sums, const Array<const float*, kRows>& rows,
                           const float* HWY_RESTRICT panel, std::int64_t k) {
  Sums<kRows, kVectors> local = sums;  // a local, so that the compiler need not fear that stores alias it
  for (std::int64_t i = 0; i < k; ++i, panel += kPanelColumns) {
    Array<V, kVectors> filter;
    for (int v = 0; v < kVectors; ++v) filter[v] = hn::LoadU(kTag, panel + v * kLanes);
    for (int row = 0; row < kRows; ++row) {
      const V x = hn::Set(kTag, rows[row][i]);
      for (int v = 0; v < kVectors; ++v) local.value[row][v] = hn::MulAdd(x, filter[v], local.value[row][v]);
    }
  }
  sums = local;
}

/// Clamps and stores the first `columns` columns of every row.
template <int kRows, int kVectors>
HWY_INLINE void finish(const Sums<kRows, kVectors>& sums, const Clamp& clamp, float* output, std::int64_t pitch,
                       std::int64_t columns) {
  if (columns >= kVectors * kLanes) {
    for (int row = 0; row < kRows; ++row) {
      for (int v = 0; v < kVectors; ++v) {
        hn::StoreU(clamped(sums.value[row][v], clamp), kTag, output + row * pitch + v * kLanes);
      }
    }
    return;
  }
  for (int row = 0; row < kRows; ++row) {
    for (int v = 0; v < kVectors && v * kLanes < columns; ++v) {
      store_upto(clamped(sums.value[row][v], clamp), output + row * pitch + v * kLanes, columns - v * kLanes);
    }
  }
}

/// Calls tile.run<rows, vectors>() with 1 <= rows <= kTileRows and 1 <= vectors <= kTileVectors made constants.
template <int kVectors, typename Tile, int... kHeights>
HWY_INLINE void run_height(const Tile& tile, int rows, std::integer_sequence<int, kHeights...>) {
  using Run = void (*)(const Tile&);
  static constexpr Run kRuns[] = {&Tile::template run<kHeights + 1, kVectors>...};
  kRuns[rows - 1](tile);
}
template <typename Tile>
HWY_INLINE void run_tile(const Tile& tile, int rows, std::int64_t columns) {
  constexpr auto kHeights = std::make_integer_sequence<int, kTileRows>();
  if (columns <= kLanes) {
    run_height<1>(tile, rows, kHeights);
  } else {
    run_height<kTileVectors>(tile, rows, kHeights);
  }
}

}  // namespace sepal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // SEPAL_KERNELS_TILE_INL_H_
