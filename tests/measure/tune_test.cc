#include "sepal/measure/tune.h"

#include "sepal/optimize/optimize.h"
#include "sepal/zoo/zoo.h"
#include "tests/optimize/same.h"

namespace sepal {
namespace {

// What is faster is the machine's affair; that what comes out suits the network and changes nothing else is ours.
TEST(Tune, FindsStepsThatSuitTheNetwork) {
  const Graph graph = optimize(build(parse_zoo_spec("mobilenet_v2:size=64,width=0.5,classes=10"), Weights::kSeeded));
  const Tuning tuning = tune(graph, {.threads = 1, .caches = CacheSizes{.l2 = 128 << 10, .l3 = 1 << 20}},
                             {.seconds = 0.05, .least_rounds = 3});
  EXPECT_GT(tuning.chains, 5U);
  EXPECT_LE(tuning.changed, tuning.chains);
  EXPECT_GT(tuning.timing.first.median, 0);
  EXPECT_GT(tuning.timing.second.median, 0);
  const std::vector<Tensor> tuned = outputs_of(graph, {.fused = tuning.fused});
  EXPECT_TRUE(identical(tuned[0], outputs_of(graph, {.fuse = false})[0]));
}

TEST(Tune, ANetworkWithoutChainsHasNothingToTune) {
  Graph graph;
  const ValueId x = graph.add_input("x", {DataType::kF32, {1, 4, 4, 3}});
  graph.add_output("y", graph.add(Unary{UnaryKind::kRelu}, {x}));
  const Tuning tuning = tune(graph, {}, {.seconds = 0.01, .least_rounds = 1});
  EXPECT_EQ(tuning.chains, 0U);
  EXPECT_EQ(tuning.changed, 0U);
  EXPECT_EQ(tuning.fused, std::vector<Fused>());
}

}  // namespace
}  // namespace sepal
