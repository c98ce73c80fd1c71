#include "sepal/measure/steps.h"

#include <algorithm>
#include <set>

#include "sepal/measure/rounds.h"
#include "sepal/plan/limits.h"

namespace sepal {

Cost cost_of_step(const Graph& graph, const NetworkCost& cost, std::span<const std::size_t> nodes) {
  Cost sum;
  std::set<ValueId> made;
  for (const std::size_t node : nodes) {
    sum = sum + cost.layers[node].cost;
    made.insert(graph.nodes()[node].outputs.begin(), graph.nodes()[node].outputs.end());
  }
  if (nodes.size() < 2) return sum;
  std::vector<int> uses = count_uses(graph);
  std::uint64_t read = 0;
  for (const std::size_t node : nodes) {
    const std::vector<ValueId>& inputs = graph.nodes()[node].inputs;
    for (const ValueId input : inputs) --uses[Graph::index(input)];
    for (const ValueId input : std::set<ValueId>(inputs.begin(), inputs.end())) {
      if (made.contains(input)) read += bytes_of(graph.type(input));
    }
  }
  std::uint64_t written = 0;
  for (const ValueId value : made) {
    if (uses[Graph::index(value)] == 0) written += bytes_of(graph.type(value));
  }
  sum.read_bytes -= std::min(read, sum.read_bytes);
  sum.written_bytes -= std::min(written, sum.written_bytes);
  return sum;
}

std::vector<Prediction> predict_steps(const Graph& graph, const Plan& plan, const Machine& machine) {
  const NetworkCost cost = cost_of(graph);
  std::vector<Prediction> predictions;
  for (const Step& step : plan.steps()) {
    predictions.push_back(predict(cost_of_step(graph, cost, step.nodes), machine, plan.threads()));
  }
  return predictions;
}

StepRounds::StepRounds(TimedPlan& plan, int passes, const Clock& clock) : plan_(plan), passes_(passes), clock_(clock) {}

void StepRounds::round() {
  std::vector<double>& bests = rounds_.emplace_back(plan_.plan().steps().size());
  for (int pass = 0; pass < passes_; ++pass) {
    for (std::size_t i = 0; i < bests.size(); ++i) {
      const double before = clock_();
      plan_.run_step(i);
      const double took = clock_() - before;
      bests[i] = pass == 0 ? took : std::min(bests[i], took);
    }
  }
}

double StepRounds::seconds(std::size_t round, std::span<const Portion> steps) const {
  double sum = 0;
  for (const Portion& portion : steps) sum += portion.share * rounds_[round][portion.step];
  return sum;
}

std::vector<StepTiming> StepRounds::timings(const Graph& graph, const NetworkCost& cost, const Machine& machine,
                                            int threads) const {
  std::vector<StepTiming> timings;
  for (std::size_t i = 0; i < plan_.plan().steps().size(); ++i) {
    const Step& step = plan_.plan().steps()[i];
    const Cost sum = cost_of_step(graph, cost, step.nodes);
    std::vector<double> seconds;
    for (const std::vector<double>& round : rounds_) seconds.push_back(round[i]);
    timings.push_back({.node = step.node,
                       .kernel = std::string(step.kernel),
                       .seconds = median(std::move(seconds)),
                       .macs = sum.macs,
                       .flops = sum.nominal.flops(),
                       .bytes = sum.traffic(),
                       .predicted = predict(sum, machine, threads)});
  }
  return timings;
}

}  // namespace sepal
