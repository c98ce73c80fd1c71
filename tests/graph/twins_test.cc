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
