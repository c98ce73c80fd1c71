#pragma once

#include <span>
#include <vector>

#include "sepal/graph/op.h"

namespace sepal {

/// Element type and shape of a value in a graph.
struct TensorType {
  DataType type = DataType::kF32;
  Shape shape;
  friend bool operator==(const TensorType&, const TensorType&) = default;
};

/// "f32 1x224x224x3".
std::string to_string(const TensorType& type);

/// Types of the operator's outputs over inputs of these types: its one shape rule.
/// Throws Error(kInvalid) that states the numbers if the inputs do not suit the operator.
std::vector<TensorType> infer(const Op& op, std::span<const TensorType> inputs);

/// The axis counted from the front; negative ones count from the end. Throws Error(kInvalid) if there is no
/// such axis.
int checked_axis(std::int64_t axis, int rank);

}  // namespace sepal
