#include "sepal/measure/network.h"

#include "sepal/graph/cost.h"
#include "sepal/measure/rounds.h"
#include "sepal/measure/steps.h"
#include "sepal/optimize/optimize.h"
#include "sepal/plan/tuned.h"

namespace sepal {

NetworkTiming measure(Graph graph, const Machine& machine, const PlanOptions& planning, bool by_step,
                      const TimingOptions& options, const Clock& clock) {
  NetworkTiming result;
  const double begin = clock();
  const Graph optimized = optimize(graph);
  graph = Graph();
  Plan planned(optimized, with_kept(planning, optimized));
  result.plan_seconds = clock() - begin;
  TimedPlan plan(optimized, std::move(planned));
  const NetworkCost cost = cost_of(optimized);
  result.macs = cost.total.macs;
  result.whole = time_one([&] { plan.run(); }, options, clock);
  if (!by_step) return result;
  StepRounds rounds(plan, 1, clock);
  go_round(options, clock, [&](int /*round*/) { rounds.round(); });
  result.steps = rounds.timings(optimized, cost, machine, planning.threads);
  return result;
}

}  // namespace sepal
