#include "sepal/optimize/passes.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "sepal/optimize/optimize.h"
#include "sepal/optimize/rewrite.h"
#include "tests/optimize/same.h"

namespace sepal {
namespace {

/// A channels-last graph of one input [1, 6, 5, 4] and what is built on it.
struct Net {
  Graph graph;
  ValueId x = graph.add_input("x", {DataType::kF32, {1, 6, 5, 4}});

  ValueId constant(const Tensor& tensor) { return graph.add_constant(tensor.copy()); }
  ValueId scalar(float value) { return graph.add_constant(Tensor::of<float>({}, {value})); }
  ValueId conv(ValueId input, const Conv2d& op, const Shape& filter, bool bias = true) {
    std::vector<ValueId> inputs = {input, constant(noise(filter, 11))};
    if (bias) inputs.push_back(constant(noise({filter.n()}, 12)));
    return graph.add(op, inputs, "conv");
  }
  ValueId pointwise(ValueId input, bool bias = true) { return conv(input, {}, {4, 1, 1, 4}, bias); }
  ValueId binary(BinaryKind kind, ValueId a, ValueId b) { return graph.add(Binary{kind}, {a, b}); }
  ValueId unary(Unary op, ValueId a) { return graph.add(op, {a}); }
  ValueId norm(ValueId input) {
    const std::int64_t c = graph.shape(input)[graph.shape(input).rank() - 1];
    Tensor variance = noise({c}, 24);
    for (float& value : variance.values<float>()) value = value * value + 0.1f;
    return graph.add(
        BatchNorm{.epsilon = 1e-3f},
        {input, constant(noise({c}, 21)), constant(noise({c}, 22)), constant(noise({c}, 23)), constant(variance)},
        "norm");
  }
  Graph done(ValueId output, Graph (*pass)(const Graph&)) {
    graph.add_output("y", output);
    Graph result = pass(graph);
    expect_same(graph, result);
    return simplify(result);  // leaves out what is dead now
  }
};

TEST(FoldConstants, EvaluatesWhatHangsOnNoInput) {
  Net net;
  const ValueId sum = net.binary(BinaryKind::kAdd, net.scalar(1), net.scalar(2));
  const Graph result =
      net.done(net.binary(BinaryKind::kMultiply, net.x, net.unary({UnaryKind::kSqrt}, sum)), fold_constants);
  ASSERT_EQ(result.nodes().size(), 1u);
  EXPECT_FLOAT_EQ(*uniform_value(result.constant(result.nodes()[0].inputs[1])), std::sqrt(3.0f));
}

TEST(FoldConstants, LeavesWhatWouldGrowTooLarge) {
  Net net;
  const ValueId large = net.graph.add(Expand{{1 << 14, 1 << 14}}, {net.scalar(1)});
  net.graph.add_output("y", net.graph.add(Reduce{ReduceKind::kMax, {0, 1}, false}, {large}));
  EXPECT_EQ(count<Expand>(fold_constants(net.graph)), 1);
}

TEST(FoldConstants, LeavesWhatWouldTakeTooLong) {
  // A few numbers of constants, and 10^12 comparisons.
  Net net;
  const ValueId image = net.graph.add(Expand{{1, 1000, 1000, 1}}, {net.scalar(1)});
  const Pool pool{.window = {.kernel = {1000, 1000}, .padding = {999, 999, 999, 999}}};
  net.graph.add_output("y", net.graph.add(pool, {image}));
  const Graph result = fold_constants(net.graph);
  EXPECT_EQ(count<Pool>(result), 1);
  EXPECT_EQ(count<Expand>(result), 0);
}

TEST(Simplify, DropsWhatDoesNothing) {
  Net net;
  ValueId x = net.unary({UnaryKind::kIdentity}, net.x);
  x = net.graph.add(Reshape{{1, 6, 5, 4}}, {x});
  x = net.graph.add(Transpose{Permutation::of({0, 1, 2, 3})}, {x});
  x = net.graph.add(Cast{DataType::kF32}, {x});
  x = net.graph.add(Expand{{1, 6, 5, 4}}, {x});
  x = net.graph.add(Tile{}, {x});
  x = net.graph.add(Concat{.axis = 2}, {x});
  x = net.graph.add(Slice{.size = {1, 6, 5, 4}}, {x});
  x = net.graph.add(Pad{}, {x});
  x = net.graph.add(Reduce{.axes = {0}}, {x});
  x = net.graph.add(Pool{}, {x});
  x = net.graph.add(Reshape{{30, 4}}, {x});
  x = net.graph.add(Reshape{{1, 6, 5, 4}}, {x});
  const Graph result = net.done(x, simplify);
  EXPECT_EQ(result.nodes().size(), 0u);
}

TEST(Simplify, KeepsWhatDoesSomething) {
  Net net;
  ValueId x = net.graph.add(Slice{.start = {0, 5}, .step = {1, -1, 1, 1}, .size = {1, 6, 5, 4}}, {net.x});
  x = net.graph.add(Reduce{.kind = ReduceKind::kL1, .axes = {0}}, {x});
  x = net.graph.add(Reshape{{6, 20}}, {net.graph.add(Reshape{{30, 4}}, {x})});
  EXPECT_EQ(net.done(x, simplify).nodes().size(), 3u);  // the two reshapes are one
}

TEST(AbsorbPadding, JoinsTheWindow) {
  Net net;
  const ValueId padded = net.graph.add(Pad{.before = {0, 0, 1, 0}, .after = {0, 1, 2, 0}}, {net.x});
  const Conv2d op{.window = {.kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 0, 0, 0}}};
  const Graph result = net.done(net.conv(padded, op, {4, 3, 3, 4}), absorb_padding);
  ASSERT_EQ(result.nodes().size(), 1u);
  EXPECT_EQ(std::get<Conv2d>(result.nodes()[0].op).window.padding, (Padding{1, 1, 1, 2}));
}

TEST(AbsorbPadding, LeavesPaddingThatIsNotZerosAroundTheImage) {
  const Pad kOthers[] = {{.before = {0, 1}, .value = 1},
                         {.before = {0, 0, 0, 1}},
                         {.mode = PadMode::kEdge, .before = {0, 1}},
                         {.before = {0, -1}},
                         {.after = {0, 0, -1}}};
  for (const Pad& pad : kOthers) {
    Net net;
    const ValueId padded = net.graph.add(pad, {net.x});
    const std::int64_t c = net.graph.shape(padded).c();
    EXPECT_EQ(net.done(net.conv(padded, {}, {4, 1, 1, c}), absorb_padding).nodes().size(), 2u);
  }
}

TEST(FoldBatchNorm, GoesIntoTheFilter) {
  for (const bool bias : {true, false}) {
    Net net;
    const Graph result = net.done(net.norm(net.pointwise(net.x, bias)), fold_batch_norm);
    ASSERT_EQ(result.nodes().size(), 1u);
    EXPECT_EQ(result.nodes()[0].inputs.size(), 3u);
    EXPECT_EQ(result.nodes()[0].name, "conv");
  }
}

TEST(FoldBatchNorm, FollowsDepthwiseAndTransposedConvolutions) {
  Net net;
  const ValueId wide = net.norm(net.conv(net.x, {.window = {.kernel = {3, 3}}, .groups = 4}, {8, 3, 3, 1}));
  const ConvTranspose2d up{.window = {.kernel = {2, 2}, .stride = {2, 2}}, .groups = 2};
  const ValueId upward = net.graph.add(up, {wide, net.constant(noise({8, 2, 2, 3}, 31))});
  const Graph result = net.done(net.norm(upward), fold_batch_norm);
  EXPECT_EQ(result.nodes().size(), 2u);
}

TEST(FoldBatchNorm, TakesScalesAndShiftsOfConstants) {
  Net net;
  ValueId x = net.pointwise(net.x, false);
  x = net.binary(BinaryKind::kMultiply, net.constant(noise({1, 1, 1, 4}, 41)), x);
  x = net.binary(BinaryKind::kAdd, x, net.constant(noise({4}, 42)));
  x = net.binary(BinaryKind::kSubtract, x, net.scalar(0.25f));
  x = net.binary(BinaryKind::kSubtract, net.scalar(2), x);
  x = net.binary(BinaryKind::kDivide, x, net.scalar(3));
  EXPECT_EQ(net.done(x, fold_batch_norm).nodes().size(), 1u);
}

TEST(FoldBatchNorm, LeavesWhatIsNotFinite) {
  // Infinity times a sum is not the sum of infinities of both signs.
  for (const float divisor : {0.0f, 1e-38f}) {
    Net net;
    const ValueId x = net.binary(BinaryKind::kDivide, net.pointwise(net.x), net.scalar(divisor));
    net.graph.add_output("y", net.binary(BinaryKind::kMultiply, x, net.scalar(1e3f)));
    EXPECT_GE(fold_batch_norm(net.graph).nodes().size(), 2u);
  }
}

TEST(FoldBatchNorm, HasABudget) {
  // Every scale would write the filter anew; the passes before have not joined the scales.
  Graph graph;
  const ValueId x = graph.add_input("x", {DataType::kF32, {1, 1, 1, 1024}});
  ValueId y = graph.add(Conv2d{}, {x, graph.add_constant(noise({1024, 1, 1, 1024}, 1))});
  for (int i = 0; i < 100; ++i) {
    y = graph.add(Binary{BinaryKind::kMultiply}, {y, graph.add_constant(Tensor::of<float>({}, {0.99f}))});
  }
  graph.add_output("y", y);
  const Graph result = fold_batch_norm(graph);
  // 16 MiB and eight times 4 MiB: 12 filters of 4 MiB.
  EXPECT_EQ(count<Binary>(result), 100 - 12);
}

TEST(FoldBatchNorm, ComputesNothingOnAShapesWord) {
  Graph graph;
  const ValueId x = graph.add_input("x", {DataType::kF32, {std::int64_t{1} << 58}});
  graph.add_output("y", graph.add(Binary{BinaryKind::kMultiply}, {x, graph.add_constant(Tensor::of<float>({}, {2}))}));
  EXPECT_EQ(fold_batch_norm(graph).nodes().size(), 1u);
}

TEST(FoldBatchNorm, LeavesWhatOthersReadOrWhatIsNotPerChannel) {
  Net shared;
  const ValueId conv = shared.pointwise(shared.x);
  const ValueId normed = shared.norm(conv);
  const Graph kept = shared.done(shared.binary(BinaryKind::kMultiply, conv, normed), fold_batch_norm);
  EXPECT_EQ(count<BatchNorm>(kept), 0);  // written as a multiplication and an addition
  EXPECT_EQ(kept.nodes().size(), 4u);

  Net other;
  ValueId x = other.pointwise(other.x);
  x = other.binary(BinaryKind::kMultiply, x, other.constant(noise({5, 1}, 43)));  // per column
  x = other.binary(BinaryKind::kMaximum, x, other.scalar(0.1f));
  x = other.binary(BinaryKind::kDivide, other.scalar(1), x);
  EXPECT_EQ(other.done(x, fold_batch_norm).nodes().size(), 4u);

  Net active;
  x = active.conv(active.x, {.activation = {UnaryKind::kRelu}}, {4, 1, 1, 4});
  EXPECT_EQ(active.done(active.norm(x), fold_batch_norm).nodes().size(), 3u);
}

/// The activation that `build` boils down to.
template <typename Build>
Unary recognized(const Build& build) {
  Net net;
  const Graph result = net.done(build(net), recognize_activations);
  EXPECT_EQ(result.nodes().size(), 1u);
  return result.nodes().empty() ? Unary{} : std::get<Unary>(result.nodes()[0].op);
}

TEST(RecognizeActivations, FindsFunctionsWrittenInSteps) {
  using enum BinaryKind;
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const auto relu6_of_3 = [](Net& n) { return n.unary({UnaryKind::kClip, 0, 6}, n.binary(kAdd, n.x, n.scalar(3))); };
  EXPECT_EQ(recognized([](Net& n) { return n.binary(kMultiply, n.x, n.unary({UnaryKind::kSigmoid}, n.x)); }),
            (Unary{UnaryKind::kSwish, 1}));
  EXPECT_EQ(recognized([](Net& n) {
              return n.binary(kMultiply, n.unary({UnaryKind::kHardSigmoid, 1.0f / 6, 0.5f}, n.x), n.x);
            }).kind,
            UnaryKind::kHardSwish);
  EXPECT_EQ(
      recognized([&](Net& n) { return n.binary(kDivide, n.binary(kMultiply, n.x, relu6_of_3(n)), n.scalar(6)); }).kind,
      UnaryKind::kHardSwish);
  EXPECT_EQ(recognized([&](Net& n) {
              return n.binary(kMultiply, n.binary(kMultiply, relu6_of_3(n), n.x), n.scalar(1.0f / 6));
            }).kind,
            UnaryKind::kHardSwish);
  EXPECT_EQ(
      recognized([&](Net& n) { return n.binary(kMultiply, n.x, n.binary(kDivide, relu6_of_3(n), n.scalar(6))); }).kind,
      UnaryKind::kHardSwish);
  EXPECT_EQ(recognized([&](Net& n) { return n.binary(kDivide, relu6_of_3(n), n.scalar(6)); }).kind,
            UnaryKind::kHardSigmoid);
  EXPECT_EQ(recognized([](Net& n) { return n.binary(kMaximum, n.scalar(0), n.x); }).kind, UnaryKind::kRelu);
  EXPECT_EQ(
      recognized([](Net& n) { return n.binary(kMinimum, n.binary(kMaximum, n.x, n.scalar(-0.5f)), n.scalar(0.5f)); }),
      (Unary{UnaryKind::kClip, -0.5f, 0.5f}));
  EXPECT_EQ(recognized([](Net& n) { return n.binary(kMaximum, n.x, n.scalar(0.5f)); }),
            (Unary{UnaryKind::kClip, 0.5f, kInfinity}));
  EXPECT_EQ(recognized([](Net& n) { return n.unary({UnaryKind::kClip, -1, 0.7f}, n.unary({UnaryKind::kRelu}, n.x)); }),
            (Unary{UnaryKind::kClip, 0, 0.7f}));
  EXPECT_EQ(recognized([](Net& n) {
              return n.binary(kPRelu, n.x, n.constant(Tensor::of<float>({4}, {0.2f, 0.2f, 0.2f, 0.2f})));
            }),
            (Unary{UnaryKind::kLeakyRelu, 0.2f}));
}

TEST(RecognizeActivations, LeavesWhatOnlyLooksLikeThem) {
  using enum BinaryKind;
  const auto untouched = [](const auto& build) {
    Net net;
    net.graph.add_output("y", build(net));
    const Graph result = recognize_activations(net.graph);
    EXPECT_EQ(result, net.graph);
  };
  untouched([](Net& n) {
    return n.binary(kMultiply, n.x, n.unary({UnaryKind::kSigmoid}, n.unary({UnaryKind::kTanh}, n.x)));
  });
  untouched([](Net& n) { return n.binary(kDivide, n.scalar(6), n.x); });
  untouched([](Net& n) { return n.binary(kMaximum, n.x, n.constant(Tensor::of<float>({4}, {0, 0, 0, 1}))); });
  untouched([](Net& n) { return n.binary(kMaximum, n.x, n.constant(Tensor(DataType::kF32, {2, 6, 5, 4}))); });
  untouched([](Net& n) { return n.unary({UnaryKind::kClip, 1, 2}, n.unary({UnaryKind::kClip, -2, -1}, n.x)); });
  untouched([](Net& n) {
    return n.binary(kDivide, n.unary({UnaryKind::kClip, 0, 6}, n.binary(kAdd, n.x, n.scalar(2.5f))), n.scalar(6));
  });
}

TEST(AbsorbActivations, GoIntoTheConvolution) {
  Net net;
  const Graph result = net.done(net.unary({UnaryKind::kClip, 0, 0.5f}, net.pointwise(net.x)), absorb_activations);
  ASSERT_EQ(result.nodes().size(), 1u);
  EXPECT_EQ(std::get<Conv2d>(result.nodes()[0].op).activation, (Unary{UnaryKind::kClip, 0, 0.5f}));

  Net twice;
  const Graph second = twice.done(
      twice.unary({UnaryKind::kRelu}, twice.unary({UnaryKind::kTanh}, twice.pointwise(twice.x))), absorb_activations);
  EXPECT_EQ(second.nodes().size(), 2u);  // one activation a convolution

  Net shared;
  const ValueId conv = shared.pointwise(shared.x);
  EXPECT_EQ(
      shared.done(shared.binary(BinaryKind::kAdd, conv, shared.unary({UnaryKind::kRelu}, conv)), absorb_activations)
          .nodes()
          .size(),
      3u);
}

TEST(AbsorbActivations, TakesAFunctionThatWasWrittenInSteps) {
  // What recognition leaves dead no longer reads the convolution's result.
  Net net;
  const ValueId x = net.pointwise(net.x);
  const ValueId clipped = net.unary({UnaryKind::kClip, 0, 6}, net.binary(BinaryKind::kAdd, x, net.scalar(3)));
  net.graph.add_output("y",
                       net.binary(BinaryKind::kDivide, net.binary(BinaryKind::kMultiply, x, clipped), net.scalar(6)));
  const Graph result = optimize(net.graph);
  expect_same(net.graph, result);
  ASSERT_EQ(result.nodes().size(), 1u);
  EXPECT_EQ(std::get<Conv2d>(result.nodes()[0].op).activation.kind, UnaryKind::kHardSwish);
}

TEST(Widen, ComputesHalvesInSingle) {
  Graph graph;
  const ValueId x = graph.add_input("x", {DataType::kF32, {1, 2, 2, 3}});
  const ValueId half = graph.add(Cast{DataType::kF16}, {x});
  const ValueId filter = graph.add(Cast{DataType::kF16}, {graph.add_constant(noise({5, 1, 1, 3}, 1))});
  const ValueId conv = graph.add(Conv2d{}, {half, filter}, "conv");
  graph.add_output("y", graph.add(Cast{DataType::kF32}, {graph.add(Reshape{{4, 5}}, {conv})}));
  const Graph result = widen(graph);
  EXPECT_EQ(result.type(result.outputs()[0].value), graph.type(graph.outputs()[0].value));
  for (const Node& node : result.nodes()) {
    if (std::holds_alternative<Conv2d>(node.op)) {
      EXPECT_EQ(result.type(node.inputs[0]).type, DataType::kF32);
    }
  }
  const std::vector<Tensor> values = outputs_of(optimize(graph));
  // By hand, every product and sum in double, rounded to half at the end.
  const Tensor input = noise({1, 2, 2, 3}, 1);
  const Tensor weights = noise({5, 1, 1, 3}, 1);
  const auto rounded = [](double value) {
    return static_cast<double>(static_cast<float>(Float16(static_cast<float>(value))));
  };
  for (std::size_t i = 0; i < 20; ++i) {
    double sum = 0;
    for (std::size_t k = 0; k < 3; ++k)
      sum += rounded(input.values<float>()[i / 5 * 3 + k]) * rounded(weights.values<float>()[i % 5 * 3 + k]);
    EXPECT_NEAR(values[0].values<float>()[i], rounded(sum), 1e-3);
  }
}

TEST(Optimize, TellsOfEachPassAndKeepsTheEnds) {
  Net net;
  net.graph.add_output("y", net.unary({UnaryKind::kRelu}, net.norm(net.pointwise(net.x))));
  std::size_t seen = 0;
  const Graph result = optimize(net.graph, [&](const Pass& pass, const Graph& before, const Graph& after) {
    EXPECT_EQ(pass.name, passes()[seen++].name);
    EXPECT_EQ(before.inputs().size(), after.inputs().size());
    expect_same(before, after);
  });
  EXPECT_EQ(seen, passes().size());
  EXPECT_EQ(result.nodes().size(), 1u);
}

}  // namespace
}  // namespace sepal
