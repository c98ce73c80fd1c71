#pragma once

#include <span>
#include <vector>

#include "sepal/graph/shape_rule.h"

namespace sepal {

// The shape rules of operators over image maps [n, h, w, c]; see `infer`.
using Inputs = std::span<const TensorType>;
std::vector<TensorType> infer_image(const Conv2d& op, Inputs inputs);
std::vector<TensorType> infer_image(const ConvTranspose2d& op, Inputs inputs);
std::vector<TensorType> infer_image(const IntegerConv2d& op, Inputs inputs);
std::vector<TensorType> infer_image(const QuantizedConv2d& op, Inputs inputs);
std::vector<TensorType> infer_image(const Pool& op, Inputs inputs);

// Checks that several rules share. Each throws Error(kInvalid) with the numbers.

/// Between `least` and `most` inputs.
void check_count(Inputs inputs, std::size_t least, std::size_t most);
/// A floating-point type; `what` names the input in the error.
void check_float(const TensorType& input, const char* what);
/// The same element type on both.
void check_same_type(const TensorType& a, const TensorType& b);
/// Exactly `rank` dimensions.
void check_rank(const TensorType& input, int rank, const char* what);
/// A vector [length]; with `or_scalar` also one element of any rank.
void check_vector(const TensorType& input, std::int64_t length, const char* what, bool or_scalar = false);
/// u8 or i8.
void check_byte(const TensorType& input, const char* what);

}  // namespace sepal
