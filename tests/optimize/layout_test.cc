// The layout pass on graphs as a reader makes them: a transpose on each side of every image operator.

#include <gtest/gtest.h>

#include "sepal/optimize/optimize.h"
#include "sepal/optimize/passes.h"
#include "tests/optimize/same.h"

namespace sepal {
namespace {

/// Builds channels-first graphs: every value here is [n, c, h, w].
class Nchw {
 public:
  explicit Nchw(const Shape& input) : last(graph.add_input("x", {DataType::kF32, input})) {}

  ValueId conv(ValueId x, std::int64_t co, std::int64_t kernel, std::int64_t groups = 1, std::int64_t stride = 1) {
    const std::int64_t ci = graph.shape(x)[1];
    const std::int64_t side = kernel / 2;
    const ValueId filter = graph.add_constant(noise({co, kernel, kernel, ci / groups}, ++seed));
    const ValueId bias = graph.add_constant(noise({co}, ++seed));
    const Conv2d op{
        .window = {.kernel = {kernel, kernel}, .stride = {stride, stride}, .padding = {side, side, side, side}},
        .groups = groups};
    return back(graph.add(op, {to(x), filter, bias}, "conv"));
  }
  ValueId to(ValueId x) { return graph.add(Transpose{channels_last(4)}, {x}); }
  ValueId back(ValueId x) { return graph.add(Transpose{channels_first(4)}, {x}); }
  ValueId function(UnaryKind kind, ValueId x) { return graph.add(Unary{kind, 0, 6}, {x}); }
  ValueId pair(BinaryKind kind, ValueId a, ValueId b) { return graph.add(Binary{kind}, {a, b}); }
  ValueId constant(const Shape& shape) { return graph.add_constant(noise(shape, ++seed)); }
  ValueId mean(ValueId x, bool keep = true) { return graph.add(Reduce{ReduceKind::kMean, {2, 3}, keep}, {x}); }

  /// Optimises, checks the numbers, and returns the result.
  Graph done(std::initializer_list<ValueId> outputs) {
    int i = 0;
    for (const ValueId output : outputs) graph.add_output("y" + std::to_string(i++), output);
    Graph result = optimize(graph);
    expect_same(graph, result);
    return result;
  }

  Graph graph;
  ValueId last;
  std::uint64_t seed = 100;
};

TEST(Layout, AMobileNetKeepsTheTransposeAtItsInput) {
  Nchw net({1, 3, 16, 16});
  ValueId x = net.function(UnaryKind::kClip, net.conv(net.last, 8, 3, 1, 2));
  for (int block = 0; block < 3; ++block) {
    const ValueId expanded = net.function(UnaryKind::kClip, net.conv(x, 24, 1));
    const ValueId filtered = net.function(UnaryKind::kClip, net.conv(expanded, 24, 3, 24));
    x = net.pair(BinaryKind::kAdd, x, net.conv(filtered, 8, 1));
  }
  const ValueId features = net.graph.add(Reshape{{1, 8}}, {net.mean(x)});
  const Graph result = net.done({net.graph.add(Gemm{.transpose_b = true}, {features, net.constant({10, 8})})});
  EXPECT_EQ(count<Transpose>(result), 1);
  EXPECT_TRUE(std::holds_alternative<Transpose>(result.nodes()[0].op));
  EXPECT_EQ(count<Unary>(result), 0);  // every clip is a convolution's activation
}

TEST(Layout, SqueezeAndExciteNeedsNone) {
  Nchw net({1, 3, 8, 8});
  const ValueId x = net.function(UnaryKind::kRelu, net.conv(net.last, 8, 3));
  const ValueId squeezed = net.function(UnaryKind::kRelu, net.conv(net.mean(x), 4, 1));
  const ValueId gate = net.function(UnaryKind::kSigmoid, net.conv(squeezed, 8, 1));
  const Graph result = net.done({net.mean(net.conv(net.pair(BinaryKind::kMultiply, x, gate), 8, 1), false)});
  EXPECT_EQ(count<Transpose>(result), 1);
}

TEST(Layout, SqueezeAndExciteThroughDenseLayersNeedsNone) {
  Nchw net({2, 3, 8, 8});
  const ValueId x = net.conv(net.last, 8, 3);
  const ValueId vector = net.graph.add(Reshape{{2, 8}}, {net.mean(x)});
  const ValueId dense = net.graph.add(MatMul{}, {vector, net.constant({8, 8})});
  const ValueId gate = net.graph.add(Reshape{{2, 8, 1, 1}}, {dense});
  const Graph result = net.done({net.conv(net.pair(BinaryKind::kMultiply, x, gate), 4, 1)});
  EXPECT_EQ(count<Transpose>(result), 2);  // at the input, and at the output, which is an image
}

TEST(Layout, AttributesFollowTheirAxes) {
  Nchw net({2, 4, 6, 5});
  const ValueId x = net.conv(net.last, 6, 3);
  const ValueId padded = net.graph.add(Pad{.before = {0, 1, 2, 0}, .after = {0, 0, 1, 3}, .value = 0.5}, {x});
  const ValueId sliced =
      net.graph.add(Slice{.start = {0, 5, 1, 0}, .step = {1, -2, 1, 3}, .size = {2, 3, 7, 3}}, {padded});
  const ValueId joined = net.graph.add(Concat{.axis = 1}, {sliced, sliced, net.constant({2, 1, 7, 3})});
  const ValueId resized = net.graph.add(
      Resize{.how = {.mode = ResizeMode::kLinear, .scales = {1, 1, 2, 3}}, .size = {2, 7, 14, 9}}, {joined});
  const ValueId soft = net.graph.add(Softmax{.axis = 1}, {resized});
  const ValueId tiled = net.graph.add(Tile{.repeats = {1, 2, 1, 1}}, {soft});
  const ValueId picked = net.graph.add(
      Gather{.axis = 1}, {tiled, net.graph.add_constant(Tensor::of<std::int64_t>({5}, {4, 0, -1, 3, 3}))});
  const ValueId largest = net.graph.add(ArgReduce{.axis = 1, .keep_dims = false}, {picked});
  const ValueId sums = net.graph.add(Reduce{ReduceKind::kSum, {1, 3}, false}, {picked});
  const Graph result = net.done({net.conv(picked, 3, 1), sums, largest});
  EXPECT_EQ(count<Transpose>(result), 2);
}

TEST(Layout, BroadcastOperandsFollow) {
  Nchw net({2, 4, 6, 5});
  ValueId x = net.conv(net.last, 4, 3);
  for (const Shape& shape :
       {Shape{4, 1, 1}, Shape{1, 4, 1, 1}, Shape{5}, Shape{6, 1}, Shape{}, Shape{2, 4, 6, 5}, Shape{2, 1, 1, 1}}) {
    x = net.pair(BinaryKind::kMaximum, x, net.constant(shape));
    x = net.pair(BinaryKind::kSubtract, net.constant(shape), x);
  }
  const ValueId slope = net.constant({4, 1, 1});
  const Graph result = net.done({net.conv(net.pair(BinaryKind::kPRelu, x, slope), 4, 1)});
  EXPECT_EQ(count<Transpose>(result), 2);
}

TEST(Layout, ChannelShuffleNeedsOneInside) {
  Nchw net({1, 4, 6, 5});
  const ValueId x = net.conv(net.last, 8, 1);
  const ValueId split = net.graph.add(Reshape{{1, 2, 4, 6, 5}}, {x});
  const ValueId turned = net.graph.add(Transpose{Permutation::of({0, 2, 1, 3, 4})}, {split});
  const ValueId shuffled = net.graph.add(Reshape{{1, 8, 6, 5}}, {turned});
  const Graph result = net.done({net.mean(net.conv(shuffled, 8, 3, 8))});
  EXPECT_EQ(count<Transpose>(result), 2);  // at the input, and the shuffle itself
}

TEST(Layout, OneDimensionalConvolutionsCancelToo) {
  Graph graph;
  const ValueId x = graph.add_input("x", {DataType::kF32, {2, 3, 20}});
  ValueId value = x;
  for (int i = 0; i < 3; ++i) {
    const std::int64_t length = graph.shape(value)[2];
    const ValueId image = graph.add(Transpose{channels_last(4)}, {graph.add(Reshape{{2, 3, 1, length}}, {value})});
    const Conv2d op{.window = {.kernel = {1, 3}}};
    const ValueId conv = graph.add(op, {image, graph.add_constant(noise({3, 1, 3, 3}, 7))});
    value = graph.add(Reshape{{2, 3, length - 2}}, {graph.add(Transpose{channels_first(4)}, {conv})});
    value = graph.add(Unary{UnaryKind::kRelu}, {value});
  }
  graph.add_output("y", value);
  const Graph result = optimize(graph);
  expect_same(graph, result);
  EXPECT_EQ(count<Transpose>(result), 2);
}

TEST(Layout, ChannelsLastModelsNeedNone) {
  Graph graph;
  const ValueId x = graph.add_input("x", {DataType::kF32, {1, 8, 8, 3}});
  const ValueId first = graph.add(Transpose{channels_first(4)}, {x}, "as exported");
  const ValueId inner = graph.add(Transpose{channels_last(4)}, {first});
  const ValueId conv = graph.add(Conv2d{}, {inner, graph.add_constant(noise({5, 1, 1, 3}, 7))});
  const ValueId outer = graph.add(Transpose{channels_first(4)}, {conv});
  graph.add_output("y", graph.add(Transpose{channels_last(4)}, {outer}, "as exported too"));
  const Graph result = optimize(graph);
  expect_same(graph, result);
  EXPECT_EQ(count<Transpose>(result), 0);
}

TEST(Layout, QuantisationAlongChannelsFollows) {
  Nchw net({1, 4, 6, 5});
  const ValueId x = net.conv(net.last, 4, 3);
  const ValueId scale = net.graph.add_constant(Tensor::of<float>({4}, {0.01f, 0.02f, 0.03f, 0.04f}));
  const ValueId zero = net.graph.add_constant(Tensor::of<std::int8_t>({4}, {0, 1, -2, 3}));
  const ValueId q = net.graph.add(Quantize{.axis = 1}, {x, scale, zero});
  const Graph result = net.done({net.conv(net.graph.add(Dequantize{.axis = 1}, {q, scale, zero}), 4, 1)});
  EXPECT_EQ(count<Transpose>(result), 2);
}

TEST(WithoutLayout, DropsTransposesAndKeepsArithmetic) {
  // As a file has it: channels first, a convolution, batch norm, relu, each between transposes.
  Graph graph;
  ValueId x = graph.add_input("x", {DataType::kF32, {1, 3, 8, 8}});
  const auto between = [&](const Op& op, std::vector<ValueId> more) {
    std::vector<ValueId> inputs = {graph.add(Transpose{channels_last(4)}, {x})};
    inputs.insert(inputs.end(), more.begin(), more.end());
    x = graph.add(Transpose{channels_first(4)}, {graph.add(op, inputs)});
  };
  const auto vector = [&](std::uint64_t seed) { return graph.add_constant(noise({4}, seed)); };
  between(Conv2d{.window = {.kernel = {3, 3}}}, {graph.add_constant(noise({4, 3, 3, 3}, 1))});
  between(BatchNorm{}, {vector(2), vector(3), vector(4), vector(5)});
  graph.add_output("y", graph.add(Unary{UnaryKind::kRelu}, {x}));

  const Graph bare = without_layout(graph);
  std::vector<std::string_view> operators;
  for (const Node& node : bare.nodes()) operators.push_back(name_of(node.op));
  EXPECT_EQ(operators, (std::vector<std::string_view>{"transpose", "conv2d", "batch_norm", "relu", "transpose"}));
  expect_same(graph, bare);
}

std::vector<std::string_view> operators_of(const Graph& graph) {
  std::vector<std::string_view> operators;
  for (const Node& node : graph.nodes()) operators.push_back(name_of(node.op));
  return operators;
}

TEST(WithoutTurnedEnds, TheReadersTransposesGo) {
  // Both an image and a vector go in and come out; the image also has two readers.
  Nchw net({1, 3, 8, 6});
  const ValueId vector = net.graph.add_input("v", {DataType::kF32, {1, 4}});
  const ValueId image = net.graph.add(Conv2d{}, {net.to(net.last), net.constant({4, 1, 1, 3})}, "a");
  const ValueId second = net.graph.add(Conv2d{}, {net.to(net.last), net.constant({4, 1, 1, 3})}, "b");
  const ValueId sum = net.graph.add(Binary{BinaryKind::kAdd}, {image, second});
  net.graph.add_output("y", net.back(net.graph.add(Binary{BinaryKind::kAdd}, {sum, vector})));
  net.graph.add_output("w", net.graph.add(Unary{UnaryKind::kRelu}, {vector}));
  net.graph.about.name = "turned";
  const Graph bare = without_turned_ends(net.graph);
  EXPECT_EQ(operators_of(bare), (std::vector<std::string_view>{"conv2d", "conv2d", "add", "add", "relu"}));
  EXPECT_EQ(bare.shape(bare.inputs()[0].value), (Shape{1, 8, 6, 3}));
  EXPECT_EQ(bare.inputs()[1].name, "v");
  EXPECT_EQ(bare.shape(bare.outputs()[0].value), (Shape{1, 8, 6, 4}));
  EXPECT_EQ(bare.about.name, "turned");
}

TEST(WithoutTurnedEnds, WhatSomebodyElseReadsOrTheFileNamesStays) {
  struct Case {
    const char* why;
    bool named, read_before, read_after;
  };
  const Case cases[] = {{"named in the file", true, false, false},
                        {"the input is also read as it is", false, true, false},
                        {"the result is also read inside", false, false, true}};
  for (const Case& test : cases) {
    SCOPED_TRACE(test.why);
    Graph graph;
    const std::string name = test.named ? "turn" : "";
    const ValueId x = graph.add_input("x", {DataType::kF32, {1, 3, 8, 6}});
    const ValueId image = graph.add(Transpose{channels_last(4)}, {x}, name);
    const ValueId active = graph.add(Unary{UnaryKind::kRelu}, {image});
    const ValueId back = graph.add(Transpose{channels_first(4)}, {active}, name);
    graph.add_output("y", back);
    if (test.read_before) graph.add_output("x", graph.add(Unary{UnaryKind::kExp}, {x}));
    if (test.read_after) graph.add_output("z", graph.add(Unary{UnaryKind::kExp}, {back}));
    const Graph bare = without_turned_ends(graph);
    EXPECT_EQ(count<Transpose>(bare), test.named ? 2 : 1);
    EXPECT_EQ(bare.shape(bare.inputs()[0].value).c(), test.read_after ? 3 : 6);
  }
}

}  // namespace
}  // namespace sepal
