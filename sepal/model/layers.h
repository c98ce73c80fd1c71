#pragma once

#include <cstdint>

#include "sepal/tensor/elementwise.h"
#include "sepal/tensor/tensor.h"
#include "sepal/tensor/window.h"

#pragma GCC visibility push(default)

namespace sepal {

/// How a layer's filter moves over an image. `padding` is independent on each side.
struct LayerOptions {
  Extent stride{1, 1};
  Extent dilation{1, 1};
  Padding padding{};
  std::int64_t groups = 1;  ///< conv2d only: divides input and output channels
  Unary activation{};       ///< applied to each result
  int threads = 1;
};

// Layers for people who have no model file. Images are f32 [n, h, w, c]. Each function plans, packs and runs
// anew: for repeated use, load a model. `bias` may be null. All throw Error(kInvalid) with the numbers if
// shapes do not fit, Error(kUnsupported) for another type, and are safe to call from several threads.

/// Convolution (cross-correlation): filter [co, kh, kw, ci / groups], bias [co] -> [n, h', w', co].
Tensor conv2d(const Tensor& input, const Tensor& filter, const Tensor* bias = nullptr,
              const LayerOptions& options = {});

/// Every channel by itself: filter [c * m, kh, kw, 1], bias [c * m] -> [n, h', w', c * m], where output channel
/// c * m + j is filter j of channel c (m is the depth multiplier).
Tensor depthwise_conv2d(const Tensor& input, const Tensor& filter, const Tensor* bias = nullptr,
                        const LayerOptions& options = {});

/// 1 x 1 convolution: filter [co, ci] or [co, 1, 1, ci], bias [co] -> [n, h, w, co].
Tensor pointwise_conv2d(const Tensor& input, const Tensor& filter, const Tensor* bias = nullptr,
                        const LayerOptions& options = {});

/// Depthwise, then pointwise (Howard et al. 2017, section 3.1): filters [c * m, kh, kw, 1] and [co, c * m] ->
/// [n, h', w', co]. Stride, dilation and padding belong to the depthwise stage, the activation to the result.
Tensor separable_conv2d(const Tensor& input, const Tensor& depthwise_filter, const Tensor& pointwise_filter,
                        const Tensor* bias = nullptr, const LayerOptions& options = {});

}  // namespace sepal

#pragma GCC visibility pop
