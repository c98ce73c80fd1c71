#include "sepal/kernels/pointwise.h"

#include <algorithm>

#include "sepal/kernels/elementwise.h"
#include "sepal/kernels/packed.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sepal/kernels/pointwise.cc"
#include <hwy/foreach_target.h>

#include "sepal/kernels/tile-inl.h"

// A block of rows that fits into L2 goes through all panels before the next one is touched; within it, a panel goes
// down the block tile by tile, tiles of one height in one loop.

HWY_BEFORE_NAMESPACE();
namespace sepal::HWY_NAMESPACE {

const float* offset(const float* values, std::int64_t by) { return values == nullptr ? nullptr : values + by; }

// The rows `rows` in the columns from `first` on, at most one tile wide. `next` is the panel to come, or null: the
// first tiles ask for it between them.
void column_of_tiles(const PointwiseArgs& args, Range rows, std::int64_t first, const float* panel, const float* next,
                     const Epilogue& epilogue) {
  const std::int64_t place = rows.begin * args.output_pitch + first;
  const auto column = [&]<bool kPanels>(std::int64_t tiles, const float* input, std::int64_t pitch) HWY_ATTR {
    const std::int64_t askers = next == nullptr ? 0 : std::min(tiles, kAheadTiles);
    const std::int64_t lines = askers == 0 ? 0 : (kAheadTerms * kPanelColumns / kLineFloats + askers - 1) / askers;
    return Tiles<kPanels>{.input = input,
                          .pitch = pitch,
                          .bias = panel,
                          .terms = {.panel = panel + kPanelColumns, .k = args.ci},
                          .ahead = {.next = next, .lines = static_cast<int>(lines)},
                          .askers = askers,
                          .epilogue = epilogue,
                          .addend = offset(args.addend, place),
                          .output = args.output + place,
                          .output_pitch = args.output_pitch,
                          .columns = args.co - first};
  };
  if (args.input_panels) {
    const std::int64_t whole = rows.size() / kTileRows;
    const std::int64_t rest = rows.size() % kTileRows;
    const float* input = args.input + row_panel_place(rows.begin, args.ci);
    Tiles tiles = column.template operator()<true>(whole + (rest > 0), input, row_panel_pitch(args.ci));
    if (whole > 0) run_tiles<kTileRows>(tiles, kTileRows, whole, tiles.columns);
    if (rest > 0) run_tiles<kTileRows>(tiles, rest, 1, tiles.columns);
    return;
  }
  const Heights heights(rows.size(), tile_rows(args.co - first));
  const float* input = args.input + rows.begin * args.input_pitch;
  Tiles tiles = column.template operator()<false>(heights.tiles, input, args.input_pitch);
  if (heights.higher > 0) run_tiles(tiles, heights.height + 1, heights.higher, tiles.columns);
  if (heights.tiles > heights.higher) run_tiles(tiles, heights.height, heights.tiles - heights.higher, tiles.columns);
}

// A single row, in the panels from `panel` on: as many as fill kRowVectors, side by side.
template <int kPanels>
void row_of_panels(const PointwiseArgs& args, std::int64_t row, std::int64_t panel, const Epilogue& epilogue) {
  constexpr int kVectors = static_cast<int>(kPanelColumns / kLanes);
  const float* input = args.input + row * args.input_pitch;
  const std::int64_t size = panel_floats(args.ci);
  const float* packed = args.packed + panel * size;
  Array<Sums<1, kVectors>, kPanels> sums;
  for (int p = 0; p < kPanels; ++p) start(sums[p], packed + p * size);
  const float* filter = packed + kPanelColumns;
  for (std::int64_t i = 0; i < args.ci; ++i, filter += kPanelColumns) {
    const V x = hn::Set(kTag, input[i]);
    for (int p = 0; p < kPanels; ++p) {
      for (int v = 0; v < kVectors; ++v) {
        V& sum = sums[p].value[0][v];
        sum = hn::MulAdd(x, hn::LoadU(kTag, filter + p * size + v * kLanes), sum);
      }
    }
  }
  for (int p = 0; p < kPanels; ++p) {
    const std::int64_t first = (panel + p) * kPanelColumns;
    const std::int64_t place = row * args.output_pitch + first;
    finish(sums[p], epilogue, offset(args.addend, place), args.output + place, args.output_pitch, args.co - first);
  }
}

void pointwise_row(const PointwiseArgs& args, std::int64_t row, Range panels, const Epilogue& epilogue) {
  constexpr std::int64_t kWide = std::max<std::int64_t>(1, kRowVectors * kLanes / kPanelColumns);
  std::int64_t panel = panels.begin;
  for (; panel + kWide <= panels.end; panel += kWide) row_of_panels<kWide>(args, row, panel, epilogue);
  for (; panel < panels.end; ++panel) row_of_panels<1>(args, row, panel, epilogue);
}

void pointwise_block(const PointwiseArgs& args, Range rows, Range panels) {
  const Epilogue epilogue = epilogue_of(args.activation);
  if (rows.size() == 1 && kPanelColumns / kLanes <= kRowVectors && !args.input_panels) {
    return pointwise_row(args, rows.begin, panels, epilogue);
  }
  for (std::int64_t panel = panels.begin; panel < panels.end; ++panel) {
    const std::int64_t end = std::min(args.co, (panel + 1) * kPanelColumns);
    const float* packed = args.packed + panel * panel_floats(args.ci);
    const float* next = panel + 1 < panels.end ? packed + panel_floats(args.ci) : args.ahead;
    for (std::int64_t first = panel * kPanelColumns; first < end; first += kTileVectors * kLanes) {
      const bool last = first + kTileVectors * kLanes >= end;
      column_of_tiles(args, rows, first, packed + first % kPanelColumns, last ? next : nullptr, epilogue);
    }
  }
}

// The same for rows of one image with a gate: panel by panel, each times the factors into the room and its product from
// there.
void gated_block(const PointwiseArgs& args, Range rows, Range panels) {
  const float* factors = args.gate.factors + rows.begin / args.gate.rows * args.ci;
  for (std::int64_t panel = panels.begin; panel < panels.end; ++panel) {
    const std::int64_t first = panel * kPanelColumns;
    const float* from = args.packed + panel * panel_floats(args.ci);
    float* to = args.gate.room;
    std::copy_n(from, kPanelColumns, to);  // the bias
    for (std::int64_t i = 0; i < args.ci; ++i) {
      from += kPanelColumns;
      to += kPanelColumns;
      const V factor = hn::Set(kTag, factors[i]);
      for (std::int64_t j = 0; j < kPanelColumns; j += kLanes) {
        hn::StoreU(hn::Mul(hn::LoadU(kTag, from + j), factor), kTag, to + j);
      }
    }
    PointwiseArgs part = args;
    part.packed = args.gate.room;
    part.co = std::min(args.co - first, kPanelColumns);
    part.output += first;
    part.addend = offset(args.addend, first);
    if (panel + 1 < panels.end) part.ahead = from + kPanelColumns;
    pointwise_block(part, rows, {0, 1});
  }
}

}  // namespace sepal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sepal {
namespace {

HWY_EXPORT(pointwise_block);
HWY_EXPORT(gated_block);

// An activation that no epilogue expresses, over a block that was just written.
void activate(const PointwiseArgs& args, Range rows, Range columns) {
  for (std::int64_t row = rows.begin; row < rows.end; ++row) {
    float* values = args.output + row * args.output_pitch;
    unary(args.activation, values, values, columns);
  }
}

}  // namespace

void pointwise(const PointwiseArgs& args, Range rows, Range panels) noexcept {
  const std::int64_t row_bytes = std::max<std::int64_t>(1, args.ci) * std::int64_t{sizeof(float)};
  // As few blocks as fit, of equal size: each goes through all weights. Whole row panels of any height.
  constexpr std::int64_t kRows = kTileRowsOf32Registers * kTileRowsOf16Registers;
  const std::int64_t blocks =
      std::max<std::int64_t>(1, (rows.size() * row_bytes + kRowBlockBytes - 1) / kRowBlockBytes);
  const std::int64_t block = (rows.size() / blocks + kRows) / kRows * kRows;
  const bool gated = args.gate.factors != nullptr;
  for (Range part = {rows.begin, rows.begin}; part.end < rows.end;) {
    const std::int64_t image_end = gated ? (part.end / args.gate.rows + 1) * args.gate.rows : rows.end;
    part = {part.end, std::min({part.end + block, rows.end, image_end})};
    if (gated) {
      HWY_DYNAMIC_DISPATCH(gated_block)(args, part, panels);
    } else {
      HWY_DYNAMIC_DISPATCH(pointwise_block)(args, part, panels);
    }
    if (!is_epilogue(args.activation)) {
      activate(args, part, {panels.begin * kPanelColumns, std::min(panels.end * kPanelColumns, args.co)});
    }
  }
}

void pointwise(const PointwiseArgs& args, Range rows) noexcept { pointwise(args, rows, {0, panels(args.co)}); }

}  // namespace sepal
#endif
