#include "sepal/measure/network.h"

#include "sepal/graph/cost.h"
#include "sepal/measure/rounds.h"
#include "sepal/optimize/optimize.h"

namespace sepal {
namespace {

std::vector<StepTiming> time_steps(TimedPlan& plan, const NetworkCost& cost, const Machine& machine, int threads,
                                   const TimingOptions& options, const Clock& clock) {
  const std::span<const Step> steps = plan.plan().steps();
  std::vector<std::vector<double>> seconds(steps.size());
  go_round(options, clock, [&](int /*round*/) {
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const double before = clock();
      plan.run_step(i);
      seconds[i].push_back(clock() - before);
    }
  });
  std::vector<StepTiming> timings;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    Cost sum;
    for (const std::size_t node : steps[i].nodes) sum = sum + cost.layers[node].cost;
    timings.push_back({.node = steps[i].node,
                       .kernel = std::string(steps[i].kernel),
                       .seconds = median(std::move(seconds[i])),
                       .macs = sum.macs,
                       .flops = sum.nominal.flops(),
                       .bytes = sum.traffic(),
                       .predicted = predict(sum, machine, threads)});
  }
  return timings;
}

}  // namespace

NetworkTiming measure(const Graph& graph, const Machine& machine, int threads, bool by_step,
                      const TimingOptions& options, const Clock& clock) {
  const Graph optimized = optimize(graph);
  const NetworkCost cost = cost_of(optimized);
  TimedPlan plan(optimized, {.threads = threads});
  NetworkTiming result{.whole = time_one([&] { plan.run(); }, options, clock), .macs = cost.total.macs};
  if (by_step) result.steps = time_steps(plan, cost, machine, threads, options, clock);
  return result;
}

}  // namespace sepal
