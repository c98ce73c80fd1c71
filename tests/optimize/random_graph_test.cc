// Whole graphs by chance: what the optimiser makes of them, planned with the kernels of this machine, must give the
// numbers that the graph as built gives node by node. SEPAL_MUTATIONS sets how many are tried.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "sepal/optimize/optimize.h"
#include "sepal/plan/plan.h"
#include "tests/interpret.h"
#include "tests/mutate.h"
#include "tests/optimize/random_graph.h"

namespace sepal {
namespace {

/// The operators of a graph, for the one who must find out.
std::string outline(const Graph& graph) {
  std::string text;
  for (const Node& node : graph.nodes()) {
    text += std::string(name_of(node.op)) + "(";
    for (const ValueId input : node.inputs) text += (text.back() == '(' ? "" : ", ") + to_string(graph.shape(input));
    text += ") ";
  }
  return text;
}

std::vector<Tensor> run(const Graph& graph, const std::vector<Tensor>& inputs, int threads) {
  std::vector<ConstBuffer> from;
  for (const Tensor& input : inputs) from.push_back(input.buffer());
  std::vector<Tensor> outputs;
  for (const Port& port : graph.outputs()) outputs.emplace_back(graph.type(port.value).type, graph.shape(port.value));
  std::vector<Buffer> to;
  for (Tensor& output : outputs) to.push_back(output.buffer());
  const Plan plan(graph, {.threads = threads});
  plan.run(Workspace(plan.workspace_bytes()), from, to);
  return outputs;
}

TEST(RandomGraphs, GiveTheSameNumbersOptimisedAndPlanned) {
  const int count = mutations(400);
  std::size_t before = 0;
  std::size_t after = 0;
  for (int seed = 0; seed < count; ++seed) {
    Maker maker(static_cast<std::uint64_t>(seed));
    const Graph graph = maker.make();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::vector<Tensor> inputs;
    for (const Port& port : graph.inputs()) inputs.push_back(maker.input(graph.shape(port.value)));
    std::vector<const Tensor*> pointers;
    for (const Tensor& input : inputs) pointers.push_back(&input);
    const std::vector<Tensor> expected = interpret(graph, pointers);
    const Graph optimized = optimize(graph);
    before += graph.nodes().size();
    after += optimized.nodes().size();
    const std::vector<Tensor> found = run(optimized, inputs, 1 + seed % 3);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const std::span<const float> ours = found[i].values<float>();
      const std::span<const float> theirs = expected[i].values<float>();
      double most = 0;
      double scale = 8;
      for (std::size_t k = 0; k < theirs.size(); ++k) {
        const double difference = std::abs(static_cast<double>(ours[k]) - static_cast<double>(theirs[k]));
        ASSERT_FALSE(std::isnan(difference)) << outline(graph) << "became " << outline(optimized);
        most = std::max(most, difference);
        scale = std::max(scale, static_cast<double>(std::abs(theirs[k])));
      }
      ASSERT_LE(most, 2e-5 * scale) << "output " << i << " of " << outline(graph) << "became " << outline(optimized);
    }
  }
  // Something was there to be optimised.
  EXPECT_LT(after, before * 4 / 5);
}

}  // namespace
}  // namespace sepal
