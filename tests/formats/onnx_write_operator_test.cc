// Every operator by itself, as a reader makes it: written and read it is what it was, and computes the same.

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "sepal/formats/onnx_read.h"
#include "tests/formats/onnx_write_graphs.h"

namespace sepal::onnx {
namespace {

using enum DataType;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct Case {
  const char* why;
  Op op;
  std::vector<TensorType> inputs;
  std::int64_t opset = 17;
};

std::vector<Case> cases() {
  std::vector<Case> all = {
      {"a window with all its numbers", Conv2d{kWindow, 1, {}}, {f32({1, 2, 7, 6}), f32({3, 2, 3, 2}), f32({3})}},
      {"depthwise, without bias", Conv2d{{{3, 3}}, 2, {}}, {f32({1, 2, 5, 6}), f32({4, 1, 3, 3})}},
      {"uneven output padding",
       ConvTranspose2d{{{2, 3}, {2, 3}, {1, 1}, {0, 1, 1, 0}}, 1, {1, 2}},
       {f32({1, 2, 3, 4}), f32({2, 3, 2, 3}), f32({3})}},
      {"integers", IntegerConv2d{{{2, 2}}, 1}, {i8({1, 2, 4, 4}), i8({3, 2, 2, 2}), i8({}), i8({3})}},
      {"quantised, with a scale per channel",
       QuantizedConv2d{{{2, 2}}, 1},
       {{kU8, {1, 2, 4, 4}}, f32({}), {kU8, {}}, i8({3, 2, 2, 2}), f32({3}), i8({3}), f32({}), i8({}), {kI32, {3}}}},
      {"maximum", Pool{PoolKind::kMax, {{2, 3}, {1, 2}, {2, 1}, {1, 0, 0, 1}}}, {f32({1, 2, 6, 7})}},
      {"maximum and its place",
       Pool{.kind = PoolKind::kMax, .window = {{2, 2}}, .indices = true, .column_major = true},
       {f32({1, 2, 6, 7})}},
      {"average, rounded up",
       Pool{.kind = PoolKind::kAverage,
            .window = {{3, 3}, {2, 2}, {1, 1}, {1, 1, 1, 1}},
            .ceil = true,
            .count_padding = true},
       {f32({1, 2, 6, 7})}},
      {"average with dilation",
       Pool{.kind = PoolKind::kAverage, .window = {{2, 2}, {1, 1}, {2, 2}, {}}},
       {f32({1, 2, 6, 7})},
       19},
      {"batch norm", BatchNorm{1e-3f}, {f32({2, 3, 4, 5}), f32({3}), f32({3}), f32({3}), f32({3})}},
      {"batch norm of 3 axes, whose transposes are all the same",
       BatchNorm{},
       {f32({2, 3, 4}), f32({3}), f32({3}), f32({3}), f32({3})}},
      {"batch norm of a matrix", BatchNorm{}, {f32({2, 3}), f32({3}), f32({3}), f32({3}), f32({3})}},
      {"instance norm", GroupNorm{4, 1e-3f}, {f32({2, 4, 3, 3}), f32({4}), f32({4})}},
      {"group norm", GroupNorm{2, 1e-3f}, {f32({2, 4, 3, 3}), f32({4}), f32({4})}, 21},
      {"group norm of a matrix", GroupNorm{4, 1e-3f}, {f32({2, 4}), f32({4}), f32({4})}, 21},
      {"local response", LocalResponseNorm{3, 2e-3f, 0.5f, 2}, {f32({1, 5, 2, 2})}},
      {"layer norm", LayerNorm{1, 1e-3f, false}, {f32({2, 3, 4}), f32({3, 4})}},
      {"layer norm with statistics", LayerNorm{2, 1e-3f, true}, {f32({2, 3, 4}), f32({4}), f32({4})}},
      {"select", Select{}, {{kBool, {3}}, f32({2, 3}), f32({2, 1})}},
      {"matrices", MatMul{}, {f32({2, 3, 4}), f32({4, 5})}},
      {"gemm", Gemm{0.5f, 2, true, true}, {f32({3, 2}), f32({4, 3}), f32({4})}},
      {"gemm without a third", Gemm{}, {f32({2, 3}), f32({3, 4})}},
      {"integer matrices", IntegerMatMul{}, {i8({2, 3}), i8({3, 4}), i8({2, 1}), i8({4})}},
      {"quantised matrices",
       QuantizedMatMul{},
       {i8({2, 3}), f32({}), i8({}), i8({3, 4}), f32({}), i8({}), f32({}), i8({})}},
      {"softmax", Softmax{1, false}, {f32({2, 3, 4})}},
      {"its logarithm", Softmax{0, true}, {f32({2, 3, 4})}},
      {"reshape", Reshape{{3, 2, 1}}, {f32({2, 3})}},
      {"reshape of nothing", Reshape{{0, 7}}, {f32({2, 0})}},
      {"reshape to a scalar", Reshape{{}}, {f32({1, 1})}},
      {"transpose as before an image operator, but with a name", Transpose{channels_last(4)}, {f32({2, 3, 4, 5})}},
      {"transpose as after one", Transpose{channels_first(4)}, {f32({2, 3, 4, 5})}},
      {"transpose", Transpose{Permutation::of({2, 0, 1})}, {f32({2, 3, 4})}},
      {"concat", Concat{1}, {f32({2, 3}), f32({2, 1}), f32({2, 2})}},
      {"slice", Slice{{1, 0}, {2, 1, 1, 1, 1, 1}, {2, 3}}, {f32({5, 3})}},
      {"slice backwards to the first", Slice{{4, 2}, {-2, -1, 1, 1, 1, 1}, {3, 3}}, {f32({5, 3})}},
      {"slice backwards to the second", Slice{{4, 2}, {-3, -1, 1, 1, 1, 1}, {2, 2}}, {f32({5, 3})}},
      {"slice of everything", Slice{{}, {1, 1, 1, 1, 1, 1}, {5, 3}}, {f32({5, 3})}},
      {"slice of nothing", Slice{{}, {1, 1, 1, 1, 1, 1}, {5, 0}}, {f32({5, 3})}},
      {"pad", Pad{PadMode::kConstant, {1, 0}, {0, 2}, 0.25}, {f32({2, 3})}},
      {"pad and cut", Pad{PadMode::kConstant, {-1, 0}, {0, 2}, 0}, {f32({2, 3})}},
      {"pad integers", Pad{PadMode::kConstant, {1, 0}, {0, 2}, -3}, {i8({2, 3})}},
      {"pad i64 with the largest", Pad{PadMode::kConstant, {1}, {0}, 0x1p63}, {{kI64, {2}}}},
      {"pad half precision", Pad{PadMode::kConstant, {1}, {0}, 0.5}, {{kF16, {2}}}},
      {"pad by reflection", Pad{PadMode::kReflect, {1, 0}, {0, 2}, 0}, {f32({2, 3})}},
      {"pad by the edge", Pad{PadMode::kEdge, {1, 0}, {0, 2}, 0}, {f32({2, 3})}},
      {"pad around", Pad{PadMode::kWrap, {1, 0}, {0, 2}, 0}, {f32({2, 3})}, 19},
      {"gather", Gather{1}, {f32({2, 3}), {kI64, {2, 2}}}},
      {"cast", Cast{kI32}, {f32({2, 3})}},
      {"cast to half precision", Cast{kF16}, {f32({2, 3})}},
      {"cast to bf16", Cast{kBF16}, {f32({2, 3})}},
      {"cast to bool", Cast{kBool}, {f32({2, 3})}},
      {"expand", Expand{{4, 2, 3}}, {f32({2, 1})}},
      {"tile", Tile{{2, 3, 1, 1, 1, 1}}, {f32({2, 3})}},
      {"quantise", Quantize{}, {f32({2, 3}), f32({}), {kU8, {}}}},
      {"quantise along an axis", Quantize{1, 0}, {f32({2, 3}), f32({3}), i8({3})}},
      {"quantise to 16 bits", Quantize{}, {f32({2, 3}), f32({}), {kU16, {}}}, 21},
      {"quantise in blocks", Quantize{1, 2}, {f32({2, 4}), f32({2, 2}), i8({2, 2})}, 21},
      {"dequantise", Dequantize{}, {i8({2, 3}), f32({}), i8({})}},
      {"dequantise along an axis", Dequantize{0, 0}, {{kU8, {2, 3}}, f32({2}), {kU8, {2}}}},
      {"dequantise 16 bits", Dequantize{}, {{kI16, {2, 3}}, f32({}), {kI16, {}}}, 21},
      {"dequantise in blocks", Dequantize{0, 2}, {i8({4, 2}), f32({2, 2}), i8({2, 2})}, 21},
      {"quantise by what is there", DynamicQuantize{}, {f32({2, 3})}},
      {"arg max", ArgReduce{false, 1, true, false}, {f32({2, 3})}},
      {"arg min, the last", ArgReduce{true, 0, false, true}, {f32({2, 3})}},
      {"resize by scales", resize({1, 1, 4, 6}, {1, 1, 2, 2, 1, 1}, {}), {f32({1, 1, 2, 3})}},
      {"resize by scales that give no whole number",
       resize({1, 1, 3, 4}, {1, 1, 1.7f, 1.5f, 1, 1}, {.mode = ResizeMode::kLinear}),
       {f32({1, 1, 2, 3})}},
      {"resize by sizes, of which the scale is rounded",
       resize({1, 1, 47, 3}, {1, 1, 47.0f / 43, 1, 1, 1}, {.mode = ResizeMode::kLinear}),
       {f32({1, 1, 43, 3})}},
      {"resize that keeps the aspect",
       resize({1, 1, 7, 6}, {1, 1, 6.0f / 9, 6.0f / 9, 1, 1}, {.coordinate = ResizeCoordinate::kAsymmetric}),
       {f32({1, 1, 10, 9})},
       18},
      {"resize with all options",
       resize({1, 1, 4, 6}, {1, 1, 2, 2, 1, 1},
              {.mode = ResizeMode::kCubic,
               .coordinate = ResizeCoordinate::kAlignCorners,
               .nearest = ResizeNearest::kFloor,
               .cubic_a = -0.5f,
               .exclude_outside = true,
               .antialias = true}),
       {f32({1, 1, 2, 3})},
       18},
      {"resize of a region",
       resize({1, 1, 2, 3}, {1, 1, 2, 2, 1, 1},
              {.mode = ResizeMode::kLinear,
               .coordinate = ResizeCoordinate::kTfCropAndResize,
               .extrapolation = 9,
               .roi_start = {0, 0, 0.25f, 0.5f},
               .roi_end = {1, 1, 0.75f, 1, 1, 1}}),
       {f32({1, 1, 2, 3})}},
      {"resize about the centre",
       resize({1, 1, 4, 6}, {1, 1, 2, 2, 1, 1},
              {.coordinate = ResizeCoordinate::kHalfPixelSymmetric, .nearest = ResizeNearest::kCeil}),
       {f32({1, 1, 2, 3})},
       19},
      {"resize as of opset 11",
       resize({1, 1, 4, 6}, {1, 1, 2, 2, 1, 1},
              {.coordinate = ResizeCoordinate::kTfHalfPixelForNearest, .nearest = ResizeNearest::kRoundPreferCeil}),
       {f32({1, 1, 2, 3})}},
      {"resize as PyTorch",
       resize({1, 1, 4, 6}, {1, 1, 2, 2, 1, 1},
              {.mode = ResizeMode::kLinear, .coordinate = ResizeCoordinate::kPytorchHalfPixel}),
       {f32({1, 1, 2, 3})}},
  };
  for (const UnaryKind kind :
       {UnaryKind::kAbs, UnaryKind::kNegate, UnaryKind::kSign, UnaryKind::kFloor, UnaryKind::kCeil, UnaryKind::kRound,
        UnaryKind::kSqrt, UnaryKind::kReciprocal, UnaryKind::kExp, UnaryKind::kLog, UnaryKind::kErf, UnaryKind::kSin,
        UnaryKind::kCos, UnaryKind::kTanh, UnaryKind::kRelu, UnaryKind::kSigmoid, UnaryKind::kHardSwish,
        UnaryKind::kSoftplus, UnaryKind::kSoftsign}) {
    all.push_back({"a function", Unary{kind}, {f32({2, 3})}});
  }
  all.push_back({"not", Unary{UnaryKind::kNot}, {{kBool, {2, 3}}}});
  all.push_back({"mish", Unary{UnaryKind::kMish}, {f32({2, 3})}, 18});
  all.push_back({"gelu", Unary{UnaryKind::kGelu}, {f32({2, 3})}, 20});
  all.push_back({"gelu by tanh", Unary{UnaryKind::kGeluTanh}, {f32({2, 3})}, 20});
  for (const UnaryKind kind : {UnaryKind::kLeakyRelu, UnaryKind::kElu, UnaryKind::kCelu, UnaryKind::kThresholdedRelu}) {
    all.push_back({"a function with a parameter", Unary{kind, 0.3f}, {f32({2, 3})}});
  }
  for (const UnaryKind kind : {UnaryKind::kSelu, UnaryKind::kHardSigmoid, UnaryKind::kClip}) {
    all.push_back({"a function with two parameters", Unary{kind, 0.3f, 0.4f}, {f32({2, 3})}});
  }
  all.push_back({"clip from below", Unary{UnaryKind::kClip, 0.1f, kInfinity}, {f32({2, 3})}});
  all.push_back({"clip from above", Unary{UnaryKind::kClip, -kInfinity, 0.1f}, {f32({2, 3})}});
  all.push_back({"clip that does nothing", Unary{UnaryKind::kClip, -kInfinity, kInfinity}, {f32({2, 3})}});
  all.push_back({"clip of half precision", Unary{UnaryKind::kClip, 0.25f, 0.5f}, {{kF16, {2, 3}}}});
  for (const BinaryKind kind :
       {BinaryKind::kAdd, BinaryKind::kSubtract, BinaryKind::kMultiply, BinaryKind::kDivide, BinaryKind::kMinimum,
        BinaryKind::kMaximum, BinaryKind::kPower, BinaryKind::kPRelu, BinaryKind::kEqual, BinaryKind::kLess,
        BinaryKind::kLessOrEqual, BinaryKind::kGreater, BinaryKind::kGreaterOrEqual}) {
    all.push_back({"two values", Binary{kind}, {f32({2, 3}), f32({3})}});
  }
  all.push_back({"modulo", Binary{BinaryKind::kModulo}, {{kI32, {2, 3}}, {kI32, {}}}});
  for (const BinaryKind kind : {BinaryKind::kAnd, BinaryKind::kOr, BinaryKind::kXor}) {
    all.push_back({"two truths", Binary{kind}, {{kBool, {2, 3}}, {kBool, {2, 1}}}});
  }
  for (const ReduceKind kind :
       {ReduceKind::kSum, ReduceKind::kMean, ReduceKind::kMax, ReduceKind::kMin, ReduceKind::kProduct, ReduceKind::kL1,
        ReduceKind::kL2, ReduceKind::kSumSquare, ReduceKind::kLogSum, ReduceKind::kLogSumExp}) {
    all.push_back({"a reduction", Reduce{kind, {0, 2}, false}, {f32({2, 3, 4})}});
    all.push_back({"over the whole image", Reduce{kind, {2, 3}, true}, {f32({2, 3, 4, 5})}});
  }
  return all;
}

TEST(OnnxWrite, EveryOperatorComesBackAsItWas) {
  for (const Case& test : cases()) {
    SCOPED_TRACE(format("{}: {}", test.why, name_of(test.op)));
    const Graph graph = single(test.op, test.inputs);
    const Graph again = read(write(graph));
    EXPECT_TRUE(graph == again);
    EXPECT_EQ(opset_of(graph), test.opset);
    expect_same_results(graph, again);
  }
}

}  // namespace
}  // namespace sepal::onnx
