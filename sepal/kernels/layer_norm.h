#pragma once

#include <cstdint>

#include "sepal/base/range.h"

namespace sepal {

/// (x - mean) / sqrt(variance + epsilon) * scale + bias over each row.
struct LayerNormArgs {
  const float* input = nullptr;  ///< [rows][columns]
  std::int64_t columns = 0;      ///< at least 1
  const float* scale = nullptr;  ///< [columns]
  const float* bias = nullptr;   ///< [columns], or null
  float epsilon = 1e-5f;
  float* output = nullptr;  ///< [rows][columns]; may be input
};

/// Computes the rows `rows`. Allocates nothing; disjoint rows may run at the
/// same time, and give the same bits in any division.
void layer_norm(const LayerNormArgs& args, Range rows) noexcept;

}  // namespace sepal
