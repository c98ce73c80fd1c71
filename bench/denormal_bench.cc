// Whole networks on numbers below the least normal one (1.2e-38), which some processors compute by other, slower means.
// scripts/check_denormals holds the slowest against normal numbers.
//
//   denormal_bench --benchmark_filter=mobilenet_v1

#include <string>
#include <vector>

#include "bench/bench.h"
#include "sepal/optimize/optimize.h"
#include "sepal/optimize/rewrite.h"
#include "sepal/plan/plan.h"
#include "sepal/zoo/zoo.h"

namespace sepal {
namespace {

constexpr float kTiny = 1e-39f;  // times a number below 1 it is denormal

Tensor scaled(const Tensor& tensor, float scale) {
  Tensor result = tensor.copy();
  for (float& value : result.values<float>()) value *= scale;
  return result;
}

/// The network without biases, so that what goes in small stays small all the way, its filters times `scale`.
Graph without_biases(const Graph& graph, float scale) {
  return rewrite(graph, [scale](Rewriter& to, const Node& node) {
    if (!std::holds_alternative<Conv2d>(node.op) && !std::holds_alternative<Gemm>(node.op)) return false;
    std::vector<ValueId> inputs = {to(node.inputs[0])};
    for (std::size_t i = 1; i < node.inputs.size(); ++i)
      inputs.push_back(to.graph().add_constant(scaled(*to.old().constant(node.inputs[i]), i == 1 ? scale : 0)));
    to.replace(node.outputs[0], to.graph().add(node.op, std::move(inputs), node.name));
    return true;
  });
}

/// A network on inputs times `input_scale`, with filters times `filter_scale`.
void network(benchmark::State& state, const char* name, float input_scale, float filter_scale) {
  const Graph graph = without_biases(optimize(build(parse_zoo_spec(name))), filter_scale);
  const Plan plan(graph, {.threads = 1});
  const Workspace workspace(plan.workspace_bytes());
  const Tensor input = scaled(filled(graph.shape(graph.inputs()[0].value)), input_scale);
  Tensor output(DataType::kF32, graph.shape(graph.outputs()[0].value));
  const std::vector<ConstBuffer> from = {input.buffer()};
  const std::vector<Buffer> to = {output.buffer()};
  for (auto _ : state) plan.run(workspace, from, to);
  state.SetLabel(std::string(target_name()));
}

const bool kRegistered = [] {
  for (const char* name : {"mobilenet_v1", "mobilenet_v2", "mobilenet_v3_large", "ds_cnn_s", "resnet18"}) {
    const auto add = [&](const char* what, float inputs, float filters) {
      benchmark::RegisterBenchmark((std::string(name) + "/" + what).c_str(), network, name, inputs, filters)
          ->Unit(benchmark::kMicrosecond);
    };
    add("normal", 1, 1);
    add("denormal inputs", kTiny, 1);
    add("denormal filters", 1, kTiny);
    add("denormal inputs and filters", kTiny, kTiny);
  }
  return true;
}();

}  // namespace
}  // namespace sepal
