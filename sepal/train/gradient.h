#pragma once

#include <optional>
#include <span>
#include <vector>

#include "sepal/graph/graph.h"

namespace sepal {

/// Appends to the graph what computes the gradient of `loss`, a single number, with respect to each value of
/// `variables`: reverse accumulation, node by node from the last to the first (Griewank and Walther 2008, chapter 3).
/// Nothing is computed for what depends on no variable. A batch norm whose mean and variance come from BatchMoments or
/// TrainingConv2d is differentiated through them; one with other statistics takes them as given.
/// Returns the gradients in the order of the variables, nothing where the loss does not depend on one.
/// Throws Error(kUnsupported) that names a node on the way whose operator has no gradient, Error(kInvalid) where the
/// loss is not a single f32 number.
std::vector<std::optional<ValueId>> add_gradients(Graph& graph, ValueId loss, std::span<const ValueId> variables);

}  // namespace sepal
