#pragma once

// Floats to scaled integers and back, as ONNX QuantizeLinear, DequantizeLinear and DynamicQuantizeLinear define
// them: in float, rounding half to even, saturating.

#include <cmath>

#include "sepal/kernels/reference/number.h"
#include "sepal/tensor/view.h"

namespace sepal::reference {

/// saturate(round_half_to_even(value) + zero); a NaN becomes 0.
template <typename Q>
Q quantized(float value, Q zero) {
  return saturate<Q>(std::nearbyint(value) + static_cast<float>(zero));
}

/// Calls body(element, parameter) for every element of a tensor in order, where `parameter` counts in a scale
/// that is a scalar, or holds one value per index of `axis`, or with block > 0 is shaped as the tensor but for
/// one value per `block` indices of `axis`.
template <typename Body>
void each_quantized(const Shape& shape, const Shape& scale, int axis, std::int64_t block, const Body& body) {
  const std::int64_t elements = shape.elements();
  if (block == 0 && scale.elements() == 1) {
    for (std::int64_t i = 0; i < elements; ++i) body(i, std::int64_t{0});
    return;
  }
  if (elements == 0) return;
  const std::int64_t outer = shape.elements(0, axis);
  const std::int64_t inner = shape.elements(axis + 1, shape.rank());
  std::int64_t element = 0;
  for (std::int64_t i = 0; i < outer; ++i) {
    for (std::int64_t k = 0; k < shape[axis]; ++k) {
      for (std::int64_t j = 0; j < inner; ++j) {
        body(element++, block == 0 ? k : (i * scale[axis] + k / block) * inner + j);
      }
    }
  }
}

template <typename Q>
struct QuantizeArgs {
  TensorView<const float> input = {};
  TensorView<const float> scale = {};
  const Q* zero = nullptr;  ///< shaped as scale
  int axis = 0;
  std::int64_t block = 0;
  TensorView<Q> output = {};
};
template <typename Q>
void quantize(const QuantizeArgs<Q>& args) noexcept {
  each_quantized(args.input.shape, args.scale.shape, args.axis, args.block, [&](std::int64_t i, std::int64_t p) {
    args.output.data[i] = quantized(args.input.data[i] / args.scale.data[p], args.zero[p]);
  });
}

template <typename Q>
struct DequantizeArgs {
  TensorView<const Q> input = {};
  TensorView<const float> scale = {};
  const Q* zero = nullptr;  ///< shaped as scale
  int axis = 0;
  std::int64_t block = 0;
  TensorView<float> output = {};
};
template <typename Q>
void dequantize(const DequantizeArgs<Q>& args) noexcept {
  each_quantized(args.input.shape, args.scale.shape, args.axis, args.block, [&](std::int64_t i, std::int64_t p) {
    const std::int64_t difference = std::int64_t{args.input.data[i]} - std::int64_t{args.zero[p]};
    args.output.data[i] = static_cast<float>(difference) * args.scale.data[p];
  });
}

struct DynamicQuantizeArgs {
  TensorView<const float> input = {};
  TensorView<std::uint8_t> output = {};
  float* scale = nullptr;
  std::uint8_t* zero = nullptr;
};
/// The range of x, widened to hold 0, on 0 .. 255. A tensor of nothing but zeros has scale 1, as ONNX Runtime
/// answers where ONNX would divide by 0.
inline void dynamic_quantize(const DynamicQuantizeArgs& args) noexcept {
  float low = 0;
  float high = 0;
  const std::int64_t elements = args.input.shape.elements();
  for (std::int64_t i = 0; i < elements; ++i) {
    low = std::min(low, args.input.data[i]);
    high = std::max(high, args.input.data[i]);
  }
  *args.scale = low == high ? 1.0f : (high - low) / 255.0f;
  *args.zero = saturate<std::uint8_t>(std::nearbyint(0.0f - low / *args.scale));
  for (std::int64_t i = 0; i < elements; ++i) {
    args.output.data[i] = quantized(args.input.data[i] / *args.scale, *args.zero);
  }
}

}  // namespace sepal::reference
