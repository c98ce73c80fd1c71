// Damaged models the whole way: read, optimised, planned, run where that is little work, and written. Whatever
// the bytes, each step ends in a result or in an Error of one line. SEPAL_MUTATIONS sets how many are tried.

#include <gtest/gtest.h>

#include <algorithm>

#include "sepal/base/error.h"
#include "sepal/formats/onnx_read.h"
#include "sepal/formats/onnx_write.h"
#include "sepal/optimize/optimize.h"
#include "sepal/plan/plan.h"
#include "tests/formats/onnx_small_models.h"
#include "tests/mutate.h"

namespace sepal {
namespace {

/// Multiplications of a step at most, as a double: hostile shapes overflow integers.
double work_of(const Step& step) {
  double elements = 1;
  for (const Operand& operand : step.outputs) elements += static_cast<double>(operand.type.shape.elements());
  for (const Operand& operand : step.inputs) elements += static_cast<double>(operand.type.shape.elements());
  // A product reads every weight, or every input, for each of its outputs.
  const bool product = step.inputs.size() > 1 && !std::holds_alternative<Binary>(step.op);
  const double each =
      product
          ? static_cast<double>(std::max(step.inputs[0].type.shape.elements(), step.inputs[1].type.shape.elements()))
          : 1;
  const auto* pool = std::get_if<Pool>(&step.op);
  const double window = pool == nullptr
                            ? 1
                            : static_cast<double>(std::min<std::int64_t>(pool->window.kernel.h, 1 << 20)) *
                                  static_cast<double>(std::min<std::int64_t>(pool->window.kernel.w, 1 << 20));
  return elements * std::max(each, window);
}

/// Runs the plan on zeros if it is little work; true if it was.
bool run_small(const Graph& graph, const Plan& plan) {
  double work = 0;
  for (const Step& step : plan.steps()) work += work_of(step);
  std::vector<Tensor> tensors;
  std::vector<ConstBuffer> inputs;
  std::vector<Buffer> outputs;
  const auto ends = {graph.inputs(), graph.outputs()};
  for (const auto& ports : ends) {
    for (const Port& port : ports) work += static_cast<double>(graph.shape(port.value).elements());
  }
  if (work > 2e7) return false;
  tensors.reserve(graph.inputs().size() + graph.outputs().size());
  for (const Port& port : graph.inputs())
    inputs.push_back(tensors.emplace_back(graph.type(port.value).type, graph.shape(port.value)).buffer());
  for (const Port& port : graph.outputs())
    outputs.push_back(tensors.emplace_back(graph.type(port.value).type, graph.shape(port.value)).buffer());
  plan.run(Workspace(plan.workspace_bytes()), inputs, outputs);
  return true;
}

/// How far the bytes got: 0 refused, 1 planned, 2 run.
int way_of(std::span<const std::byte> bytes) {
  int way = 0;
  try {
    const onnx::Source source = onnx::Source::from_bytes(bytes, "mutant.onnx");
    onnx::Bindings bindings;
    std::vector<Tensor> values;
    values.reserve(source.inputs().size());
    for (const onnx::Declaration& input : source.inputs()) {
      std::vector<std::int64_t> dims;
      for (const onnx::Dimension& dimension : input.dimensions) dims.push_back(dimension.size.value_or(2));
      const Shape shape(dims);
      const bool small = shape.elements() < 1000;
      bindings.insert_or_assign(input.name,
                                onnx::Binding{shape, small ? &values.emplace_back(input.type, shape) : nullptr});
    }
    const Graph graph = source.graph(bindings);
    const Graph optimized = optimize(graph);
    const Plan plan(optimized, {.threads = 2, .memory_limit = std::size_t{64} << 20});
    way = run_small(optimized, plan) ? 2 : 1;
    (void)onnx::write(graph);
    (void)onnx::write(optimized);
  } catch (const Error& error) {
    EXPECT_NE(error.kind(), ErrorKind::kInternal) << error.what();
    EXPECT_EQ(std::string_view(error.what()).find('\n'), std::string_view::npos) << error.what();
  }
  return way;
}

void mutate_all(const std::vector<std::vector<std::byte>>& good, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::array<int, 3> ways{};
  for (const auto& model : good) EXPECT_GT(way_of(model), 0);
  const int count = mutations(300);
  for (int i = 0; i < count; ++i) {
    SCOPED_TRACE("mutation " + std::to_string(i));
    ++ways[static_cast<std::size_t>(way_of(mutate(good[static_cast<std::size_t>(i) % good.size()], random)))];
  }
  if (count >= 100) {
    EXPECT_GT(ways[0], 0);
    EXPECT_GT(ways[2], 0);
  }
}

TEST(ModelMutation, SmallModels) { mutate_all(onnx::small_models(), 3); }

TEST(ModelMutation, ModelsOfOthers) {
  SEPAL_NEEDS_TEST_DATA();
  mutate_all(onnx::small_models_of_others(), 4);
}

}  // namespace
}  // namespace sepal
