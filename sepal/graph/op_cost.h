#pragma once

// The arithmetic of one operator, apart from where its constants come from: what cost.cc adds up over a graph.

#include <span>

#include "sepal/graph/cost.h"

namespace sepal {

/// Operations of an operator over inputs and outputs of these types: macs, effective_macs, nominal and effective of
/// a Cost. Throws Error(kInvalid) where a count does not fit 64 bits.
Cost arithmetic_of(const Op& op, std::span<const TensorType> inputs, std::span<const TensorType> outputs);

}  // namespace sepal
