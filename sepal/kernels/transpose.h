#pragma once

#include <cstdint>

#include "sepal/base/range.h"

namespace sepal {

/// A batch of matrices of 4-byte elements, each transposed: NCHW to NHWC is batch n, rows c, columns h * w;
/// NHWC to NCHW is rows h * w, columns c.
struct TransposeArgs {
  const void* input = nullptr;  ///< [batch][rows][columns]
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  void* output = nullptr;  ///< [batch][columns][rows]; must not overlap input
};

/// Writes the output rows `output_rows`, counted through the batch (0 .. batch * columns), each of `rows`
/// elements. Allocates nothing; disjoint rows may run at the same time.
void transpose(const TransposeArgs& args, Range output_rows) noexcept;

}  // namespace sepal
