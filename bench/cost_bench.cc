// Counting: a network of the zoo from its name to its cost, and the counting alone.
//
//   cost_bench

#include <benchmark/benchmark.h>

#include "sepal/graph/cost.h"
#include "sepal/optimize/optimize.h"
#include "sepal/plan/plan.h"
#include "sepal/zoo/zoo.h"

namespace sepal {
namespace {

void from_name(benchmark::State& state, const char* name) {
  for (auto _ : state) {
    const Graph graph = build(parse_zoo_spec(name), Weights::kNone);
    benchmark::DoNotOptimize(cost_of(graph).total.macs);
  }
}

void counting_alone(benchmark::State& state, const char* name) {
  const Graph graph = build(parse_zoo_spec(name), Weights::kNone);
  for (auto _ : state) benchmark::DoNotOptimize(cost_of(graph).total.macs);
}

/// What `sepal cost` does besides: the memory that a plan would take.
void planned_memory(benchmark::State& state, const char* name) {
  const Graph graph = build(parse_zoo_spec(name), Weights::kNone);
  for (auto _ : state) benchmark::DoNotOptimize(planned_bytes(optimize(graph), {}));
}

BENCHMARK_CAPTURE(from_name, mobilenet_v1, "mobilenet_v1")->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(counting_alone, mobilenet_v1, "mobilenet_v1")->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(counting_alone, efficientnet_lite4, "efficientnet_lite4")->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(planned_memory, mobilenet_v1, "mobilenet_v1")->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace sepal
