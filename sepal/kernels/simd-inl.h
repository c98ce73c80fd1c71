// What the kernels add to Highway: the vector they work with, loads and stores of a few lanes, a clamp that
// lets NaN through. Compiled once for every instruction set, hence Highway's kind of include guard.

#if defined(SEPAL_KERNELS_SIMD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SEPAL_KERNELS_SIMD_INL_H_
#undef SEPAL_KERNELS_SIMD_INL_H_
#else
#define SEPAL_KERNELS_SIMD_INL_H_
#endif

#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "sepal/kernels/epilogue.h"
#include "sepal/kernels/tile.h"

HWY_BEFORE_NAMESPACE();
namespace sepal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;
constexpr D kTag{};
constexpr std::int64_t kLanes = static_cast<std::int64_t>(hn::MaxLanes(D()));
static_assert(kPanelColumns % (kTileVectors * kLanes) == 0);

constexpr bool kPlain = HWY_TARGET == HWY_EMU128 || HWY_TARGET == HWY_SCALAR;  // no vector instructions
constexpr bool kHas32Registers = HWY_TARGET != HWY_AVX2 && HWY_TARGET != HWY_SSE4 && !kPlain;
constexpr int kTileRows = kHas32Registers ? kTileRowsOf32Registers : kTileRowsOf16Registers;
constexpr int kDepthwiseColumns = kHas32Registers ? kDepthwiseColumnsOf32Registers : kDepthwiseColumnsOf16Registers;
constexpr int kAnyColumns = kHas32Registers ? kAnyColumnsOf32Registers : kAnyColumnsOf16Registers;

/// Row panels: kTileRows rows side by side, a vector of each in turn, [k / kLanes][kTileRows][kLanes], so that what
/// fills them stores whole vectors and the product's tile reads along one pointer. Floats of one panel, and where row
/// `row` of all begins.
constexpr std::int64_t row_panel_pitch(std::int64_t k) { return (k + kLanes - 1) / kLanes * kLanes * kTileRows; }
constexpr std::int64_t row_panel_place(std::int64_t row, std::int64_t k) {
  return row / kTileRows * row_panel_pitch(k) + row % kTileRows * kLanes;
}

/// T[kCount]; counts are signed everywhere here, and the language wants this one unsigned.
template <typename T, int kCount>
using Array = T[static_cast<std::size_t>(kCount)];

// AVX2 and AVX-512 touch no memory under a mask's zeros. Elsewhere Highway reads and writes the whole vector,
// which would be a race where the next lanes belong to another thread, so there a few lanes go by memcpy.
constexpr bool kMasksMemory = HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL;

/// Lanes 0 .. n - 1 from p, the others zero; 0 < n < kLanes. Touches nothing after p[n - 1].
HWY_INLINE V load_first(const float* p, std::int64_t n) {
  if constexpr (kMasksMemory) {
    return hn::MaskedLoad(hn::FirstN(kTag, static_cast<std::size_t>(n)), kTag, p);
  } else {
    HWY_ALIGN float lanes[kLanes] = {};
    std::memcpy(lanes, p, static_cast<std::size_t>(n) * sizeof(float));
    return hn::Load(kTag, lanes);
  }
}

/// Stores lanes 0 .. n - 1 to p; 0 < n < kLanes. Touches nothing after p[n - 1].
HWY_INLINE void store_first(V v, float* p, std::int64_t n) {
  if constexpr (kMasksMemory) {
    hn::BlendedStore(v, hn::FirstN(kTag, static_cast<std::size_t>(n)), kTag, p);
  } else {
    HWY_ALIGN float lanes[kLanes];
    hn::Store(v, kTag, lanes);
    std::memcpy(p, lanes, static_cast<std::size_t>(n) * sizeof(float));
  }
}

/// The first min(n, kLanes) lanes.
HWY_INLINE V load_upto(const float* p, std::int64_t n) { return n >= kLanes ? hn::LoadU(kTag, p) : load_first(p, n); }
HWY_INLINE void store_upto(V v, float* p, std::int64_t n) {
  if (n >= kLanes) {
    hn::StoreU(v, kTag, p);
  } else {
    store_first(v, p, n);
  }
}

/// max(x, low) and min(x, high) that give x where x is NaN. x86's instructions give their second operand then; those
/// that Highway takes on Arm give the number, so there, and in plain C++, the comparison is spelt out.
constexpr bool kSecondOfNan = HWY_ARCH_X86 && !kPlain;
HWY_INLINE V at_least(V x, V low) {
  if constexpr (kSecondOfNan) return hn::Max(low, x);
  return hn::IfThenElse(hn::Lt(x, low), low, x);
}
HWY_INLINE V at_most(V x, V high) {
  if constexpr (kSecondOfNan) return hn::Min(high, x);
  return hn::IfThenElse(hn::Gt(x, high), high, x);
}

/// x clip(x / 6 + 1/2, 0, 1).
HWY_INLINE V hard_swish(V x) {
  const V gate = hn::MulAdd(x, hn::Set(kTag, 1.0f / 6.0f), hn::Set(kTag, 0.5f));
  return hn::Mul(x, at_most(at_least(gate, hn::Zero(kTag)), hn::Set(kTag, 1.0f)));
}

/// The limits of an epilogue without hard swish.
HWY_INLINE V limited(V x, const Epilogue& epilogue) {
  return at_most(at_least(x, hn::Set(kTag, epilogue.low)), hn::Set(kTag, epilogue.high));
}

HWY_INLINE V finished(V x, const Epilogue& epilogue) {
  return epilogue.hard_swish ? hard_swish(x) : limited(x, epilogue);
}

}  // namespace sepal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // SEPAL_KERNELS_SIMD_INL_H_
