#pragma once

#include <cstdint>

#include "sepal/graph/graph.h"

namespace sepal {

/// A network with one image input [n, h, w, c] for `batch` images at once: the same nodes and constants, under the same
/// ValueIds. Where a node reshapes to or expands a literal shape that begins with the old batch, the new one takes its
/// place. Throws Error(kInvalid) that names the first node that does not take it.
Graph with_batch(const Graph& network, std::int64_t batch);

/// A network with another number of classes: the last operator that has weights gets `classes` outputs, with new
/// weights (He et al. 2015, from the seed) and a bias of zeros; everything else is as it was. Throws
/// Error(kUnsupported) where that operator is neither a convolution nor a product with a matrix.
Graph with_classes(const Graph& network, std::int64_t classes, std::uint64_t seed);

/// The network without the softmax that it ends in, if it does: training wants logits.
Graph without_softmax(const Graph& network);

/// The images' shape [n, h, w, c]. Throws Error(kInvalid) unless the network has one f32 input, of images, and one
/// output [n, classes].
Shape image_shape(const Graph& network);
/// How many classes the network of one output [n, classes] tells apart.
std::int64_t class_count(const Graph& network);

}  // namespace sepal
