#include "sepal/kernels/ceiling.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sepal/kernels/ceiling.cc"
#include <hwy/foreach_target.h>

#include "sepal/kernels/simd-inl.h"

// What bounds a chain of additions is their latency, 2 to 5 cycles, so as many chains must be under way as latency
// times the additions that begin in a cycle: 8 on Zen, 10 on Haswell, 16 on the widest Arm cores. Twelve are what 16
// registers hold beside the two factors. The compiler must not see what the numbers are, or it would do the sums itself
// and merge chains that are alike; hence `unknown`, read anew for every chain.

HWY_BEFORE_NAMESPACE();
namespace sepal::HWY_NAMESPACE {

constexpr int kChains = kHas32Registers ? 16 : 12;
constexpr int kGroups = 4;  // the loops over chains are nested: g++ unrolls none that is longer than 16

struct Chains {
  // Spelt out: what the compiler adds by itself is for any Arm, and cannot call what is for NEON.
  HWY_INLINE Chains() {}
  Array<Array<V, kChains / kGroups>, kGroups> value;
};

HWY_INLINE float sum_of(const Chains& chains) {
  V sum = hn::Zero(kTag);
  for (const auto& group : chains.value) {
    for (const V& chain : group) sum = hn::Add(sum, chain);
  }
  return hn::GetLane(hn::SumOfLanes(kTag, sum));
}

HWY_INLINE V unknown(float known) {
  volatile float value = known;
  return hn::Set(kTag, value);
}

FmaChains fma_rounds(std::int64_t rounds) {
  const V half = unknown(0.5f);
  const V one = unknown(1.0f);
  Chains chains;
  for (auto& group : chains.value) {
    for (V& chain : group) chain = unknown(0.0f);
  }
  for (std::int64_t round = 0; round < rounds; ++round) {
    for (auto& group : chains.value) {
      for (V& chain : group) chain = hn::MulAdd(chain, half, one);
    }
  }
  return {sum_of(chains), rounds * 2 * kChains * kLanes};
}

float read_passes(const float* values, std::int64_t count, std::int64_t passes) {
  Chains chains;
  for (auto& group : chains.value) {
    for (V& chain : group) chain = hn::Zero(kTag);
  }
  for (std::int64_t pass = 0; pass < passes; ++pass) {
    std::int64_t i = 0;
    for (; i + kChains * kLanes <= count; i += kChains * kLanes) {
      const float* next = values + i;
      for (auto& group : chains.value) {
        for (V& chain : group) {
          chain = hn::Add(chain, hn::LoadU(kTag, next));
          next += kLanes;
        }
      }
    }
    for (; i < count; i += kLanes) {
      chains.value[0][0] = hn::Add(chains.value[0][0], load_upto(values + i, count - i));
    }
  }
  return sum_of(chains);
}

}  // namespace sepal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sepal {
namespace {
HWY_EXPORT(fma_rounds);
HWY_EXPORT(read_passes);
}  // namespace

FmaChains fma_chains(std::int64_t rounds) noexcept { return HWY_DYNAMIC_DISPATCH(fma_rounds)(rounds); }

float read_stream(std::span<const float> values, std::int64_t passes) noexcept {
  return HWY_DYNAMIC_DISPATCH(read_passes)(values.data(), static_cast<std::int64_t>(values.size()), passes);
}

}  // namespace sepal
#endif
