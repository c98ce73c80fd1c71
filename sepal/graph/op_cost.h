#pragma once

// The cost of one operator, apart from where its constants come from: what cost.cc adds up over a graph.

#include <span>

#include "sepal/graph/cost.h"

namespace sepal {

/// Operations of an operator over inputs and outputs of these types: macs, effective_macs, nominal and effective of
/// a Cost. Throws Error(kInvalid) where a count does not fit 64 bits.
Cost arithmetic_of(const Op& op, std::span<const TensorType> inputs, std::span<const TensorType> outputs);

/// What a constant is for that an operator reads as its input `index`.
enum class ParameterRole : std::uint8_t { kWeights, kBias, kNormalization, kStatistics, kOther };
ParameterRole role_of(const Op& op, std::size_t index);

/// The two inputs whose products a linear operator sums, as {activations, weights}; {-1, -1} for all others.
struct Factors {
  int activations = -1;
  int weights = -1;
};
Factors factors_of(const Op& op);

/// `constant` tells which inputs are constants.
LayerKind kind_of(const Op& op, std::span<const TensorType> inputs, const std::vector<bool>& constant);

}  // namespace sepal
