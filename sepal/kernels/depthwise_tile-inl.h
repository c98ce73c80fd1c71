// The depthwise tile for square windows of a size and stride that are known when this is compiled: one or two output
// rows by a few columns. A line's weights stay in registers while its pixels pass by, each loaded once and used by
// every tap that meets it (the other way round, pixels in registers and weights passing by, g++ 12 spills); the sums of
// two rows are independent of one another, which hides the latency of an FMA, and share most of their lines.
//
// Where every line and column lies on the image, addresses are a pointer a line and multiples of the pixel's pitch
// (which also serves lines that lie in a ring, and is up to a quarter faster than one pointer and multiples of two
// pitches); at the edges a table says where each pixel lies, or names zeros. Everything that can be is decided before
// the loop over channels: with nine taps a value, each question in there costs as much as an FMA. (14x14x512, 3x3: 24
// us with the questions inside, 15 without; docs/KERNELS.md.)

#if defined(SEPAL_KERNELS_DEPTHWISE_TILE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SEPAL_KERNELS_DEPTHWISE_TILE_INL_H_
#undef SEPAL_KERNELS_DEPTHWISE_TILE_INL_H_
#else
#define SEPAL_KERNELS_DEPTHWISE_TILE_INL_H_
#endif

#include <algorithm>
#include <type_traits>
#include <utility>

#include "sepal/kernels/depthwise.h"
#include "sepal/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sepal::HWY_NAMESPACE {

/// body(0), body(1) ... body(kCount - 1), each with its number as a constant: a loop that is surely unrolled.
template <int... kNumbers, typename Body>
HWY_INLINE void repeat(std::integer_sequence<int, kNumbers...>, const Body& body) {
  (body(std::integral_constant<int, kNumbers>()), ...);
}
template <int kCount, typename Body>
HWY_INLINE void repeat(const Body& body) {
  repeat(std::make_integer_sequence<int, kCount>(), body);
}

/// Input lines that two output rows meet at most, and zeros in the place of one that is not there.
constexpr int kMostLines = 7;
constexpr std::int64_t kZeroLine = 16384;

/// What all tiles of a pair of output rows share.
struct FixedRows {
  Array<const float*, kMostLines> lines;  ///< where each line that the rows meet begins; null outside the image
  const float* filter;                    ///< [taps][channels]
  const float* bias;                      ///< [channels]; never null
  const float* zeros;                     ///< kZeroLine of them
  float* output;                          ///< the first pixel of the first output row; with panels, the first panel
  bool panels;                            ///< the output lies in row panels
  std::int64_t pixel;                     ///< with panels, the number of the first pixel
  std::int64_t w;                         ///< of the image
  std::int64_t channels;
  std::int64_t padding;  ///< left
  std::int64_t columns;  ///< of the output
  Epilogue epilogue;

  /// Where the first channels of an output pixel lie, and those kLanes channels further.
  float* place(int row, std::int64_t x) const {
    const std::int64_t p = pixel + row * columns + x;
    return panels ? output + row_panel_place(p, channels) : output + p * channels;
  }
  std::int64_t vector_pitch() const { return panels ? kTileRows * kLanes : kLanes; }
};

template <int kKernel, int kStride, int kRows, int kColumns>
struct FixedTile {
  static constexpr int kLines = (kRows - 1) * kStride + kKernel;
  static constexpr int kInputs = (kColumns - 1) * kStride + kKernel;

  /// The tap row that an output row has for an input line, and the output column whose tap kx meets an input column;
  /// -1 where there is none.
  static constexpr int tap_of(int line, int row) {
    const int tap = line - row * kStride;
    return tap < kKernel ? std::max(tap, -1) : -1;
  }
  static constexpr int column_of(int input, int kx) {
    const int offset = input - kx;
    return offset >= 0 && offset % kStride == 0 && offset / kStride < kColumns ? offset / kStride : -1;
  }

  /// Vector by vector through the channels. pixel(line, input) is where a pixel's first channel lies.
  template <typename Pixel>
  static HWY_INLINE void run(const FixedRows& rows, std::int64_t x, const Pixel& pixel) {
    const Epilogue epilogue = rows.epilogue;
    const std::int64_t pitch = rows.channels;
    const float* filter = rows.filter;
    const float* bias = rows.bias;
    Array<Array<float*, kColumns>, kRows> output;
    for (int row = 0; row < kRows; ++row) {
      for (int j = 0; j < kColumns; ++j) output[row][j] = rows.place(row, x + j);
    }
    const std::int64_t vector_pitch = rows.vector_pitch();
    std::int64_t to = 0;
    const auto vector = [&](std::int64_t c, const auto& load, const auto& store) HWY_ATTR
        __attribute__((always_inline)) {
          Array<Array<V, kColumns>, kRows> sums;
          const V start = load(bias + c);
          repeat<kRows>([&](auto row) HWY_ATTR __attribute__((always_inline)) {
            repeat<kColumns>([&](auto j) HWY_ATTR { sums[row][j] = start; });
          });
          repeat<kLines>([&](auto line) HWY_ATTR __attribute__((always_inline)) {
            Array<Array<V, kKernel>, kRows> weights;
            repeat<kRows>([&](auto row) HWY_ATTR __attribute__((always_inline)) {
              constexpr int kTap = tap_of(line, row);
              if constexpr (kTap >= 0) {
                repeat<kKernel>([&](auto kx) HWY_ATTR __attribute__((always_inline)) {
                  weights[row][kx] = load(filter + (kTap * kKernel + kx) * pitch + c);
                });
              }
            });
            repeat<kInputs>([&](auto i) HWY_ATTR __attribute__((always_inline)) {
              const V input = load(pixel(line, i) + c);
              repeat<kRows>([&](auto row) HWY_ATTR __attribute__((always_inline)) {
                repeat<kKernel>([&](auto kx) HWY_ATTR __attribute__((always_inline)) {
                  constexpr int kColumn = column_of(i, kx);
                  if constexpr (tap_of(line, row) >= 0 && kColumn >= 0) {
                    sums[row][kColumn] = hn::MulAdd(input, weights[row][kx], sums[row][kColumn]);
                  }
                });
              });
            });
          });
          const auto finish = [&](const auto& activation) HWY_ATTR __attribute__((always_inline)) {
            repeat<kRows>([&](auto row) HWY_ATTR __attribute__((always_inline)) {
              repeat<kColumns>([&](auto j) HWY_ATTR __attribute__((always_inline)) {
                store(activation(sums[row][j]), output[row][j] + to);
              });
            });
          };
          if (epilogue.hard_swish) {
            finish([](V v) HWY_ATTR __attribute__((always_inline)) { return hard_swish(v); });
          } else {
            const V low = hn::Set(kTag, epilogue.low);
            const V high = hn::Set(kTag, epilogue.high);
            finish([=](V v) HWY_ATTR __attribute__((always_inline)) { return at_most(at_least(v, low), high); });
          }
        };
    std::int64_t c = 0;
    for (; c + kLanes <= pitch; c += kLanes, to += vector_pitch) {
      vector(
          c, [](const float* p) HWY_ATTR __attribute__((always_inline)) { return hn::LoadU(kTag, p); },
          [](V v, float* p) HWY_ATTR __attribute__((always_inline)) { hn::StoreU(v, kTag, p); });
    }
    if (const std::int64_t rest = pitch - c; rest > 0) {
      vector(
          c, [=](const float* p) HWY_ATTR __attribute__((always_inline)) { return load_first(p, rest); },
          [=](V v, float* p) HWY_ATTR __attribute__((always_inline)) { store_first(v, p, rest); });
    }
  }

  /// Input columns at either end that may lie beside the image.
  static constexpr int kEdge = kKernel / 2;
  static bool accepts(const FixedRows& rows) {
    return rows.padding <= kEdge && (rows.columns - 1) * kStride - rows.padding + kKernel <= rows.w + kEdge &&
           kInputs * rows.channels <= kZeroLine;
  }

  /// Output columns x .. x + kColumns - 1.
  static void run(const FixedRows& rows, std::int64_t x) {
    const std::int64_t left = x * kStride - rows.padding;
    const std::int64_t pitch = rows.channels;
    Array<const float*, kLines> lines;
    Array<Array<const float*, 2 * kEdge>, kLines> ends;
    for (int line = 0; line < kLines; ++line) {
      const float* const there = rows.lines[line];
      lines[line] = there == nullptr ? rows.zeros : there + left * pitch;
      for (int end = 0; end < 2 * kEdge; ++end) {
        const int i = end < kEdge ? end : kInputs - 2 * kEdge + end;
        const bool inside = there != nullptr && left + i >= 0 && left + i < rows.w;
        ends[line][end] = inside ? there + (left + i) * pitch : rows.zeros;
      }
    }
    run(rows, x, [&](auto line, auto i) HWY_ATTR __attribute__((always_inline)) {
      if constexpr (i < kEdge) {
        return ends[line][i];
      } else if constexpr (i >= kInputs - kEdge) {
        return ends[line][i - (kInputs - 2 * kEdge)];
      } else {
        return lines[line] + i * pitch;
      }
    });
  }
};

constexpr int kNarrowColumns = 3;
template <int kKernel, int kStride>
bool accepts_fixed_rows(const FixedRows& rows) {
  return rows.columns >= kNarrowColumns && FixedTile<kKernel, kStride, 2, kDepthwiseColumns>::accepts(rows);
}

/// The whole rows, in tiles of 7, 5 and 3 columns (4 and 3 with few registers, or for a single row 7 and 3) that fill
/// most widths exactly; a last one that does not fit moves back and computes what it shares with its neighbour again.
/// False if a row is narrower than every tile, or its padding or its pixels are larger than tiles are made for.
template <int kKernel, int kStride, int kRows>
bool run_fixed_rows(const FixedRows& rows) {
  constexpr int kWide = kDepthwiseColumns;
  constexpr int kNarrow = kNarrowColumns;
  constexpr int kMiddle = kRows > 1 && kWide > 5 ? 5 : kNarrow;
  const std::int64_t w = rows.columns;
  if (!accepts_fixed_rows<kKernel, kStride>(rows)) return false;
  const auto fits = [](std::int64_t rest) { return rest == 0 || (rest >= kNarrow && rest != kNarrow + 1); };
  for (std::int64_t x = 0; x < w;) {
    const std::int64_t rest = w - x;
    if (rest >= kWide && fits(rest - kWide)) {
      FixedTile<kKernel, kStride, kRows, kWide>::run(rows, x);
      x += kWide;
    } else if (kMiddle > kNarrow && rest >= kMiddle && fits(rest - kMiddle)) {
      FixedTile<kKernel, kStride, kRows, kMiddle>::run(rows, x);
      x += kMiddle;
    } else {
      FixedTile<kKernel, kStride, kRows, kNarrow>::run(rows, std::min(x, w - kNarrow));
      x += kNarrow;
    }
  }
  return true;
}

}  // namespace sepal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // SEPAL_KERNELS_DEPTHWISE_TILE_INL_H_
