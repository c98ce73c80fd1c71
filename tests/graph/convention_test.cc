#include "sepal/graph/convention.h"

#include <gtest/gtest.h>

#include "sepal/graph/shape_rule.h"
#include "tests/raises.h"

namespace sepal {
namespace {

TensorType f32(Shape shape) { return {DataType::kF32, shape}; }

constexpr std::uint64_t kNone = ~std::uint64_t{0};  // left out

struct Case {
  const char* why;
  Op op;
  std::vector<TensorType> inputs;
  std::uint64_t paper, fvcore, ptflops, tensorflow;
};

// 1x4x4x2 -> 3x3, padded, 6 outputs: 4 * 4 * 6 * 18 = 1728 MACs, 96 outputs; 32 inputs.
const Case kCases[] = {
    {"a convolution without a bias",
     Conv2d{.window = {.kernel = {3, 3}, .padding = {1, 1, 1, 1}}},
     {f32({1, 4, 4, 2}), f32({6, 3, 3, 2})},
     1728,
     1728,
     1728,
     3456},
    {"and with one",
     Conv2d{.window = {.kernel = {3, 3}, .padding = {1, 1, 1, 1}}},
     {f32({1, 4, 4, 2}), f32({6, 3, 3, 2}), f32({6})},
     1728,
     1728,
     1824,
     3552},
    {"depthwise: the same rule",
     Conv2d{.window = {.kernel = {3, 3}}, .groups = 2},
     {f32({1, 4, 4, 2}), f32({2, 3, 3, 1})},
     72,
     72,
     72,
     144},
    {"transposed: TensorFlow divides by the stride",
     ConvTranspose2d{.window = {.kernel = {2, 2}, .stride = {2, 2}}},
     {f32({1, 4, 4, 2}), f32({2, 2, 2, 5})},
     640,
     640,
     640,
     8 * 8 * 5 * 2 * 4 * 2 / 4},
    {"a dense layer with a bias", Gemm{}, {f32({1, 8}), f32({8, 10}), f32({10})}, 80, 80, 90, 170},
    {"a matrix product", MatMul{}, {f32({3, 8}), f32({8, 10})}, 240, 240, 240, 480},
    {"batch norm", BatchNorm{}, {f32({1, 4, 4, 2}), f32({2}), f32({2}), f32({2}), f32({2})}, kNone, 64, 64, kNone},
    {"layer norm", LayerNorm{.axis = 1}, {f32({4, 8}), f32({8}), f32({8})}, kNone, 160, 32, kNone},
    {"relu", Unary{UnaryKind::kRelu}, {f32({1, 4, 4, 2})}, kNone, kNone, 32, kNone},
    {"relu6", Unary{UnaryKind::kClip, 0, 6}, {f32({1, 4, 4, 2})}, kNone, kNone, 32, kNone},
    {"hard swish", Unary{UnaryKind::kHardSwish}, {f32({1, 4, 4, 2})}, kNone, kNone, kNone, kNone},
    {"swish, which ptflops meets as silu", Unary{UnaryKind::kSwish}, {f32({1, 4, 4, 2})}, kNone, kNone, 32, kNone},
    {"a sigmoid", Unary{UnaryKind::kSigmoid}, {f32({1, 4, 4, 2})}, kNone, kNone, kNone, kNone},
    {"a logarithm", Unary{UnaryKind::kLog}, {f32({1, 4, 4, 2})}, kNone, kNone, kNone, 32},
    {"addition", Binary{BinaryKind::kAdd}, {f32({4, 8}), f32({4, 8})}, kNone, kNone, kNone, 32},
    {"prelu", Binary{BinaryKind::kPRelu}, {f32({4, 8}), f32({8})}, kNone, kNone, 32, kNone},
    {"pooling", Pool{.window = {.kernel = {2, 2}, .stride = {2, 2}}}, {f32({1, 4, 4, 2})}, kNone, kNone, 32, 32},
    {"global average pooling",
     Reduce{.kind = ReduceKind::kMean, .axes = {1, 2}},
     {f32({1, 4, 4, 2})},
     kNone,
     32,
     32,
     32},
    {"a mean that is no pooling",
     Reduce{.kind = ReduceKind::kMean, .axes = {1}},
     {f32({4, 8})},
     kNone,
     kNone,
     kNone,
     32},
    {"a sum", Reduce{.kind = ReduceKind::kSum, .axes = {1}}, {f32({4, 8})}, kNone, kNone, kNone, 28},
    {"softmax", Softmax{.axis = 1}, {f32({4, 8})}, kNone, kNone, 32, 160},
    {"its logarithm", Softmax{.axis = 1, .log = true}, {f32({4, 8})}, kNone, kNone, kNone, kNone},
    {"argmax", ArgReduce{.axis = 1}, {f32({4, 8})}, kNone, kNone, kNone, 28},
    {"bilinear interpolation",
     Resize{.how = {.mode = ResizeMode::kLinear, .scales = {1, 2, 2, 1}}, .size = {1, 8, 8, 2}},
     {f32({1, 4, 4, 2})},
     kNone,
     512,
     128,
     kNone},
    {"movement", Transpose{Permutation::of({1, 0})}, {f32({4, 8})}, kNone, kNone, kNone, kNone},
};

TEST(Convention, CountsWhatItsToolCounts) {
  for (const Case& test : kCases) {
    SCOPED_TRACE(test.why);
    const std::vector<TensorType> outputs = infer(test.op, test.inputs);
    const auto count = [&](Convention convention) {
      return count_by(convention, test.op, test.inputs, outputs).value_or(kNone);
    };
    EXPECT_EQ(count(Convention::kPaper), test.paper);
    EXPECT_EQ(count(Convention::kFvcore), test.fvcore);
    EXPECT_EQ(count(Convention::kPtflops), test.ptflops);
    EXPECT_EQ(count(Convention::kTensorflow), test.tensorflow);
  }
}

TEST(Convention, NamesWhatItLeavesOut) {
  Graph graph;
  const ValueId x = graph.add_input("x", f32({1, 8}));
  const ValueId dense = graph.add(MatMul{}, {x, graph.add_constant(Tensor(DataType::kF32, {8, 4}))});
  const ValueId active = graph.add(Unary{UnaryKind::kSigmoid}, {dense});
  graph.add_output("y", graph.add(Reshape{{4}}, {graph.add(Unary{UnaryKind::kSigmoid}, {active})}));
  const ConventionCount count = count_by(Convention::kPaper, graph, cost_of(graph));
  EXPECT_EQ(count.operations, 32u);
  EXPECT_EQ(count.parameters, 32u);
  EXPECT_EQ(count.left_out, std::vector<std::string_view>{"sigmoid"});
}

TEST(Convention, HasNamesUnitsAndSentences) {
  for (const Convention convention : conventions()) {
    EXPECT_EQ(parse_convention(name_of(convention)), convention);
    EXPECT_NE(unit_of(convention), "?");
    EXPECT_NE(describe(convention), "?");
  }
  EXPECT_TRUE(raises([] { parse_convention("thop"); },
                     "no convention \"thop\"; there are paper, fvcore, ptflops, tensorflow", ErrorKind::kUsage));
}

}  // namespace
}  // namespace sepal
