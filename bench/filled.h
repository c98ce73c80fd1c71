#pragma once

// Numbers to work on.

#include <cstdint>

#include "sepal/tensor/tensor.h"

namespace sepal {

/// f32 from -0.5 to 0.5, the same every time.
inline Tensor filled(const Shape& shape) {
  Tensor tensor(DataType::kF32, shape);
  std::uint32_t state = 1;
  for (float& value : tensor.values<float>()) {
    state = state * 1664525u + 1013904223u;
    value = static_cast<float>(state >> 8) / static_cast<float>(1 << 24) - 0.5f;
  }
  return tensor;
}

}  // namespace sepal
