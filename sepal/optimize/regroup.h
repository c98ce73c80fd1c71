#pragma once

#include <optional>

#include "sepal/graph/op.h"

namespace sepal {

/// True if the permutation of a tensor of this shape moves no element: axes longer than 1 keep their order.
bool moves_only_units(const Shape& shape, const Permutation& permutation);

/// A shape, and the permutation that follows it.
struct Regrouped {
  Shape shape;
  Permutation permutation;
};

/// Reshape after transpose as transpose after reshape:
///   reshape(transpose(base, permutation), target) = transpose(reshape(base, result.shape), result.permutation),
/// possible where every group of axes that the reshape joins lies together in the base already, as when it
/// drops or adds axes of length 1 or splits one axis. Nothing where it is not.
std::optional<Regrouped> regroup(const Shape& base, const Permutation& permutation, const Shape& target);

/// Where `regroup` finds nothing because a group's axes lie apart or in another order: the permutation of the
/// base that brings each group together and leaves the groups where they begin, so that images stay
/// channels-last (a channel shuffle moves channels only). Nothing if the shapes cannot be cut into groups.
std::optional<Permutation> gather_groups(const Shape& base, const Permutation& permutation, const Shape& target);

}  // namespace sepal
