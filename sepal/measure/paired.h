#pragma once

// Two plans timed side by side, in turns, so that whatever else the machine does falls on both alike.

#include <functional>
#include <vector>

#include "sepal/graph/conv_layer.h"
#include "sepal/machine/machine.h"
#include "sepal/measure/roofline.h"

namespace sepal {

struct Timing {
  double best = 0;    ///< seconds of one run
  double median = 0;  ///< of the rounds' bests
  double spread = 0;  ///< (95th percentile - 5th) / median of the rounds
  int rounds = 0;
  int runs = 0;  ///< in one round
};

struct PairedTiming {
  Timing first;
  Timing second;
  double speedup = 0;  ///< median over rounds of first / second
};

struct TimingOptions {
  double seconds = 0.3;  ///< for both together, about
  int least_rounds = 7;
};

/// Each callable is one run. Warms up, then alternates rounds (first, second, second, first, ...).
PairedTiming time_pair(const std::function<void()>& first, const std::function<void()>& second,
                       const TimingOptions& options = {});

/// A convolution against its separable twin on this machine: optimised, planned, run.
struct MeasuredComparison {
  Comparison cost;
  Prediction standard;   ///< by roofline
  Prediction separable;  ///< the two stages one after another
  PairedTiming measured;
  double promised = 0;  ///< the speed-up that the MACs promise: standard / separable
  double kept = 0;      ///< measured.speedup / promised
};
MeasuredComparison measure(const ConvLayer& layer, const Machine& machine, int threads,
                           const TimingOptions& options = {});

}  // namespace sepal
