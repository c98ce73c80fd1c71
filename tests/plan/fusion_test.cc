// Steps that compute several nodes: which nodes those are, and that the results are the same.

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "sepal/plan/plan.h"
#include "tests/plan/net.h"

namespace sepal {
namespace {

/// Kernels of a plan's steps.
std::vector<std::string> kernels_of(const Graph& graph, const PlanOptions& options = {}) {
  std::vector<std::string> kernels;
  const Plan plan(graph, options);
  for (const Step& step : plan.steps()) kernels.emplace_back(step.kernel);
  return kernels;
}

TEST(Fusion, AShortcutIsAddedByTheConvolutionBehindIt) {
  const Unary relu{UnaryKind::kRelu};
  const Unary swish{UnaryKind::kSwish, 1};
  const Conv2d three{.window = {.kernel = {3, 3}, .padding = {1, 1, 1, 1}}};
  struct Case {
    const char* why;
    std::function<ValueId(Net&)> build;
    std::vector<std::string> kernels;
  };
  const auto add = [](Net& n, ValueId a, ValueId b) { return n.graph.add(Binary{BinaryKind::kAdd}, {a, b}); };
  const std::vector<Case> cases = {
      {"a projection and its shortcut",
       [&](Net& n) {
         const ValueId x = n.conv(n.input({1, 5, 6, 8}), {}, 8);
         return add(n, n.conv(n.conv(x, {}, 20), {}, 8), x);
       },
       {"pointwise f32", "pointwise f32", "pointwise f32, add"}},
      {"the shortcut first, and a function after",
       [&](Net& n) {
         const ValueId x = n.input({2, 5, 6, 8});
         return n.graph.add(relu, {add(n, x, n.conv(x, three, 8))});
       },
       {"direct f32, add"}},
      {"a function that no register does",
       [&](Net& n) {
         const ValueId x = n.input({1, 5, 6, 40});
         return n.graph.add(swish, {add(n, x, n.conv(x, {}, 40))});
       },
       {"pointwise f32, add"}},
      {"two convolutions: the later one adds",
       [&](Net& n) {
         const ValueId x = n.input({1, 6, 6, 8});
         const ValueId first = n.conv(x, three, 16);
         return n.graph.add(relu, {add(n, first, n.conv(x, {}, 16))});
       },
       {"direct f32", "pointwise f32, add"}},
      {"what is added is the convolution's own input, which it still reads",
       [&](Net& n) {
         const ValueId x = n.conv(n.input({1, 6, 6, 16}), {}, 16);
         return n.conv(add(n, n.conv(x, {}, 16), x), {}, 4);
       },
       {"pointwise f32", "pointwise f32, add", "pointwise f32"}},
      {"not where another reads the convolution",
       [&](Net& n) {
         const ValueId x = n.input({1, 6, 6, 8});
         const ValueId y = n.conv(x, {}, 8);
         return n.graph.add(Binary{BinaryKind::kMultiply}, {add(n, y, x), y});
       },
       {"pointwise f32", "binary f32", "binary f32"}},
      {"not before an activation of its own",
       [&](Net& n) {
         const ValueId x = n.input({1, 6, 6, 8});
         return add(n, n.conv(x, {.activation = relu}, 8), x);
       },
       {"pointwise f32", "binary f32"}},
      {"not with broadcasting",
       [&](Net& n) {
         const ValueId row = n.input({1, 1, 1, 8});
         return add(n, n.conv(n.input({1, 6, 6, 8}), {}, 8), row);
       },
       {"pointwise f32", "binary f32"}},
      {"not a depthwise one",
       [&](Net& n) {
         const ValueId x = n.input({1, 6, 6, 8});
         return add(n, n.conv(x, {.window = {.kernel = {3, 3}, .padding = {1, 1, 1, 1}}, .groups = 8}, 8), x);
       },
       {"depthwise f32", "binary f32"}},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.why);
    Net net;
    net.graph.add_output("y", test.build(net));
    EXPECT_EQ(kernels_of(net.graph), test.kernels);
    EXPECT_EQ(kernels_of(net.graph, {.fuse = false}).size(), net.graph.nodes().size());
    for (const int threads : {1, 3}) {
      const std::vector<Tensor> fused = outputs_of(net.graph, false, threads);
      const std::vector<Tensor> exact = outputs_of(net.graph);
      EXPECT_LT(distance(fused[0], exact[0]), 1e-5);
    }
  }
}

TEST(Fusion, ALargeMapBetweenTheStagesNeverExists) {
  const Conv2d depthwise{
      .window = {.kernel = {3, 3}, .padding = {1, 1, 1, 1}}, .groups = 24, .activation = {UnaryKind::kRelu}};
  for (const bool shortcut : {false, true}) {
    for (const std::int64_t batch : {1, 2}) {
      Net net;
      const ValueId x = net.conv(net.input({batch, 70, 70, 5}), {}, 24);
      ValueId y = net.conv(net.conv(x, depthwise, 24), {}, 24);
      if (shortcut) y = net.graph.add(Binary{BinaryKind::kAdd}, {x, y});
      net.graph.add_output("y", net.conv(y, {}, 3));
      EXPECT_EQ(kernels_of(net.graph),
                (std::vector<std::string>{"pointwise f32", shortcut ? "separable f32, add" : "separable f32",
                                          "pointwise f32"}));
      const std::vector<Tensor> apart = outputs_of(net.graph);
      const std::vector<Tensor> one = outputs_of(net.graph, false, 1);
      const std::vector<Tensor> three = outputs_of(net.graph, false, 3);
      EXPECT_LT(distance(one[0], apart[0]), 1e-5);
      EXPECT_TRUE(identical(one[0], three[0]));
    }
  }
}

}  // namespace
}  // namespace sepal
