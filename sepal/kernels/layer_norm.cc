#include "sepal/kernels/layer_norm.h"

#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sepal/kernels/layer_norm.cc"
#include <hwy/foreach_target.h>

#include "sepal/kernels/simd-inl.h"

// Three passes over a row, which stays in the first cache: its mean, the mean
// of the squared distances from it (squares of the values themselves would
// cancel), the results. Sums are taken lane by lane, four vectors at a time,
// and added last, so long rows lose little.

HWY_BEFORE_NAMESPACE();
namespace sepal::HWY_NAMESPACE {

// The mean of function(x) over a row.
template <typename Function>
HWY_INLINE float mean_of(const float* x, std::int64_t n, const Function& function) {
  constexpr int kSums = 4;
  Array<V, kSums> sums;
  for (V& sum : sums) sum = hn::Zero(kTag);
  std::int64_t i = 0;
  for (; i + kSums * kLanes <= n; i += kSums * kLanes) {
    for (int k = 0; k < kSums; ++k) sums[k] = hn::Add(sums[k], function(hn::LoadU(kTag, x + i + k * kLanes)));
  }
  for (; i + kLanes <= n; i += kLanes) sums[0] = hn::Add(sums[0], function(hn::LoadU(kTag, x + i)));
  if (const std::int64_t rest = n - i; rest > 0) {
    // Lanes without a value count nothing.
    const auto there = hn::FirstN(kTag, static_cast<std::size_t>(rest));
    sums[1] = hn::Add(sums[1], hn::IfThenElseZero(there, function(load_first(x + i, rest))));
  }
  const V total = hn::Add(hn::Add(sums[0], sums[1]), hn::Add(sums[2], sums[3]));
  return hn::GetLane(hn::SumOfLanes(kTag, total)) / static_cast<float>(n);
}

void layer_norm_rows(const LayerNormArgs& args, Range rows) {
  const std::int64_t n = args.columns;
  for (std::int64_t row = rows.begin; row < rows.end; ++row) {
    const float* x = args.input + row * n;
    float* y = args.output + row * n;
    const V mean = hn::Set(kTag, mean_of(x, n, [](V v) HWY_ATTR { return v; }));
    const float variance = mean_of(x, n, [mean](V v) HWY_ATTR {
      const V distance = hn::Sub(v, mean);
      return hn::Mul(distance, distance);
    });
    const V inverse = hn::Set(kTag, 1.0f / std::sqrt(variance + args.epsilon));
    for (std::int64_t i = 0; i < n; i += kLanes) {
      const std::int64_t rest = n - i;
      const V normal = hn::Mul(hn::Sub(load_upto(x + i, rest), mean), inverse);
      const V bias = args.bias == nullptr ? hn::Zero(kTag) : load_upto(args.bias + i, rest);
      store_upto(hn::MulAdd(normal, load_upto(args.scale + i, rest), bias), y + i, rest);
    }
  }
}

}  // namespace sepal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sepal {
namespace {
HWY_EXPORT(layer_norm_rows);
}  // namespace

void layer_norm(const LayerNormArgs& args, Range rows) noexcept { HWY_DYNAMIC_DISPATCH(layer_norm_rows)(args, rows); }

}  // namespace sepal
#endif
