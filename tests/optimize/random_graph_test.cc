// Whole graphs by chance: what the optimiser makes of them, planned with the kernels of this machine, must give the
// numbers that the graph as built gives node by node. SEPAL_MUTATIONS sets how many are tried.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
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

std::vector<Tensor> run(const Graph& graph, const std::vector<Tensor>& inputs, const PlanOptions& options) {
  std::vector<ConstBuffer> from;
  for (const Tensor& input : inputs) from.push_back(input.buffer());
  std::vector<Tensor> outputs;
  for (const Port& port : graph.outputs()) outputs.emplace_back(graph.type(port.value).type, graph.shape(port.value));
  std::vector<Buffer> to;
  for (Tensor& output : outputs) to.push_back(output.buffer());
  const Plan plan(graph, options);
  plan.run(Workspace(plan.workspace_bytes()), from, to);
  return outputs;
}

/// The largest difference over the largest value, or over 8 where that is less; infinite where one is NaN.
double difference(const Tensor& found, const Tensor& expected) {
  double most = 0;
  double scale = 8;
  for (std::size_t k = 0; k < expected.values<float>().size(); ++k) {
    const double theirs = expected.values<float>()[k];
    const double apart = std::abs(static_cast<double>(found.values<float>()[k]) - theirs);
    most = std::isnan(apart) ? std::numeric_limits<double>::infinity() : std::max(most, apart);
    scale = std::max(scale, std::abs(theirs));
  }
  return most / scale;
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
    for (const bool fuse : {true, false}) {
      const std::vector<Tensor> found = run(optimized, inputs, {.threads = 1 + seed % 3, .fuse = fuse});
      for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_LE(difference(found[i], expected[i]), 2e-5) << "output " << i << (fuse ? " of " : ", node by node, of ")
                                                           << outline(graph) << "became " << outline(optimized);
      }
      if (HasFailure()) return;
    }
  }
  // Something was there to be optimised.
  EXPECT_LT(after, before * 4 / 5);
}

}  // namespace
}  // namespace sepal
