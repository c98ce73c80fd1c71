#pragma once

#include <cstdint>

#include "sepal/base/range.h"

namespace sepal {

/// exp(x - max) / sum over each row, or its logarithm, x - max - log sum.
struct SoftmaxArgs {
  const float* input = nullptr;  ///< [rows][columns]
  std::int64_t columns = 0;
  bool log = false;
  float* output = nullptr;  ///< [rows][columns]; may be input
};

/// Computes the rows `rows`. Allocates nothing; disjoint rows may run at the same time.
void softmax(const SoftmaxArgs& args, Range rows) noexcept;

}  // namespace sepal
