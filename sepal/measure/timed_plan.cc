#include "sepal/measure/paired.h"
#include "sepal/optimize/optimize.h"
#include "sepal/zoo/layer.h"
#include "sepal/zoo/weights.h"

// Graphs made ready to be timed, and the first question that is asked with them: does separating a layer keep what its
// MACs promise?

namespace sepal {

TimedPlan::TimedPlan(const Graph& graph, int threads, std::uint64_t seed)
    : TimedPlan(optimize(graph), PlanOptions{.threads = threads}, seed) {}

TimedPlan::TimedPlan(const Graph& graph, const PlanOptions& options, std::uint64_t seed)
    : TimedPlan(graph, Plan(graph, options), seed) {}

TimedPlan::TimedPlan(const Graph& graph, Plan plan, std::uint64_t seed)
    : plan_(std::move(plan)), workspace_(plan_.workspace_bytes()) {
  WeightSource numbers(seed);
  for (const Port& input : graph.inputs()) {
    const TensorType& type = graph.type(input.value);
    inputs_.push_back(type.type == DataType::kF32 ? numbers.uniform(type.shape, 0, 1) : Tensor(type.type, type.shape));
  }
  for (const Port& output : graph.outputs()) {
    const TensorType& type = graph.type(output.value);
    outputs_.emplace_back(type.type, type.shape);
  }
  for (const Tensor& input : inputs_) from_.push_back(input.buffer());
  for (Tensor& output : outputs_) to_.push_back(output.buffer());
}

MeasuredComparison measure(const ConvLayer& layer, const Machine& machine, int threads, const TimingOptions& options,
                           const Clock& clock) {
  MeasuredComparison result{.cost = compare(layer), .standard = {}, .separable = {}, .measured = {}};
  result.standard = predict(result.cost.standard, machine, threads);
  result.separable =
      predict(result.cost.depthwise, machine, threads) + predict(result.cost.pointwise, machine, threads);
  TimedPlan standard(standard_layer(layer), threads);
  TimedPlan separable(separable_layer(layer), threads);
  result.measured = time_pair([&] { standard.run(); }, [&] { separable.run(); }, options, clock);
  result.promised = static_cast<double>(result.cost.standard.macs) / static_cast<double>(result.cost.separable().macs);
  result.kept = result.measured.speedup / result.promised;
  return result;
}

}  // namespace sepal
