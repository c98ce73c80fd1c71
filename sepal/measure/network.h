#pragma once

// A whole network timed on this machine, and every step of its plan by itself.

#include <cstdint>
#include <string>
#include <vector>

#include "sepal/graph/graph.h"
#include "sepal/machine/machine.h"
#include "sepal/measure/paired.h"

namespace sepal {

/// One step of a plan.
struct StepTiming {
  std::string node;
  std::string kernel;
  double seconds = 0;       ///< median over rounds
  std::uint64_t macs = 0;   ///< of the nodes that the step computes
  std::uint64_t flops = 0;  ///< theirs too, and their compulsory traffic
  std::uint64_t bytes = 0;
  Prediction predicted = {};  ///< by roofline, of the step as a whole
};

struct NetworkTiming {
  Timing whole;
  std::vector<StepTiming> steps = {};  ///< empty unless asked for
  std::uint64_t macs = 0;              ///< of one run, the batch included
};

/// Times the plan of `graph` (which is optimised first) with `threads` threads; with `by_step` also each step alone, in
/// rounds over all of them, so that caches are as a run leaves them. `machine` is for the predictions. Throws Error as
/// optimize() and Plan do.
NetworkTiming measure(const Graph& graph, const Machine& machine, int threads, bool by_step,
                      const TimingOptions& options = {}, const Clock& clock = seconds_now);

}  // namespace sepal
