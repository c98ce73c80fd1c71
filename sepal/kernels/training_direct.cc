#include "sepal/kernels/training_direct.h"

#include <algorithm>

#include "sepal/kernels/direct.h"
#include "sepal/kernels/image_batch.h"
#include "sepal/kernels/transposed.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sepal/kernels/training_direct.cc"
#include <hwy/foreach_target.h>

#include "sepal/kernels/outer-inl.h"

// An image at a time. Forwards it is read once into the room, then direct() goes over it. Backwards it is read into the
// room with its border of zeros, so that no window of the filter's gradient lies beside it, and dy as it is and in row
// panels, each output row from a panel of its own; dx is the transposed convolution of dy. The filter's gradient is
// summed band by band of output rows, so that what the tiles go over again and again stays in L2; small images go
// together, as a large filter is long in coming from memory and in going there. Where the columns of
// taps lie side by side they are one run of kw ci values: a stem of three channels has 9 columns, not thrice 3.

HWY_BEFORE_NAMESPACE();
namespace sepal::HWY_NAMESPACE {

/// Pixels of `pitch` channels, the first k of them into row panels.
void pixels_into_panels(const float* pixels, std::int64_t count, std::int64_t pitch, std::int64_t k, float* panels) {
  fill_panels(count, k, panels, [&](std::int64_t c, const auto& load) HWY_ATTR __attribute__((always_inline)) {
    return [=](std::int64_t row) HWY_ATTR __attribute__((always_inline)) { return load(pixels + row * pitch + c); };
  });
}

/// output [co, columns] (+)= the outer products of the pixels of `terms`.
void outer_runs(const OuterTerms& all, const OuterOutput& output, std::int64_t co, std::int64_t columns) {
  constexpr std::int64_t kWide = kTileVectors * kLanes;
  for (std::int64_t first = 0; first < columns; first += kWide) {
    OuterTerms terms = all;
    terms.x += first;
    outer_columns(terms, {output.data + first, output.pitch, output.goes_on}, co, columns - first);
  }
}

/// Floats of the row panels of one output row.
std::int64_t row_panels(std::int64_t pixels, std::int64_t k) {
  return (pixels + kTileRows - 1) / kTileRows * row_panel_pitch(k);
}

void filter_gradient(const DirectGradientArgs& args, const ImageBatch& batch, float* sum, bool goes_on) {
  const Window& window = args.window;
  const Shape& y = args.output;
  const std::int64_t ci = args.input.shape.c();
  const std::int64_t depth = ci / args.groups;
  const std::int64_t width = y.c() / args.groups;
  const bool together = args.groups == 1 && window.dilation.w == 1;
  const std::int64_t columns = together ? window.kernel.w * ci : depth;
  const std::int64_t columns_of_taps = together ? 1 : window.kernel.w;
  const std::int64_t filter_row = window.kernel.h * window.kernel.w * depth;
  const std::int64_t row_bytes =
      (y.w() * y.c() + window.stride.h * batch.x_row) * static_cast<std::int64_t>(sizeof(float));
  const std::int64_t band =
      batch.images > 1 ? y.h() : std::clamp<std::int64_t>(kGradientBandBytes / row_bytes, 1, y.h());
  const std::int64_t run = row_panels(y.w(), width);
  for (std::int64_t group = 0; group < args.groups; ++group) {
    for (std::int64_t row = 0; row < batch.images * y.h(); ++row) {
      pixels_into_panels(batch.dy + row * y.w() * y.c() + group * width, y.w(), y.c(), width, batch.panels + row * run);
    }
    for (std::int64_t begin = 0; begin < y.h(); begin += band) {
      const std::int64_t rows = std::min(band, y.h() - begin);
      for (std::int64_t i = 0; i < window.kernel.h; ++i) {
        for (std::int64_t j = 0; j < columns_of_taps; ++j) {
          const std::int64_t top = begin * window.stride.h + i * window.dilation.h;
          const OuterTerms terms = {.dy = batch.panels + begin * run,
                                    .dy_panel = row_panel_pitch(width),
                                    .dy_run = run,
                                    .x = batch.x + top * batch.x_row + j * window.dilation.w * ci + group * depth,
                                    .x_pixel = window.stride.w * ci,
                                    .x_run = window.stride.h * batch.x_row,
                                    .rows = y.w(),
                                    .runs = rows,
                                    .images = batch.images,
                                    .dy_image = y.h() * run,
                                    .x_image = batch.x_image};
          float* to = sum + group * width * filter_row + (i * window.kernel.w + j) * depth;
          outer_runs(terms, {to, filter_row, goes_on || begin > 0}, width, columns);
        }
      }
    }
  }
}

}  // namespace sepal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sepal {
namespace {

HWY_EXPORT(filter_gradient);

/// The image with a border wide enough for every window.
struct Padded {
  std::int64_t h;
  std::int64_t w;
  std::int64_t c;

  explicit Padded(const DirectGradientArgs& args)
      : h(std::max(args.window.padding.top + args.input.shape.h(),
                   (args.output.h() - 1) * args.window.stride.h + span_of(args.window).h)),
        w(std::max(args.window.padding.left + args.input.shape.w(),
                   (args.output.w() - 1) * args.window.stride.w + span_of(args.window).w)),
        c(args.input.shape.c()) {}
  std::int64_t row() const { return w * c; }
  /// With a vector's slack, which tiles read.
  std::int64_t floats() const { return h * w * c + 2 * kPanelColumns; }
};

void read_padded(const DirectGradientArgs& args, const Padded& padded, const float* x, float* to) {
  const Shape& shape = args.input.shape;
  const Padding& padding = args.window.padding;
  std::fill_n(to, padding.top * padded.row(), 0.0f);
  float* row = to + padding.top * padded.row();
  for (std::int64_t y = 0; y < shape.h(); ++y, row += padded.row()) {
    float* const begin = row + padding.left * shape.c();
    float* const end = begin + shape.w() * shape.c();
    std::fill(row, begin, 0.0f);
    read_rows(args.read, x + y * shape.w() * shape.c(), shape.w(), shape.c(), begin);
    std::fill(end, row + padded.row(), 0.0f);
  }
  std::fill(row, to + padded.floats(), 0.0f);
}

std::int64_t pixels_of(const Shape& map) { return map.h() * map.w(); }

std::int64_t bytes_of(std::int64_t floats) { return floats * static_cast<std::int64_t>(sizeof(float)); }

/// Floats of dy's image, with a vector's slack.
std::int64_t dy_floats(const DirectGradientArgs& args) {
  return pixels_of(args.output) * args.output.c() + kPanelColumns;
}

/// Room of its row panels, whatever the instruction set; one group's at a time.
std::int64_t panels_room(const DirectGradientArgs& args) {
  return args.output.h() * row_panel_floats(args.output.w(), args.output.c() / args.groups);
}

/// Images that go together.
std::int64_t images_at_once(const DirectGradientArgs& args) {
  const std::int64_t each = bytes_of(std::max<std::int64_t>(panels_room(args), 1));
  return std::clamp<std::int64_t>(kGradientImagesBytes / each, 1, std::max<std::int64_t>(args.input.shape.n(), 1));
}

}  // namespace

std::int64_t training_direct_room(const TrainingDirectArgs& args) noexcept {
  const Shape& x = args.input.shape;
  return args.read.factor == nullptr ? 0 : pixels_of(x) * x.c() + kPanelColumns;
}

std::int64_t direct_gradient_room(const DirectGradientArgs& args) noexcept {
  return images_at_once(args) * (Padded(args).floats() + dy_floats(args) + panels_room(args));
}

std::int64_t direct_gradient_parts(const DirectGradientArgs& args) noexcept {
  const std::int64_t filter =
      bytes_of(args.output.c() * args.window.kernel.h * args.window.kernel.w * (args.input.shape.c() / args.groups));
  const std::int64_t fit = std::clamp<std::int64_t>(kGradientPartsBytes / filter, 2, 16);
  return std::clamp<std::int64_t>(fit, 1, std::max<std::int64_t>(args.output.n(), 1));
}

void training_direct(const TrainingDirectArgs& args, Range images, float* room) noexcept {
  const Shape& x = args.input.shape;
  const Shape& y = args.output.shape;
  for (std::int64_t image = images.begin; image < images.end; ++image) {
    const float* input = args.input.data + image * pixels_of(x) * x.c();
    float* output = args.output.data + image * pixels_of(y) * y.c();
    if (args.read.factor != nullptr) {
      read_rows(args.read, input, pixels_of(x), x.c(), room);
      input = room;
    }
    direct({.input = {input, {1, x.h(), x.w(), x.c()}},
            .packed = args.packed,
            .zeros = args.zeros,
            .window = args.window,
            .groups = args.groups,
            .activation = {},
            .output = {output, {1, y.h(), y.w(), y.c()}}},
           {0, y.h()});
    measure_rows(output, pixels_of(y), y.c(), args.moments + image * moment_floats(y.c()));
  }
}

void direct_gradient(const DirectGradientArgs& args, std::int64_t part_index, float* room) noexcept {
  const Shape& x = args.input.shape;
  const Shape& y = args.output;
  const Padded padded(args);
  const std::int64_t filter = y.c() * args.window.kernel.h * args.window.kernel.w * (x.c() / args.groups);
  const Range images = part({0, x.n()}, part_index, direct_gradient_parts(args));
  const std::int64_t most = images_at_once(args);
  float* const dy = room + most * padded.floats();
  float* const panels = dy + most * dy_floats(args);
  for (std::int64_t begin = images.begin; begin < images.end; begin += most) {
    const std::int64_t count = std::min(most, images.end - begin);
    const std::int64_t dy_image = pixels_of(y) * y.c();
    for (std::int64_t i = 0; i < count; ++i) {
      read_padded(args, padded, args.input.data + (begin + i) * pixels_of(x) * x.c(), room + i * padded.floats());
      read_gradient_rows(args.gradient, (begin + i) * dy_image, pixels_of(y), y.c(), dy + i * dy_image);
    }
    const ImageBatch batch = {
        .images = count, .x = room, .x_row = padded.row(), .x_image = padded.floats(), .dy = dy, .panels = panels};
    HWY_DYNAMIC_DISPATCH(filter_gradient)
    (args, batch, args.filter_gradient + part_index * filter, begin > images.begin);
    if (args.input_gradient == nullptr) continue;
    for (std::int64_t i = 0; i < count; ++i) {
      const float* input = args.input.data + (begin + i) * pixels_of(x) * x.c();
      float* dx = args.input_gradient + (begin + i) * pixels_of(x) * x.c();
      const TransposedArgs back = {.input = {dy + i * dy_image, {1, y.h(), y.w(), y.c()}},
                                   .packed = args.packed,
                                   .zeros = args.zeros,
                                   .window = args.window,
                                   .groups = args.groups,
                                   .output = {dx, {1, x.h(), x.w(), x.c()}}};
      transposed(back, {0, transposed_row_groups(args.window, x.h())});
      if (args.read.factor != nullptr) {
        mask_rows(args.read, input, pixels_of(x), x.c(), dx, dx, false, args.sums + (begin + i) * 2 * x.c());
      }
    }
  }
}

}  // namespace sepal
#endif
