// The forward walk of a training step's depthwise convolution with 3 x 3 windows: along a row of output pixels for a
// vector of channels. Its nine weights stay in registers over all rows of a band, and so do the sums of the moments;
// what is read of x lies in the room, a cache line of channels after another and between zeros
// (depthwise_walk-inl.h), so that no edge needs a question.

#if defined(SEPAL_KERNELS_DEPTHWISE_SUMS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SEPAL_KERNELS_DEPTHWISE_SUMS_INL_H_
#undef SEPAL_KERNELS_DEPTHWISE_SUMS_INL_H_
#else
#define SEPAL_KERNELS_DEPTHWISE_SUMS_INL_H_
#endif

#include "sepal/kernels/depthwise_walk-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sepal::HWY_NAMESPACE {

/// Some rows of y, for a vector of channels of which `rest` are there.
struct SumsWalk {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  const float* const* lines = nullptr;  ///< [rows][3]: where the window of column 0 begins in each row of read x
  const float* weights = nullptr;       ///< [9], a channel pitch apart
  float* y = nullptr;                   ///< the first pixel; rows follow one another
  std::int64_t channels = 0;            ///< the pitch of weights, pixels and moments
  std::int64_t rest = 0;
  float* moments = nullptr;  ///< the pivots; sums and squares are `channels` further
  bool first = false;        ///< the pivots are not there yet
  Ahead ahead = {};          ///< kStride^2 lines for each pixel
};

template <int kStride, bool kWhole, bool kStream>
void walk_sums(const SumsWalk& walk) {
  const auto load = [&](const float* p) HWY_ATTR __attribute__((always_inline)) {
    if constexpr (kWhole) return hn::LoadU(kTag, p);
    return load_first(p, walk.rest);
  };
  const auto store = [&](V v, float* p) HWY_ATTR __attribute__((always_inline)) {
    if constexpr (kStream) {
      hn::Stream(v, kTag, p);
    } else if constexpr (kWhole) {
      hn::StoreU(v, kTag, p);
    } else {
      store_first(v, p, walk.rest);
    }
  };
  constexpr int kSide = 3;
  Array<Array<V, kSide>, kSide> weights;
  HWY_UNROLL(3)
  for (int row = 0; row < kSide; ++row) {
    HWY_UNROLL(3)
    for (int k = 0; k < kSide; ++k) weights[row][k] = load(walk.weights + (row * kSide + k) * walk.channels);
  }
  const auto sum_at = [&](const Array<const float*, kSide>& lines, std::int64_t x) HWY_ATTR
      __attribute__((always_inline)) {
        V sum = hn::Zero(kTag);
        HWY_UNROLL(3)
        for (int row = 0; row < kSide; ++row) {
          HWY_UNROLL(3)
          for (int k = 0; k < kSide; ++k) {
            sum = hn::MulAdd(hn::LoadU(kTag, lines[row] + (x * kStride + k) * kGroup), weights[row][k], sum);
          }
        }
        return sum;
      };
  if (walk.first) {
    const Array<const float*, kSide> lines = {walk.lines[0], walk.lines[1], walk.lines[2]};
    store_upto(sum_at(lines, 0), walk.moments, walk.rest);
  }
  const V pivot = load(walk.moments);
  V total = hn::Zero(kTag);
  V squares = hn::Zero(kTag);
  Ahead ahead = walk.ahead;
  const std::int64_t pitch = walk.channels;
  const std::int64_t columns = walk.columns;
  float* y = walk.y;
  for (std::int64_t i = 0; i < walk.rows; ++i) {
    const Array<const float*, kSide> lines = {walk.lines[i * kSide], walk.lines[i * kSide + 1],
                                              walk.lines[i * kSide + 2]};
    for (std::int64_t x = 0; x < columns; ++x, y += pitch) {
      const V sum = sum_at(lines, x);
      const V difference = hn::Sub(sum, pivot);
      total = hn::Add(total, difference);
      squares = hn::MulAdd(difference, difference, squares);
      store(sum, y);
      HWY_UNROLL(4)
      for (int line = 0; line < kStride * kStride; ++line) ahead.ask();
    }
  }
  float* const to = walk.moments + walk.channels;
  store_upto(hn::Add(load(to), total), to, walk.rest);
  store_upto(hn::Add(load(to + walk.channels), squares), to + walk.channels, walk.rest);
}

/// `stream`: past the caches.
template <int kStride>
void walk_sums(const SumsWalk& walk, bool stream) {
  if (walk.rest < kLanes) return walk_sums<kStride, false, false>(walk);
  stream ? walk_sums<kStride, true, true>(walk) : walk_sums<kStride, true, false>(walk);
}

}  // namespace sepal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // SEPAL_KERNELS_DEPTHWISE_SUMS_INL_H_
