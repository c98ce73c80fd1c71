#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "sepal/graph/cost.h"
#include "sepal/graph/graph.h"
#include "sepal/measure/network.h"

namespace sepal {

/// What a step costs that computes these nodes (indices in Graph::nodes()): their costs together, but that what one of
/// them makes for the others alone does not move. `cost` is that of the graph.
Cost cost_of_step(const Graph& graph, const NetworkCost& cost, std::span<const std::size_t> nodes);

/// The least time that each step of a plan of `graph` takes, by roofline.
std::vector<Prediction> predict_steps(const Graph& graph, const Plan& plan, const Machine& machine);

/// A plan timed step by step, in rounds over all steps.
class StepRounds {
 public:
  /// In a round each step counts by the best of `passes`. Both must outlive the object.
  StepRounds(TimedPlan& plan, int passes, const Clock& clock);

  void round();

  std::size_t rounds() const { return rounds_.size(); }
  /// Seconds of these together in that round.
  double seconds(std::size_t round, std::span<const Portion> steps) const;
  /// Every step with its median over rounds; `graph` is what was planned, `cost` what it costs.
  std::vector<StepTiming> timings(const Graph& graph, const NetworkCost& cost, const Machine& machine,
                                  int threads) const;

 private:
  TimedPlan& plan_;
  int passes_;
  const Clock& clock_;
  std::vector<std::vector<double>> rounds_;  ///< by round, by step
};

}  // namespace sepal
