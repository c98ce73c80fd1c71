#include "sepal/kernels/training_pointwise.h"

#include <hwy/cache_control.h>

#include <algorithm>
#include <cstdint>

#include "sepal/kernels/elementwise.h"
#include "sepal/kernels/packed.h"
#include "sepal/kernels/pointwise.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sepal/kernels/training_pointwise.cc"
#include <hwy/foreach_target.h>

#include "sepal/kernels/outer-inl.h"
#include "sepal/kernels/tile-inl.h"

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

/// Keeps the moments of a tile's columns and stores it: what is in registers anyway is counted there, and the stores
/// past the caches have time while the next tile's products run.
template <int kVectors>
struct MomentsOf {
  float* output;  ///< the tile's first value
  std::int64_t pitch;
  std::int64_t columns;
  bool streamed;
  bool begun = false;
  Array<V, kVectors> pivot{};
  Array<V, kVectors> sum{};
  Array<V, kVectors> square{};

  HWY_INLINE MomentsOf(float* to, std::int64_t to_pitch, std::int64_t count, bool streams)
      : output(to), pitch(to_pitch), columns(count), streamed(streams) {
    for (int v = 0; v < kVectors; ++v) pivot[v] = sum[v] = square[v] = hn::Zero(kTag);
  }

  HWY_INLINE void take(const Sums<kTileRows, kVectors>& tile, std::int64_t high) {
    if (!begun) {
      for (int v = 0; v < kVectors; ++v) pivot[v] = tile.value[0][v];
      begun = true;
    }
    if (high == kTileRows && streamed) {
      store_rows(tile, [](V x, float* p) HWY_ATTR __attribute__((always_inline)) { hn::Stream(x, kTag, p); });
    } else if (high == kTileRows && columns >= kVectors * kLanes) {
      store_rows(tile, [](V x, float* p) HWY_ATTR __attribute__((always_inline)) { hn::StoreU(x, kTag, p); });
    } else {
      for (std::int64_t row = 0; row < high; ++row) {
        for (int v = 0; v < kVectors; ++v) {
          const V x = tile.value[row][v];
          if (v * kLanes < columns) store_upto(x, output + row * pitch + v * kLanes, columns - v * kLanes);
          count(x, v);
        }
      }
    }
    output += kTileRows * pitch;
  }

  HWY_INLINE void finish(float* moments, std::int64_t channels) const {
    for (int v = 0; v < kVectors && v * kLanes < columns; ++v) {
      const std::int64_t rest = columns - v * kLanes;
      store_upto(pivot[v], moments + v * kLanes, rest);
      store_upto(sum[v], moments + channels + v * kLanes, rest);
      store_upto(square[v], moments + 2 * channels + v * kLanes, rest);
    }
  }

 private:
  HWY_INLINE void count(V value, int v) {
    const V x = hn::Sub(value, pivot[v]);
    sum[v] = hn::Add(sum[v], x);
    square[v] = hn::MulAdd(x, x, square[v]);
  }
  template <typename Store>
  HWY_INLINE void store_rows(const Sums<kTileRows, kVectors>& tile, const Store& store) {
    for (int row = 0; row < kTileRows; ++row) {
      for (int v = 0; v < kVectors; ++v) {
        store(tile.value[row][v], output + row * pitch + v * kLanes);
        count(tile.value[row][v], v);
      }
    }
  }
};

/// Turns a tile of dx into the gradient with respect to the batch norm of x, stores it and keeps its sums. Activations
/// are limits: 1 between them, 0 beyond.
template <int kVectors>
struct MaskOf {
  const float* x;  ///< the tile's first value, as output
  float* output;
  std::int64_t pitch;
  std::int64_t columns;
  bool streamed;
  V low;
  V high_limit;
  Array<V, kVectors> factor{};
  Array<V, kVectors> shift{};
  Array<V, kVectors> mean{};
  Array<V, kVectors> sum{};
  Array<V, kVectors> products{};

  HWY_INLINE MaskOf(const ReadArgs& read, std::int64_t first, const float* from, float* to, std::int64_t to_pitch,
                    std::int64_t count, bool streams)
      : x(from), output(to), pitch(to_pitch), columns(count), streamed(streams) {
    const Epilogue limits = epilogue_of(read.activation);
    low = hn::Set(kTag, limits.low);
    high_limit = hn::Set(kTag, limits.high);
    for (int v = 0; v < kVectors; ++v) {
      const std::int64_t rest = columns - v * kLanes;
      const auto vector = [&](const float* p) HWY_ATTR __attribute__((always_inline)) {
        return rest > 0 ? load_upto(p + first + v * kLanes, rest) : hn::Zero(kTag);
      };
      factor[v] = vector(read.factor);
      shift[v] = vector(read.shift);
      mean[v] = vector(read.mean);
      sum[v] = products[v] = hn::Zero(kTag);
    }
  }

  HWY_INLINE void take(const Sums<kTileRows, kVectors>& tile, std::int64_t high) {
    if (high == kTileRows && streamed) {
      rows(tile, [](V g, float* p) HWY_ATTR __attribute__((always_inline)) { hn::Stream(g, kTag, p); });
    } else if (high == kTileRows && columns >= kVectors * kLanes) {
      rows(tile, [](V g, float* p) HWY_ATTR __attribute__((always_inline)) { hn::StoreU(g, kTag, p); });
    } else {
      for (std::int64_t row = 0; row < high; ++row) {
        for (int v = 0; v < kVectors && v * kLanes < columns; ++v) {
          const std::int64_t at = row * pitch + v * kLanes;
          const std::int64_t rest = columns - v * kLanes;
          store_upto(masked(tile.value[row][v], load_upto(x + at, rest), v), output + at, rest);
        }
      }
    }
    x += kTileRows * pitch;
    output += kTileRows * pitch;
  }

  HWY_INLINE void finish(float* sums, std::int64_t channels) const {
    for (int v = 0; v < kVectors && v * kLanes < columns; ++v) {
      store_upto(sum[v], sums + v * kLanes, columns - v * kLanes);
      store_upto(products[v], sums + channels + v * kLanes, columns - v * kLanes);
    }
  }

 private:
  HWY_INLINE V masked(V dx, V value, int v) {
    const V z = hn::MulAdd(factor[v], value, shift[v]);
    const V g = hn::IfThenElseZero(hn::And(hn::Gt(z, low), hn::Lt(z, high_limit)), dx);
    sum[v] = hn::Add(sum[v], g);
    products[v] = hn::MulAdd(g, hn::Sub(value, mean[v]), products[v]);
    return g;
  }
  template <typename Store>
  HWY_INLINE void rows(const Sums<kTileRows, kVectors>& tile, const Store& store) {
    for (int row = 0; row < kTileRows; ++row) {
      for (int v = 0; v < kVectors; ++v) {
        const std::int64_t at = row * pitch + v * kLanes;
        store(masked(tile.value[row][v], hn::LoadU(kTag, x + at), v), output + at);
      }
    }
  }
};

/// What comes after the block at hand, asked for a few cache lines at a time between the terms of its products: the
/// next rows, which lie in up to three arrays. (All at once, before the product, gains nothing.)
struct Fetch {
  Array<const float*, 3> from;
  Array<std::int64_t, 3> lines;

  /// Where line `line` of all of them lies; null beyond the last.
  const float* at(std::int64_t line) const {
    for (int i = 0; i < 3; ++i) {
      if (line < lines[i]) return from[i] + line * kLineFloats;
      line -= lines[i];
    }
    return nullptr;
  }
  std::int64_t all() const { return lines[0] + lines[1] + lines[2]; }
};

/// A column of tiles of rows in row panels with k terms; `taker` gets each when its sums are done. `asked`: lines of
/// `fetch` that the tiles before this column took, `lines` for every few terms.
template <int kVectors, typename Taker>
HWY_INLINE void column(const float* panels, std::int64_t rows, std::int64_t k, const float* filter, const Fetch& fetch,
                       std::int64_t asked, int lines, Taker& taker) {
  const std::int64_t tiles = (rows + kTileRows - 1) / kTileRows;
  const std::int64_t each = k / kAheadTerms * lines;
  for (std::int64_t tile = 0; tile < tiles; ++tile, panels += row_panel_pitch(k)) {
    Sums<kTileRows, kVectors> sums;
    for (int row = 0; row < kTileRows; ++row) {
      for (int v = 0; v < kVectors; ++v) sums.value[row][v] = hn::Zero(kTag);
    }
    const float* next = fetch.at(asked + tile * each);
    accumulate_panel(sums, panels, {.panel = filter, .k = k}, {.next = next, .lines = next == nullptr ? 0 : lines});
    taker.take(sums, std::min<std::int64_t>(kTileRows, rows - tile * kTileRows));
  }
}

/// Calls body<vectors>(first column, columns from there on, the filter's panel, lines asked for before, lines at a
/// time) for all columns of a product of so many rows and terms.
template <typename Body>
HWY_INLINE void each_column(std::int64_t rows, std::int64_t columns, std::int64_t k, const float* packed,
                            const Fetch& fetch, const Body& body) {
  constexpr std::int64_t kWide = kTileVectors * kLanes;
  const std::int64_t asks = (rows + kTileRows - 1) / kTileRows * (k / kAheadTerms);  // of a column
  const std::int64_t count = (columns + kWide - 1) / kWide;
  const std::int64_t most = std::max<std::int64_t>(asks * count, 1);
  const auto lines = static_cast<int>(std::min<std::int64_t>((fetch.all() + most - 1) / most, kMostLinesAtOnce));
  for (std::int64_t index = 0; index < count; ++index) {
    const std::int64_t first = index * kWide;
    const float* filter = packed + first / kPanelColumns * panel_floats(k) + kPanelColumns + first % kPanelColumns;
    if (columns - first > kLanes) {
      body.template operator()<kTileVectors>(first, columns - first, filter, index * asks * lines, lines);
    } else {
      body.template operator()<1>(first, columns - first, filter, index * asks * lines, lines);
    }
  }
}

/// Whether whole lines are written past the caches.
bool may_stream(bool wanted, const float* to, std::int64_t channels) {
  const bool aligned = reinterpret_cast<std::uintptr_t>(to) % (kLineFloats * sizeof(float)) == 0;
  return wanted && kLanes == kLineFloats && channels % (kTileVectors * kLanes) == 0 && aligned;
}

/// y and its moments of rows in row panels.
void product_with_moments(const float* panels, std::int64_t rows, std::int64_t k, std::int64_t channels,
                          const float* packed, const Fetch& fetch, float* output, bool streamed, float* moments) {
  streamed = may_stream(streamed, output, channels);
  each_column(rows, channels, k, packed, fetch,
              [&]<int kVectors>(std::int64_t first, std::int64_t columns, const float* filter, std::int64_t asked,
                                int lines) HWY_ATTR {
                MomentsOf<kVectors> taker(output + first, channels, columns, streamed);
                column<kVectors>(panels, rows, k, filter, fetch, asked, lines, taker);
                taker.finish(moments + first, channels);
              });
  if (streamed) hwy::FlushStream();
}

/// dx through the activation of x's read, and its sums, of dy in row panels; the activation is limits.
void product_with_mask(const float* panels, std::int64_t rows, std::int64_t k, const ReadArgs& read, const float* x,
                       std::int64_t channels, const float* packed, const Fetch& fetch, float* output, bool streamed,
                       float* sums) {
  streamed = may_stream(streamed, output, channels);
  each_column(rows, channels, k, packed, fetch,
              [&]<int kVectors>(std::int64_t first, std::int64_t columns, const float* filter, std::int64_t asked,
                                int lines) HWY_ATTR {
                MaskOf<kVectors> taker(read, first, x + first, output + first, channels, columns, streamed);
                column<kVectors>(panels, rows, k, filter, fetch, asked, lines, taker);
                taker.finish(sums + first, channels);
              });
  if (streamed) hwy::FlushStream();
}

/// Rows `rows` of three arrays of so many floats a row each.
Fetch fetch_of(Range rows, const float* a, std::int64_t a_row, const float* b, std::int64_t b_row, const float* c,
               std::int64_t c_row) {
  const auto lines = [&](const float* array, std::int64_t row) {
    return array == nullptr ? 0 : rows.size() * row / kLineFloats;
  };
  const auto place = [&](const float* array, std::int64_t row) {
    return array == nullptr ? nullptr : array + rows.begin * row;
  };
  return {{place(a, a_row), place(b, b_row), place(c, c_row)}, {lines(a, a_row), lines(b, b_row), lines(c, c_row)}};
}

/// The block of rows [begin, end) of y; `next` are the rows after them that the caller goes on with.
void forward_block(const TrainingPointwiseArgs& args, Range rows, Range next, bool streamed, float* moments,
                   float* room) {
  read_into_panels(args.read, args.input + rows.begin * args.ci, rows.size(), args.ci, room);
  const Fetch fetch = fetch_of(next, args.input, args.ci, nullptr, 0, nullptr, 0);
  product_with_moments(room, rows.size(), args.ci, args.co, args.packed, fetch, args.output + rows.begin * args.co,
                       streamed, moments);
}

/// The same backwards: the filter's gradient, then dx if its activation is limits; true if it is done.
bool backward_block(const PointwiseGradientArgs& args, Range rows, Range next, bool goes_on, bool fused, bool streamed,
                    float* sums, float* sum, float* panels, float* columns) {
  const float* x = args.input + rows.begin * args.ci;
  gradient_into_panels(args.gradient, rows.begin, rows.size(), args.co, panels);
  read_into_columns(args.read, x, rows.size(), args.ci, columns);
  outer_product(panels, columns, rows.size(), args.ci, args.co, sum, goes_on);
  if (!fused) return false;
  const Fetch fetch = fetch_of(next, args.gradient.g, args.co, args.gradient.y, args.co, args.input, args.ci);
  product_with_mask(panels, rows.size(), args.co, args.read, x, args.ci, args.packed, fetch,
                    args.input_gradient + rows.begin * args.ci, streamed, sums);
  return true;
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
HWY_EXPORT(forward_block);
HWY_EXPORT(backward_block);
HWY_EXPORT(add_parts);

constexpr std::int64_t kTall = kTileRowsOf32Registers * kTileRowsOf16Registers;

std::int64_t blocks_of(std::int64_t rows, std::int64_t block) { return (rows + block - 1) / block; }

/// An activation that is nothing but limits.
bool is_limits(const Unary& activation) { return is_epilogue(activation) && activation.kind != UnaryKind::kHardSwish; }

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
  const bool streamed = streams(args.rows * args.co);
  for (std::int64_t index = blocks.begin; index < blocks.end; ++index) {
    const Range next = index + 1 < blocks.end ? rows_of(index + 1, block, args.rows) : Range{};
    HWY_DYNAMIC_DISPATCH(forward_block)
    (args, rows_of(index, block, args.rows), next, streamed, args.moments + index * moment_floats(args.co), room);
  }
}

void pointwise_gradient(const PointwiseGradientArgs& args, std::int64_t part_index, float* room) noexcept {
  const std::int64_t block = training_pointwise_block(args.ci, args.co);
  const std::int64_t count = blocks_of(args.rows, block);
  const Range blocks = part({0, count}, part_index, pointwise_gradient_parts(args.rows, args.ci, args.co));
  float* const columns = room + row_panel_floats(block, std::max(args.ci, args.co));
  float* const result = columns + block * panels(args.ci) * kPanelColumns;
  const bool streamed = streams(args.rows * args.ci);
  const bool fused = args.input_gradient != nullptr && args.read.factor != nullptr && is_limits(args.read.activation);
  float* const sum = args.filter_gradient + part_index * args.co * args.ci;
  for (std::int64_t index = blocks.begin; index < blocks.end; ++index) {
    const Range rows = rows_of(index, block, args.rows);
    const Range next = index + 1 < blocks.end ? rows_of(index + 1, block, args.rows) : Range{};
    float* const sums = args.sums + index * 2 * args.ci;
    const bool done = HWY_DYNAMIC_DISPATCH(backward_block)(args, rows, next, index > blocks.begin, fused, streamed,
                                                           sums, sum, room, columns);
    if (done || args.input_gradient == nullptr) continue;
    const float* x = args.input + rows.begin * args.ci;
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
      mask_rows(args.read, x, rows.size(), args.ci, result, dx, streamed, sums);
    }
  }
}

std::int64_t pointwise_panels(std::int64_t columns) noexcept { return panels(columns); }

void pack_pointwise(const float* filter, std::int64_t ci, std::int64_t co, Range panels, float* packed) noexcept {
  const std::int64_t first = panels.begin * kPanelColumns;
  const std::int64_t columns = std::min(panels.end * kPanelColumns, co) - first;
  pack_panels({.data = filter + first * ci, .co = columns, .k = ci, .co_stride = ci, .k_stride = 1}, nullptr,
              packed + panels.begin * panel_floats(ci));
}

void pack_pointwise_back(const float* filter, std::int64_t ci, std::int64_t co, Range panels, float* packed) noexcept {
  const std::int64_t first = panels.begin * kPanelColumns;
  const std::int64_t columns = std::min(panels.end * kPanelColumns, ci) - first;
  pack_panels({.data = filter + first, .co = columns, .k = co, .co_stride = 1, .k_stride = ci}, nullptr,
              packed + panels.begin * panel_floats(co));
}

void join_parts(const float* parts, std::int64_t count, std::int64_t number, Range range, float* values) noexcept {
  HWY_DYNAMIC_DISPATCH(add_parts)(parts, count, number, range, values);
}

}  // namespace sepal
#endif
