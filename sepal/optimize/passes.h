#pragma once

#include "sepal/graph/graph.h"

namespace sepal {

/// Nodes over constants alone become constants, as long as the results stay small against the constants
/// that the graph has already.
Graph fold_constants(const Graph& graph);

/// The same with a smaller budget, for what transposes have moved onto constants.
Graph fold_moved_constants(const Graph& graph);

/// Nodes that do nothing vanish: identities, reshapes to the same shape, casts to the same type, transposes and
/// reshapes that undo each other.
Graph simplify(const Graph& graph);

/// Transposes move down through operators that do not mind, meet and cancel; what is left stands where its
/// result is needed. See layout.cc.
Graph cancel_transposes(const Graph& graph);

/// Zero padding in front of a convolution joins its window.
Graph absorb_padding(const Graph& graph);

/// Batch norm, scales and shifts per channel after a convolution go into its filter and bias; a batch norm
/// that cannot becomes a multiplication and an addition.
Graph fold_batch_norm(const Graph& graph);

/// x * sigmoid(x), x * clip(x + 3, 0, 6) / 6 and their kin become the one function that they are.
Graph recognize_activations(const Graph& graph);

/// A function after a convolution becomes its activation.
Graph absorb_activations(const Graph& graph);

/// f16 and bf16 arithmetic happens in f32, between casts.
Graph widen(const Graph& graph);

}  // namespace sepal
