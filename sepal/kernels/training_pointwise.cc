#include "sepal/kernels/training_pointwise.h"

#include <algorithm>

#include "sepal/kernels/elementwise.h"
#include "sepal/kernels/packed.h"
#include "sepal/kernels/pointwise.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sepal/kernels/training_pointwise.cc"
#include <hwy/foreach_target.h>

#include "sepal/kernels/outer-inl.h"

// A product has to pack its left operand anyway, so batch norm and activation are applied while that is done: forwards
// x goes into row panels as it is read, backwards dy does. The panels of dy serve both gradients: dx = dy W takes them
// as pointwise() takes any, and dW = dy' x takes one value of dy after another from them, against x packed by columns.

HWY_BEFORE_NAMESPACE();
namespace sepal::HWY_NAMESPACE {

void read_into_panels(const ReadArgs& read, const float* x, std::int64_t rows, std::int64_t k, float* panels) {
  if (read.factor == nullptr) {
    return fill_panels(rows, k, panels, [&](std::int64_t c, const auto& load) HWY_ATTR __attribute__((always_inline)) {
      return [=](std::int64_t row) HWY_ATTR __attribute__((always_inline)) { return load(x + row * k + c); };
    });
  }
  const Epilogue epilogue = epilogue_of(read.activation);  // none where it is no epilogue
  fill_panels(rows, k, panels, [&](std::int64_t c, const auto& load) HWY_ATTR __attribute__((always_inline)) {
    const V factor = load(read.factor + c);
    const V shift = load(read.shift + c);
    return [=](std::int64_t row) HWY_ATTR
        __attribute__((always_inline)) { return finished(hn::MulAdd(factor, load(x + row * k + c), shift), epilogue); };
  });
  if (!is_epilogue(read.activation)) {
    unary(read.activation, panels, panels, {0, (rows + kTileRows - 1) / kTileRows * row_panel_pitch(k)});
  }
}

void gradient_into_panels(const GradientReadArgs& read, std::int64_t first, std::int64_t rows, std::int64_t k,
                          float* panels) {
  const float* g = read.g + first * k;
  if (read.y == nullptr) {
    return fill_panels(rows, k, panels, [&](std::int64_t c, const auto& load) HWY_ATTR __attribute__((always_inline)) {
      return [=](std::int64_t row) HWY_ATTR __attribute__((always_inline)) { return load(g + row * k + c); };
    });
  }
  const float* y = read.y + first * k;
  fill_panels(rows, k, panels, [&](std::int64_t at, const auto& load) HWY_ATTR __attribute__((always_inline)) {
    const V a = load(read.a + at);
    const V b = load(read.b + at);
    const V c = load(read.c + at);
    return [=](std::int64_t row) HWY_ATTR __attribute__((always_inline)) {
      return hn::MulAdd(a, load(g + row * k + at), hn::MulAdd(b, load(y + row * k + at), c));
    };
  });
}

/// x as it is read, by columns: [k / kPanelColumns][rows][kPanelColumns], zeros beyond k.
void read_into_columns(const ReadArgs& read, const float* x, std::int64_t rows, std::int64_t k, float* columns) {
  const Epilogue epilogue = epilogue_of(read.activation);
  for (std::int64_t first = 0; first < k; first += kPanelColumns) {
    for (std::int64_t v = 0; v < kPanelColumns; v += kLanes) {
      const std::int64_t c = first + v;
      const std::int64_t rest = k - c;
      float* to = columns + first * rows + v;
      const V zero = hn::Zero(kTag);
      if (rest <= 0) {
        for (std::int64_t row = 0; row < rows; ++row) hn::StoreU(zero, kTag, to + row * kPanelColumns);
      } else if (read.factor == nullptr) {
        for (std::int64_t row = 0; row < rows; ++row) {
          hn::StoreU(load_upto(x + row * k + c, rest), kTag, to + row * kPanelColumns);
        }
      } else {
        const V factor = load_upto(read.factor + c, rest);
        const V shift = load_upto(read.shift + c, rest);
        for (std::int64_t row = 0; row < rows; ++row) {
          const V value = finished(hn::MulAdd(factor, load_upto(x + row * k + c, rest), shift), epilogue);
          hn::StoreU(value, kTag, to + row * kPanelColumns);
        }
      }
    }
  }
  if (read.factor != nullptr && !is_epilogue(read.activation)) {
    unary(read.activation, columns, columns, {0, panels(k) * kPanelColumns * rows});
  }
}

/// output [co, ci] (+)= dy' x for dy in row panels of co channels and x by columns.
void outer_product(const float* dy, const float* x, std::int64_t rows, std::int64_t ci, std::int64_t co, float* output,
                   bool goes_on) {
  constexpr std::int64_t kWide = kTileVectors * kLanes;
  for (std::int64_t first = 0; first < ci; first += kWide) {
    const OuterTerms terms = {.dy = dy,
                              .dy_panel = row_panel_pitch(co),
                              .dy_run = 0,
                              .x = x + first / kPanelColumns * kPanelColumns * rows + first % kPanelColumns,
                              .x_pixel = kPanelColumns,
                              .x_run = 0,
                              .rows = rows,
                              .runs = 1};
    outer_columns(terms, {output + first, ci, goes_on}, co, ci - first);
  }
}

void add_parts(const float* parts, std::int64_t count, std::int64_t number, Range range, float* values) {
  for (std::int64_t i = range.begin; i < range.end; i += kLanes) {
    const std::int64_t rest = range.end - i;
    V sum = load_upto(parts + i, rest);
    for (std::int64_t part = 1; part < number; ++part) sum = hn::Add(sum, load_upto(parts + part * count + i, rest));
    store_upto(sum, values + i, rest);
  }
}

}  // namespace sepal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sepal {
namespace {
HWY_EXPORT(read_into_panels);
HWY_EXPORT(gradient_into_panels);
HWY_EXPORT(read_into_columns);
HWY_EXPORT(outer_product);
HWY_EXPORT(add_parts);

constexpr std::int64_t kTall = kTileRowsOf32Registers * kTileRowsOf16Registers;

std::int64_t blocks_of(std::int64_t rows, std::int64_t block) { return (rows + block - 1) / block; }

Range rows_of(std::int64_t index, std::int64_t block, std::int64_t rows) {
  return {index * block, std::min(rows, (index + 1) * block)};
}

}  // namespace

std::int64_t training_pointwise_block(std::int64_t ci, std::int64_t co) noexcept {
  // dy, x and dx of a block stay in L2 together.
  const std::int64_t fit = kTrainingBlockBytes / (static_cast<std::int64_t>(sizeof(float)) * (2 * ci + co));
  return std::clamp<std::int64_t>(fit / kTall, 1, 4) * kTall;
}

std::int64_t pointwise_gradient_parts(std::int64_t rows, std::int64_t ci, std::int64_t co) noexcept {
  const std::int64_t fit = kGradientPartsBytes / (static_cast<std::int64_t>(sizeof(float)) * ci * co);
  const std::int64_t blocks = blocks_of(rows, training_pointwise_block(ci, co));
  return std::min(std::clamp<std::int64_t>(fit, 2, 16), std::max<std::int64_t>(blocks, 1));
}

std::int64_t training_pointwise_room(std::int64_t ci, std::int64_t co) noexcept {
  const std::int64_t block = training_pointwise_block(ci, co);
  return row_panel_floats(block, std::max(ci, co)) + block * (panels(ci) * kPanelColumns + std::max(ci, co));
}

void training_pointwise(const TrainingPointwiseArgs& args, Range blocks, float* room) noexcept {
  const std::int64_t block = training_pointwise_block(args.ci, args.co);
  float* const result = room + row_panel_floats(block, args.ci);
  const bool streamed = streams(args.rows * args.co);
  for (std::int64_t index = blocks.begin; index < blocks.end; ++index) {
    const Range rows = rows_of(index, block, args.rows);
    HWY_DYNAMIC_DISPATCH(read_into_panels)
    (args.read, args.input + rows.begin * args.ci, rows.size(), args.ci, room);
    pointwise({.input = room,
               .ci = args.ci,
               .co = args.co,
               .packed = args.packed,
               .activation = {},
               .output = result,
               .output_pitch = args.co,
               .input_panels = true},
              {0, rows.size()});
    row_moments(result, rows.size(), args.co, args.output + rows.begin * args.co, streamed,
                args.moments + index * moment_floats(args.co));
  }
}

void pointwise_gradient(const PointwiseGradientArgs& args, std::int64_t part_index, float* room) noexcept {
  const std::int64_t block = training_pointwise_block(args.ci, args.co);
  const std::int64_t count = blocks_of(args.rows, block);
  const Range blocks = part({0, count}, part_index, pointwise_gradient_parts(args.rows, args.ci, args.co));
  float* const columns = room + row_panel_floats(block, std::max(args.ci, args.co));
  float* const result = columns + block * panels(args.ci) * kPanelColumns;
  const bool streamed = streams(args.rows * args.ci);
  float* const sum = args.filter_gradient + part_index * args.co * args.ci;
  for (std::int64_t index = blocks.begin; index < blocks.end; ++index) {
    const Range rows = rows_of(index, block, args.rows);
    const float* x = args.input + rows.begin * args.ci;
    HWY_DYNAMIC_DISPATCH(gradient_into_panels)(args.gradient, rows.begin, rows.size(), args.co, room);
    HWY_DYNAMIC_DISPATCH(read_into_columns)(args.read, x, rows.size(), args.ci, columns);
    HWY_DYNAMIC_DISPATCH(outer_product)
    (room, columns, rows.size(), args.ci, args.co, sum, index > blocks.begin);
    if (args.input_gradient == nullptr) continue;
    float* dx = args.input_gradient + rows.begin * args.ci;
    pointwise({.input = room,
               .ci = args.co,
               .co = args.ci,
               .packed = args.packed,
               .activation = {},
               .output = result,
               .output_pitch = args.ci,
               .input_panels = true},
              {0, rows.size()});
    if (args.read.factor == nullptr) {
      move_rows(result, rows.size() * args.ci, dx, streamed);
    } else {
      mask_rows(args.read, x, rows.size(), args.ci, result, dx, streamed, args.sums + index * 2 * args.ci);
    }
  }
}

std::int64_t pointwise_panels(std::int64_t columns) noexcept { return panels(columns); }

void pack_pointwise(const float* filter, std::int64_t ci, std::int64_t co, Range panels, float* packed) noexcept {
  for (std::int64_t panel = panels.begin; panel < panels.end; ++panel) {
    const std::int64_t first = panel * kPanelColumns;
    const std::int64_t columns = std::min(kPanelColumns, co - first);
    float* to = packed + panel * panel_floats(ci);
    std::fill_n(to, columns == kPanelColumns ? kPanelColumns : panel_floats(ci), 0.0f);
    to += kPanelColumns;
    for (std::int64_t o = 0; o < columns; ++o) {
      const float* from = filter + (first + o) * ci;
      for (std::int64_t i = 0; i < ci; ++i) to[i * kPanelColumns + o] = from[i];
    }
  }
}

void pack_pointwise_back(const float* filter, std::int64_t ci, std::int64_t co, Range panels, float* packed) noexcept {
  for (std::int64_t panel = panels.begin; panel < panels.end; ++panel) {
    const std::int64_t first = panel * kPanelColumns;
    const std::int64_t columns = std::min(kPanelColumns, ci - first);
    float* to = packed + panel * panel_floats(co);
    std::fill_n(to, kPanelColumns, 0.0f);
    for (std::int64_t o = 0; o < co; ++o) {
      to += kPanelColumns;
      std::copy_n(filter + o * ci + first, columns, to);
      std::fill_n(to + columns, kPanelColumns - columns, 0.0f);
    }
  }
}

void join_parts(const float* parts, std::int64_t count, std::int64_t number, Range range, float* values) noexcept {
  HWY_DYNAMIC_DISPATCH(add_parts)(parts, count, number, range, values);
}

}  // namespace sepal
#endif
