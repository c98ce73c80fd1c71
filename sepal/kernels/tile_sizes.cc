#include "sepal/kernels/tile_sizes.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sepal/kernels/tile_sizes.cc"
#include <hwy/foreach_target.h>

#include "sepal/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sepal::HWY_NAMESPACE {

TileSizes sizes() { return {kTileRows, static_cast<int>(kTileVectors * kLanes), 2, kDepthwiseColumns}; }

}  // namespace sepal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sepal {
namespace {
HWY_EXPORT(sizes);
}  // namespace

TileSizes tile_sizes() { return HWY_DYNAMIC_DISPATCH(sizes)(); }

}  // namespace sepal
#endif
