#include "sepal/kernels/direct.h"

#include <algorithm>

#include "sepal/kernels/elementwise.h"
#include "sepal/kernels/taps.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sepal/kernels/direct.cc"
#include <hwy/foreach_target.h>

#include "sepal/kernels/tile-inl.h"

// The tile's rows are neighbouring output columns. For every tap they point into the image, or to zeros where
// the tap lies in the padding left or right; a tap above or below the image is the same for all of them and is
// skipped. Where a whole row of taps lies within the image, one group reads all channels and the taps are not
// dilated, those taps are one run of kernel.w * ci neighbouring floats, which is what makes a stem of three
// channels bearable; at the left and right edge a small neighbourhood is copied out, with zeros, to the same end.

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
  const float* image;  // the group's first channel of the image's first pixel
  const float* bias;
  const float* filter;  // [kernel.h][kernel.w][k] terms of kPanelColumns
  std::int64_t k;       // input channels of the group
  std::int64_t y, x;    // the first output pixel's
  Epilogue epilogue;
  const float* addend;  // as output, or null
  float* output;
  std::int64_t columns;

  // Where the taps of one tile lie: those rows of them that are on the image, and the first of these rows.
  struct Taps {
    Range rows;
    std::int64_t left;   // the image's column of the tile's first tap
    const float* line;   // the image's row of the first tap row
    std::int64_t pitch;  // floats from one tap row to the next
    const float* filter;
  };

  // Three ways to the same sums, each a function of its own: in one, g++ 12 runs out of registers for the row pointers
  // of all three (ResNet-18's 56x56 layers took 10 % longer).

  // All columns lie on the image: kernel.h runs of kernel.w * ci values.
  template <int kRows, int kVectors>
  static HWY_NOINLINE void inside(const DirectTile& tile, const Taps& taps, Sums<kRows, kVectors>& sums) {
    const Window& window = tile.args->window;
    Array<const float*, kRows> rows;
    for (int row = 0; row < kRows; ++row) rows[row] = taps.line + (taps.left + row * window.stride.w) * tile.k;
    accumulate(sums, rows,
               {.panel = taps.filter, .k = window.kernel.w * tile.k, .runs = taps.rows.size(), .pitch = taps.pitch});
  }

  // What the tile sees is little: copied out, with zeros for the padding, its taps are runs too.
  template <int kRows, int kVectors>
  static HWY_NOINLINE void copied(const DirectTile& tile, const Taps& taps, Sums<kRows, kVectors>& sums) {
    const Window& window = tile.args->window;
    const std::int64_t columns = columns_of(kRows, window);
    const std::int64_t width = tile.args->input.shape.w();
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
    accumulate(
        sums, rows,
        {.panel = taps.filter, .k = window.kernel.w * tile.k, .runs = taps.rows.size(), .pitch = columns * tile.k});
  }

  // Tap by tap, with zeros for those beside the image.
  template <int kRows, int kVectors>
  static HWY_NOINLINE void tap_by_tap(const DirectTile& tile, const Taps& taps, Sums<kRows, kVectors>& sums) {
    const Window& window = tile.args->window;
    const Shape& image = tile.args->input.shape;
    const float* line = taps.line;
    const float* filter = taps.filter;
    for (std::int64_t ky = 0; ky < taps.rows.size(); ++ky, line += taps.pitch) {
      for (std::int64_t kx = 0; kx < window.kernel.w; ++kx, filter += tile.k * kPanelColumns) {
        Array<const float*, kRows> rows;
        for (int row = 0; row < kRows; ++row) {
          const std::int64_t x = taps.left + row * window.stride.w + kx * window.dilation.w;
          rows[row] = x >= 0 && x < image.w() ? line + x * image.c() : tile.args->zeros;
        }
        accumulate(sums, rows, {.panel = filter, .k = tile.k});
      }
    }
  }

  static std::int64_t columns_of(int rows, const Window& window) {
    return (rows - 1) * window.stride.w + (window.kernel.w - 1) * window.dilation.w + 1;
  }

  template <int kRows, int kVectors>
  static void run(const DirectTile& tile) {
    const DirectArgs& args = *tile.args;
    const Window& window = args.window;
    const Shape& image = args.input.shape;
    const std::int64_t top = tile.y * window.stride.h - window.padding.top;
    const Range rows = taps_inside(top, window.kernel.h, window.dilation.h, image.h());
    const std::int64_t line_pitch = image.w() * image.c();
    const Taps taps = {.rows = rows,
                       .left = tile.x * window.stride.w - window.padding.left,
                       .line = tile.image + (top + rows.begin * window.dilation.h) * line_pitch,
                       .pitch = window.dilation.h * line_pitch,
                       .filter = tile.filter + rows.begin * window.kernel.w * tile.k * kPanelColumns};
    const std::int64_t columns = columns_of(kRows, window);
    const bool in_runs = window.dilation.w == 1 && tile.k == image.c();

    Sums<kRows, kVectors> sums;
    start(sums, tile.bias);
    if (in_runs && taps.left >= 0 && taps.left + columns <= image.w()) {
      inside(tile, taps, sums);
    } else if (in_runs && columns * tile.k * rows.size() <= kNeighbourhoodFloats) {
      copied(tile, taps, sums);
    } else {
      tap_by_tap(tile, taps, sums);
    }
    finish(sums, tile.epilogue, tile.addend, tile.output, pixel_pitch(args), tile.columns);
  }
};

// The output rows `rows` of one image in the columns that `tile` names, from `output` on.
void rows_of_tiles(DirectTile tile, Range rows, const float* addend, float* output) {
  const Shape& shape = tile.args->output.shape;
  const int height = tile_rows(tile.columns);
  const std::int64_t tiles = (shape.w() + height - 1) / height;
  for (tile.y = rows.begin; tile.y < rows.end; ++tile.y) {
    for (std::int64_t i = 0; i < tiles; ++i) {
      const Range x = part({0, shape.w()}, i, tiles);
      tile.x = x.begin;
      const std::int64_t pixel = tile.y * row_pitch(*tile.args) + tile.x * pixel_pitch(*tile.args);
      tile.output = output + pixel;
      tile.addend = addend == nullptr ? nullptr : addend + pixel;
      run_tile(tile, static_cast<int>(x.size()), tile.columns);
    }
  }
}

void direct_block(const DirectArgs& args, std::int64_t image, Range rows) {
  const Shape& in = args.input.shape;
  const Shape& out = args.output.shape;
  const std::int64_t k = in.c() / args.groups;
  const std::int64_t co = out.c() / args.groups;
  const std::int64_t terms = args.window.kernel.h * args.window.kernel.w * k;
  DirectTile tile = {.args = &args,
                     .image = nullptr,
                     .bias = nullptr,
                     .filter = nullptr,
                     .k = k,
                     .y = 0,
                     .x = 0,
                     .epilogue = epilogue_of(args.activation),
                     .addend = nullptr,
                     .output = nullptr,
                     .columns = 0};
  for (std::int64_t group = 0; group < args.groups; ++group) {
    tile.image = args.input.data + image * in.h() * in.w() * in.c() + group * k;
    const std::int64_t place = image * out.h() * out.w() * out.c() + group * co;
    const float* packed = args.packed + group * packed_floats(co, terms);
    for (std::int64_t first = 0; first < co; first += kTileVectors * kLanes) {
      tile.bias = packed + first / kPanelColumns * panel_floats(terms) + first % kPanelColumns;
      tile.filter = tile.bias + kPanelColumns;
      tile.columns = co - first;
      const float* addend = args.addend == nullptr ? nullptr : args.addend + place + first;
      rows_of_tiles(tile, rows, addend, args.output.data + place + first);
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
      unary(args.activation, args.output.data, args.output.data, {begin * row, end * row});
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
