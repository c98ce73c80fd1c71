#include "sepal/kernels/spatial_mean.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sepal/kernels/spatial_mean.cc"
#include <hwy/foreach_target.h>

#include "sepal/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sepal::HWY_NAMESPACE {

// The channels `channels` of one image, a few vectors at a time so that several sums are in flight.
template <int kVectors>
HWY_INLINE void mean_of(const float* image, const Shape& shape, std::int64_t n, V scale, float* output) {
  Array<V, kVectors> total;
  for (V& sum : total) sum = hn::Zero(kTag);
  for (std::int64_t y = 0; y < shape.h(); ++y) {
    Array<V, kVectors> line;
    for (V& sum : line) sum = hn::Zero(kTag);
    for (std::int64_t x = 0; x < shape.w(); ++x) {
      const float* pixel = image + (y * shape.w() + x) * shape.c();
      for (int v = 0; v < kVectors; ++v) line[v] = hn::Add(line[v], load_upto(pixel + v * kLanes, n - v * kLanes));
    }
    for (int v = 0; v < kVectors; ++v) total[v] = hn::Add(total[v], line[v]);
  }
  for (int v = 0; v < kVectors; ++v) store_upto(hn::Mul(total[v], scale), output + v * kLanes, n - v * kLanes);
}

void mean_channels(const SpatialMeanArgs& args, std::int64_t image, Range channels) {
  const Shape& shape = args.input.shape;
  const float* pixels = args.input.data + image * shape.h() * shape.w() * shape.c();
  float* output = args.output + image * shape.c();
  const V scale = hn::Set(kTag, 1.0f / static_cast<float>(shape.h() * shape.w()));
  std::int64_t c = channels.begin;
  for (; c + 4 * kLanes <= channels.end; c += 4 * kLanes) mean_of<4>(pixels + c, shape, 4 * kLanes, scale, output + c);
  for (; c < channels.end; c += kLanes) mean_of<1>(pixels + c, shape, channels.end - c, scale, output + c);
}

}  // namespace sepal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sepal {
namespace {
HWY_EXPORT(mean_channels);
}  // namespace

void spatial_mean(const SpatialMeanArgs& args, Range values) noexcept {
  const std::int64_t c = args.input.shape.c();
  for (std::int64_t begin = values.begin; begin < values.end;) {
    const std::int64_t image = begin / c;
    const std::int64_t end = std::min(values.end, (image + 1) * c);
    HWY_DYNAMIC_DISPATCH(mean_channels)(args, image, Range{begin - image * c, end - image * c});
    begin = end;
  }
}

}  // namespace sepal
#endif
