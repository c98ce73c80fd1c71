// Steps that compute several nodes: which nodes those are, and that the results are the same.

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "sepal/base/error.h"
#include "sepal/plan/chains.h"
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
  const Conv2d kept{.window = {.kernel = {3, 3}, .padding = {1, 1, 1, 1}}};
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
         return n.graph.add(relu, {add(n, x, n.conv(x, kept, 8))});
       },
       {"direct f32, add"}},
      {"a function that no register does",
       [&](Net& n) {
         const ValueId x = n.input({1, 5, 6, 40});
         return n.graph.add(swish, {add(n, x, n.conv(x, {}, 40))});
       },
       {"pointwise f32, add"}},
      {"small groups",
       [&](Net& n) {
         const ValueId x = n.input({2, 5, 16, 8});
         return n.graph.add(relu, {add(n, n.conv(x, {.groups = 2}, 8), x)});
       },
       {"grouped f32, add"}},
      {"two convolutions: the later one adds",
       [&](Net& n) {
         const ValueId x = n.input({1, 6, 6, 8});
         const ValueId first = n.conv(x, kept, 16);
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
      const std::vector<Tensor> fused = outputs_of(net.graph, {.threads = threads});
      const std::vector<Tensor> exact = outputs_of(net.graph);
      EXPECT_LT(distance(fused[0], exact[0]), 1e-5);
    }
  }
}

TEST(Fusion, AGateIsMultipliedIntoTheProductBehindIt) {
  struct Case {
    const char* why;
    std::function<ValueId(Net&)> build;
    std::vector<std::string> kernels;
  };
  const auto of = [](BinaryKind kind) {
    return [kind](Net& n, ValueId a, ValueId b) { return n.graph.add(Binary{kind}, {a, b}); };
  };
  const auto times = of(BinaryKind::kMultiply);
  const auto add = of(BinaryKind::kAdd);
  const Unary relu{UnaryKind::kRelu};
  const std::vector<Case> cases = {
      {"a gate on the right, images in a batch, channels that fill no vector",
       [&](Net& n) {
         const ValueId map = n.input({3, 9, 9, 20});
         return n.conv(times(n, map, n.input({3, 1, 1, 20})), {.activation = relu}, 7);
       },
       {"pointwise f32, gate"}},
      {"a gate on the left, several blocks",
       [&](Net& n) {
         const ValueId gate = n.input({2, 1, 1, 130});
         return n.conv(times(n, gate, n.input({2, 40, 30, 130})), {}, 40, false);
       },
       {"pointwise f32, gate"}},
      {"squeeze-and-excite, its shortcut, and a function after that",
       [&](Net& n) {
         const ValueId x = n.conv(n.input({2, 12, 12, 16}), {}, 16);
         const ValueId map = n.conv(x, {.activation = relu}, 48);
         const ValueId mean = n.graph.add(Reduce{.kind = ReduceKind::kMean, .axes = {1, 2}}, {map});
         const ValueId gate = n.conv(n.conv(mean, {.activation = relu}, 8),
                                     {.activation = {UnaryKind::kHardSigmoid, 1.0f / 6, 0.5f}}, 48);
         return n.graph.add(relu, {add(n, n.conv(times(n, map, gate), {}, 16), x)});
       },
       {"pointwise f32", "pointwise f32", "spatial mean f32", "pointwise f32", "pointwise f32",
        "pointwise f32, gate, add"}},
      {"not where another reads what is gated",
       [&](Net& n) {
         const ValueId map = times(n, n.input({1, 9, 9, 16}), n.input({1, 1, 1, 16}));
         return add(n, n.conv(map, {.activation = relu}, 16), map);
       },
       {"binary f32", "pointwise f32", "binary f32"}},
      {"not where the weights are more than the pixels",
       [&](Net& n) { return n.conv(times(n, n.input({4, 7, 7, 16}), n.input({4, 1, 1, 16})), {}, 8); },
       {"binary f32", "pointwise f32"}},
      {"not a factor for all images",
       [&](Net& n) { return n.conv(times(n, n.input({2, 9, 9, 16}), n.input({1, 1, 1, 16})), {}, 8); },
       {"binary f32", "pointwise f32"}},
      {"not a factor that is known before",
       [&](Net& n) { return n.conv(times(n, n.input({1, 9, 9, 16}), n.constant({1, 1, 1, 16})), {}, 8); },
       {"binary f32", "pointwise f32"}},
      {"not a mask over the image",
       [&](Net& n) { return n.conv(times(n, n.input({1, 9, 9, 16}), n.input({1, 9, 9, 1})), {}, 8); },
       {"binary f32", "pointwise f32"}},
      {"not before a larger window",
       [&](Net& n) {
         const ValueId map = times(n, n.input({1, 9, 9, 16}), n.input({1, 1, 1, 16}));
         return n.conv(map, {.window = {.kernel = {3, 3}}}, 8);
       },
       {"binary f32", "direct f32"}},
      {"not before a stride",
       [&](Net& n) {
         const ValueId map = times(n, n.input({1, 30, 30, 16}), n.input({1, 1, 1, 16}));
         return n.conv(map, {.window = {.kernel = {1, 1}, .stride = {2, 2}}}, 8);
       },
       {"binary f32", "direct f32"}},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.why);
    Net net;
    net.graph.add_output("y", test.build(net));
    EXPECT_EQ(kernels_of(net.graph), test.kernels);
    EXPECT_EQ(kernels_of(net.graph, {.fuse = false}).size(), net.graph.nodes().size());
    const std::vector<Tensor> apart = outputs_of(net.graph, {.fuse = false});
    const std::vector<Tensor> one = outputs_of(net.graph, {.threads = 1});
    const std::vector<Tensor> three = outputs_of(net.graph, {.threads = 3});
    EXPECT_LT(distance(one[0], apart[0]), 1e-5);
    EXPECT_LT(distance(one[0], outputs_of(net.graph)[0]), 1e-5);
    EXPECT_TRUE(identical(one[0], three[0]));
  }
}

/// Caches in which the maps of the networks below do not fit.
constexpr CacheSizes kSmall = {.l2 = 64 << 10, .l3 = 256 << 10};

/// A convolution of 3 x 3 that keeps the size.
Conv2d three(std::int64_t groups, std::int64_t stride = 1) {
  return {.window = {.kernel = {3, 3}, .stride = {stride, stride}, .padding = {1, 1, 1, 1}},
          .groups = groups,
          .activation = {UnaryKind::kRelu}};
}

TEST(Fusion, LargeMapsBetweenStagesNeverExist) {
  struct Case {
    const char* why;
    std::function<ValueId(Net&)> build;
    std::vector<std::string> kernels;
  };
  const auto add = [](Net& n, ValueId a, ValueId b) { return n.graph.add(Binary{BinaryKind::kAdd}, {a, b}); };
  const std::vector<Case> cases = {
      {"a separable convolution",
       [](Net& n) { return n.conv(n.conv(n.input({1, 70, 70, 24}), three(24), 24), {}, 8); },
       {"separable f32"}},
      {"in a batch",
       [](Net& n) { return n.conv(n.conv(n.input({3, 40, 40, 24}), three(24), 24), {}, 8); },
       {"separable f32"}},
      {"an inverted residual and its shortcut",
       [&](Net& n) {
         const ValueId x = n.input({1, 40, 40, 8});
         return add(n, n.conv(n.conv(n.conv(x, {}, 24), three(24), 24), {}, 8), x);
       },
       {"inverted residual f32, add"}},
      {"a stem and what follows",
       [](Net& n) {
         const ValueId stem = n.conv(n.input({1, 200, 200, 3}), three(1, 2), 16);
         return n.conv(n.conv(stem, three(16), 16), {}, 24);
       },
       {"cascade f32"}},
      {"two readers: the map has to exist",
       [&](Net& n) {
         const ValueId x = n.conv(n.input({1, 60, 60, 16}), three(16), 16);
         return add(n, n.conv(x, {}, 16), x);
       },
       {"depthwise f32", "pointwise f32, add"}},
      {"small groups have a step of their own",
       [](Net& n) {
         const ValueId x = n.conv(n.input({1, 60, 60, 16}), three(4), 16);
         return n.conv(n.conv(x, three(16), 16), {}, 8);
       },
       {"grouped f32", "separable f32"}},
      {"no depthwise stage, no step of several",
       [](Net& n) { return n.conv(n.conv(n.input({1, 60, 60, 16}), {}, 24), {}, 8); },
       {"pointwise f32", "pointwise f32"}},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.why);
    Net net;
    net.graph.add_output("y", test.build(net));
    EXPECT_EQ(kernels_of(net.graph, {.caches = kSmall}), test.kernels);
    const std::vector<Tensor> exact = outputs_of(net.graph);
    const std::vector<Tensor> apart = outputs_of(net.graph, {.fuse = false});
    const std::vector<Tensor> one = outputs_of(net.graph, {.caches = kSmall});
    const std::vector<Tensor> three_threads = outputs_of(net.graph, {.threads = 3, .caches = kSmall});
    EXPECT_LT(distance(one[0], exact[0]), 1e-5);
    EXPECT_LT(distance(one[0], apart[0]), 1e-5);
    EXPECT_TRUE(identical(one[0], three_threads[0]));
  }
}

TEST(Fusion, AGateBeforeAStepOfSeveralStandsAlone) {
  Net net;
  const ValueId map = net.input({1, 40, 40, 8});
  const ValueId gated = net.graph.add(Binary{BinaryKind::kMultiply}, {map, net.input({1, 1, 1, 8})});
  net.graph.add_output("y", net.conv(net.conv(net.conv(gated, {}, 24), three(24), 24), {}, 8));
  EXPECT_EQ(kernels_of(net.graph, {.caches = kSmall}),
            (std::vector<std::string>{"binary f32", "inverted residual f32"}));
  EXPECT_LT(distance(outputs_of(net.graph, {.caches = kSmall})[0], outputs_of(net.graph)[0]), 1e-5);
}

TEST(Fusion, SmallMapsAreLeftInTheCache) {
  Net net;
  const ValueId x = net.conv(net.input({1, 8, 8, 8}), {}, 24);
  net.graph.add_output("y", net.conv(net.conv(x, three(24), 24), {}, 8));
  EXPECT_EQ(kernels_of(net.graph, {.caches = CacheSizes{}}),
            (std::vector<std::string>{"pointwise f32", "depthwise f32", "pointwise f32"}));
}

TEST(Cut, ShapesThatNoMemoryHoldsAreRankedBeforeTheyAreRefused) {
  // 2^58 values of 9 terms: more MACs than 64 bits count.
  Net net;
  const std::int64_t side = std::int64_t{1} << 26;
  const ValueId x = net.graph.add(Expand{{1, side, side, 64}}, {net.input({1, 1, 1, 64})});
  net.graph.add_output("y", net.conv(net.conv(x, three(64), 64), {}, 64));
  EXPECT_EQ(ranked(net.graph, {}, 2), std::vector<Fused>());
  EXPECT_THROW(Plan(net.graph, {.memory_limit = 1 << 20}), Error);
}

TEST(Cut, GoesWhereMapsFit) {
  const auto link = [](StageKind kind, std::int64_t side, std::int64_t c, double weights) {
    ChainLink one{.kind = kind, .output = {1, side, side, c}, .weights = weights};
    if (kind != StageKind::kPointwise) one.window = {.kernel = {3, 3}, .padding = {1, 1, 1, 1}};
    return one;
  };
  const auto ends = [](const std::vector<Cut>& cuts) {
    std::vector<std::size_t> result;
    for (const Cut& one : cuts) result.push_back(one.end);
    return result;
  };
  const auto expand = [&](std::int64_t side, std::int64_t c) {
    return link(StageKind::kPointwise, side, c, static_cast<double>(c) * 64);
  };
  const auto filter = [&](std::int64_t side, std::int64_t c) {
    return link(StageKind::kDepthwise, side, c, static_cast<double>(c) * 36);
  };
  struct Case {
    const char* why;
    std::vector<ChainLink> chain;
    CacheSizes caches;
    std::vector<std::size_t> ends;
  };
  const Case cases[] = {
      {"a hidden map of 4.8 MB", {expand(112, 96), filter(112, 96), expand(112, 24)}, {}, {3}},
      {"everything is small", {expand(7, 96), filter(7, 96), expand(7, 24)}, {}, {1, 2, 3}},
      {"a second cache that holds it: what is packed for a product is free, the rest may as well stand alone",
       {expand(56, 48), filter(56, 48), expand(56, 24)},
       {.l2 = 8 << 20},
       {1, 3}},
      {"weights that no cache holds would be read for every row",
       {link(StageKind::kPointwise, 28, 512, 8 << 20), filter(28, 512), link(StageKind::kPointwise, 28, 512, 8 << 20)},
       {.l2 = 1 << 20, .l3 = 4 << 20},
       {1, 2, 3}},
      {"rings that do not fit", {expand(2048, 96), filter(2048, 96), expand(2048, 24)}, {.l2 = 256 << 10}, {1, 2, 3}},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.why);
    EXPECT_EQ(ends(cut(test.chain, test.caches, 1)), test.ends);
  }
}

}  // namespace
}  // namespace sepal
