#include "sepal/kernels/softmax.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sepal/kernels/softmax.cc"
#include <hwy/foreach_target.h>

#include "sepal/kernels/math-inl.h"

// Three passes over a row: its maximum, the sum of exp(x - maximum), the quotients. The sum is taken lane by
// lane and the lanes are added last, so long rows lose little.
//
// Rows of a few columns (a map of classes) would leave most lanes empty: there every lane has a row of its own, and a
// column of as many rows is a vector.

HWY_BEFORE_NAMESPACE();
namespace sepal::HWY_NAMESPACE {

constexpr hn::RebindToSigned<D> kIndexTag{};

// The lanes 0 .. n - 1 of v, `other` in the rest.
HWY_INLINE V first_or(V v, std::int64_t n, V other) {
  return n >= kLanes ? v : hn::IfThenElse(hn::FirstN(kTag, static_cast<std::size_t>(n)), v, other);
}

HWY_INLINE float maximum(const float* x, std::int64_t n) {
  const V none = hn::Set(kTag, -std::numeric_limits<float>::infinity());
  V high = none;
  for (std::int64_t i = 0; i < n; i += kLanes) {
    high = at_least(first_or(load_upto(x + i, n - i), n - i, none), high);
  }
  return hn::GetLane(hn::MaxOfLanes(kTag, high));
}

// A row to a lane up to so many columns; more are better off with vectors along the row.
constexpr std::int64_t kNarrowColumns = std::max<std::int64_t>(4, kLanes / 2);

// kLanes rows of kColumns columns, as vectors of one column each.
template <int kColumns>
struct Columns {
  static HWY_INLINE void load(const float* x, Array<V, kColumns>& columns) {
    if constexpr (kColumns == 1) columns[0] = hn::LoadU(kTag, x);
    if constexpr (kColumns == 2) hn::LoadInterleaved2(kTag, x, columns[0], columns[1]);
    if constexpr (kColumns == 3) hn::LoadInterleaved3(kTag, x, columns[0], columns[1], columns[2]);
    if constexpr (kColumns == 4) hn::LoadInterleaved4(kTag, x, columns[0], columns[1], columns[2], columns[3]);
    if constexpr (kColumns > 4) {
      const auto first = hn::Mul(hn::Iota(kIndexTag, 0), hn::Set(kIndexTag, kColumns));
      for (int j = 0; j < kColumns; ++j) columns[j] = hn::GatherIndex(kTag, x + j, first);
    }
  }
  static HWY_INLINE void store(const Array<V, kColumns>& columns, float* y) {
    if constexpr (kColumns == 1) hn::StoreU(columns[0], kTag, y);
    if constexpr (kColumns == 2) hn::StoreInterleaved2(columns[0], columns[1], kTag, y);
    if constexpr (kColumns == 3) hn::StoreInterleaved3(columns[0], columns[1], columns[2], kTag, y);
    if constexpr (kColumns == 4) hn::StoreInterleaved4(columns[0], columns[1], columns[2], columns[3], kTag, y);
    if constexpr (kColumns > 4) {
      const auto first = hn::Mul(hn::Iota(kIndexTag, 0), hn::Set(kIndexTag, kColumns));
      for (int j = 0; j < kColumns; ++j) hn::ScatterIndex(columns[j], kTag, y + j, first);
    }
  }
};

HWY_INLINE V logarithms(V x) {
  HWY_ALIGN float lanes[kLanes];
  hn::Store(x, kTag, lanes);
  for (float& lane : lanes) lane = std::log(lane);
  return hn::Load(kTag, lanes);
}

// kLanes rows of kColumns.
template <int kColumns>
HWY_INLINE void narrow_block(bool log, const float* x, float* y) {
  Array<V, kColumns> values;
  Columns<kColumns>::load(x, values);
  V high = values[0];
  for (int j = 1; j < kColumns; ++j) high = at_least(values[j], high);
  V sum = hn::Zero(kTag);
  for (V& value : values) {
    value = hn::Sub(value, high);
    const V e = exponential(value);
    sum = hn::Add(sum, e);
    if (!log) value = e;
  }
  const V scale = log ? logarithms(sum) : hn::Div(hn::Set(kTag, 1.0f), sum);
  for (V& value : values) value = log ? hn::Sub(value, scale) : hn::Mul(value, scale);
  Columns<kColumns>::store(values, y);
}

template <int kColumns>
void narrow_rows(const SoftmaxArgs& args, Range rows) {
  constexpr int kBlock = static_cast<int>(kLanes) * kColumns;
  std::int64_t row = rows.begin;
  for (; row + kLanes <= rows.end; row += kLanes) {
    narrow_block<kColumns>(args.log, args.input + row * kColumns, args.output + row * kColumns);
  }
  if (row == rows.end) return;
  // The last rows through a block of their own, so that the bits do not depend on where a range ends.
  HWY_ALIGN Array<float, kBlock> block = {};
  const auto bytes = static_cast<std::size_t>((rows.end - row) * kColumns) * sizeof(float);
  std::memcpy(block, args.input + row * kColumns, bytes);
  narrow_block<kColumns>(args.log, block, block);
  std::memcpy(args.output + row * kColumns, block, bytes);
}

void softmax_rows(const SoftmaxArgs& args, Range rows) {
  const std::int64_t n = args.columns;
  if (n <= kNarrowColumns) {
    static_assert(kNarrowColumns <= 8);
    using Run = void (*)(const SoftmaxArgs&, Range);
    static constexpr Run kRuns[] = {narrow_rows<1>, narrow_rows<2>, narrow_rows<3>, narrow_rows<4>,
                                    narrow_rows<5>, narrow_rows<6>, narrow_rows<7>, narrow_rows<8>};
    return kRuns[n - 1](args, rows);
  }
  for (std::int64_t row = rows.begin; row < rows.end; ++row) {
    const float* x = args.input + row * n;
    float* y = args.output + row * n;
    const V high = hn::Set(kTag, maximum(x, n));
    V sums = hn::Zero(kTag);
    for (std::int64_t i = 0; i < n; i += kLanes) {
      const V e = exponential(hn::Sub(load_upto(x + i, n - i), high));
      sums = hn::Add(sums, first_or(e, n - i, hn::Zero(kTag)));
      if (!args.log) store_upto(e, y + i, n - i);
    }
    const float sum = hn::GetLane(hn::SumOfLanes(kTag, sums));
    const V scale = hn::Set(kTag, 1.0f / sum);
    const V log_sum = hn::Set(kTag, std::log(sum));
    for (std::int64_t i = 0; i < n; i += kLanes) {
      const V result =
          args.log ? hn::Sub(hn::Sub(load_upto(x + i, n - i), high), log_sum) : hn::Mul(load_upto(y + i, n - i), scale);
      store_upto(result, y + i, n - i);
    }
  }
}

}  // namespace sepal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sepal {
namespace {
HWY_EXPORT(softmax_rows);
}  // namespace

void softmax(const SoftmaxArgs& args, Range rows) noexcept { HWY_DYNAMIC_DISPATCH(softmax_rows)(args, rows); }

}  // namespace sepal
#endif
