#pragma once

// Two plans timed side by side, in turns, so that whatever else the machine does falls on both alike.

#include <functional>
#include <vector>

#include "sepal/graph/conv_layer.h"
#include "sepal/machine/machine.h"
#include "sepal/measure/roofline.h"
#include "sepal/plan/plan.h"

namespace sepal {

/// How long one run takes. A round is some runs in a row, and counts by its best: what disturbs a run can only make it
/// longer.
struct Timing {
  double best = 0;    ///< seconds of one run
  double median = 0;  ///< of the rounds' bests
  double spread = 0;  ///< (95th percentile - 5th) / median of the rounds' bests
  int rounds = 0;
  int runs = 0;  ///< in one round
};

struct PairedTiming {
  Timing first;
  Timing second;
  double speedup = 0;  ///< median over rounds of first / second
};

struct TimingOptions {
  double seconds = 0.3;  ///< for everything together, about; never less than the rounds take
  int least_rounds = 7;
};

/// Seconds since some moment. Tests give one that they wind themselves.
using Clock = std::function<double()>;
/// The steady clock.
double seconds_now();

/// Times a callable that is one run: warms it up, which also tells how many runs make a round of
/// seconds / least_rounds, then times the rounds.
Timing time_one(const std::function<void()>& run, const TimingOptions& options = {}, const Clock& clock = seconds_now);

/// Times two, each with a number of runs of its own that makes a round take seconds / (2 least_rounds). Rounds
/// alternate (first, second, second, first, ...), so that neither always runs into what the other left.
PairedTiming time_pair(const std::function<void()>& first, const std::function<void()>& second,
                       const TimingOptions& options = {}, const Clock& clock = seconds_now);

/// A graph ready to be timed: optimised, planned, with a workspace, inputs of noise (f32 uniform over -1 .. 1 from a
/// seed, others zero) and outputs. One run at a time.
class TimedPlan {
 public:
  /// Throws Error as optimize() and Plan do; Error(kMemory) if there is not enough.
  TimedPlan(const Graph& graph, int threads, std::uint64_t seed = 1);
  /// The same of a graph that is planned as it is.
  TimedPlan(const Graph& optimized, const PlanOptions& options, std::uint64_t seed = 1);
  /// `plan` is that of `optimized`.
  TimedPlan(const Graph& optimized, Plan plan, std::uint64_t seed = 1);

  void run() noexcept { plan_.run(workspace_, from_, to_); }
  /// One step of it, after those before.
  void run_step(std::size_t index) noexcept { plan_.run_step(index, workspace_, from_, to_); }

  const Plan& plan() const { return plan_; }
  /// What the last run gave, in the order of the graph's outputs.
  std::span<const Tensor> outputs() const { return outputs_; }

 private:
  Plan plan_;
  Workspace workspace_;
  std::vector<Tensor> inputs_;
  std::vector<Tensor> outputs_;
  std::vector<ConstBuffer> from_;  // the inputs
  std::vector<Buffer> to_;         // the outputs
};

/// A convolution against its separable twin on this machine: optimised, planned, run.
struct MeasuredComparison {
  Comparison cost;
  Prediction standard;   ///< by roofline
  Prediction separable;  ///< the two stages one after another
  PairedTiming measured;
  double promised = 0;  ///< the speed-up that the MACs promise: standard / separable
  double kept = 0;      ///< measured.speedup / promised
};
/// Times both with `threads` threads; `machine` is for the predictions alone. Throws Error(kInvalid) as compare() does,
/// and where a layer is more than a plan takes; Error(kMemory).
MeasuredComparison measure(const ConvLayer& layer, const Machine& machine, int threads,
                           const TimingOptions& options = {}, const Clock& clock = seconds_now);

}  // namespace sepal
