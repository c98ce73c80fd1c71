// Operators, one by one: what is refused, in which words, and what the less obvious ones become. That the
// numbers are right is shown by the ONNX project's own tests (onnx_node_test.cc).

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "sepal/base/text.h"
#include "sepal/formats/onnx_read.h"
#include "tests/formats/onnx_builder.h"
#include "tests/interpret.h"
#include "tests/raises.h"

namespace sepal::onnx {
namespace {

struct Bad {
  const char* why;
  Message node;
  std::string message;
  std::int64_t opset = 21;
  ErrorKind kind = ErrorKind::kInvalid;
};

/// A model of that node over x [1, 2, 3, 4], v [3], m [4, 5], i i64 [2], b bool [2] and constants.
std::vector<std::byte> model_of(const Message& node, std::int64_t opset) {
  return Model{.nodes = {node},
               .inputs = {value_info("x", {1, 2, 3, 4}), value_info("v", {3}), value_info("m", {4, 5}),
                          value_info("i", {2}, kInt64), value_info("q", {1, 2, 3, 4}, kUint8),
                          value_info("deep", {1, 2, 3, 4, 5}), value_info("none", {1, 0})},
               .initializers = {floats("w", {2, 2, 3, 3}, std::vector<float>(36)),
                                floats("one", {}, {1}),
                                floats("two", {2}, {1, 1}),
                                list("l", {1, 2}),
                                list("l0", {0}),
                                list("l1", {1}),
                                list("l22", {2, 2}),
                                list("l9", {9}),
                                list("minus", {-1, -1}),
                                integers("square", {1, 1}, {1}),
                                list("long", {1, 1, 1, 1, 1, 1}),
                                list("spread", {1, 2, 3, 4}),
                                floats("scale4", {4}, {1, 1, -1, 1}),
                                floats("scale2", {2}, {1, 2}),
                                floats("nowhere", {8}, {0, 0, -INFINITY, 0, 1, 1, 1, 1}),
                                list("sizes", {1, 2, -3, 4}),
                                integers("zero", {}, {0}),
                                floats("fzero", {}, {0}),
                                floats("one1", {1}, {1}),
                                floats("five", {5}, {1, 1, 1, 1, 1}),
                                floats("w34", {3, 4}, std::vector<float>(12)),
                                tensor("byte", kUint8, {}).numbers(5, {1})},
               .opset = opset}
      .bytes();
}

void expect_refused(const std::vector<Bad>& table) {
  for (const Bad& bad : table) {
    SCOPED_TRACE(bad.why);
    EXPECT_TRUE(raises([&] { (void)Source::from_bytes(model_of(bad.node, bad.opset), "m").graph(); },
                       "m: " + bad.message, bad.kind));
  }
}

TEST(OnnxReadOperator, WindowsAreChecked) {
  const std::vector<std::int64_t> k2 = {2, 2};
  const auto conv = [](const std::vector<Message>& attributes) { return node("Conv", {"x", "w"}, {"y"}, attributes); };
  const auto transposed = [](const std::vector<Message>& attributes) {
    return node("ConvTranspose", {"x", "w"}, {"y"}, attributes);
  };
  const auto pool = [](const std::vector<Message>& attributes) { return node("MaxPool", {"x"}, {"y"}, attributes); };
  using List = std::vector<std::int64_t>;
  expect_refused({
      {"a vector", node("Conv", {"v", "w"}, {"y"}), "y: Conv of 3, but an input of 3 or 4 dimensions is needed"},
      {"strides in 3-D", conv({attribute("strides", List{1, 1, 1})}),
       "y: attribute \"strides\" has 3 numbers instead of 2"},
      {"one pad", conv({attribute("pads", List{1})}), "y: attribute \"pads\" has 1 numbers instead of 4"},
      {"a stride of nothing", conv({attribute("strides", List{0, 1})}),
       "y: the stride over rows is 0; at least 1 and less than 2^31 is wanted"},
      {"an auto_pad that is none", conv({attribute("auto_pad", "MOST")}), "y: an auto_pad of \"MOST\""},
      {"a kernel that the filter has not", conv({attribute("kernel_shape", k2)}),
       "y: kernel_shape is 2x2, but the filter's kernel is 3x3"},
      {"a filter of other rank", node("Conv", {"x", "m"}, {"y"}), "y: a filter of 4x5 for an input of 4 dimensions"},
      {"a kernel larger than the image", conv({attribute("dilations", List{2, 2})}),
       "y: a kernel of 3 with dilation 2 spans 5 rows, but the padded input has 3"},
      {"groups that do not divide", conv({attribute("group", 3)}),
       "y: 3 groups do not divide 2 input and 2 output channels"},
      {"an output_shape for one axis", transposed({attribute("output_shape", List{5})}),
       "y: attribute \"output_shape\" has 1 numbers instead of 2"},
      {"an output_shape of nothing", transposed({attribute("output_shape", List{0, 5})}),
       "y: an output of 0 for an input of 3"},
      {"an output padding below all",
       transposed({attribute("output_shape", List{5, 5}), attribute("output_padding", List{INT64_MIN, 0})}),
       "y: an output padding of -9223372036854775808"},
      {"a pool without a kernel", pool({}), "y: MaxPool without kernel_shape"},
      {"a pool over five axes", node("MaxPool", {"deep"}, {"y"}, {attribute("kernel_shape", List{1, 1, 1})}),
       "not handled: y (MaxPool: a 3-D pooling)", 21, ErrorKind::kUnsupported},
      {"a mean over nothing", node("GlobalAveragePool", {"m"}, {"y"}),
       "y: GlobalAveragePool of 4x5, which has no spatial axes"},
  });
}

TEST(OnnxReadOperator, ElementwiseIsChecked) {
  expect_refused({
      {"shapes that do not broadcast", node("Add", {"x", "v"}, {"y"}), "y: 1x2x3x4 and 3 do not broadcast"},
      {"an old axis that does not fit",
       node("Add", {"x", "v"}, {"y"}, {attribute("broadcast", 1), attribute("axis", 4)}),
       "y: 3 is broadcast to 1x2x3x4 from axis 4, but does not fit", 6},
      {"a bound that is no scalar", node("Clip", {"x", "two"}, {"y"}), "y: a lower bound of shape 2, not a scalar"},
      {"a Gelu of its own", node("Gelu", {"x"}, {"y"}, {attribute("approximate", "fast")}),
       "y: an approximation of \"fast\""},
      {"a mean of integers", node("Mean", {"i", "i"}, {"y"}), "y: Mean of i64"},
      {"an axis beyond", node("Softmax", {"x"}, {"y"}, {attribute("axis", 4)}),
       "y: axis 4 of a tensor with 4 dimensions"},
      {"a cast to strings", node("Cast", {"x"}, {"y"}, {attribute("to", kString)}),
       "not handled: y (Cast: elements of string are not handled)", 21, ErrorKind::kUnsupported},
      {"a cast to nothing", node("Cast", {"x"}, {"y"}), "not handled: y (Cast: elements of no type are not handled)",
       21, ErrorKind::kUnsupported},
      {"training", node("Dropout", {"x", "one", "one"}, {"y"}), "not handled: y (Dropout: training_mode)", 21,
       ErrorKind::kUnsupported},
      {"a modulus of floats", node("Mod", {"x", "x"}, {"y"}, {attribute("fmod", 1)}), "not handled: y (Mod: fmod = 1)",
       21, ErrorKind::kUnsupported},
  });
}

TEST(OnnxReadOperator, MatricesAndNormsAreChecked) {
  expect_refused({
      {"matrices that do not fit", node("MatMul", {"m", "m"}, {"y"}), "y: matrices 4x5 and 4x5 cannot be multiplied"},
      {"matrices of integers", node("Gemm", {"i", "i"}, {"y"}), "not handled: y (Gemm: i64 matrices)", 21,
       ErrorKind::kUnsupported},
      {"scales per row", node("QLinearMatMul", {"q", "two", "q", "q", "one", "q", "one", "q"}, {"y"}),
       "not handled: y (QLinearMatMul: scales or zero points per row or column)", 21, ErrorKind::kUnsupported},
      {"a negative block", node("QuantizeLinear", {"x", "one"}, {"y"}, {attribute("block_size", -1)}),
       "y: a block_size of -1"},
      {"an axis beyond", node("QuantizeLinear", {"x", "two"}, {"y"}, {attribute("axis", 7)}),
       "y: axis 7 of a tensor with 4 dimensions"},
      {"four bits", node("QuantizeLinear", {"x", "one"}, {"y"}, {attribute("output_dtype", 22)}),
       "not handled: y (QuantizeLinear: elements of int4 are not handled)", 21, ErrorKind::kUnsupported},
      {"integers out of integers", node("DequantizeLinear", {"q", "one"}, {"y"}, {attribute("output_dtype", kInt32)}),
       "y: DequantizeLinear to i32"},
      {"batch norm in training",
       node("BatchNormalization", {"x", "two", "two", "two", "two"}, {"y"}, {attribute("training_mode", 1)}),
       "not handled: y (BatchNormalization: training_mode)", 21, ErrorKind::kUnsupported},
      {"batch norm per activation",
       node("BatchNormalization", {"x", "two", "two", "two", "two"}, {"y"}, {attribute("spatial", 0)}),
       "not handled: y (BatchNormalization: spatial = 0)", 8, ErrorKind::kUnsupported},
      {"batch norm's statistics", node("BatchNormalization", {"x", "two", "two", "two", "two"}, {"y", "mean"}),
       "not handled: y (BatchNormalization: outputs of training)", 8, ErrorKind::kUnsupported},
      {"instance norm of a matrix", node("InstanceNormalization", {"m", "v", "v"}, {"y"}),
       "y: InstanceNormalization of 4x5, which has no spatial axes"},
      {"group norm of a vector", node("GroupNormalization", {"v", "v", "v"}, {"y"}, {attribute("num_groups", 1)}),
       "y: GroupNormalization of 3"},
      {"no groups", node("GroupNormalization", {"x", "two", "two"}, {"y"}), "y: 0 groups do not divide 2 channels"},
      {"scales for channels where groups are meant",
       node("GroupNormalization", {"x", "two", "two"}, {"y"}, {attribute("num_groups", 1)}),
       "y: scale of 2 for 1 groups", 18},
      {"no size", node("LRN", {"x"}, {"y"}), "y: normalisation across 0 channels"},
      {"an axis named twice", node("ReduceSum", {"x", "minus"}, {"y"}), "y: axes [-1, -1] name one twice"},
      {"the largest of nothing", node("ArgMax", {"none"}, {"y"}, {attribute("axis", 1)}),
       "y: the largest of no values along axis 1 of 1x0"},
  });
}

TEST(OnnxReadOperator, ShapesAreChecked) {
  using List = std::vector<std::int64_t>;
  expect_refused({
      {"two dimensions left open", node("Reshape", {"x", "minus"}, {"y"}), "y: two dimensions of -1 in [-1, -1]"},
      {"an old Reshape without a shape", node("Reshape", {"x"}, {"y"}), "y: Reshape without a shape", 4},
      {"elements that are too many", node("Reshape", {"x", "l22"}, {"y"}),
       "y: 1x2x3x4 cannot be reshaped to 2x2: 24 elements are not 4"},
      {"no whole number of rows", node("Reshape", {"x"}, {"y"}, {attribute("shape", List{-1, 7})}),
       "y: 1x2x3x4 cannot be reshaped to [-1, 7]", 4},
      {"a copy of nothing", node("Reshape", {"v"}, {"y"}, {attribute("shape", List{3, 0})}),
       "y: dimension 1 of 3 is copied, but is not there", 4},
      {"a shape that is a matrix", node("Reshape", {"x", "square"}, {"y"}), "y: input 1 of Reshape is 1x1, not a list"},
      {"a shape of floats", node("Reshape", {"x", "two"}, {"y"}), "y: input 1 of Reshape is f32, neither i32 nor i64"},
      {"an axis beyond", node("Flatten", {"x"}, {"y"}, {attribute("axis", 5)}),
       "y: axis 5 of a tensor with 4 dimensions"},
      {"an axis that is longer than 1", node("Squeeze", {"x", "l1"}, {"y"}), "y: axis 1 of 1x2x3x4 cannot be left out"},
      {"an axis named twice", node("Squeeze", {"x", "minus"}, {"y"}), "y: axes [-1, -1] name one twice"},
      {"no axes", node("Unsqueeze", {"x"}, {"y"}), "y: Unsqueeze without axes", 11},
      {"axes too many", node("Unsqueeze", {"x", "long"}, {"y"}), "y: 10 dimensions, but at most 6 are handled"},
      {"no permutation", node("Transpose", {"x"}, {"y"}, {attribute("perm", List{0, 0, 1, 2})}),
       "y: [0, 0, 1, 2] is not a permutation of 4 axes"},
      {"a permutation of fewer", node("Transpose", {"x"}, {"y"}, {attribute("perm", List{1, 0})}),
       "y: a permutation of 2 axes for 1x2x3x4"},
      {"blocks of a matrix", node("DepthToSpace", {"m"}, {"y"}, {attribute("blocksize", 2)}),
       "y: DepthToSpace of 4x5, but an input of 4 dimensions is needed"},
      {"blocks of nothing", node("DepthToSpace", {"x"}, {"y"}), "y: a blocksize of 0"},
      {"channels that are no blocks", node("DepthToSpace", {"x"}, {"y"}, {attribute("blocksize", 2)}),
       "y: 2 channels are not blocks of 2x2"},
      {"an order that is none",
       node("DepthToSpace", {"x"}, {"y"}, {attribute("blocksize", 1), attribute("mode", "ABC")}),
       "y: a mode of \"ABC\""},
      {"an image that is no blocks", node("SpaceToDepth", {"x"}, {"y"}, {attribute("blocksize", 2)}),
       "y: 3x4 is not made of blocks of 2x2"},
      {"Constant of nothing", node("Constant", {}, {"y"}), "y: Constant without a value"},
      {"a value that is a list", node("ConstantOfShape", {"l"}, {"y"}, {tensor_attribute("value", list("", {1, 2}))}),
       "y: a value of 2 instead of one element"},
      {"a shape below zero", node("ConstantOfShape", {"minus"}, {"y"}), "y: a dimension of -1 in -1x-1"},
      {"a range of lists", node("Range", {"l", "zero", "zero"}, {"y"}), "y: input 0 of Range is 2, not a scalar"},
      {"a range of two types", node("Range", {"zero", "zero", "one"}, {"y"}), "y: Range of i64 and f32"},
      {"a range of bytes", node("Range", {"byte", "byte", "byte"}, {"y"}), "y: Range of u8"},
      {"a range without a step", node("Range", {"zero", "zero", "zero"}, {"y"}), "y: a delta of 0"},
      {"a range without a step, in floats", node("Range", {"one", "one", "fzero"}, {"y"}),
       "y: from 1 to 1 in steps of 0"},
  });
}

TEST(OnnxReadOperator, MovesAreChecked) {
  using List = std::vector<std::int64_t>;
  expect_refused({
      {"an expansion that does not fit", node("Expand", {"v", "l22"}, {"y"}), "y: 3 and 2x2 do not broadcast"},
      {"repeats for fewer axes", node("Tile", {"x", "l"}, {"y"}), "y: 2 repeats for 1x2x3x4"},
      {"repeats below zero", node("Tile", {"m", "minus"}, {"y"}), "y: axis 0 of 4x5 repeated -1 times"},
      {"no axis", node("Concat", {"x", "x"}, {"y"}), "y: Concat without an axis"},
      {"shapes that do not join", node("Concat", {"x", "deep"}, {"y"}, {attribute("axis", 0)}),
       "y: 1x2x3x4 and 1x2x3x4x5 cannot be joined along axis 0"},
      {"no starts", node("Slice", {"x"}, {"y"}, {attribute("ends", List{1})}), "y: Slice without starts or ends", 9},
      {"more starts than ends", node("Slice", {"x", "l", "l1"}, {"y"}), "y: 2 starts, 1 ends, 2 axes and 2 steps"},
      {"an axis twice", node("Slice", {"x", "l", "l", "minus"}, {"y"}), "y: axes [-1, -1] name one twice"},
      {"no step", node("Slice", {"x", "l1", "l1", "l1", "l0"}, {"y"}), "y: a step of 0"},
      {"outputs that are fewer", node("Split", {"x", "l"}, {"y"}, {attribute("axis", 2)}), "y: 2 parts for 1 outputs"},
      {"parts that are too short", node("Split", {"x", "l1"}, {"y"}, {attribute("axis", 2)}),
       "y: parts of 1 do not make up axis 2 of 1x2x3x4"},
      {"parts that are too long", node("Split", {"x", "l9"}, {"y"}, {attribute("axis", 2)}),
       "y: parts of 9 do not make up axis 2 of 1x2x3x4"},
      {"parts that are not equal", node("Split", {"x"}, {"y", "z"}, {attribute("axis", 2)}),
       "y: 3 elements are not 2 equal parts", 13},
      {"another count", node("Split", {"x"}, {"y"}, {attribute("num_outputs", 2)}),
       "y: num_outputs is 2, but there are 1 outputs"},
      {"an index beyond", node("Gather", {"x", "l9"}, {"y"}, {attribute("axis", 1)}),
       "y: index 9 into axis 1 of 1x2x3x4"},
      {"indices of floats", node("Gather", {"x", "two"}, {"y"}), "y: indices of type f32"},
      {"a mode that is none", node("Pad", {"x", "l"}, {"y"}, {attribute("mode", "mirror")}), "y: a mode of \"mirror\""},
      {"a mode to come", node("Pad", {"x", "l"}, {"y"}, {attribute("mode", "wrap")}), "y: a mode of \"wrap\"", 13},
      {"no pads", node("Pad", {"x"}, {"y"}), "y: Pad without pads", 9},
      {"no pads, the oldest way", node("Pad", {"x"}, {"y"}), "y: Pad without paddings", 1},
      {"pads for fewer axes", node("Pad", {"x", "l"}, {"y"}), "y: 2 pads for 4 axes"},
      {"a value that is a list", node("Pad", {"x", "l", "two"}, {"y"}), "y: a constant_value of 2, not a scalar"},
      {"an axis twice", node("Pad", {"x", "spread", "", "minus"}, {"y"}), "y: axes [-1, -1] name one twice"},
  });
}

TEST(OnnxReadOperator, ResizeIsChecked) {
  using List = std::vector<std::int64_t>;
  const auto resize = [](const char* scales, const char* sizes, const std::vector<Message>& attributes = {}) {
    return node("Resize", {"x", "", scales, sizes}, {"y"}, attributes);
  };
  expect_refused({
      {"neither scales nor sizes", node("Resize", {"x"}, {"y"}), "y: Resize with neither scales nor sizes"},
      {"scales for fewer axes", resize("scale2", ""), "y: 2 scales for 4 axes"},
      {"a negative scale", resize("scale4", ""), "y: a scale of -1"},
      {"sizes for fewer axes", resize("", "l"), "y: 2 sizes for 4 axes"},
      {"a negative size", resize("", "sizes"), "y: 3 elements resized to -3"},
      {"a mode that is none", resize("", "spread", {attribute("mode", "area")}), "y: mode is \"area\""},
      {"coordinates that are none", resize("", "spread", {attribute("coordinate_transformation_mode", "polar")}),
       "y: coordinate_transformation_mode is \"polar\""},
      {"a nearest that is none", resize("", "spread", {attribute("nearest_mode", "far")}),
       "y: nearest_mode is \"far\""},
      {"a policy that is none", resize("", "spread", {attribute("keep_aspect_ratio_policy", "crop")}),
       "y: keep_aspect_ratio_policy is \"crop\""},
      {"an axis twice", resize("scale2", "", {attribute("axes", List{2, -2})}), "y: axes [2, -2] name one twice"},
      {"a crop of nothing", resize("scale4", "", {attribute("coordinate_transformation_mode", "tf_crop_and_resize")}),
       "y: a region of 0 numbers for 4 axes"},
      {"a crop from nowhere",
       node("Resize", {"x", "nowhere", "scale4"}, {"y"},
            {attribute("coordinate_transformation_mode", "tf_crop_and_resize")}),
       "y: a region from -inf to 1"},
      {"an old one without scales", node("Upsample", {"x"}, {"y"}), "y: Upsample without scales", 8},
      {"a scale beyond all shapes", node("Upsample", {"x"}, {"y"}, {reals_attribute("scales", {1, 1, 3e38f, 1})}),
       "y: 3 elements scaled by 3e+38", 8},
  });
}

/// The graph of that node over x [1, 2, 3, 4] and the constants of model_of.
Graph graph_of(const Message& node, std::int64_t opset = 21) { return read(model_of(node, opset)); }

/// Names of the graph's operators, with the nodes' names in brackets where they have one.
std::string outline(const Graph& graph) {
  std::vector<std::string> parts;
  for (const Node& node : graph.nodes()) {
    parts.push_back(std::string(name_of(node.op)) + (node.name.empty() ? "" : "[" + node.name + "]"));
  }
  return format("{}", join(parts, " "));
}

TEST(OnnxReadOperator, ImagesTurnAtTheBorderOfEachOperatorButOnlyOnce) {
  const Graph graph =
      read(Model{.nodes = {node("Conv", {"x", "w"}, {"a"}, {}, "left"), node("Conv", {"x", "w"}, {"b"}, {}, "right"),
                           node("Add", {"a", "b"}, {"y"}, {}, "both")},
                 .initializers = {floats("w", {2, 2, 1, 1}, {1, 2, 3, 4})}}
               .bytes());
  EXPECT_EQ(outline(graph), "transpose conv2d[left] transpose conv2d[right] transpose add[both]");
  EXPECT_EQ(graph.shape(graph.nodes()[1].inputs[1]), (Shape{2, 1, 1, 2}));
}

TEST(OnnxReadOperator, WhatTheLessObviousOnesBecome) {
  using List = std::vector<std::int64_t>;
  const struct {
    const char* why;
    Message node;
    const char* outline;
    std::int64_t opset = 21;
  } table[] = {
      {"an ordinary softmax of old", node("Softmax", {"m"}, {"y"}), "softmax[y]", 11},
      {"a softmax over several axes", node("Softmax", {"x"}, {"y"}, {attribute("axis", 1)}),
       "reshape[y/in] softmax[y] reshape[y/out]", 11},
      {"an old Add along an axis", node("Add", {"x", "two"}, {"y"}, {attribute("broadcast", 1), attribute("axis", 1)}),
       "add[y]", 6},
      {"a slope per channel, of old", node("PRelu", {"x", "two"}, {"y"}), "prelu[y]", 6},
      {"a chain", node("Sum", {"x", "x", "x"}, {"y"}), "add[y/0] add[y/1]"},
      {"a mean", node("Mean", {"x", "x"}, {"y"}), "add[y/0] divide[y]"},
      {"one is itself", node("Max", {"x"}, {"y"}), ""},
      {"bounds of integers", node("Clip", {"i", "zero", "zero"}, {"y"}), "maximum[y/min] minimum[y/max]"},
      {"one bound of integers", node("Clip", {"i", "zero"}, {"y"}), "maximum[y]"},
      {"bounds of floats", node("Clip", {"x", "", "one"}, {"y"}), "clip[y]"},
      {"no dropout", node("Dropout", {"x"}, {"y"}), ""},
      {"a vector times a matrix", node("MatMul", {"v", "w34"}, {"y"}), "reshape[y/row] matmul[y] reshape[y/out]"},
      {"a pool with places", node("MaxPool", {"x"}, {"y", "z"}, {attribute("kernel_shape", List{2, 2})}),
       "transpose max_pool[y] transpose transpose"},
      {"everything's mean", node("GlobalAveragePool", {"deep"}, {"y"}), "reduce_mean[y]"},
      {"nothing to reduce", node("ReduceSum", {"x"}, {"y"}, {attribute("noop_with_empty_axes", 1)}),
       "reshape[y/axis] reduce_sum[y]"},
      {"scales per group", node("GroupNormalization", {"x", "one1", "one1"}, {"y"}, {attribute("num_groups", 1)}),
       "transpose group_norm[y] transpose", 18},
      {"a missing zero point per axis", node("QuantizeLinear", {"x", "two"}, {"y"}), "quantize[y]"},
      {"depth to space", node("DepthToSpace", {"x"}, {"y"}, {attribute("blocksize", 1)}),
       "reshape[y/in] transpose[y] reshape[y/out]"},
      {"parts", node("Split", {"x"}, {"y", "z"}, {attribute("axis", 3)}), "slice[y/0] slice[y/1]"},
      {"a batch of vectors", node("BatchNormalization", {"m", "five", "five", "five", "five"}, {"y"}), "batch_norm[y]"},
      {"Shape and Size are numbers", node("Size", {"x"}, {"y"}), ""},
  };
  for (const auto& [why, node, expected, opset] : table) {
    SCOPED_TRACE(why);
    EXPECT_EQ(outline(graph_of(node, opset)), expected);
  }
}

TEST(OnnxReadOperator, OneDimensionIsARowOfTwo) {
  const Graph graph = read(
      Model{.nodes = {node("Conv", {"x", "w"}, {"y"}, {attribute("pads", std::vector<std::int64_t>{2, 0})}, "audio")},
            .inputs = {value_info("x", {1, 1, 4})},
            .initializers = {floats("w", {1, 1, 3}, {1, 1, 1})}}
          .bytes());
  EXPECT_EQ(outline(graph), "reshape[audio/in] transpose conv2d[audio] transpose reshape[audio/out]");
  const Tensor x = Tensor::of<float>({1, 1, 4}, {1, 2, 3, 4});
  const Tensor* inputs[] = {&x};
  EXPECT_TRUE(identical(interpret(graph, inputs)[0], Tensor::of<float>({1, 1, 4}, {1, 3, 6, 9})));
}

TEST(OnnxReadOperator, ShapesAreComputedOnTheWay) {
  // The way exporters flatten: [n, -1] from Shape, Gather, Unsqueeze, Concat.
  const Graph graph = read(Model{
      .nodes = {node("Shape", {"x"}, {"s"}), node("Gather", {"s", "zero"}, {"n"}),
                node("Unsqueeze", {"n", "l0"}, {"n1"}), node("Concat", {"n1", "rest"}, {"t"}, {attribute("axis", 0)}),
                node("Reshape", {"x", "t"}, {"y"})},
      .initializers = {
          integers("zero", {}, {0}), list("l0", {0}),
          list("rest", {-1})}}.bytes());
  EXPECT_EQ(outline(graph), "reshape[y]");
  EXPECT_EQ(graph.shape(graph.outputs()[0].value), (Shape{1, 24}));
  // A shape that hangs on arithmetic which is left for run time.
  const auto computed = Model{.nodes = {node("Upsample", {"l"}, {"a"}, {reals_attribute("scales", {1})}),
                                        node("Reshape", {"x", "a"}, {"y"})},
                              .initializers = {list("l", {24})},
                              .opset = 8}
                            .bytes();
  EXPECT_TRUE(raises([&] { (void)Source::from_bytes(computed, "m").graph(); },
                     "m: not handled: y (Reshape: its input \"a\" is computed while running)",
                     ErrorKind::kUnsupported));
}

/// The one output of a graph without inputs that matter, as integers.
std::vector<std::int64_t> folded(const Message& node, std::vector<Message> constants, std::int64_t opset = 21) {
  const Graph graph = read(Model{.nodes = {node}, .initializers = std::move(constants), .opset = opset}.bytes());
  const Constant& constant = graph.constant(graph.outputs()[0].value);
  if (constant == nullptr) return {-999};
  const auto values = constant->values<std::int64_t>();
  return {values.begin(), values.end()};
}

TEST(OnnxReadOperator, SlicesEndWhereTheAxisEnds) {
  using List = std::vector<std::int64_t>;
  const struct {
    const char* why;
    std::int64_t start, end, step;
    List expected;
  } table[] = {
      {"all", 0, INT64_MAX, 1, {0, 1, 2, 3, 4}},
      {"from the end", -2, INT64_MAX, 1, {3, 4}},
      {"before the beginning", -99, 2, 1, {0, 1}},
      {"every second", 1, 99, 2, {1, 3}},
      {"a step beyond", 1, 99, INT64_MAX, {1}},
      {"backwards", -1, INT64_MIN, -1, {4, 3, 2, 1, 0}},
      {"backwards from beyond", 99, 0, -3, {4, 1}},
      {"backwards in one step", 4, INT64_MIN, INT64_MIN, {4}},
      {"nothing", 3, 3, 1, {}},
      {"nothing backwards", 1, 3, -1, {}},
      {"beyond the end", 7, 9, 1, {}},
      {"backwards from before the beginning, which ONNX takes for the beginning", -99, -99, -1, {0}},
  };
  for (const auto& [why, start, end, step, expected] : table) {
    SCOPED_TRACE(why);
    EXPECT_EQ(folded(node("Slice", {"l", "a", "b", "", "c"}, {"y"}),
                     {list("l", {0, 1, 2, 3, 4}), list("a", {start}), list("b", {end}), list("c", {step})}),
              expected);
  }
}

TEST(OnnxReadOperator, RangesHoldWhatFits) {
  const auto range = [](std::int64_t start, std::int64_t limit, std::int64_t delta) {
    return folded(node("Range", {"a", "b", "c"}, {"y"}),
                  {integers("a", {}, {start}), integers("b", {}, {limit}), integers("c", {}, {delta})});
  };
  using List = std::vector<std::int64_t>;
  EXPECT_EQ(range(1, 8, 3), (List{1, 4, 7}));
  EXPECT_EQ(range(1, 7, 3), (List{1, 4}));
  EXPECT_EQ(range(3, 0, -2), (List{3, 1}));
  EXPECT_EQ(range(3, 0, 2), (List{}));
  EXPECT_EQ(range(INT64_MIN, INT64_MAX, std::int64_t{1} << 62), (List{INT64_MIN, INT64_MIN / 2, 0, INT64_MAX / 2 + 1}));
  EXPECT_EQ(range(INT64_MAX, INT64_MIN, INT64_MIN), (List{INT64_MAX, -1}));
}

TEST(OnnxReadOperator, ConstantsComeInManyForms) {
  using List = std::vector<std::int64_t>;
  EXPECT_EQ(folded(node("Constant", {}, {"y"}, {attribute("value_int", 3)}), {}), (List{3}));
  EXPECT_EQ(folded(node("Constant", {}, {"y"}, {attribute("value_ints", List{3, 4})}), {}), (List{3, 4}));
  EXPECT_EQ(folded(node("Constant", {}, {"y"}, {tensor_attribute("value", list("", {5}))}), {}), (List{5}));
  EXPECT_EQ(folded(node("Shape", {"x"}, {"y"}, {attribute("start", -3), attribute("end", -1)}), {}), (List{2, 3}));
  const Graph real = read(Model{.nodes = {node("Constant", {}, {"a"}, {attribute("value_float", 0.5f)}),
                                          node("Constant", {}, {"b"}, {reals_attribute("value_floats", {1, 2})}),
                                          node("Add", {"a", "b"}, {"y"})}}
                              .bytes());
  EXPECT_TRUE(identical(*real.constant(real.outputs()[0].value), Tensor::of<float>({2}, {1.5f, 2.5f})));
}

TEST(OnnxReadOperator, ResizeKeepsTheRatioWhereAsked) {
  const auto size = [](const char* policy) {
    const Graph graph = read(Model{
        .nodes = {node(
            "Resize", {"x", "", "", "s"}, {"y"},
            {attribute("axes", std::vector<std::int64_t>{2, 3}), attribute("keep_aspect_ratio_policy", policy)})},
        .initializers = {
            list("s", {6, 6})}}.bytes());
    return graph.shape(graph.outputs()[0].value);
  };
  EXPECT_EQ(size("stretch"), (Shape{1, 2, 6, 6}));
  EXPECT_EQ(size("not_larger"), (Shape{1, 2, 5, 6}));  // 1.5 times 3 x 4, halves rounded up
  EXPECT_EQ(size("not_smaller"), (Shape{1, 2, 6, 8}));
}

}  // namespace
}  // namespace sepal::onnx
