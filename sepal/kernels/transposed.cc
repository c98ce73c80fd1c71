// Output pixels that stand the same distance past a multiple of the stride hear the same taps, at input pixels that
// lie side by side: such a phase is a small dense convolution of stride 1, which direct() computes; it only writes its
// pixels apart. So a stride of 2 is four convolutions, and no product is with a zero in between.
//
// Where the phases of a row have few channels, a tile of each would be mostly empty: they go together, as the output
// channels of one convolution that has the taps of all of them, with zeros where a phase lacks one. Its pixels are
// written as a whole.

#include "sepal/kernels/transposed.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "sepal/kernels/direct.h"
#include "sepal/kernels/packed.h"

namespace sepal {
namespace {

/// What one phase hears along an axis: output position q * stride + phase hears input position q + first + t * step for
/// the taps t of 0 .. taps - 1.
struct Heard {
  std::int64_t taps = 0;
  std::int64_t first = 0;
  std::int64_t step = 1;
};

struct Axis {
  std::int64_t kernel;
  std::int64_t stride;
  std::int64_t dilation;
  std::int64_t padding;

  /// The filter's tap that output phase `phase` applies to input position q + offset; -1 if none does.
  std::int64_t tap(std::int64_t phase, std::int64_t offset) const {
    const std::int64_t distance = phase + padding - offset * stride;
    return distance >= 0 && distance % dilation == 0 && distance / dilation < kernel ? distance / dilation : -1;
  }

  Heard heard(std::int64_t phase) const {
    const std::int64_t apart = stride / std::gcd(stride, dilation);  // taps of the filter between two that are heard
    for (std::int64_t tap = 0; tap < std::min(kernel, apart); ++tap) {
      const std::int64_t distance = phase + padding - tap * dilation;
      if (distance % stride != 0) continue;
      const std::int64_t taps = (kernel - tap + apart - 1) / apart;
      const std::int64_t step = dilation * apart / stride;
      return {taps, distance / stride - (taps - 1) * step, step};
    }
    return {};
  }

  /// All of them at once: as far as the phases of one pixel hear.
  Heard heard_by_all() const {
    std::int64_t first = 0;
    std::int64_t last = -1;
    for (std::int64_t phase = 0; phase < stride; ++phase) {
      const Heard one = heard(phase);
      if (one.taps == 0) continue;
      const std::int64_t end = one.first + (one.taps - 1) * one.step;
      first = last < first ? one.first : std::min(first, one.first);
      last = last < first ? end : std::max(last, end);
    }
    return {std::max<std::int64_t>(last - first + 1, 0), first, 1};
  }
};

Axis rows_of(const Window& w) { return {w.kernel.h, w.stride.h, w.dilation.h, w.padding.top}; }
Axis columns_of(const Window& w) { return {w.kernel.w, w.stride.w, w.dilation.w, w.padding.left}; }

/// Tiles that so many output channels take side by side, in vectors of the widest instruction set.
std::int64_t vectors(std::int64_t co) { return (co + kLineFloats - 1) / kLineFloats; }

/// Whether the phases of a row go together: no group, rows that end with a whole pixel, and less to multiply.
bool together(const TransposedArgs& args) {
  const Axis columns = columns_of(args.window);
  if (columns.stride == 1 || columns.dilation != 1 || args.groups != 1) return false;
  if (args.output.shape.w() % columns.stride != 0) return false;
  std::int64_t apart = 0;
  for (std::int64_t phase = 0; phase < columns.stride; ++phase)
    apart += std::max<std::int64_t>(columns.heard(phase).taps, 1);
  const std::int64_t co = args.output.shape.c();
  return columns.heard_by_all().taps * vectors(columns.stride * co) <= apart * vectors(co);
}

/// One convolution of those that make up the whole: the output pixels of a phase, or of all phases of a row.
struct Phase {
  std::int64_t y;
  std::int64_t x;
  std::int64_t width;  ///< columns at once: 1, or the stride
  Heard rows;
  Heard columns;

  std::int64_t co(const TransposedArgs& args) const { return width * args.output.shape.c(); }
  std::int64_t terms(const TransposedArgs& args) const {
    return rows.taps * columns.taps * (args.input.shape.c() / args.groups);
  }
  std::int64_t packed(const TransposedArgs& args) const {
    return packed_direct_floats(args.groups, co(args), terms(args));
  }
};

/// visit(phase) for each, in the order in which they are packed.
template <typename Visit>
void each_phase(const TransposedArgs& args, const Visit& visit) {
  const Axis rows = rows_of(args.window);
  const Axis columns = columns_of(args.window);
  const bool at_once = together(args);
  for (std::int64_t y = 0; y < rows.stride; ++y) {
    for (std::int64_t x = 0; x < (at_once ? 1 : columns.stride); ++x) {
      Phase phase = {.y = y,
                     .x = x,
                     .width = at_once ? columns.stride : 1,
                     .rows = rows.heard(y),
                     .columns = at_once ? columns.heard_by_all() : columns.heard(x)};
      if (phase.rows.taps == 0 || phase.columns.taps == 0) {
        // Its sums are the bias: one tap, above the image for every output row.
        phase.rows = {.taps = 1, .first = -args.output.shape.h() - 1};
        phase.columns = {.taps = 1};
      }
      visit(phase);
    }
  }
}

/// The group's panels of a phase.
void pack_phase(const TransposedArgs& args, const Phase& phase, std::int64_t group, const float* filter,
                const float* bias, float* packed) {
  const Window& window = args.window;
  const std::int64_t ci = args.input.shape.c() / args.groups;
  const std::int64_t width = args.output.shape.c() / args.groups;  // output channels of a column
  const std::int64_t co = phase.width * width;
  for (std::int64_t first = 0; first < co; first += kPanelColumns) {
    const std::int64_t columns = std::min(kPanelColumns, co - first);
    for (std::int64_t j = 0; j < kPanelColumns; ++j) {
      *packed++ = bias != nullptr && j < columns ? bias[group * width + (first + j) % width] : 0.0f;
    }
    for (std::int64_t ty = 0; ty < phase.rows.taps; ++ty) {
      const std::int64_t i = rows_of(window).tap(phase.y, phase.rows.first + ty * phase.rows.step);
      for (std::int64_t tx = 0; tx < phase.columns.taps; ++tx) {
        const std::int64_t offset = phase.columns.first + tx * phase.columns.step;
        // Where each column's weight lies in a row of the filter; -1 where it has none.
        std::array<std::int64_t, kPanelColumns> places{};
        for (std::int64_t k = 0; k < columns; ++k) {
          const std::int64_t j = columns_of(window).tap(phase.x + (first + k) / width, offset);
          places[static_cast<std::size_t>(k)] = j < 0 ? -1 : j * width + (first + k) % width;
        }
        for (std::int64_t c = 0; c < ci; ++c, packed += kPanelColumns) {
          const float* row = filter + ((group * ci + c) * window.kernel.h + i) * window.kernel.w * width;
          if (phase.width == 1 && i >= 0 && places[0] >= 0) {  // the columns are one run
            std::copy_n(row + places[0], columns, packed);
            std::fill_n(packed + columns, kPanelColumns - columns, 0.0f);
            continue;
          }
          std::fill_n(packed, kPanelColumns, 0.0f);
          if (i < 0) continue;
          for (std::int64_t k = 0; k < columns; ++k) {
            const std::int64_t place = places[static_cast<std::size_t>(k)];
            if (place >= 0) packed[k] = row[place];
          }
        }
      }
    }
  }
}

/// The rows q of 0 .. ceil(h' / stride) of one image that `phase` has.
void run_phase(const TransposedArgs& args, const Phase& phase, std::int64_t image, Range rows, const float* packed) {
  const Shape& in = args.input.shape;
  const Shape& out = args.output.shape;
  const Extent& stride = args.window.stride;
  const auto count = [](std::int64_t extent, std::int64_t from, std::int64_t by) {
    return (extent - from + by - 1) / by;
  };
  const std::int64_t height = count(out.h(), phase.y, stride.h);
  const std::int64_t width = count(out.w(), phase.x, stride.w);
  rows.end = std::min(rows.end, height);
  if (rows.begin >= rows.end || width <= 0) return;
  direct({.input = {args.input.data + image * in.h() * in.w() * in.c(), {1, in.h(), in.w(), in.c()}},
          .packed = packed,
          .zeros = args.zeros,
          .window = {.kernel = {phase.rows.taps, phase.columns.taps},
                     .dilation = {phase.rows.step, phase.columns.step},
                     .padding = {-phase.rows.first, -phase.columns.first, 0, 0}},
          .groups = args.groups,
          .activation = {},
          .output = {args.output.data + ((image * out.h() + phase.y) * out.w() + phase.x) * out.c(),
                     {1, height, width, phase.co(args)}},
          .pixel_pitch = stride.w * out.c(),
          .row_pitch = stride.h * out.w() * out.c()},
         rows);
}

}  // namespace

void transposed(const TransposedArgs& args, Range groups) noexcept {
  const std::int64_t per_image = transposed_row_groups(args.window, args.output.shape.h());
  for (std::int64_t begin = groups.begin; begin < groups.end;) {
    const std::int64_t image = begin / per_image;
    const std::int64_t end = std::min(groups.end, (image + 1) * per_image);
    const float* packed = args.packed;
    each_phase(args, [&](const Phase& phase) {
      run_phase(args, phase, image, {begin - image * per_image, end - image * per_image}, packed);
      packed += phase.packed(args);
    });
    begin = end;
  }
}

std::int64_t packed_transposed_floats(const TransposedArgs& args) noexcept {
  std::int64_t floats = 0;
  each_phase(args, [&](const Phase& phase) { floats += phase.packed(args); });
  return floats;
}

void pack_transposed(const TransposedArgs& args, const float* filter, const float* bias, float* packed) noexcept {
  each_phase(args, [&](const Phase& phase) {
    for (std::int64_t group = 0; group < args.groups; ++group) {
      pack_phase(args, phase, group, filter, bias, packed + group * phase.packed(args) / args.groups);
    }
    packed += phase.packed(args);
  });
}

}  // namespace sepal
