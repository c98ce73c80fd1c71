#pragma once

#include <cstdint>

#include "sepal/base/range.h"
#include "sepal/tensor/elementwise.h"

namespace sepal {

/// output[i] = function(input[i]) for the elements `range`; output may be input. Accurate to 4 units in the
/// last place or 1e-7 absolute, whichever is more. Every kind but kNot (which is of bool). A value's bits do
/// not depend on where in the range it lies.
void unary(const Unary& function, const float* input, float* output, Range range) noexcept;

/// True for the kinds that binary() computes: add, subtract, multiply, divide, minimum, maximum, PReLU.
bool binary_accepts(BinaryKind kind) noexcept;

/// How the second operand of binary() meets the first, [rows][columns]: row r takes row (r / repeat) % rows
/// of the operand.
///   same shape                  {data, rows, 1, false}
///   one row for all (bias)      {data, 1, 1, false}
///   one row an image, [n, c]    {data, n, h * w, false}   (squeeze and excite: a = [n h w][c])
///   one value for all           {data, 1, 1, true}
///   one value a row             {data, rows, 1, true}
struct Broadcast {
  const float* data = nullptr;  ///< [rows][columns], or [rows] if one_value
  std::int64_t rows = 1;
  std::int64_t repeat = 1;
  bool one_value = false;  ///< a row of the operand is a single value
};

/// output = activation(a op b), or activation(b op a) if swapped.
struct BinaryArgs {
  BinaryKind kind = BinaryKind::kAdd;
  const float* a = nullptr;  ///< [rows][columns]
  Broadcast b;
  std::int64_t columns = 0;
  bool swapped = false;  ///< the broadcast operand is the left one; subtract, divide and PReLU care
  Unary activation;
  float* output = nullptr;  ///< [rows][columns]; may be a, or b's data where b has the same shape
};

/// Computes the rows `rows`. Allocates nothing; disjoint rows may run at the same time.
void binary(const BinaryArgs& args, Range rows) noexcept;

}  // namespace sepal
