#include "sepal/kernels/softmax.h"

#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sepal/kernels/softmax.cc"
#include <hwy/foreach_target.h>

#include "sepal/kernels/math-inl.h"

// Three passes over a row: its maximum, the sum of exp(x - maximum), the quotients. The sum is taken lane by
// lane and the lanes are added last, so long rows lose little.

HWY_BEFORE_NAMESPACE();
namespace sepal::HWY_NAMESPACE {

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

void softmax_rows(const SoftmaxArgs& args, Range rows) {
  const std::int64_t n = args.columns;
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
