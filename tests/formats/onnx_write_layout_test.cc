// Where the writer puts transposes.

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "sepal/formats/onnx_read.h"
#include "tests/formats/onnx_write_graphs.h"

namespace sepal::onnx {
namespace {

using enum DataType;

// Graphs as the optimiser leaves them: one transpose in front, one behind, all between with the channels last.
struct Inner {
  const char* why;
  std::function<ValueId(Graph&, ValueId)> build;  ///< from [1, 4, 6, 3]
  int transposes = 0;                             ///< that must be written
};

TEST(OnnxWriteLayout, ChannelsStayFirstBetweenImageOperators) {
  const auto constant = [](Graph& g, const Shape& shape) { return g.add_constant(numbers(shape)); };
  const Inner inner[] = {
      {"functions", [](Graph& g, ValueId x) { return g.add(Unary{UnaryKind::kTanh}, {x}, "tanh"); }},
      {"a function that is several nodes",
       [](Graph& g, ValueId x) { return g.add(Unary{UnaryKind::kSwish, 2}, {x}, "swish"); }},
      {"itself", [](Graph& g, ValueId x) { return g.add(Binary{}, {x, x}, "add"); }},
      {"a constant a channel",
       [=](Graph& g, ValueId x) { return g.add(Binary{BinaryKind::kMultiply}, {constant(g, {3}), x}, "mul"); }},
      {"a slope a channel",
       [=](Graph& g, ValueId x) { return g.add(Binary{BinaryKind::kPRelu}, {x, constant(g, {1, 1, 3})}, "prelu"); }},
      {"a constant for all", [=](Graph& g, ValueId x) { return g.add(Binary{}, {x, constant(g, {})}, "add"); }},
      {"a constant an element",
       [=](Graph& g, ValueId x) { return g.add(Binary{}, {x, constant(g, {1, 4, 6, 3})}, "add"); }},
      {"a gate a channel",
       [](Graph& g, ValueId x) {
         const ValueId gate = g.add(Reduce{ReduceKind::kMean, {1, 2}, true}, {x}, "mean");
         return g.add(Binary{BinaryKind::kMultiply}, {x, gate}, "gate");
       }},
      {"a choice",
       [=](Graph& g, ValueId x) {
         return g.add(Select{},
                      {g.add(Binary{BinaryKind::kLess}, {x, constant(g, {3})}, "less"), x, constant(g, {6, 1})},
                      "where");
       }},
      {"a cast there and back",
       [](Graph& g, ValueId x) { return g.add(Cast{kF32}, {g.add(Cast{kI8}, {x}, "to")}, "back"); }},
      {"softmax over channels", [](Graph& g, ValueId x) { return g.add(Softmax{3, false}, {x}, "softmax"); }},
      {"concat of channels",
       [=](Graph& g, ValueId x) { return g.add(Concat{3}, {x, constant(g, {1, 4, 6, 2}), x}, "concat"); }},
      {"slice of rows and channels",
       [](Graph& g, ValueId x) { return g.add(Slice{{0, 1, 0, 2}, {1, 1, 1, -1, 1, 1}, {1, 3, 6, 2}}, {x}, "slice"); }},
      {"pad of columns and channels",
       [](Graph& g, ValueId x) { return g.add(Pad{PadMode::kConstant, {0, 0, 1, 0}, {0, 0, 0, 2}, 1}, {x}, "pad"); }},
      {"resize",
       [](Graph& g, ValueId x) { return g.add(resize({1, 8, 3, 3}, {1, 2, 0.5f, 1, 1, 1}, {}), {x}, "resize"); }},
      {"tile", [](Graph& g, ValueId x) { return g.add(Tile{{1, 2, 1, 3, 1, 1}}, {x}, "tile"); }},
      {"expand", [](Graph& g, ValueId x) { return g.add(Expand{{2, 4, 6, 3}}, {x}, "expand"); }},
      {"the largest channel",
       [](Graph& g, ValueId x) { return g.add(Cast{kF32}, {g.add(ArgReduce{.axis = 3}, {x}, "arg")}, "cast"); }},
      {"quantised per channel",
       [=](Graph& g, ValueId x) {
         const ValueId scale = constant(g, {3});
         const ValueId zero = g.add_constant(Tensor(kI8, {3}));
         return g.add(Dequantize{3, 0}, {g.add(Quantize{3, 0}, {x, scale, zero}, "q"), scale, zero}, "dq");
       }},
      {"broadcasting of fewer axes, which goes by the last ones",
       [](Graph& g, ValueId x) {
         const ValueId row = g.add(Reduce{ReduceKind::kMax, {0, 1}, false}, {x}, "max");
         return g.add(Binary{}, {x, row}, "add");
       },
       2},
      {"an operator that knows only its own order",
       [=](Graph& g, ValueId x) { return g.add(MatMul{}, {x, constant(g, {3, 3})}, "matmul"); }, 2},
      {"a transpose with a name",
       [](Graph& g, ValueId x) { return g.add(Transpose{Permutation::of({0, 2, 1, 3})}, {x}, "turn"); }, 2},
  };
  for (const auto& [why, build, transposes] : inner) {
    SCOPED_TRACE(why);
    Graph graph;
    const ValueId x = graph.add(Transpose{channels_last(4)}, {graph.add_input("x", f32({1, 2, 4, 6}))});
    const ValueId before = graph.add(Conv2d{}, {x, graph.add_constant(numbers({3, 1, 1, 2}))}, "before");
    const ValueId middle = build(graph, before);
    const std::int64_t channels = graph.shape(middle).c();
    const ValueId after = graph.add(Conv2d{}, {middle, graph.add_constant(numbers({2, 1, 1, channels}))}, "after");
    graph.add_output("y", graph.add(Transpose{channels_first(4)}, {after}));
    EXPECT_EQ(std::ranges::count(operators_of(graph), "Transpose"), transposes);
    expect_same_results(graph, read(write(graph)));
  }
}

TEST(OnnxWriteLayout, TheEndOfAnImageMovesNothing) {
  // After a mean over all rows and columns both orders hold the same elements.
  for (const bool keep : {false, true}) {
    Graph graph;
    const ValueId x = graph.add(Transpose{channels_last(4)}, {graph.add_input("x", f32({2, 2, 4, 6}))});
    const ValueId conv = graph.add(Conv2d{}, {x, graph.add_constant(numbers({3, 1, 1, 2}))}, "conv");
    ValueId mean = graph.add(Reduce{ReduceKind::kMean, {1, 2}, keep}, {conv}, "mean");
    if (keep) mean = graph.add(Reshape{{2, 3}}, {mean}, "flat");
    graph.add_output("y", graph.add(Softmax{1, false}, {mean}, "softmax"));
    EXPECT_EQ(std::ranges::count(operators_of(graph), "Transpose"), 0);
    expect_same_results(graph, read(write(graph)));
  }
}

TEST(OnnxWriteLayout, ATransposeIsWrittenOnceForAllWhoAsk) {
  Graph graph;
  const ValueId x = graph.add_input("x", f32({1, 4, 6, 2}));  // channels last already
  const ValueId a = graph.add(Conv2d{}, {x, graph.add_constant(numbers({3, 1, 1, 2}))}, "a");
  const ValueId b = graph.add(Conv2d{}, {x, graph.add_constant(numbers({3, 1, 1, 2}))}, "b");
  graph.add_output("a", a);
  graph.add_output("sum", graph.add(Binary{}, {a, b}, "add"));
  graph.add_output("flat", graph.add(Reshape{{72}}, {a}, "reshape"));
  EXPECT_EQ(std::ranges::count(operators_of(graph), "Transpose"), 3);  // of x, of a, of the sum
  expect_same_results(graph, read(write(graph)));
}

TEST(OnnxWriteLayout, ANamedTransposeThatOnlyImageOperatorsReadIsNotWritten) {
  Graph graph;
  const ValueId x = graph.add(Transpose{channels_last(4)}, {graph.add_input("x", f32({1, 2, 4, 6}))}, "to_nhwc");
  graph.add_output(
      "y", graph.add(Transpose{channels_first(4)}, {graph.add(Pool{.window = {{2, 2}}}, {x}, "pool")}, "to_nchw"));
  EXPECT_EQ(operators_of(graph), std::vector<std::string>{"MaxPool"});
  expect_same_results(graph, read(write(graph)));
}

}  // namespace
}  // namespace sepal::onnx
