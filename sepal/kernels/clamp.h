#pragma once

#include <limits>

#include "sepal/tensor/elementwise.h"

namespace sepal {

/// min(max(x, low), high): the activations that a kernel applies to a sum while it is in a register.
struct Clamp {
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();
};

/// True for identity, relu and clip, which clamp_of() expresses in full. Any other activation is applied with
/// unary() to the rows just written, while they are in the cache.
constexpr bool is_clamp(const Unary& activation) {
  return activation.kind == UnaryKind::kIdentity || activation.kind == UnaryKind::kRelu ||
         activation.kind == UnaryKind::kClip;
}

constexpr Clamp clamp_of(const Unary& activation) {
  if (activation.kind == UnaryKind::kRelu) return {.low = 0};
  if (activation.kind == UnaryKind::kClip) return {.low = activation.alpha, .high = activation.beta};
  return {};
}

}  // namespace sepal
