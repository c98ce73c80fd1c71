#include "sepal/graph/shape_rule.h"

#include <gtest/gtest.h>

#include "tests/raises.h"

namespace sepal {
namespace {

using enum DataType;
constexpr std::int64_t kFar = std::int64_t{1} << 62;

TensorType f32(Shape shape) { return {kF32, shape}; }
TensorType u8(Shape shape) { return {kU8, shape}; }
TensorType i64(Shape shape) { return {kI64, shape}; }

Permutation swap() { return Permutation::of({1, 0}); }

struct Good {
  const char* why;
  Op op;
  std::vector<TensorType> inputs;
  std::vector<TensorType> outputs;
};

TEST(ShapeRule, GivesTheOutputsTypes) {
  const std::vector<Good> kCases = {
      {"dense convolution, stride 2",
       Conv2d{.window = {.kernel = {3, 3}, .stride = {2, 2}, .padding = {0, 0, 1, 1}}},
       {f32({2, 224, 160, 3}), f32({32, 3, 3, 3}), f32({32})},
       {f32({2, 112, 80, 32})}},
      {"depthwise with multiplier 2",
       Conv2d{.window = {.kernel = {1, 5}, .padding = {0, 2, 0, 2}}, .groups = 4},
       {f32({1, 7, 9, 4}), f32({8, 1, 5, 1})},
       {f32({1, 7, 9, 8})}},
      {"half precision", Conv2d{}, {{kF16, {1, 2, 2, 3}}, {kF16, {5, 1, 1, 3}}}, {{kF16, {1, 2, 2, 5}}}},
      {"transposed convolution",
       ConvTranspose2d{.window = {.kernel = {3, 2}, .stride = {2, 2}, .padding = {1, 0, 0, 0}},
                       .groups = 2,
                       .output_padding = {1, 0}},
       {f32({1, 4, 5, 6}), f32({6, 3, 2, 2}), f32({4})},
       {f32({1, 9, 10, 4})}},
      {"integer convolution",
       IntegerConv2d{.window = {.kernel = {3, 3}}},
       {u8({1, 5, 5, 2}), {kI8, {4, 3, 3, 2}}, u8({}), {kI8, {4}}},
       {{kI32, {1, 3, 3, 4}}}},
      {"quantised convolution",
       QuantizedConv2d{},
       {u8({1, 5, 5, 2}), f32({}), u8({}), {kI8, {4, 1, 1, 2}}, f32({4}), {kI8, {4}}, f32({1}), u8({1}), {kI32, {4}}},
       {u8({1, 5, 5, 4})}},
      {"maximum with indices",
       Pool{.window = {.kernel = {2, 2}, .stride = {2, 2}}, .ceil = true, .indices = true},
       {f32({1, 5, 5, 3})},
       {f32({1, 3, 3, 3}), i64({1, 3, 3, 3})}},
      {"reduction, axes kept", Reduce{.axes = {1, 2}}, {f32({2, 3, 4, 5})}, {f32({2, 1, 1, 5})}},
      {"reduction, axes dropped", Reduce{.axes = {0, 2}, .keep_dims = false}, {f32({2, 3, 4})}, {f32({3})}},
      {"index of the largest", ArgReduce{.axis = 1, .keep_dims = false}, {f32({2, 3})}, {i64({2})}},
      {"batch norm of vectors", BatchNorm{}, {f32({2, 3}), f32({3}), f32({3}), f32({3}), f32({3})}, {f32({2, 3})}},
      {"layer norm with statistics",
       LayerNorm{.axis = 1, .statistics = true},
       {f32({2, 3, 4}), f32({3, 4}), f32({4})},
       {f32({2, 3, 4}), f32({2, 1, 1}), f32({2, 1, 1})}},
      {"group norm", GroupNorm{.groups = 2}, {f32({1, 7, 4}), f32({4}), f32({4})}, {f32({1, 7, 4})}},
      {"response norm", LocalResponseNorm{.size = 3}, {f32({1, 7, 4})}, {f32({1, 7, 4})}},
      {"negation of integers", Unary{UnaryKind::kNegate}, {i64({3})}, {i64({3})}},
      {"comparison", Binary{BinaryKind::kLess}, {i64({3, 1}), i64({2})}, {{kBool, {3, 2}}}},
      {"power of another type", Binary{BinaryKind::kPower}, {f32({3}), i64({})}, {f32({3})}},
      {"selection", Select{}, {{kBool, {3, 1}}, f32({2}), f32({})}, {f32({3, 2})}},
      {"stacked matrices", MatMul{}, {f32({5, 1, 2, 3}), f32({4, 3, 7})}, {f32({5, 4, 2, 7})}},
      {"gemm, both turned",
       Gemm{.transpose_a = true, .transpose_b = true},
       {f32({3, 2}), f32({7, 3}), f32({7})},
       {f32({2, 7})}},
      {"integer product with a zero point a row",
       IntegerMatMul{},
       {u8({2, 3}), u8({3, 4}), u8({2}), u8({4})},
       {{kI32, {2, 4}}}},
      {"quantised product",
       QuantizedMatMul{},
       {u8({2, 3}), f32({}), u8({}), u8({3, 4}), f32({}), u8({}), f32({}), {kI8, {}}},
       {{kI8, {2, 4}}}},
      {"softmax", Softmax{.axis = 0}, {f32({2, 3})}, {f32({2, 3})}},
      {"reshape", Reshape{{6}}, {{kBool, {2, 3}}}, {{kBool, {6}}}},
      {"transpose", Transpose{swap()}, {i64({2, 3})}, {i64({3, 2})}},
      {"join", Concat{.axis = 1}, {f32({2, 3}), f32({2, 0}), f32({2, 4})}, {f32({2, 7})}},
      {"slice backwards", Slice{.start = {4}, .step = {-2}, .size = {3}}, {f32({5})}, {f32({3})}},
      {"padding and cropping", Pad{.before = {1, -1}, .after = {2, 0}}, {f32({2, 3})}, {f32({5, 2})}},
      {"resize", Resize{.how = {.scales = {1, 2}}, .size = {2, 6}}, {f32({2, 3})}, {f32({2, 6})}},
      {"gather by a matrix of indices", Gather{.axis = 1}, {f32({2, 5, 3}), i64({4, 1})}, {f32({2, 4, 1, 3})}},
      {"cast", Cast{kBool}, {f32({2})}, {{kBool, {2}}}},
      {"expansion", Expand{{4, 2, 3}}, {f32({2, 1})}, {f32({4, 2, 3})}},
      {"tile", Tile{.repeats = {2, 0}}, {f32({2, 3})}, {f32({4, 0})}},
      {"quantisation per axis", Quantize{.axis = 1}, {f32({2, 3}), f32({3}), {kI8, {3}}}, {{kI8, {2, 3}}}},
      {"dequantisation in blocks",
       Dequantize{.axis = 1, .block = 2},
       {u8({2, 3}), f32({2, 2}), u8({2, 2})},
       {f32({2, 3})}},
      {"dynamic quantisation", DynamicQuantize{}, {f32({2, 3})}, {u8({2, 3}), f32({}), u8({})}},
  };
  for (const Good& test : kCases) EXPECT_EQ(infer(test.op, test.inputs), test.outputs) << test.why;
}

struct Bad {
  Op op;
  std::vector<TensorType> inputs;
  const char* message;
};

TEST(ShapeRule, StatesTheNumbersOfWhatDoesNotFit) {
  const std::vector<Bad> kCases = {
      // Images.
      {Conv2d{}, {f32({1, 2, 2, 3})}, "1 inputs instead of 2 to 3"},
      {Conv2d{}, {u8({1, 2, 2, 3}), u8({1, 1, 1, 3})}, "the input is u8, not a floating-point type"},
      {Conv2d{}, {f32({1, 2, 2, 3}), {kF16, {1, 1, 1, 3}}}, "inputs of types f32 and f16"},
      {Conv2d{}, {f32({1, 2, 3}), f32({1, 1, 1, 3})}, "the input is 1x2x3, but must have 4 dimensions"},
      {Conv2d{.groups = 2},
       {f32({1, 2, 2, 3}), f32({2, 1, 1, 1})},
       "2 groups do not divide 3 input and 2 output channels"},
      {Conv2d{},
       {f32({1, 2, 2, 3}), f32({2, 1, 1, 4})},
       "the filter 2x1x1x4 takes 4 channels in each of 1 group, but the input has 3"},
      {Conv2d{}, {f32({1, 5, 5, 3}), f32({2, 3, 3, 3})}, "the window's kernel is 1x1, but the filter's is 3x3"},
      {Conv2d{.window = {.kernel = {3, 3}}},
       {f32({1, 2, 5, 3}), f32({2, 3, 3, 3})},
       "a kernel of 3 with dilation 1 spans 3 rows, but the padded input has 2"},
      {Conv2d{}, {f32({1, 2, 2, 3}), f32({4, 1, 1, 3}), f32({3})}, "the bias is 3, but must be 4"},
      {Conv2d{}, {f32({1, 2, 2, 3}), f32({4, 1, 0, 3})}, "the filter is 4x1x0x3, which holds nothing"},
      {Conv2d{}, {f32({1, 2, 2, 0}), f32({4, 1, 1, 0})}, "the filter is 4x1x1x0, which holds nothing"},
      {ConvTranspose2d{.groups = 2}, {f32({1, 2, 2, 3}), f32({3, 1, 1, 1})}, "2 groups do not divide 3 input channels"},
      {ConvTranspose2d{}, {f32({1, 2, 2, 3}), f32({4, 1, 1, 1})}, "the filter takes 4 channels, but the input has 3"},
      {ConvTranspose2d{.window = {.padding = {1, 0, 1, 0}}},
       {f32({1, 2, 2, 3}), f32({3, 1, 1, 1})},
       "2 rows of input give 0 of output"},
      {ConvTranspose2d{.output_padding = {0, -1}},
       {f32({1, 2, 2, 3}), f32({3, 1, 1, 1})},
       "an output padding of -1 columns"},
      {IntegerConv2d{}, {f32({1, 2, 2, 3}), u8({1, 1, 1, 3}), u8({}), u8({})}, "the input is f32, neither u8 nor i8"},
      {QuantizedConv2d{},
       {u8({1, 2, 2, 3}), i64({}), u8({}), u8({1, 1, 1, 3}), f32({}), u8({}), f32({}), u8({})},
       "a scale of type i64"},
      {QuantizedConv2d{},
       {u8({1, 2, 2, 3}), f32({}), u8({}), u8({1, 1, 1, 3}), f32({}), u8({}), f32({}), u8({}), f32({1})},
       "a bias of type f32, not i32"},
      {Pool{.kind = PoolKind::kAverage, .indices = true}, {f32({1, 2, 2, 3})}, "an average has no index"},
      // Reductions and norms.
      {Reduce{.axes = {1, 0}}, {f32({2, 3})}, "axes [1, 0] are not in ascending order"},
      {Reduce{.axes = {2}}, {f32({2, 3})}, "axis 2 of a tensor with 2 dimensions"},
      {ArgReduce{.axis = 1}, {f32({2, 0})}, "the largest of no values along axis 1 of 2x0"},
      {BatchNorm{}, {f32({}), f32({1}), f32({1}), f32({1}), f32({1})}, "batch norm of a scalar"},
      {BatchNorm{}, {f32({2, 3}), f32({3}), f32({3}), f32({2}), f32({3})}, "the mean is 2, but must be 3"},
      {LayerNorm{.axis = 0}, {f32({2, 3}), f32({4, 2, 3})}, "scale or bias is 4x2x3, which does not broadcast to 2x3"},
      {GroupNorm{}, {f32({3}), f32({3}), f32({3})}, "group norm of 3, but it takes [n, ..., c]"},
      {GroupNorm{.groups = 2}, {f32({1, 3}), f32({3}), f32({3})}, "2 groups do not divide 3 channels"},
      {LocalResponseNorm{}, {f32({3})}, "normalisation across channels of 3"},
      {LocalResponseNorm{.size = 0}, {f32({1, 3})}, "normalisation across 0 channels"},
      // Elementwise.
      {Unary{UnaryKind::kNot}, {f32({})}, "not of f32"},
      {Unary{UnaryKind::kAbs}, {{kBool, {}}}, "abs of bool"},
      {Unary{UnaryKind::kExp}, {i64({})}, "the input is i64, not a floating-point type"},
      {Binary{}, {f32({2}), f32({3})}, "2 and 3 do not broadcast"},
      {Binary{BinaryKind::kAnd}, {f32({2}), f32({2})}, "and of f32"},
      {Binary{}, {{kBool, {}}, {kBool, {}}}, "add of bool"},
      {Select{}, {f32({}), f32({}), f32({})}, "a condition of type f32"},
      // Products.
      {MatMul{}, {f32({2, 3}), f32({2, 3})}, "matrices 2x3 and 2x3 cannot be multiplied"},
      {MatMul{}, {f32({3}), f32({3, 2})}, "matrices 3 and 3x2 cannot be multiplied"},
      {Gemm{}, {f32({2, 3}), f32({3, 4}), f32({5, 1, 1})}, "the third input is 5x1x1, which does not broadcast to 2x4"},
      {Gemm{}, {f32({1, 2, 3}), f32({3, 4})}, "a matrix is 1x2x3, but must have 2 dimensions"},
      {IntegerMatMul{}, {u8({2, 3}), u8({3, 4}), u8({3}), u8({})}, "the first zero point is 3 for 2 rows"},
      {IntegerMatMul{}, {u8({2, 3}), u8({3, 4}), u8({}), u8({3})}, "the second zero point is 3 for 4 columns"},
      {QuantizedMatMul{},
       {u8({2, 3}), f32({2}), u8({}), u8({3, 4}), f32({}), u8({}), f32({}), u8({})},
       "a scale or zero point is 2, but must be 1"},
      // Moves.
      {Reshape{{5}}, {f32({2, 3})}, "2x3 cannot be reshaped to 5: 6 elements are not 5"},
      {Transpose{swap()}, {f32({2, 3, 4})}, "a permutation of 2 axes for 2x3x4"},
      {Concat{.axis = 1}, {f32({2, 3}), f32({3, 3})}, "2x3 and 3x3 cannot be joined along axis 1"},
      {Concat{.axis = 2}, {f32({2, 3})}, "axis 2 of a tensor with 2 dimensions"},
      {Concat{}, std::vector<TensorType>(16, u8({kFar / 8})), "more than 2^63 elements along axis 0"},
      {Slice{.size = {3}}, {f32({2, 3})}, "a slice of 3 from 2x3"},
      {Slice{.start = {3}, .size = {3}}, {f32({5})}, "3 elements from 3 in steps of 1 along axis 0 of 5"},
      {Slice{.start = {1}, .step = {kFar}, .size = {3}},
       {f32({5})},
       "3 elements from 1 in steps of 4611686018427387904 along axis 0 of 5"},
      {Pad{.before = {-4}}, {f32({3})}, "padding of -4 and 0 along axis 0 of 3"},
      {Pad{.before = {-4}, .after = {4}}, {f32({3})}, "padding of -4 and 4 along axis 0 of 3"},
      {Pad{.before = {kFar}, .after = {kFar}},
       {f32({3})},
       "padding of 4611686018427387904 and 4611686018427387904 along axis 0 of 3"},
      {Pad{.mode = PadMode::kEdge, .before = {1}}, {f32({0})}, "padding of axis 0 of 0 from no element"},
      {Resize{.size = {2}}, {f32({2, 3})}, "2x3 resized to 2"},
      {Resize{.how = {.scales = {0}}, .size = {2}}, {f32({2})}, "a scale of 0 along axis 0"},
      {Resize{.size = {2}}, {{kBool, {2}}}, "resize of bool"},
      {Resize{.size = {2}}, {f32({0})}, "0 resized to 2"},
      {Gather{.axis = 1}, {f32({2}), i64({})}, "axis 1 of a tensor with 1 dimensions"},
      {Gather{}, {f32({2}), f32({})}, "indices of type f32"},
      {Gather{}, {f32({0}), i64({1})}, "an index into axis 0 of 0"},
      {Expand{{2}}, {f32({3})}, "3 and 2 do not broadcast"},
      {Expand{{1}}, {f32({3})}, "3 does not expand to 1"},
      {Tile{.repeats = {-1}}, {f32({3})}, "axis 0 of 3 repeated -1 times"},
      {Tile{.repeats = {kFar}}, {f32({3})}, "axis 0 of 3 repeated 4611686018427387904 times"},
      // Quantisation.
      {Quantize{}, {i64({3}), f32({}), u8({})}, "the input is i64, not f32"},
      {Quantize{}, {f32({3}), f32({}), i64({})}, "quantisation to i64"},
      {Quantize{}, {f32({3}), i64({}), u8({})}, "a scale of type i64, not f32"},
      {Quantize{}, {f32({3}), f32({3}), u8({})}, "a scale of 3 with a zero point of scalar"},
      {Quantize{}, {f32({3}), f32({2}), u8({2})}, "the scale is 2, but must be 3"},
      {Quantize{.block = 2}, {f32({3}), f32({3}), u8({3})}, "a scale of 3 for 3 in blocks of 2 along axis 0"},
      {Quantize{.block = -1}, {f32({3}), f32({}), u8({})}, "blocks of -1"},
      {Dequantize{}, {f32({3}), f32({}), f32({})}, "dequantisation of f32"},
      {DynamicQuantize{}, {u8({3})}, "the input is u8, not f32"},
  };
  for (const Bad& test : kCases)
    EXPECT_TRUE(raises([&] { infer(test.op, test.inputs); }, test.message, ErrorKind::kInvalid)) << name_of(test.op);
}

TEST(ShapeRule, CountsAxesFromBothEnds) {
  EXPECT_EQ(checked_axis(2, 3), 2);
  EXPECT_EQ(checked_axis(-3, 3), 0);
  EXPECT_TRUE(raises([] { checked_axis(3, 3); }, "axis 3 of a tensor with 3 dimensions", ErrorKind::kInvalid));
  EXPECT_TRUE(raises([] { checked_axis(-4, 3); }, "axis -4 of a tensor with 3 dimensions", ErrorKind::kInvalid));
}

}  // namespace
}  // namespace sepal
