// A network beside another way of computing it: what stands in the place of separable pairs, and which steps are
// compared with which.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

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
    std::vector<double> seen(network.steps.size());
    std::vector<double> seen_there(rival.timing.steps.size());
    std::uint64_t macs = 0;
    for (const PartTiming& part : rival.parts) {
      double seconds = 0;
      for (const Portion& portion : part.steps) {
        seen[portion.step] += portion.share;
        seconds += portion.share;
      }
      for (const Portion& portion : part.opponents) seen_there[portion.step] += portion.share;
      macs += part.macs;
      EXPECT_DOUBLE_EQ(part.seconds, seconds);
      EXPECT_DOUBLE_EQ(part.speedup, part.opponent_seconds / part.seconds);
      EXPECT_DOUBLE_EQ(part.kept(), part.speedup / part.promised());
      EXPECT_EQ(part.opponent_macs > part.macs, standard);
    }
    EXPECT_EQ(rival.parts.size(), standard ? 17 : network.steps.size());
    EXPECT_EQ(macs < network.macs, standard) << "stem, expansions and classifier are in no pair";
    if (standard) continue;
    for (const double times : seen) EXPECT_DOUBLE_EQ(times, 1);
    for (const double times : seen_there) EXPECT_DOUBLE_EQ(times, 1);
  }
}

// The time of a step is divided as its nodes take apart; by this clock every step takes one second.
TEST(Against, AStepOfSeveralPartsIsDivided) {
  const Graph graph = build(parse_zoo_spec("mobilenet_v2:size=32"));
  double now = 0;
  const auto [network, rival] = measure_against(graph, Against::kStandard, slow(), {.threads = 1}, true,
                                                {.seconds = 0, .least_rounds = 1}, [&now] { return now += 1; });
  const auto third = std::ranges::find(rival.parts, "block3/depthwise + project", &PartTiming::name);
  ASSERT_NE(third, rival.parts.end());
  ASSERT_EQ(third->opponents.size(), 1u);
  EXPECT_DOUBLE_EQ(third->opponents[0].share, 0.5) << "the convolution, but not the shortcut's addition";
  EXPECT_DOUBLE_EQ(third->opponent_seconds, 0.5);
  const auto second = std::ranges::find(rival.parts, "block2/depthwise + project", &PartTiming::name);
  ASSERT_NE(second, rival.parts.end());
  EXPECT_DOUBLE_EQ(second->opponents[0].share, 1);
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
