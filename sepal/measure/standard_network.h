#pragma once

// A network with standard convolutions in the place of its separable ones: what the MACs promise is told against it.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "sepal/graph/graph.h"

namespace sepal {

/// A separable pair of a graph, and the convolution that stands in its place.
struct ReplacedPair {
  std::string name;      ///< of both stages: "block_1/depthwise + pointwise"
  std::size_t node = 0;  ///< of the convolution, in StandardNetwork::graph
};

struct StandardNetwork {
  Graph graph;
  std::vector<std::size_t> node_of;  ///< by node of the graph given: the node here that computes it
  std::vector<ReplacedPair> pairs;
};

/// The graph with one convolution in the place of each separable pair that standard_twins() finds among its f32
/// convolutions, between the same ends: the depthwise stage's window, the pointwise stage's bias and activation, and
/// He-initialised weights by `seed`, so that signals stay of a size. What lies between the stages is gone. `graph` may
/// be one that was optimised. Throws Error(kInvalid) if it has no such pair.
StandardNetwork standard_network(const Graph& graph, std::uint64_t seed = 1);

}  // namespace sepal
