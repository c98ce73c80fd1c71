#pragma once

// Checking the ranking of fused steps by measuring them.

#include <vector>

#include "sepal/graph/graph.h"
#include "sepal/measure/paired.h"
#include "sepal/plan/plan.h"

namespace sepal {

struct Tuning {
  std::vector<Fused> fused;  ///< the best found; the ranking's own where nothing was better
  PairedTiming timing;       ///< the ranking's plan, then the tuned one, in turns
  std::size_t chains = 0;    ///< chains of convolutions in the network
  std::size_t changed = 0;   ///< of those, cut otherwise than the ranking would
};

/// Tries, for every chain of convolutions, how the ranking would cut it for caches of a quarter to four times the size,
/// and nothing fused; takes for each chain what was at least 2 % faster, and keeps all that only if the whole network
/// is faster by half a per cent. `optimized` is a graph as plans take it. Throws Error as Plan does.
Tuning tune(const Graph& optimized, const PlanOptions& planning, const TimingOptions& options = {},
            const Clock& clock = seconds_now);

}  // namespace sepal
