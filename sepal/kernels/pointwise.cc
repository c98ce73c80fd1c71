#include "sepal/kernels/pointwise.h"

#include <algorithm>

#include "sepal/kernels/elementwise.h"
#include "sepal/kernels/packed.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sepal/kernels/pointwise.cc"
#include <hwy/foreach_target.h>

#include "sepal/kernels/tile-inl.h"

// A block of rows that fits into L2 goes through all panels before the next one is touched; within it, a
// panel goes down the block tile by tile. Heights are balanced (8 rows are 4 + 4, not 7 + 1), because a tile
// of few rows has too few sums in flight to hide the latency of an FMA.

HWY_BEFORE_NAMESPACE();
namespace sepal::HWY_NAMESPACE {

struct PointwiseTile {
  const float* input;
  std::int64_t input_pitch;
  const float* bias;
  const float* filter;
  std::int64_t k;
  Clamp clamp;
  float* output;
  std::int64_t output_pitch;
  std::int64_t columns;

  template <int kRows, int kVectors>
  static void run(const PointwiseTile& tile) {
    Array<const float*, kRows> rows;
    for (int row = 0; row < kRows; ++row) rows[row] = tile.input + row * tile.input_pitch;
    Sums<kRows, kVectors> sums;
    start(sums, tile.bias);
    accumulate(sums, rows, tile.filter, tile.k);
    finish(sums, tile.clamp, tile.output, tile.output_pitch, tile.columns);
  }
};

// The rows `rows` in the columns from `first` on, at most one tile wide.
void column_of_tiles(const PointwiseArgs& args, Range rows, std::int64_t first, const float* panel,
                     const Clamp& clamp) {
  const std::int64_t tiles = (rows.size() + kTileRows - 1) / kTileRows;
  for (std::int64_t i = 0; i < tiles; ++i) {
    const Range r = part(rows, i, tiles);
    const PointwiseTile tile = {.input = args.input + r.begin * args.input_pitch,
                                .input_pitch = args.input_pitch,
                                .bias = panel,
                                .filter = panel + kPanelColumns,
                                .k = args.ci,
                                .clamp = clamp,
                                .output = args.output + r.begin * args.output_pitch + first,
                                .output_pitch = args.output_pitch,
                                .columns = args.co - first};
    run_tile(tile, static_cast<int>(r.size()), tile.columns);
  }
}

void pointwise_block(const PointwiseArgs& args, Range rows, Range panels) {
  const Clamp clamp = clamp_of(args.activation);
  for (std::int64_t panel = panels.begin; panel < panels.end; ++panel) {
    const std::int64_t end = std::min(args.co, (panel + 1) * kPanelColumns);
    const float* packed = args.packed + panel * panel_floats(args.ci);
    for (std::int64_t first = panel * kPanelColumns; first < end; first += kTileVectors * kLanes) {
      column_of_tiles(args, rows, first, packed + first % kPanelColumns, clamp);
    }
  }
}

}  // namespace sepal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sepal {
namespace {

HWY_EXPORT(pointwise_block);

// An activation that no clamp expresses, over a block that was just written.
void activate(const PointwiseArgs& args, Range rows, Range columns) {
  for (std::int64_t row = rows.begin; row < rows.end; ++row) {
    float* values = args.output + row * args.output_pitch;
    unary(args.activation, values, values, columns);
  }
}

}  // namespace

void pointwise(const PointwiseArgs& args, Range rows, Range panels) noexcept {
  const std::int64_t row_bytes = std::max<std::int64_t>(1, args.ci) * std::int64_t{sizeof(float)};
  const std::int64_t block = std::max<std::int64_t>(kTileRowsOf32Registers, kRowBlockBytes / row_bytes);
  for (std::int64_t begin = rows.begin; begin < rows.end; begin += block) {
    const Range part = {begin, std::min(begin + block, rows.end)};
    HWY_DYNAMIC_DISPATCH(pointwise_block)(args, part, panels);
    if (!is_clamp(args.activation)) {
      activate(args, part, {panels.begin * kPanelColumns, std::min(panels.end * kPanelColumns, args.co)});
    }
  }
}

void pointwise(const PointwiseArgs& args, Range rows) noexcept { pointwise(args, rows, {0, panels(args.co)}); }

}  // namespace sepal
#endif
