#pragma once

#include <cstdint>
#include <memory>

#include "sepal/plan/select.h"

namespace sepal {

// What the rows for convolutions share: constant filters, and the memory in which they are packed.

/// Memory for `count` floats.
inline std::shared_ptr<AlignedBytes> packed_memory(std::int64_t count) {
  return std::make_shared<AlignedBytes>(static_cast<std::size_t>(count) * sizeof(float));
}
inline float* floats_of(const std::shared_ptr<AlignedBytes>& memory) {
  return reinterpret_cast<float*>(memory->data());
}
inline const float* packed_floats_of(const Step& step) { return reinterpret_cast<const float*>(step.packed->data()); }

/// A convolution in f32 whose filter and bias are constants; else null.
inline const Conv2d* constant_conv(const Site& site) {
  const auto* conv = std::get_if<Conv2d>(&site.node.op);
  if (conv == nullptr || !site.f32() || site.constant(1) == nullptr) return nullptr;
  if (site.inputs() == 3 && site.constant(2) == nullptr) return nullptr;
  return conv;
}

inline const Shape& filter_of(const Site& site) { return site.input(1).shape; }
inline const float* bias_of(const Site& site) { return site.inputs() == 3 ? site.weights(2) : nullptr; }

}  // namespace sepal
