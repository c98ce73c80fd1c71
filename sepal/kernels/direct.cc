#include "sepal/kernels/direct.h"

#include <algorithm>

#include "sepal/kernels/elementwise.h"
#include "sepal/kernels/taps.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sepal/kernels/direct.cc"
#include <hwy/foreach_target.h>

#include "sepal/kernels/tile-inl.h"

// The tile's rows are neighbouring output columns. A tap above or below the image is the same for all of them and is
// skipped. Where a whole row of taps lies within the image, one group reads all channels and the taps are not dilated,
// those taps are one run of kernel.w * ci neighbouring floats, which is what makes a stem of three channels bearable:
// such tiles run like those of a product whose terms come in kernel.h runs. A small image is copied out with its
// padding, so that all of its tiles are such. At the left and right edge a small neighbourhood is copied out, with
// zeros, to the same end; else the rows point into the image tap by tap, or to zeros where the tap lies in the padding.

HWY_BEFORE_NAMESPACE();
namespace sepal::HWY_NAMESPACE {

std::int64_t pixel_pitch(const DirectArgs& args) {
  return args.pixel_pitch != 0 ? args.pixel_pitch : args.output.shape.c();
}
std::int64_t row_pitch(const DirectArgs& args) {
  return args.row_pitch != 0 ? args.row_pitch : args.output.shape.w() * args.output.shape.c();
}

struct DirectTile {
  const DirectArgs* args;
  const float* image;   // the group's first channel of the image's first pixel
  std::int64_t width;   // of the image, or of a copy of it with its padding left and right
  std::int64_t margin;  // columns that the first window begins left of it
  const float* bias;
  const float* filter;  // [kernel.h][kernel.w][k] terms of kPanelColumns
  std::int64_t k;       // input channels of the group
  Epilogue epilogue;
  const float* addend;  // as output, or null
  float* output;        // of the next tile
  std::int64_t columns;
  bool goes_on;         // from what the output holds, in the place of the bias
  Ahead ahead;          // weights that come next
  std::int64_t askers;  // tiles that still ask for them

  // Where the taps of the next tile lie: those rows of them that are on the image, and the first of these rows.
  struct Taps {
    Range rows;
    std::int64_t left;   // the image's column of the tile's first tap
    const float* line;   // the image's row of the first tap row
    std::int64_t pitch;  // floats from one tap row to the next
    const float* filter;
  } taps;

  // Two ways to the same sums, each a function of its own: in one, g++ 12 runs out of registers for the row pointers
  // of both (ResNet-18's 56x56 layers took 10 % longer).

  // What the tile sees is little: copied out, with zeros for the padding, its taps are runs.
  template <int kRows, int kVectors>
  static HWY_NOINLINE Ahead copied(const DirectTile& tile, Sums<kRows, kVectors>& sums) {
    const Taps& taps = tile.taps;
    const Window& window = tile.args->window;
    const std::int64_t columns = columns_of(kRows, window);
    const std::int64_t width = tile.width;
    HWY_ALIGN float seen[kNeighbourhoodFloats];
    const Range there = {std::clamp<std::int64_t>(-taps.left, 0, columns),
                         std::clamp<std::int64_t>(width - taps.left, 0, columns)};
    const float* line = taps.line + taps.left * tile.k;
    for (std::int64_t tap = 0; tap < taps.rows.size(); ++tap, line += taps.pitch) {
      float* to = seen + tap * columns * tile.k;
      std::fill(to, to + there.begin * tile.k, 0.0f);
      std::copy(line + there.begin * tile.k, line + there.end * tile.k, to + there.begin * tile.k);
      std::fill(to + there.end * tile.k, to + columns * tile.k, 0.0f);
    }
    Array<const float*, kRows> rows;
    for (int row = 0; row < kRows; ++row) rows[row] = seen + row * window.stride.w * tile.k;
    return accumulate(
        sums, rows,
        {.panel = taps.filter, .k = window.kernel.w * tile.k, .runs = taps.rows.size(), .pitch = columns * tile.k},
        tile.ahead);
  }

  // Tap by tap, with zeros for those beside the image.
  template <int kRows, int kVectors>
  static HWY_NOINLINE Ahead tap_by_tap(const DirectTile& tile, Sums<kRows, kVectors>& sums) {
    const Taps& taps = tile.taps;
    const Window& window = tile.args->window;
    const Shape& image = tile.args->input.shape;
    const float* line = taps.line;
    const float* filter = taps.filter;
    Ahead ahead = tile.ahead;
    for (std::int64_t ky = 0; ky < taps.rows.size(); ++ky, line += taps.pitch) {
      for (std::int64_t kx = 0; kx < window.kernel.w; ++kx, filter += tile.k * kPanelColumns) {
        Array<const float*, kRows> rows;
        for (int row = 0; row < kRows; ++row) {
          const std::int64_t x = taps.left + row * window.stride.w + kx * window.dilation.w;
          rows[row] = x >= 0 && x < tile.width ? line + x * image.c() : tile.args->zeros;
        }
        ahead = accumulate(sums, rows, {.panel = filter, .k = tile.k}, ahead);
      }
    }
    return ahead;
  }

  // Columns of the image that `rows` neighbouring windows see.
  static std::int64_t columns_of(std::int64_t rows, const Window& window) {
    return (rows - 1) * window.stride.w + (window.kernel.w - 1) * window.dilation.w + 1;
  }
  bool in_runs() const { return args->window.dilation.w == 1 && k == args->input.shape.c(); }

  // Lets the tiles of `lines` output rows ask for `next`, as many weights as lie in those tap rows.
  void ask(const float* next, std::int64_t tap_rows, std::int64_t lines) {
    ahead = {};
    askers = 0;
    if (next == nullptr) return;
    const std::int64_t terms = tap_rows * args->window.kernel.w * k;
    const std::int64_t tiles = lines * Heights(args->output.shape.w(), tile_rows(columns)).tiles;
    const std::int64_t wanted = terms * kPanelColumns / kLineFloats;
    const std::int64_t chances = std::max<std::int64_t>(1, terms / kAheadTerms);  // of one tile
    ahead = {.next = next,
             .lines = static_cast<int>((wanted + chances * tiles - 1) / std::max<std::int64_t>(1, chances * tiles))};
    askers = ahead.lines == 0 ? 0 : (wanted + chances * ahead.lines - 1) / (chances * ahead.lines);
  }

  void advance(std::int64_t pixels) {
    taps.left += pixels * args->window.stride.w;
    output += pixels * pixel_pitch(*args);
    if (addend != nullptr) addend += pixels * pixel_pitch(*args);
  }

  // The next `count` tiles, all of them kRows wide, at an edge or where taps are no runs.
  template <int kRows, int kVectors>
  static void run(DirectTile& tile, std::int64_t count) {
    const DirectArgs& args = *tile.args;
    const std::int64_t seen = columns_of(kRows, args.window) * tile.k * tile.taps.rows.size();
    const bool copies = tile.in_runs() && seen <= kNeighbourhoodFloats;
    for (; count > 0; --count) {
      Sums<kRows, kVectors> sums;
      if (tile.goes_on) {
        go_on(sums, tile.output, pixel_pitch(args), tile.columns);
      } else {
        start(sums, tile.bias);
      }
      tile.ahead = copies ? copied(tile, sums) : tap_by_tap(tile, sums);
      if (--tile.askers == 0) tile.ahead.lines = 0;
      finish(sums, tile.epilogue, tile.addend, tile.output, pixel_pitch(args), tile.columns);
      tile.advance(kRows);
    }
  }

  // The next `count` tiles, `height` columns wide each, for which all columns lie on the image.
  template <bool kGoesOn>
  void run_inside(std::int64_t height, std::int64_t count) {
    const Window& window = args->window;
    Tiles<false, kGoesOn> tiles = {
        .input = taps.line + taps.left * k,
        .pitch = window.stride.w * k,
        .bias = bias,
        .terms = {.panel = taps.filter, .k = window.kernel.w * k, .runs = taps.rows.size(), .pitch = taps.pitch},
        .ahead = ahead,
        .askers = askers,
        .epilogue = epilogue,
        .addend = addend,
        .output = output,
        .output_pitch = pixel_pitch(*args),
        .columns = columns};
    run_tiles(tiles, height, count, columns);
    ahead = tiles.ahead;
    askers = tiles.askers;
    advance(height * count);
  }

  // The next `count` tiles, `height` columns wide each.
  void run_row(std::int64_t height, std::int64_t count) {
    const std::int64_t step = height * args->window.stride.w;
    // Those before and behind the ones that lie on the image with all that they see.
    std::int64_t before = count;
    std::int64_t within = 0;
    if (in_runs()) {
      const std::int64_t last = width - columns_of(height, args->window);  // the last tile that lies inside begins here
      before = std::clamp<std::int64_t>((std::max<std::int64_t>(-taps.left, 0) + step - 1) / step, 0, count);
      const std::int64_t until = last < taps.left ? 0 : (last - taps.left) / step + 1;
      within = std::clamp<std::int64_t>(until - before, 0, count - before);
    }
    if (before > 0) run_tiles(*this, height, before, columns);
    if (within > 0) goes_on ? run_inside<true>(height, within) : run_inside<false>(height, within);
    if (before + within < count) run_tiles(*this, height, count - before - within, columns);
  }
};

// The weights that are wanted after those tap rows of the panel that holds `column`: the taps behind them, the next
// panel, or what the caller names; null in the middle of a panel.
const float* panel_after(const DirectArgs& args, const DirectTile& tile, Range taps, std::int64_t column,
                         const float* packed) {
  const std::int64_t co = args.output.shape.c() / args.groups;
  const std::int64_t after = column + kTileVectors * kLanes;
  if (taps.end < args.window.kernel.h) return tile.filter + taps.end * args.window.kernel.w * tile.k * kPanelColumns;
  if (after % kPanelColumns != 0 && after < co) return nullptr;
  const std::int64_t terms = args.window.kernel.h * args.window.kernel.w * tile.k;
  return after < co ? packed + after / kPanelColumns * panel_floats(terms) : args.ahead;
}

// The output rows `rows` of one image in the columns that `tile` names, from `output` on, over those tap rows.
void rows_of_tiles(DirectTile tile, Range rows, Range tap_rows, const float* addend, float* output) {
  const DirectArgs& args = *tile.args;
  const Window& window = args.window;
  const Shape& shape = args.output.shape;
  const Shape& image = args.input.shape;
  const Heights heights(shape.w(), tile_rows(tile.columns));
  const std::int64_t line_pitch = tile.width * image.c();
  for (std::int64_t y = rows.begin; y < rows.end; ++y) {
    const std::int64_t top = y * window.stride.h - window.padding.top;
    const Range there = taps_inside(top, window.kernel.h, window.dilation.h, image.h());
    const std::int64_t first = std::clamp(there.begin, tap_rows.begin, tap_rows.end);
    const Range taps = {first, std::clamp(there.end, first, tap_rows.end)};
    tile.taps = {.rows = taps,
                 .left = -tile.margin,
                 .line = tile.image + (top + taps.begin * window.dilation.h) * line_pitch,
                 .pitch = window.dilation.h * line_pitch,
                 .filter = tile.filter + taps.begin * window.kernel.w * tile.k * kPanelColumns};
    const std::int64_t line = y * row_pitch(args);
    tile.output = output + line;
    tile.addend = addend == nullptr ? nullptr : addend + line;
    if (heights.higher > 0) tile.run_row(heights.height + 1, heights.higher);
    if (heights.tiles > heights.higher) tile.run_row(heights.height, heights.tiles - heights.higher);
  }
}

void direct_block(const DirectArgs& args, std::int64_t image, Range rows) {
  const Shape& in = args.input.shape;
  const Shape& out = args.output.shape;
  const std::int64_t k = in.c() / args.groups;
  const std::int64_t co = out.c() / args.groups;
  const std::int64_t terms = args.window.kernel.h * args.window.kernel.w * k;
  const Padding& padding = args.window.padding;
  const float* first = args.input.data + image * in.h() * in.w() * in.c();
  DirectTile tile = {.args = &args,
                     .image = nullptr,
                     .width = in.w(),
                     .margin = padding.left,
                     .bias = nullptr,
                     .filter = nullptr,
                     .k = k,
                     .epilogue = epilogue_of(args.activation),
                     .addend = nullptr,
                     .output = nullptr,
                     .columns = 0,
                     .goes_on = false,
                     .ahead = {},
                     .askers = 0,
                     .taps = {}};
  // A small image with padding is copied out as a whole, so that none of its tiles is at an edge.
  HWY_ALIGN float copy[kNeighbourhoodFloats];
  const std::int64_t padded = in.w() + padding.left + padding.right;
  if (padded > in.w() && tile.in_runs() && in.h() * padded * k <= kNeighbourhoodFloats) {
    std::fill_n(copy, in.h() * padded * k, 0.0f);
    for (std::int64_t y = 0; y < in.h(); ++y) {
      std::copy_n(first + y * in.w() * k, in.w() * k, copy + (y * padded + padding.left) * k);
    }
    first = copy;
    tile.width = padded;
    tile.margin = 0;
  }
  const std::int64_t tap_row_bytes = terms / args.window.kernel.h * kPanelColumns * std::int64_t{sizeof(float)};
  const std::int64_t tap_rows = terms * kPanelColumns * std::int64_t{sizeof(float)} <= kPanelBytes
                                    ? args.window.kernel.h
                                    : std::max<std::int64_t>(1, kPanelBytes / tap_row_bytes);
  for (std::int64_t group = 0; group < args.groups; ++group) {
    tile.image = first + group * k;
    const std::int64_t place = (image * out.h() - args.first_row) * out.w() * out.c() + group * co;
    const float* packed = args.packed + group * packed_floats(co, terms);
    for (std::int64_t column = 0; column < co; column += kTileVectors * kLanes) {
      tile.bias = packed + column / kPanelColumns * panel_floats(terms) + column % kPanelColumns;
      tile.filter = tile.bias + kPanelColumns;
      tile.columns = co - column;
      const float* addend = args.addend == nullptr ? nullptr : args.addend + place + column;
      float* output = args.output.data + place + column;
      // A panel that does not fit into L2 beside the image's rows would come from further away for every tile: its
      // terms are taken a few tap rows at a time, and sums wait in the output; where that is the addend too, it is
      // added first.
      for (std::int64_t tap = 0; tap < args.window.kernel.h; tap += tap_rows) {
        const Range taps = {tap, std::min(tap + tap_rows, args.window.kernel.h)};
        const bool last = taps.end == args.window.kernel.h;
        tile.goes_on = tap > 0;
        tile.epilogue = last ? epilogue_of(args.activation) : Epilogue{};
        tile.ask(panel_after(args, tile, taps, column, packed), taps.size(), rows.size());
        rows_of_tiles(tile, rows, taps, tap == 0 ? addend : nullptr, output);
      }
    }
  }
}

}  // namespace sepal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sepal {
namespace {
HWY_EXPORT(direct_block);
}  // namespace

void direct(const DirectArgs& args, Range rows) noexcept {
  const Shape& in = args.input.shape;
  const Shape& out = args.output.shape;
  const std::int64_t bytes =
      std::max<std::int64_t>(1, args.window.stride.h * in.w() * in.c() * std::int64_t{sizeof(float)});
  const std::int64_t block = std::max<std::int64_t>(1, kRowBlockBytes / bytes);
  for (std::int64_t begin = rows.begin; begin < rows.end;) {
    // A block stays within one image.
    const std::int64_t image = begin / out.h();
    const std::int64_t end = std::min({begin + block, rows.end, (image + 1) * out.h()});
    HWY_DYNAMIC_DISPATCH(direct_block)(args, image, Range{begin - image * out.h(), end - image * out.h()});
    if (!is_epilogue(args.activation)) {
      const std::int64_t row = out.w() * out.c();
      const Range written = {(begin - args.first_row) * row, (end - args.first_row) * row};
      unary(args.activation, args.output.data, args.output.data, written);
    }
    begin = end;
  }
}

void pack_direct(const float* filter, const float* bias, std::int64_t groups, std::int64_t co, std::int64_t k,
                 float* packed) noexcept {
  const std::int64_t group_co = co / groups;
  for (std::int64_t group = 0; group < groups; ++group) {
    const FilterMatrix matrix = {filter + group * group_co * k, group_co, k, k, 1};
    pack_panels(matrix, bias == nullptr ? nullptr : bias + group * group_co, packed);
    packed += packed_floats(group_co, k);
  }
}

}  // namespace sepal
#endif
