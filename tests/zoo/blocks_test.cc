#include "sepal/zoo/blocks.h"

#include <gtest/gtest.h>

#include "sepal/base/text.h"
#include "tests/raises.h"

namespace sepal {
namespace {

TEST(Scaled, RoundsDownButNotBelowEight) {
  EXPECT_EQ(scaled(32, 1), 32);
  EXPECT_EQ(scaled(1024, 0.75), 768);
  EXPECT_EQ(scaled(728, 0.33), 240);
  EXPECT_EQ(scaled(32, 0.1), 8);
}

TEST(Scaled, ToMultiplesOfEight) {
  struct {
    const char* why;
    std::int64_t channels;
    double width;
    std::int64_t expected;
  } constexpr kCases[] = {{"nothing to do", 96, 1, 96},
                          {"half way goes up", 24, 0.5, 16},
                          {"down to the nearest", 96, 0.35, 32},
                          {"down would be below 90 %", 320, 0.03, 16},
                          {"just 90 % stays", 16, 1.1, 16},
                          {"never below 8", 16, 0.1, 8},
                          {"wider", 1280, 1.4, 1792}};
  for (const auto& test : kCases) EXPECT_EQ(scaled_to_8(test.channels, test.width), test.expected) << test.why;
}

TEST(NetworkBuilder, BordersGiveTheSizesOfTheirFrameworks) {
  struct {
    const char* why;
    Border border;
    std::int64_t size;
    std::int64_t kernel;
    std::int64_t stride;
    Padding padding;
    std::int64_t expected;
  } constexpr kCases[] = {{"same, even size", Border::kSame, 224, 3, 2, {0, 0, 1, 1}, 112},
                          {"same, odd size", Border::kSame, 147, 3, 2, {1, 1, 1, 1}, 74},
                          {"same, even kernel", Border::kSame, 10, 4, 1, {1, 1, 2, 2}, 10},
                          {"same, nothing to pad", Border::kSame, 9, 1, 2, {}, 5},
                          {"even", Border::kEven, 224, 7, 2, {3, 3, 3, 3}, 112},
                          {"none", Border::kNone, 299, 3, 2, {}, 149}};
  for (const auto& test : kCases) {
    SCOPED_TRACE(test.why);
    NetworkBuilder net(1, Weights::kNone);
    const FeatureMap x = net.input({1, test.size, test.size, 1});
    net.output(net.conv("conv", x,
                        {.out = 1,
                         .kernel = {test.kernel, test.kernel},
                         .stride = {test.stride, test.stride},
                         .border = test.border,
                         .shift = Shift::kNone}));
    const Graph graph = net.finish();
    EXPECT_EQ(std::get<Conv2d>(graph.nodes()[0].op).window.padding, test.padding);
    EXPECT_EQ(graph.shape(graph.outputs()[0].value).h(), test.expected);
  }
}

std::vector<std::string> names_of(const Graph& graph) {
  std::vector<std::string> names;
  for (const Node& node : graph.nodes()) names.push_back(node.name);
  return names;
}

Graph residual(const InvertedResidual& block) {
  NetworkBuilder net(1, Weights::kSeeded);
  const FeatureMap x = net.input({1, 8, 8, 16});
  net.output(inverted_residual(net, "b", x, block));
  return net.finish();
}

TEST(InvertedResidual, LeavesOutWhatDoesNothing) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(names_of(residual({.expanded = 16, .out = 24})),
            (Names{"b/depthwise", "b/depthwise/norm", "b/depthwise/activation", "b/project", "b/project/norm"}));
  const Names whole = {"b/expand",    "b/expand/norm",       "b/expand/activation",
                       "b/depthwise", "b/depthwise/norm",    "b/depthwise/activation",
                       "b/mean",      "b/squeeze",           "b/squeeze/activation",
                       "b/excite",    "b/excite/activation", "b/gated",
                       "b/project",   "b/project/norm",      "b/add"};
  EXPECT_EQ(names_of(residual({.expanded = 32, .out = 16, .squeeze = {8, kHardSigmoid}})), whole);
  EXPECT_EQ(names_of(residual({.expanded = 16, .out = 16, .stride = 2})).back(), "b/project/norm");
}

TEST(NetworkBuilder, RefusesToStrideOverOnePixel) {
  const auto strided = [](auto layer) {
    return [layer] {
      NetworkBuilder net(1, Weights::kNone);
      layer(net, net.input({1, 1, 1, 4}));
    };
  };
  EXPECT_TRUE(raises(
      strided([](NetworkBuilder& net, const FeatureMap& x) { net.conv("a/conv", x, {.out = 4, .stride = {2, 2}}); }),
      "a/conv: a stride of 2x2 over a map of 1x1; the network needs a larger size", ErrorKind::kInvalid));
  EXPECT_TRUE(
      raises(strided([](NetworkBuilder& net, const FeatureMap& x) { net.max_pool("p", x, 3, 2, Border::kEven); }),
             "p: a stride of 2x2 over a map of 1x1; the network needs a larger size"));
}

}  // namespace
}  // namespace sepal
