#include "sepal/kernels/spatial_mean.h"

#include <algorithm>
#include <utility>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sepal/kernels/spatial_mean.cc"
#include <hwy/foreach_target.h>

#include "sepal/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sepal::HWY_NAMESPACE {

// n channels of one image, kVectors at a time, so that several sums are in flight and what is read of a pixel is a few
// lines side by side; the last vector has n % kLanes lanes if kPart.
template <int kVectors, bool kPart>
void mean_of(const float* image, const Shape& shape, std::int64_t n, V scale, float* output) {
  const auto load = [&](const float* p, int v) HWY_ATTR __attribute__((always_inline)) {
    return kPart && v == kVectors - 1 ? load_first(p, n % kLanes) : hn::LoadU(kTag, p);
  };
  Array<V, kVectors> total;
  for (V& sum : total) sum = hn::Zero(kTag);
  for (std::int64_t y = 0; y < shape.h(); ++y) {
    Array<V, kVectors> line;
    for (V& sum : line) sum = hn::Zero(kTag);
    for (std::int64_t x = 0; x < shape.w(); ++x) {
      const float* pixel = image + (y * shape.w() + x) * shape.c();
      for (int v = 0; v < kVectors; ++v) line[v] = hn::Add(line[v], load(pixel + v * kLanes, v));
    }
    for (int v = 0; v < kVectors; ++v) total[v] = hn::Add(total[v], line[v]);
  }
  for (int v = 0; v < kVectors; ++v) store_upto(hn::Mul(total[v], scale), output + v * kLanes, n - v * kLanes);
}

template <int... kFewer>
void mean_of_any(const float* image, const Shape& shape, std::int64_t n, V scale, float* output,
                 std::integer_sequence<int, kFewer...>) {
  using Mean = void (*)(const float*, const Shape&, std::int64_t, V, float*);
  static constexpr Mean kWhole[] = {&mean_of<kFewer + 1, false>...};
  static constexpr Mean kPart[] = {&mean_of<kFewer + 1, true>...};
  const std::int64_t vectors = (n + kLanes - 1) / kLanes;
  (n % kLanes == 0 ? kWhole : kPart)[vectors - 1](image, shape, n, scale, output);
}

void mean_channels(const SpatialMeanArgs& args, std::int64_t image, Range channels) {
  const Shape& shape = args.input.shape;
  const float* pixels = args.input.data + image * shape.h() * shape.w() * shape.c();
  float* output = args.output + image * shape.c();
  const V scale = hn::Set(kTag, 1.0f / static_cast<float>(shape.h() * shape.w()));
  for (std::int64_t c = channels.begin; c < channels.end; c += kMeanVectors * kLanes) {
    const std::int64_t n = std::min(channels.end - c, kMeanVectors * kLanes);
    mean_of_any(pixels + c, shape, n, scale, output + c, std::make_integer_sequence<int, kMeanVectors>());
  }
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
