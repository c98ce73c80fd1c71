// Graphs made ready to be timed, and a layer against its separable twin.

#include <gtest/gtest.h>

#include <cmath>

#include "sepal/graph/cost.h"
#include "sepal/measure/network.h"
#include "sepal/measure/paired.h"
#include "sepal/zoo/layer.h"
#include "tests/raises.h"

namespace sepal {
namespace {

ConvLayer small() {
  return {.batch = 2,
          .in = 8,
          .out = 12,
          .size = {9, 7},
          .window = {.kernel = {3, 3}, .stride = {2, 2}, .dilation = {1, 1}, .padding = {1, 1, 1, 1}},
          .multiplier = 2,
          .bias = true};
}

TEST(Layer, BothFormsJoinTheSameEnds) {
  const Graph standard = standard_layer(small());
  const Graph separable = separable_layer(small());
  ASSERT_EQ(standard.nodes().size(), 1U);
  ASSERT_EQ(separable.nodes().size(), 2U);
  EXPECT_EQ(standard.nodes()[0].name, "standard");
  EXPECT_EQ(separable.nodes()[0].name, "depthwise");
  EXPECT_EQ(separable.nodes()[1].name, "pointwise");
  for (const Graph* graph : {&standard, &separable}) {
    EXPECT_EQ(graph->shape(graph->inputs()[0].value), Shape({2, 9, 7, 8}));
    EXPECT_EQ(graph->shape(graph->outputs()[0].value), Shape({2, 5, 4, 12}));
  }
  EXPECT_EQ(count_parameters(standard), 12 * 3 * 3 * 8 + 12);
  EXPECT_EQ(count_parameters(separable), 16 * 3 * 3 + 16 + 12 * 16 + 12);
  const auto depthwise = std::get<Conv2d>(separable.nodes()[0].op);
  EXPECT_TRUE(is_depthwise(depthwise, separable.shape(separable.nodes()[0].inputs[1])));
  const auto pointwise = std::get<Conv2d>(separable.nodes()[1].op);
  EXPECT_TRUE(is_pointwise(pointwise, separable.shape(separable.nodes()[1].inputs[1])));
}

TEST(Layer, CostsAreThoseOfTheGraphs) {
  for (const bool bias : {false, true}) {
    ConvLayer layer = small();
    layer.bias = bias;
    const Comparison cost = compare(layer);
    EXPECT_EQ(cost_of(standard_layer(layer)).total, cost.standard);
    EXPECT_EQ(cost_of(separable_layer(layer)).total, cost.separable());
  }
}

TEST(Layer, WeightsComeFromTheSeed) {
  EXPECT_EQ(separable_layer(small(), 7), separable_layer(small(), 7));
  EXPECT_NE(separable_layer(small(), 7), separable_layer(small(), 8));
}

TEST(Layer, AnImpossibleOneIsRefused) {
  ConvLayer layer = small();
  layer.in = 0;
  for (Graph (*make)(const ConvLayer&, std::uint64_t) : {standard_layer, separable_layer}) {
    EXPECT_TRUE(raises([&] { make(layer, 1); }, "the input channels are 0; at least 1 and less than 2^31 is wanted"));
  }
}

TEST(TimedPlan, RunsAndGivesTheSameEveryTime) {
  TimedPlan one(separable_layer(small()), 1);
  TimedPlan two(separable_layer(small()), 2);
  EXPECT_EQ(two.plan().threads(), 2);
  for (int i = 0; i < 2; ++i) {
    one.run();
    two.run();
  }
  ASSERT_EQ(one.outputs().size(), 1U);
  EXPECT_TRUE(identical(one.outputs()[0], two.outputs()[0]));
  float largest = 0;
  for (const float value : one.outputs()[0].values<float>()) largest = std::max(largest, std::abs(value));
  EXPECT_GT(largest, 0.01f) << "the input is no noise";
  EXPECT_LT(largest, 1e3f);
}

TEST(TimedPlan, InputsOfOtherTypesAreZero) {
  Graph graph;
  const ValueId x = graph.add_input("x", {DataType::kI64, {3}});
  graph.add_output("y", graph.add(Cast{.to = DataType::kF32}, {x}));
  TimedPlan plan(graph, 1);
  plan.run();
  for (const float value : plan.outputs()[0].values<float>()) EXPECT_EQ(value, 0);
}

Machine slow() {
  return {.processor = "slow",
          .cores = 1,
          .target = "NONE",
          .flops = 1e6,
          .all_flops = 1e6,
          .levels = {{"memory", 1'000'000, 1e6, 1e6}}};
}

TEST(Measure, PutsCostPredictionAndTimeSideBySide) {
  // A clock that ticks once a look: every run takes one second, so nothing is gained.
  double now = 0;
  const MeasuredComparison found =
      measure(small(), slow(), 1, {.seconds = 4, .least_rounds = 2}, [&now] { return now += 1; });
  EXPECT_EQ(found.cost.layer, small());
  EXPECT_EQ(found.cost.standard.macs, 2U * 5 * 4 * 12 * 3 * 3 * 8);
  const double macs = 2 * 5 * 4 * (16 * 3 * 3 + 12 * 16);
  EXPECT_DOUBLE_EQ(found.promised, 2.0 * 5 * 4 * 12 * 3 * 3 * 8 / macs);
  EXPECT_DOUBLE_EQ(found.measured.speedup, 1);
  EXPECT_DOUBLE_EQ(found.kept, 1 / found.promised);
  EXPECT_EQ(found.measured.first.rounds, 2);
  EXPECT_DOUBLE_EQ(found.standard.seconds, predict(found.cost.standard, slow(), 1).seconds);
  EXPECT_DOUBLE_EQ(found.separable.seconds,
                   predict(found.cost.depthwise, slow(), 1).seconds + predict(found.cost.pointwise, slow(), 1).seconds);
}

TEST(Measure, EveryStepOfANetwork) {
  const Graph graph = separable_layer(small());
  double now = 0;
  for (const int rounds : {0, 4}) {
    const NetworkTiming found = measure(graph, slow(), {.threads = 1}, true, {.seconds = 0, .least_rounds = rounds},
                                        [&now] { return now += 1; });
    ASSERT_FALSE(found.steps.empty());
    std::uint64_t macs = 0;
    for (const StepTiming& step : found.steps) {
      EXPECT_EQ(step.seconds, 1) << rounds;
      macs += step.macs;
    }
    EXPECT_EQ(macs, found.macs);
    EXPECT_EQ(found.macs, cost_of(graph).total.macs);
  }
}

TEST(Measure, AnImpossibleLayerIsRefused) {
  ConvLayer layer = small();
  layer.window.kernel = {12, 3};
  EXPECT_TRUE(raises([&] { measure(layer, slow(), 1); },
                     "12x3 8 -> 12 at 9x7, batch 2, stride 2x2, multiplier 2: a kernel of 12 with dilation 1 spans 12 "
                     "rows, but the padded input has 11"));
}

}  // namespace
}  // namespace sepal
