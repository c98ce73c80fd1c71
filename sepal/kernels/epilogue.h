#pragma once

#include <limits>

#include "sepal/tensor/elementwise.h"

namespace sepal {

/// What becomes of a sum while it is in a register: min(max(x, low), high), or hard swish.
struct Epilogue {
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();
  bool hard_swish = false;  ///< in the place of the limits
};

/// True for identity, relu, clip and hard swish, which epilogue_of() expresses in full. Any other activation is applied
/// with unary() to the rows just written, while they are in the cache.
constexpr bool is_epilogue(const Unary& activation) {
  return activation.kind == UnaryKind::kIdentity || activation.kind == UnaryKind::kRelu ||
         activation.kind == UnaryKind::kClip || activation.kind == UnaryKind::kHardSwish;
}

constexpr Epilogue epilogue_of(const Unary& activation) {
  if (activation.kind == UnaryKind::kRelu) return {.low = 0};
  if (activation.kind == UnaryKind::kClip) return {.low = activation.alpha, .high = activation.beta};
  if (activation.kind == UnaryKind::kHardSwish) return {.hard_swish = true};
  return {};
}

}  // namespace sepal
