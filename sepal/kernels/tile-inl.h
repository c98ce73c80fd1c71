// The micro-kernel of every product: a tile of rows x vectors of sums that stay in registers while the
// product runs along its terms. A row's value is broadcast and meets the panel's vectors; each sum takes its
// terms one after another, so its bits depend neither on the tile's height nor on its neighbours.
//
// Where the values of a tile's rows lie a fixed pitch apart, as in a matrix, or in an image under a window that lies
// within it, `Tiles` runs tile after tile in one loop. At an image's edges direct() joins the three steps itself.

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
  // Spelt out: what the compiler adds by itself is for any Arm, and cannot call what is for NEON.
  HWY_INLINE Sums() {}
  Array<Array<V, kVectors>, kRows> value;
};

/// Every row starts with the bias.
template <int kRows, int kVectors>
HWY_INLINE void start(Sums<kRows, kVectors>& sums, const float* bias) {
  for (int row = 0; row < kRows; ++row) {
    for (int v = 0; v < kVectors; ++v) sums.value[row][v] = hn::LoadU(kTag, bias + v * kLanes);
  }
}

/// Every value goes on from what the output holds: the terms come in several passes.
template <int kRows, int kVectors>
HWY_INLINE void go_on(Sums<kRows, kVectors>& sums, const float* output, std::int64_t pitch, std::int64_t columns) {
  for (int row = 0; row < kRows; ++row) {
    for (int v = 0; v < kVectors; ++v) {
      const std::int64_t rest = columns - v * kLanes;
      sums.value[row][v] = rest > 0 ? load_upto(output + row * pitch + v * kLanes, rest) : hn::Zero(kTag);
    }
  }
}

/// Weights that the product will want when it is done with its panel. They are asked for a few cache lines at a time
/// between the terms of the sums that still run: in a network no weight is in the first two caches when its turn comes.
struct Ahead {
  const float* next = nullptr;
  int lines = 0;  ///< for every kAheadTerms terms
};

/// What a tile multiplies: row i's values are `runs` times k floats, the first at rows[i], each `pitch` floats after
/// the one before; the filter's lie at `panel`, a term every kPanelColumns.
struct Terms {
  const float* panel;
  std::int64_t k;
  std::int64_t runs = 1;
  std::int64_t pitch = 0;
};

/// Adds all of them; returns what is still to be asked for.
template <int kRows, int kVectors>
HWY_INLINE Ahead accumulate(Sums<kRows, kVectors>& sums, const Array<const float*, kRows>& first, const Terms& terms,
                            Ahead ahead = {}) {
  Sums<kRows, kVectors> local = sums;  // locals, so that the compiler need not fear that stores alias them
  const float* HWY_RESTRICT panel = terms.panel;
  Array<const float*, kRows> rows;
  for (int row = 0; row < kRows; ++row) rows[row] = first[row];
  static_assert(kAheadTerms == 4);
  const auto term = [&](std::int64_t i) HWY_ATTR __attribute__((always_inline)) {
    Array<V, kVectors> filter;
    for (int v = 0; v < kVectors; ++v) filter[v] = hn::LoadU(kTag, panel + v * kLanes);
    for (int row = 0; row < kRows; ++row) {
      const V x = hn::Set(kTag, rows[row][i]);
      for (int v = 0; v < kVectors; ++v) local.value[row][v] = hn::MulAdd(x, filter[v], local.value[row][v]);
    }
    panel += kPanelColumns;
  };
  for (std::int64_t run = 0; run < terms.runs; ++run) {
    // By fours: a short loop's end is foreseen where a longer one's is not, and sums of 32 terms feel it.
    std::int64_t i = 0;
    for (; i + kAheadTerms <= terms.k; i += kAheadTerms) {
      for (int line = 0; line < ahead.lines; ++line, ahead.next += kLineFloats) __builtin_prefetch(ahead.next, 0, 2);
      term(i);
      term(i + 1);
      term(i + 2);
      term(i + 3);
    }
    for (; i < terms.k; ++i) term(i);
    for (int row = 0; row < kRows; ++row) rows[row] += terms.pitch;
  }
  sums = local;
  return ahead;
}

/// The same for rows `pitch` floats apart, with two pointers for six of them: x86 with 16 registers has too few for one
/// each (AVX2, MobileNetV2: 0.91 of the time; AVX-512 has nothing from it).
template <int kRows, int kVectors>
HWY_INLINE Ahead accumulate_apart(Sums<kRows, kVectors>& sums, const float* first, std::int64_t pitch,
                                  const Terms& terms, Ahead ahead) {
  Sums<kRows, kVectors> local = sums;
  const float* HWY_RESTRICT panel = terms.panel;
  for (std::int64_t run = 0; run < terms.runs; ++run, first += terms.pitch) {
    const float* low = first;
    const float* high = first + 3 * pitch;
    const auto term = [&](int i) HWY_ATTR __attribute__((always_inline)) {
      Array<V, kVectors> filter;
      for (int v = 0; v < kVectors; ++v) filter[v] = hn::LoadU(kTag, panel + v * kLanes);
      for (int row = 0; row < kRows; ++row) {
        const float* value = row < 3 ? low + row * pitch : high + (row - 3) * pitch;
        const V x = hn::Set(kTag, value[i]);
        for (int v = 0; v < kVectors; ++v) local.value[row][v] = hn::MulAdd(x, filter[v], local.value[row][v]);
      }
      panel += kPanelColumns;
    };
    std::int64_t i = 0;
    for (; i + kAheadTerms <= terms.k; i += kAheadTerms, low += kAheadTerms, high += kAheadTerms) {
      for (int line = 0; line < ahead.lines; ++line, ahead.next += kLineFloats) __builtin_prefetch(ahead.next, 0, 2);
      term(0);
      term(1);
      term(2);
      term(3);
    }
    for (; i < terms.k; ++i, ++low, ++high) term(0);
  }
  sums = local;
  return ahead;
}

/// The same along one panel of rows (see row_panel_pitch), for its first kRows; k terms, one run.
template <int kRows, int kVectors>
HWY_INLINE Ahead accumulate_panel(Sums<kRows, kVectors>& sums, const float* rows, const Terms& terms, Ahead ahead) {
  Sums<kRows, kVectors> local = sums;
  const float* HWY_RESTRICT panel = terms.panel;
  const auto term = [&](const float* values) HWY_ATTR __attribute__((always_inline)) {
    Array<V, kVectors> filter;
    for (int v = 0; v < kVectors; ++v) filter[v] = hn::LoadU(kTag, panel + v * kLanes);
    for (int row = 0; row < kRows; ++row) {
      const V x = hn::Set(kTag, values[row * kLanes]);
      for (int v = 0; v < kVectors; ++v) local.value[row][v] = hn::MulAdd(x, filter[v], local.value[row][v]);
    }
    panel += kPanelColumns;
  };
  static_assert(kPlain || kLanes % kAheadTerms == 0);  // nothing fills panels without vectors
  std::int64_t i = 0;
  for (; i + kLanes <= terms.k; i += kLanes, rows += kTileRows * kLanes) {
    for (int j = 0; j < kLanes; j += 4) {
      for (int line = 0; line < ahead.lines; ++line, ahead.next += kLineFloats) __builtin_prefetch(ahead.next, 0, 2);
      term(rows + j);
      term(rows + j + 1);
      term(rows + j + 2);
      term(rows + j + 3);
    }
  }
  for (; i < terms.k; ++i, ++rows) term(rows);
  sums = local;
  return ahead;
}

/// Calls store(row, vector, columns) for every vector of a tile that has columns.
template <int kRows, int kVectors, typename Store>
HWY_INLINE void each_vector(std::int64_t columns, const Store& store) {
  for (int row = 0; row < kRows; ++row) {
    for (int v = 0; v < kVectors && v * kLanes < columns; ++v) store(row, v, columns - v * kLanes);
  }
}

/// Adds what `addend` holds for every value of the tile (nothing if null), applies the epilogue and stores the first
/// `columns` columns of every row; addend has the output's layout and may be the output.
template <int kRows, int kVectors>
HWY_INLINE void finish(const Sums<kRows, kVectors>& sums, const Epilogue& epilogue, const float* addend, float* output,
                       std::int64_t pitch, std::int64_t columns) {
  // The usual tile by itself, without a question in its loops: short sums feel every one.
  if (columns >= kVectors * kLanes && addend == nullptr && !epilogue.hard_swish) {
    const V low = hn::Set(kTag, epilogue.low);
    const V high = hn::Set(kTag, epilogue.high);
    for (int row = 0; row < kRows; ++row, output += pitch) {
      for (int v = 0; v < kVectors; ++v) {
        hn::StoreU(at_most(at_least(sums.value[row][v], low), high), kTag, output + v * kLanes);
      }
    }
    return;
  }
  each_vector<kRows, kVectors>(columns, [&](int row, int v, std::int64_t rest) HWY_ATTR {
    const std::int64_t place = row * pitch + v * kLanes;
    V sum = sums.value[row][v];
    if (addend != nullptr) sum = hn::Add(sum, load_upto(addend + place, rest));
    store_upto(finished(sum, epilogue), output + place, rest);
  });
}

/// A column of tiles, from the next one on. kPanels: its rows lie in row panels, a tile a panel. kGoesOn: sums begin
/// with what the output holds, in the place of the bias. (Asked at run time, that question costs every tile its
/// registers: MobileNetV2 took 1.14 of the time.)
template <bool kPanels, bool kGoesOn = false>
struct Tiles {
  const float* input;  ///< the next tile's first value
  std::int64_t pitch;  ///< floats from one of its rows to the next; from one panel to the next
  const float* bias;   ///< of the columns
  Terms terms;
  Ahead ahead;
  std::int64_t askers;  ///< tiles that still ask ahead
  Epilogue epilogue;
  const float* addend;  ///< as output, or null
  float* output;
  std::int64_t output_pitch;
  std::int64_t columns;

  /// The next `count` tiles, all of them kRows high.
  template <int kRows, int kVectors>
  static void run(Tiles& tiles, std::int64_t count) {
    Tiles next = tiles;  // a local one, so that the compiler need not fear that stores alias it
    for (; count > 0; --count) {
      Sums<kRows, kVectors> sums;
      if constexpr (kGoesOn) {
        go_on(sums, next.output, next.output_pitch, next.columns);
      } else {
        start(sums, next.bias);
      }
      if constexpr (kPanels) {
        next.ahead = accumulate_panel(sums, next.input, next.terms, next.ahead);
        next.input += next.pitch;
      } else if constexpr (!kHas32Registers && kRows <= kTileRowsOf16Registers) {
        next.ahead = accumulate_apart(sums, next.input, next.pitch, next.terms, next.ahead);
        next.input += kRows * next.pitch;
      } else {
        Array<const float*, kRows> rows;
        for (int row = 0; row < kRows; ++row) rows[row] = next.input + row * next.pitch;
        next.ahead = accumulate(sums, rows, next.terms, next.ahead);
        next.input += kRows * next.pitch;
      }
      if (--next.askers == 0) next.ahead.lines = 0;
      finish(sums, next.epilogue, next.addend, next.output, next.output_pitch, next.columns);
      next.output += kRows * next.output_pitch;
      if (next.addend != nullptr) next.addend += kRows * next.output_pitch;
    }
    tiles = next;
  }
};

/// Rows of the highest tile of so many columns. One vector wide it is higher, to have sums enough in flight; twice as
/// high would be more pointers than there are registers (a stem of 8 channels: 17.3 us with 12 rows, as with 7; 15.2
/// with 10).
constexpr int kTallTileRows = kTileRows + kTileRows / 2;
constexpr int tile_rows(std::int64_t columns) { return columns <= kLanes ? kTallTileRows : kTileRows; }

/// Tiles that cover `rows` rows with heights as equal as can be: `higher` tiles of `height` + 1 rows, then `tiles` -
/// `higher` of `height`. (8 rows are 4 + 4, not 7 + 1: a tile of few rows has too few sums in flight.)
struct Heights {
  std::int64_t tiles, height, higher;
  Heights(std::int64_t rows, int most)
      : tiles((rows + most - 1) / most), height(tiles == 0 ? 0 : rows / tiles), higher(rows - height * tiles) {}
};

/// Calls tile.run<rows, vectors>(count) with 1 <= rows <= tile_rows(columns) and the vectors that columns need, at most
/// kTileVectors, made constants.
template <int kVectors, typename Tile, int... kHeights>
HWY_INLINE void run_height(Tile& tile, std::int64_t rows, std::int64_t count, std::integer_sequence<int, kHeights...>) {
  using Run = void (*)(Tile&, std::int64_t);
  static constexpr Run kRuns[] = {&Tile::template run<kHeights + 1, kVectors>...};
  kRuns[rows - 1](tile, count);
}
template <int kMostRows = kTallTileRows, typename Tile>
HWY_INLINE void run_tiles(Tile& tile, std::int64_t rows, std::int64_t count, std::int64_t columns) {
  if (columns <= kLanes) {
    run_height<1>(tile, rows, count, std::make_integer_sequence<int, kMostRows>());
  } else {
    run_height<kTileVectors>(tile, rows, count, std::make_integer_sequence<int, kTileRows>());
  }
}

}  // namespace sepal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // SEPAL_KERNELS_TILE_INL_H_
