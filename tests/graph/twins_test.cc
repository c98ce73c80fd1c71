#include "sepal/graph/twins.h"

#include <gtest/gtest.h>

namespace sepal {
namespace {

/// Builds graphs of convolutions over a 1x8x8x4 image.
class Twins : public testing::Test {
 protected:
  ValueId image() { return graph_.add_input("image", {DataType::kF32, {1, 8, 8, 4}}); }
  ValueId zeros(Shape shape) { return graph_.add_constant(Tensor(DataType::kF32, shape)); }
  ValueId depthwise(ValueId x, std::int64_t multiplier = 1) {
    const std::int64_t channels = graph_.shape(x).c();
    return graph_.add(
        Conv2d{.window = {.kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1, 1, 1}}, .groups = channels},
        {x, zeros({channels * multiplier, 3, 3, 1})}, "depthwise");
  }
  ValueId pointwise(ValueId x, std::int64_t outputs) {
    return graph_.add(Conv2d{}, {x, zeros({outputs, 1, 1, graph_.shape(x).c()})}, "pointwise");
  }
  ValueId relu(ValueId x) { return graph_.add(Unary{UnaryKind::kRelu}, {x}); }
  ValueId norm(ValueId x) {
    const Shape channels{graph_.shape(x).c()};
    return graph_.add(BatchNorm{}, {x, zeros(channels), zeros(channels), zeros(channels), zeros(channels)});
  }

  Graph graph_;
};

TEST_F(Twins, APairThroughNormalisationAndActivation) {
  graph_.add_output("y", pointwise(relu(norm(depthwise(image(), 2))), 16));
  const std::vector<Twin> twins = standard_twins(graph_);
  ASSERT_EQ(twins.size(), 1u);
  EXPECT_EQ(twins[0].name, "depthwise + pointwise");
  EXPECT_EQ(twins[0].nodes, (std::vector<std::size_t>{0, 3}));
  const ConvLayer& layer = twins[0].comparison.layer;
  EXPECT_EQ(to_string(layer), "3x3 4 -> 16 at 8x8, stride 2x2, multiplier 2");
  // What the comparison says of the separable form is what the network's own nodes cost.
  const NetworkCost cost = cost_of(graph_);
  EXPECT_EQ(twins[0].comparison.separable().macs, cost.total.macs);
  EXPECT_EQ(twins[0].comparison.standard.macs, 4u * 4 * 16 * 4 * 9);
}

TEST_F(Twins, NoPairWhereSomebodyElseReads) {
  const ValueId stage = depthwise(image());
  graph_.add_output("y", pointwise(stage, 16));
  graph_.add_output("z", stage);
  EXPECT_TRUE(standard_twins(graph_).empty());
}

TEST_F(Twins, NoPairAcrossAnAddition) {
  const ValueId stage = depthwise(image());
  graph_.add_output("y", pointwise(graph_.add(Binary{BinaryKind::kAdd}, {stage, zeros({1, 4, 4, 4})}), 16));
  EXPECT_TRUE(standard_twins(graph_).empty());
}

// x * sigmoid(x), x * clip(x + 3) / 6, and scales and shifts per channel in the place of batch norm: values still pass
// one by one, although by more than one way.
TEST_F(Twins, ActivationsInStepsAreNoObstacle) {
  const auto pair = [&](BinaryKind kind, ValueId a, ValueId b) { return graph_.add(Binary{kind}, {a, b}); };
  ValueId x = depthwise(image());
  x = pair(BinaryKind::kAdd, pair(BinaryKind::kMultiply, x, zeros({1, 1, 4})), zeros({4}));
  x = pair(BinaryKind::kMultiply, x, graph_.add(Unary{UnaryKind::kSigmoid}, {x}));
  const ValueId gate = graph_.add(Unary{UnaryKind::kClip, 0, 6}, {pair(BinaryKind::kAdd, x, zeros({}))});
  x = pair(BinaryKind::kDivide, pair(BinaryKind::kMultiply, x, gate), zeros({}));
  graph_.add_output("y", pointwise(x, 16));
  EXPECT_EQ(standard_twins(graph_).size(), 1u);
}

TEST_F(Twins, NoPairAroundAGateOfAllPositions) {
  // Squeeze and excite: every value depends on the mean of its channel.
  const ValueId x = depthwise(image());
  const ValueId mean = graph_.add(Reduce{ReduceKind::kMean, {1, 2}, true}, {x});
  graph_.add_output("y", pointwise(graph_.add(Binary{BinaryKind::kMultiply}, {x, mean}), 16));
  EXPECT_TRUE(standard_twins(graph_).empty());
}

TEST_F(Twins, NoPairWhereAStepIsReadElsewhere) {
  const ValueId x = depthwise(image());
  const ValueId gate = graph_.add(Unary{UnaryKind::kSigmoid}, {x});
  graph_.add_output("y", pointwise(graph_.add(Binary{BinaryKind::kMultiply}, {x, gate}), 16));
  graph_.add_output("gate", gate);
  EXPECT_TRUE(standard_twins(graph_).empty());
}

/// QLinearConv with scalar scales and zero points.
ValueId quantized(Graph& graph, ValueId x, std::int64_t groups, const Shape& filter) {
  const auto constant = [&](DataType type, Shape shape) { return graph.add_constant(Tensor(type, shape)); };
  const ValueId scale = constant(DataType::kF32, {});
  const ValueId zero = constant(DataType::kU8, {});
  const Window window{.kernel = {filter.h(), filter.w()}};
  return graph.add(QuantizedConv2d{.window = window, .groups = groups},
                   {x, scale, zero, constant(DataType::kU8, filter), scale, zero, scale, zero});
}

TEST_F(Twins, QuantisedConvolutionsAreConvolutions) {
  const ValueId x = graph_.add_input("image", {DataType::kU8, {1, 8, 8, 4}});
  const ValueId stem = quantized(graph_, x, 1, {6, 3, 3, 4});
  const ValueId stage = quantized(graph_, stem, 6, {6, 3, 3, 1});
  graph_.add_output("y", quantized(graph_, stage, 1, {8, 1, 1, 6}));
  const std::vector<Twin> standard = separable_twins(graph_);
  ASSERT_EQ(standard.size(), 1u);
  EXPECT_EQ(to_string(standard[0].comparison.layer), "3x3 4 -> 6 at 8x8");
  const std::vector<Twin> pairs = standard_twins(graph_);
  ASSERT_EQ(pairs.size(), 1u);
  EXPECT_EQ(pairs[0].nodes, (std::vector<std::size_t>{1, 2}));
  EXPECT_EQ(to_string(pairs[0].comparison.layer), "3x3 6 -> 8 at 6x6");
  EXPECT_FALSE(pairs[0].comparison.layer.bias);
}

TEST_F(Twins, IntegerConvolutionsAreToo) {
  const auto constant = [&](Shape shape) { return graph_.add_constant(Tensor(DataType::kU8, shape)); };
  const ValueId x = graph_.add_input("image", {DataType::kU8, {1, 8, 8, 4}});
  const IntegerConv2d depthwise{.window = {.kernel = {3, 3}}, .groups = 4};
  const ValueId sums = graph_.add(depthwise, {x, constant({4, 3, 3, 1}), constant({}), constant({})}, "depthwise");
  const ValueId real = graph_.add(Cast{DataType::kF32}, {sums});
  const std::span<const ValueId> bytes =
      graph_.add_node(DynamicQuantize{}, {graph_.add(Binary{BinaryKind::kMultiply}, {real, zeros({})})});
  const std::vector<ValueId> scaled(bytes.begin(), bytes.end());
  graph_.add_output("y", graph_.add(IntegerConv2d{}, {scaled[0], constant({9, 1, 1, 4}), scaled[2], constant({})}));
  EXPECT_EQ(standard_twins(graph_).size(), 1u);
}

TEST_F(Twins, ConvolutionsOfConstantsAndWithComputedFiltersHaveNone) {
  // One is computed when the model is loaded and costs nothing in a run; the other has no filter to replace.
  const Window window{.kernel = {3, 3}};
  graph_.add_output("once", graph_.add(Conv2d{.window = window}, {zeros({1, 8, 8, 4}), zeros({6, 3, 3, 4})}));
  const ValueId filter = graph_.add_input("filter", {DataType::kF32, {6, 3, 3, 4}});
  graph_.add_output("y", graph_.add(Conv2d{.window = window}, {image(), filter}));
  EXPECT_TRUE(separable_twins(graph_).empty());
  // A filter that comes of constants alone is one.
  const ValueId relu = graph_.add(Unary{UnaryKind::kRelu}, {zeros({6, 3, 3, 4})});
  const ValueId other = graph_.add_input("other", {DataType::kF32, {1, 8, 8, 4}});
  graph_.add_output("z", graph_.add(Conv2d{.window = window}, {other, relu}));
  EXPECT_EQ(separable_twins(graph_).size(), 1u);
}

TEST_F(Twins, StandardConvolutionsHaveSeparableTwins) {
  const ValueId x = image();
  const ValueId conv = graph_.add(Conv2d{.window = {.kernel = {5, 3}, .dilation = {1, 2}, .padding = {2, 2, 2, 2}}},
                                  {x, zeros({6, 5, 3, 4}), zeros({6})}, "conv");
  graph_.add_output("y", pointwise(depthwise(conv), 3));  // neither of these two is standard
  const std::vector<Twin> twins = separable_twins(graph_);
  ASSERT_EQ(twins.size(), 1u);
  EXPECT_EQ(twins[0].name, "conv");
  EXPECT_TRUE(twins[0].comparison.layer.bias);
  EXPECT_EQ(twins[0].comparison.standard.macs, 8u * 8 * 6 * 4 * 15);
  EXPECT_NEAR(twins[0].comparison.mac_ratio(), 1.0 / 6 + 1.0 / 15, 1e-12);
}

}  // namespace
}  // namespace sepal
