#include "sepal/graph/graph.h"

#include <gtest/gtest.h>

#include "tests/raises.h"

namespace sepal {
namespace {

/// relu(x + constant), with its knobs.
Graph small(float constant = 1, const char* name = "sum", Unary function = {UnaryKind::kRelu}) {
  Graph graph;
  const ValueId x = graph.add_input("x", {DataType::kF32, {2, 3}});
  const ValueId c = graph.add_constant(Tensor::of<float>({3}, {constant, 2, 3}));
  const ValueId sum = graph.add(Binary{BinaryKind::kAdd}, {x, c}, name);
  graph.add_output("y", graph.add(function, {sum}));
  return graph;
}

TEST(Graph, KnowsTypesProducersAndUses) {
  const Graph graph = small();
  ASSERT_EQ(graph.nodes().size(), 2u);
  const ValueId sum = graph.nodes()[0].outputs[0];
  EXPECT_EQ(graph.type(sum), (TensorType{DataType::kF32, {2, 3}}));
  EXPECT_EQ(graph.producer(sum), &graph.nodes()[0]);
  EXPECT_EQ(graph.producer(graph.inputs()[0].value), nullptr);
  EXPECT_TRUE(graph.is_constant(graph.nodes()[0].inputs[1]));
  EXPECT_EQ(count_uses(graph), (std::vector<int>{1, 1, 1, 1}));
  EXPECT_EQ(count_parameters(graph), 3);
}

TEST(Graph, IsEqualByStructure) {
  EXPECT_EQ(small(), small());
  EXPECT_NE(small(), small(7));
  EXPECT_NE(small(), small(1, "other"));
  EXPECT_NE(small(), small(1, "sum", {UnaryKind::kTanh}));
  Graph about = small();
  about.about.properties["sepal.mean"] = "0.5";
  EXPECT_NE(small(), about);

  // Constants in another order, so that values have other numbers.
  Graph other;
  const ValueId c = other.add_constant(Tensor::of<float>({3}, {1, 2, 3}));
  const ValueId x = other.add_input("x", {DataType::kF32, {2, 3}});
  other.add_output("y", other.add(Unary{UnaryKind::kRelu}, {other.add(Binary{BinaryKind::kAdd}, {x, c}, "sum")}));
  EXPECT_EQ(small(), other);

  // The same operands the other way round are another graph.
  Graph swapped;
  const ValueId a = swapped.add_input("x", {DataType::kF32, {2, 3}});
  const ValueId b = swapped.add_constant(Tensor::of<float>({3}, {1, 2, 3}));
  swapped.add_output("y", swapped.add(Unary{UnaryKind::kRelu}, {swapped.add(Binary{BinaryKind::kAdd}, {b, a}, "sum")}));
  EXPECT_NE(small(), swapped);
}

TEST(Graph, RefusesWhatCannotRun) {
  Graph graph = small();
  const ValueId x = graph.inputs()[0].value;
  EXPECT_TRUE(raises([&] { graph.add_input("x", {}); }, "two inputs are called \"x\"", ErrorKind::kInvalid));
  EXPECT_TRUE(raises([&] { graph.add_output("y", x); }, "two outputs are called \"y\"", ErrorKind::kInvalid));
  EXPECT_TRUE(
      raises([&] { graph.add(Binary{}, {x}, "lonely"); }, "lonely: 1 inputs instead of 2", ErrorKind::kInvalid));
  EXPECT_TRUE(raises([&] { graph.add(Softmax{.axis = 2}, {x}); }, "softmax: axis 2 of a tensor with 2 dimensions",
                     ErrorKind::kInvalid));
  EXPECT_THROW(graph.add(Unary{}, {ValueId{99}}), Error);
  EXPECT_THROW(graph.add_output("z", ValueId{99}), Error);
}

TEST(Permutation, ComposesAndInverts) {
  const Permutation last = channels_last(4);
  EXPECT_EQ(last, Permutation::of({0, 2, 3, 1}));
  EXPECT_EQ(channels_first(4), Permutation::of({0, 3, 1, 2}));
  EXPECT_EQ(last.apply({1, 3, 224, 160}), (Shape{1, 224, 160, 3}));
  EXPECT_TRUE(last.then(channels_first(4)).is_identity());
  EXPECT_EQ(last.inverse(), channels_first(4));
  EXPECT_TRUE(channels_last(2).is_identity());
  EXPECT_EQ(channels_last(5), Permutation::of({0, 2, 3, 4, 1}));
  // transpose by p, then by q, is one transpose by p.then(q).
  const Permutation p = Permutation::of({2, 0, 1});
  const Permutation q = Permutation::of({1, 0, 2});
  EXPECT_EQ(q.apply(p.apply({2, 3, 5})), p.then(q).apply({2, 3, 5}));
  EXPECT_TRUE(
      raises([] { Permutation::of({0, 0, 1}); }, "[0, 0, 1] is not a permutation of 3 axes", ErrorKind::kInvalid));
  EXPECT_TRUE(
      raises([] { Permutation::of({0, 1, 2, 3, 4, 5, 6}); }, "a permutation of 7 axes, but at most 6 are handled"));
}

TEST(Conv2d, IsReadAsDepthwiseOrPointwise) {
  EXPECT_TRUE(is_depthwise({.groups = 8}, {16, 3, 3, 1}));
  EXPECT_FALSE(is_depthwise({.groups = 4}, {8, 3, 3, 2}));
  EXPECT_TRUE(is_pointwise({}, {16, 1, 1, 8}));
  EXPECT_FALSE(is_pointwise({.window = {.padding = {1, 1, 1, 1}}}, {16, 1, 1, 8}));
  EXPECT_FALSE(is_pointwise({}, {16, 1, 3, 8}));
}

TEST(NameOf, KnowsEveryOperator) {
  EXPECT_EQ(name_of(Op{Conv2d{}}), "conv2d");
  EXPECT_EQ(name_of(Op{Pool{.kind = PoolKind::kAverage}}), "average_pool");
  EXPECT_EQ(name_of(Op{Unary{UnaryKind::kRelu}}), "relu");
  EXPECT_EQ(name_of(Op{Reduce{.kind = ReduceKind::kLogSumExp}}), "reduce_log_sum_exp");
  EXPECT_EQ(name_of(Op{Softmax{.log = true}}), "log_softmax");
  EXPECT_EQ(name_of(Op{ArgReduce{.minimum = true}}), "arg_min");
}

}  // namespace
}  // namespace sepal
