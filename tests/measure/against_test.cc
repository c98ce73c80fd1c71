// A network beside another way of computing it: what stands in the place of separable pairs, and which steps are
// compared with which.

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numeric>

#include "sepal/graph/cost.h"
#include "sepal/graph/twins.h"
#include "sepal/measure/network.h"
#include "sepal/measure/standard_network.h"
#include "sepal/measure/steps.h"
#include "sepal/optimize/optimize.h"
#include "sepal/zoo/zoo.h"
#include "tests/plan/net.h"
#include "tests/raises.h"

namespace sepal {
namespace {

Machine slow() {
  return {.processor = "slow",
          .cores = 1,
          .target = "NONE",
          .flops = 1e6,
          .all_flops = 1e6,
          .levels = {{"memory", 1'000'000, 1e6, 1e6}}};
}

const Window kThree{.kernel = {3, 3}, .stride = {2, 2}, .dilation = {1, 1}, .padding = {1, 1, 1, 1}};

/// A depthwise convolution with stride 2.
ValueId depthwise(Net& net, ValueId x) {
  const std::int64_t channels = net.graph.shape(x).c();
  return net.conv(x, {.window = kThree, .groups = channels}, channels);
}

TEST(StandardNetwork, IsThePapersOwn) {
  const Graph graph = optimize(build(parse_zoo_spec("mobilenet_v1"), Weights::kNone));
  const StandardNetwork standard = standard_network(graph);
  EXPECT_EQ(standard.pairs.size(), 13u);
  EXPECT_EQ(standard.pairs[0].name, "block1/depthwise + pointwise");
  const Graph papers = optimize(build(parse_zoo_spec("mobilenet_v1_standard"), Weights::kNone));
  EXPECT_EQ(cost_of(standard.graph).total, cost_of(papers).total);
  ASSERT_EQ(standard.graph.nodes().size(), papers.nodes().size());
  for (std::size_t i = 0; i < papers.nodes().size(); ++i)
    EXPECT_TRUE(standard.graph.nodes()[i].op == papers.nodes()[i].op) << papers.nodes()[i].name;
}

TEST(StandardNetwork, ReplacesPairsAndKeepsTheRest) {
  const Unary relu{UnaryKind::kRelu};
  struct Case {
    const char* why;
    std::function<ValueId(Net&, ValueId)> build;
    std::size_t nodes;  ///< of the standard network
  };
  const std::vector<Case> cases = {
      {"a pair between others",
       [&](Net& net, ValueId x) {
         return net.graph.add(relu, {net.conv(depthwise(net, net.conv(x, {}, 6)), {.activation = relu}, 7)});
       },
       3},
      {"an activation in steps between the stages",
       [&](Net& net, ValueId x) {
         const ValueId y = depthwise(net, x);
         const ValueId gate = net.graph.add(Unary{UnaryKind::kSigmoid}, {y});
         return net.conv(net.graph.add(Binary{BinaryKind::kMultiply}, {y, gate}), {}, 7, false);
       },
       1},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.why);
    Net net;
    net.graph.add_output("y", test.build(net, net.input({2, 9, 9, 5})));
    const StandardNetwork standard = standard_network(net.graph);
    EXPECT_EQ(standard.graph.nodes().size(), test.nodes);
    EXPECT_EQ(standard.graph.shape(standard.graph.outputs()[0].value), net.graph.shape(net.graph.outputs()[0].value));
    for (const std::size_t node : standard.node_of) EXPECT_LT(node, test.nodes);
    const std::vector<Tensor> outputs = outputs_of(standard.graph);
    for (const float value : outputs[0].values<float>()) ASSERT_TRUE(std::isfinite(value));
  }
}

TEST(StandardNetwork, NeedsAPair) {
  const char* const message = "no depthwise convolution in f32 is followed by a pointwise one alone";
  Net net;
  net.graph.add_output("y", net.conv(net.input({1, 5, 5, 4}), {.window = kThree}, 4));
  EXPECT_TRUE(raises([&] { standard_network(net.graph); }, message, ErrorKind::kInvalid));
  EXPECT_TRUE(raises([&] { measure_against(net.graph, Against::kStandard, slow(), {}, true); }, message));
}

TEST(CostOfStep, WhatOneNodeMakesForAnotherDoesNotMove) {
  Net net;
  const ValueId x = net.input({1, 4, 4, 8});
  const ValueId a = net.graph.add(Unary{UnaryKind::kRelu}, {x});
  const ValueId b = net.graph.add(Binary{BinaryKind::kAdd}, {a, a});
  const ValueId c = net.graph.add(Binary{BinaryKind::kMultiply}, {a, b});
  net.graph.add_output("y", c);
  const NetworkCost cost = cost_of(net.graph);
  const std::uint64_t map = 4 * 4 * 8 * 4;
  const auto traffic = [&](std::vector<std::size_t> nodes) { return cost_of_step(net.graph, cost, nodes).traffic(); };
  EXPECT_EQ(traffic({0}), 2 * map);
  EXPECT_EQ(traffic({0, 1}), 3 * map) << "a is wanted later, so it is written, as b is";
  EXPECT_EQ(traffic({0, 1, 2}), 2 * map);
}

TEST(Against, NamesAreWordsOfTheTool) {
  EXPECT_EQ(name_of(Against::kStandard), "standard");
  EXPECT_EQ(name_of(Against::kUnfused), "unfused");
  EXPECT_EQ(name_of(Against::kReference), "reference");
}

// A clock that ticks once a look: every step and every run takes one second.
TEST(Against, EveryPartIsComparedWithWhatComputesTheSame) {
  const Graph graph = build(parse_zoo_spec("mobilenet_v2:size=32"));
  for (const Against against : {Against::kStandard, Against::kUnfused, Against::kReference}) {
    SCOPED_TRACE(name_of(against));
    double now = 0;
    const auto [network, rival] = measure_against(graph, against, slow(), {.threads = 1}, true,
                                                  {.seconds = 0, .least_rounds = 3}, [&now] { return now += 1; });
    EXPECT_EQ(rival.against, against);
    EXPECT_DOUBLE_EQ(rival.speedup, 1);
    EXPECT_GT(network.plan_seconds, 0);
    const bool standard = against == Against::kStandard;
    EXPECT_EQ(rival.timing.macs > network.macs, standard);
    EXPECT_DOUBLE_EQ(rival.promised, static_cast<double>(rival.timing.macs) / static_cast<double>(network.macs));
    EXPECT_DOUBLE_EQ(rival.kept(), 1 / rival.promised);
    std::vector<int> seen(network.steps.size());
    std::vector<int> seen_there(rival.timing.steps.size());
    std::uint64_t macs = 0;
    int pairs = 0;
    for (const PartTiming& part : rival.parts) {
      for (const std::size_t step : part.steps) ++seen[step];
      for (const std::size_t step : part.opponents) ++seen_there[step];
      macs += part.macs;
      EXPECT_DOUBLE_EQ(part.seconds, static_cast<double>(part.steps.size()));
      EXPECT_DOUBLE_EQ(part.opponent_seconds, static_cast<double>(part.opponents.size()));
      EXPECT_DOUBLE_EQ(part.speedup, part.opponent_seconds / part.seconds);
      EXPECT_DOUBLE_EQ(part.kept(), part.speedup / part.promised());
      EXPECT_EQ(part.is_pair, part.opponent_macs > part.macs);
      EXPECT_EQ(part.is_pair, part.name.find("/depthwise + ") != std::string::npos && standard) << part.name;
      pairs += part.is_pair ? 1 : 0;
    }
    EXPECT_EQ(pairs, standard ? 17 : 0);
    EXPECT_EQ(macs, network.macs);
    for (const int times : seen) EXPECT_EQ(times, 1);
    for (const int times : seen_there) EXPECT_EQ(times, 1);
  }
}

TEST(Against, StepsAreTimedOnlyWhereTheyAreWanted) {
  const Graph graph = build(parse_zoo_spec("ds_cnn_s"));
  const auto [network, rival] =
      measure_against(graph, Against::kUnfused, slow(), {.threads = 1}, false, {.seconds = 0, .least_rounds = 1});
  EXPECT_TRUE(network.steps.empty());
  EXPECT_TRUE(rival.parts.empty());
  EXPECT_GT(rival.speedup, 0);
}

}  // namespace
}  // namespace sepal
