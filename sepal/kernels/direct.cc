#include "sepal/kernels/direct.h"

#include <algorithm>

#include "sepal/kernels/elementwise.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sepal/kernels/direct.cc"
#include <hwy/foreach_target.h>

#include "sepal/kernels/tile-inl.h"

// The tile's rows are neighbouring output columns. For every tap they point into the image, or to zeros where
// the tap lies in the padding left or right; a tap above or below the image is the same for all of them and is
// skipped. Where a whole row of taps lies within the image, one group reads all channels and the taps are not
// dilated, those taps are one run of kernel.w * ci neighbouring floats, which is what makes a stem of three
// channels bearable.

HWY_BEFORE_NAMESPACE();
namespace sepal::HWY_NAMESPACE {

struct DirectTile {
  const DirectArgs* args;
  const float* image;  // the group's first channel of the image's first pixel
  const float* bias;
  const float* filter;  // [kernel.h][kernel.w][k] terms of kPanelColumns
  std::int64_t k;       // input channels of the group
  std::int64_t y, x;    // the first output pixel's
  Clamp clamp;
  float* output;
  std::int64_t columns;

  template <int kRows, int kVectors>
  static void run(const DirectTile& tile) {
    const DirectArgs& args = *tile.args;
    const Window& window = args.window;
    const std::int64_t pitch = args.input.shape.c();
    const std::int64_t left = tile.x * window.stride.w - window.padding.left;
    const std::int64_t last = left + (kRows - 1) * window.stride.w + (window.kernel.w - 1) * window.dilation.w;
    const bool one_run = left >= 0 && last < args.input.shape.w() && window.dilation.w == 1 && tile.k == pitch;

    Sums<kRows, kVectors> sums;
    start(sums, tile.bias);
    const float* filter = tile.filter;
    Array<const float*, kRows> rows;
    for (std::int64_t ky = 0; ky < window.kernel.h; ++ky) {
      const std::int64_t y = tile.y * window.stride.h - window.padding.top + ky * window.dilation.h;
      const std::int64_t terms = window.kernel.w * tile.k;
      if (y < 0 || y >= args.input.shape.h()) {
        filter += terms * kPanelColumns;
        continue;
      }
      const float* line = tile.image + y * args.input.shape.w() * pitch;
      if (one_run) {
        for (int row = 0; row < kRows; ++row) rows[row] = line + (left + row * window.stride.w) * pitch;
        accumulate(sums, rows, filter, terms);
        filter += terms * kPanelColumns;
        continue;
      }
      for (std::int64_t kx = 0; kx < window.kernel.w; ++kx, filter += tile.k * kPanelColumns) {
        for (int row = 0; row < kRows; ++row) {
          const std::int64_t x = left + row * window.stride.w + kx * window.dilation.w;
          rows[row] = x >= 0 && x < args.input.shape.w() ? line + x * pitch : args.zeros;
        }
        accumulate(sums, rows, filter, tile.k);
      }
    }
    finish(sums, tile.clamp, tile.output, args.output.shape.c(), tile.columns);
  }
};

// The output rows `rows` of one image in the columns that `tile` names, from its `output` on.
void rows_of_tiles(DirectTile tile, Range rows, float* output) {
  const Shape& shape = tile.args->output.shape;
  const std::int64_t tiles = (shape.w() + kTileRows - 1) / kTileRows;
  for (tile.y = rows.begin; tile.y < rows.end; ++tile.y) {
    for (std::int64_t i = 0; i < tiles; ++i) {
      const Range x = part({0, shape.w()}, i, tiles);
      tile.x = x.begin;
      tile.output = output + (tile.y * shape.w() + tile.x) * shape.c();
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
                     .clamp = clamp_of(args.activation),
                     .output = nullptr,
                     .columns = 0};
  for (std::int64_t group = 0; group < args.groups; ++group) {
    tile.image = args.input.data + image * in.h() * in.w() * in.c() + group * k;
    float* output = args.output.data + image * out.h() * out.w() * out.c() + group * co;
    const float* packed = args.packed + group * packed_floats(co, terms);
    for (std::int64_t first = 0; first < co; first += kTileVectors * kLanes) {
      tile.bias = packed + first / kPanelColumns * panel_floats(terms) + first % kPanelColumns;
      tile.filter = tile.bias + kPanelColumns;
      tile.columns = co - first;
      rows_of_tiles(tile, rows, output + first);
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
    if (!is_clamp(args.activation)) {
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
