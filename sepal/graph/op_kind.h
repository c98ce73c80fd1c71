#pragma once

// What an operator is to a report: what its constants are for, which inputs it multiplies, what kind of layer it is.

#include <optional>
#include <span>
#include <vector>

#include "sepal/graph/cost.h"

namespace sepal {

/// What a constant is for that an operator reads as its input `index`.
enum class ParameterRole : std::uint8_t {
  kWeights,
  kBias,
  kNormalization,
  kSlope,
  kStatistics,
  kQuantization,  ///< scales and zero points
  kConstant,      ///< data: indices, shifts, limits, anything else
};
ParameterRole role_of(const Op& op, std::size_t index);

/// The two inputs whose products a linear operator sums, as {activations, weights}; {-1, -1} for all others.
struct Factors {
  int activations = -1;
  int weights = -1;
};
Factors factors_of(const Op& op);

/// A convolution of whatever numbers, read as the one that it is: its window and groups, and where its filter and its
/// bias stand among its inputs (the image is the first).
struct ConvReading {
  Conv2d conv;
  std::size_t filter = 1;
  std::optional<std::size_t> bias = 2;  ///< none: the operator knows none
};
/// Of Conv2d, IntegerConv2d and QuantizedConv2d; nothing for all others.
std::optional<ConvReading> convolution_of(const Op& op);

/// `constant` tells which inputs are constants.
LayerKind kind_of(const Op& op, std::span<const TensorType> inputs, const std::vector<bool>& constant);

}  // namespace sepal
