#pragma once

#include <cstdint>
#include <memory>

#include "sepal/kernels/grouped.h"
#include "sepal/kernels/packed.h"
#include "sepal/kernels/pointwise.h"
#include "sepal/plan/frame.h"
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

/// Whether a convolution has groups of few channels, as many out as in (kernels/grouped.h).
inline bool has_small_groups(const Conv2d& conv, const Shape& filter) {
  const std::int64_t group = filter.c();
  return conv.groups > 1 && group > 1 && group <= kMostGroupChannels && filter.n() == conv.groups * group;
}

/// What the step's image is multiplied by, room left out, or nothing.
inline Gate gate_of(const Step& step, const Frame& frame) {
  const Shape& image = step.inputs[0].type.shape;
  if (step.gate == 0) return {};
  return {.factors = frame.view<float>(step.inputs[step.gate]).data, .rows = image.h() * image.w()};
}

/// Bytes of room for a gate on such a map.
inline std::size_t gate_bytes(const Shape& map) {
  return (static_cast<std::size_t>(panel_floats(map.c())) * sizeof(float) + kSlack + 63) / 64 * 64;
}

/// Whether a product of so many rows and output channels is divided by rows among threads, not by panels of channels.
inline bool divides_rows(std::int64_t rows, std::int64_t co, int threads) {
  return rows >= 2 * panels(co) || panels(co) < threads;
}

}  // namespace sepal
