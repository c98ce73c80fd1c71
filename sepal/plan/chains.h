#pragma once

#include <vector>

#include "sepal/plan/fusion.h"
#include "sepal/plan/plan.h"

namespace sepal {

// Which convolutions that read one another become one step, and how many rows it computes at once.

/// A convolution as the ranking sees it.
struct ChainLink {
  std::size_t node = 0;  ///< index in Graph::nodes()
  StageKind kind = StageKind::kPointwise;
  Window window{};
  Shape output{};      ///< [n, h', w', co]
  double weights = 0;  ///< bytes
  double macs = 0;
};

/// Neighbouring links computed as one step.
struct Cut {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::int64_t rows_at_once = 0;  ///< of the last one's output; 0 where it stands alone
  double seconds = 0;             ///< that moving data takes, by the model
};

/// The cheapest way to cut a chain: every map between two steps is written and read where it fits, L2, L3 or memory;
/// one within a step stays in L2, but the step's weights are read anew for every few rows.
std::vector<Cut> cut(std::span<const ChainLink> chain, const CacheSizes& caches, int threads);

/// The steps of several convolutions that the model finds cheapest; none where there are no chains.
std::vector<Fused> ranked(const Graph& graph, const CacheSizes& caches, int threads);

/// Every chain of at least two convolutions, as indices in Graph::nodes(): within those, and not beyond, steps may be
/// cut in one way or another.
std::vector<std::vector<std::size_t>> chains_of(const Graph& graph);

/// Adds `fused` to those that take an addition along. Throws Error(kInvalid) where one of them is no part of a chain,
/// is part of another, or has rings that no second cache holds.
void add_cascades(const Graph& graph, std::span<const Fused> fused, Fusions& fusions);

}  // namespace sepal
