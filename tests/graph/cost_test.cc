#include "sepal/graph/cost.h"

#include <gtest/gtest.h>

#include <array>

#include "sepal/graph/conv_layer.h"
#include "sepal/graph/shape_rule.h"
#include "tests/raises.h"

namespace sepal {
namespace {

TensorType f32(Shape shape) { return {DataType::kF32, shape}; }

ConvLayer layer(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t size, bool bias = false) {
  const std::int64_t padding = (kernel - 1) / 2;
  return {
      .in = in,
      .out = out,
      .size = {size, size},
      .window = {.kernel = {kernel, kernel}, .padding = {padding, padding, kernel - 1 - padding, kernel - 1 - padding}},
      .bias = bias};
}

// MobileNets (arXiv 1704.04861), table 3, and the seeds' own layer: exact, MACs and parameters.
TEST(Compare, PublishedLayers) {
  struct Case {
    const char* why;
    ConvLayer layer;
    std::uint64_t macs, parameters, separable_macs, separable_parameters;
  };
  const Case cases[] = {
      {"table 3, convolution and depthwise separable", layer(512, 512, 3, 14), 462422016, 2359296, 52283392, 266752},
      {"table 3, alpha 0.75", layer(384, 384, 3, 14), 260112384, 1327104, 29578752, 150912},
      {"table 3, rho 0.714", layer(384, 384, 3, 10), 132710400, 1327104, 15091200, 150912},
      {"3 -> 32, D_K = 3, no biases", layer(3, 32, 3, 1), 864, 864, 123, 123},
      {"the same with biases", layer(3, 32, 3, 1, true), 864, 896, 123, 158},
      {"a kernel of 1 does not pay", layer(8, 8, 1, 4), 1024, 64, 1152, 72},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.why);
    const Comparison result = compare(test.layer);
    EXPECT_EQ(result.standard.macs, test.macs);
    EXPECT_EQ(result.standard.parameters.trained(), test.parameters);
    EXPECT_EQ(result.separable().macs, test.separable_macs);
    EXPECT_EQ(result.separable().parameters.trained(), test.separable_parameters);
  }
}

TEST(Compare, RatioIsTheFormula) {
  // 1/N + 1/D_K^2, times the multiplier; the seeds' plot is N = 3, D_K = 32 .. 1024.
  const std::array expected = {.334310, .333577, .333394, .333349, .333337, .333334};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(compare(layer(4, 3, std::int64_t{32} << i, 1)).mac_ratio(), expected[i], 5e-7);
  }
  EXPECT_NEAR(compare(layer(3, 32, 3, 8)).mac_ratio(), 1.0 / 32 + 1.0 / 9, 1e-12);
  EXPECT_NEAR(compare(layer(3, 32, 3, 8)).parameter_ratio(), .142361, 5e-7);
  ConvLayer doubled = layer(3, 32, 3, 8);
  doubled.multiplier = 2;
  EXPECT_NEAR(compare(doubled).mac_ratio(), 2 * (1.0 / 32 + 1.0 / 9), 1e-12);
  // At the break-even multiplier out A / (out + A) the ratio is 1.
  EXPECT_NEAR(compare(layer(3, 32, 3, 8)).break_even_multiplier(), 32.0 * 9 / 41, 1e-12);
  // Stride and dilation are the depthwise stage's and change nothing in the ratio.
  ConvLayer strided = layer(16, 32, 3, 14);
  strided.window.stride = {2, 2};
  strided.window.dilation = {2, 1};
  EXPECT_NEAR(compare(strided).mac_ratio(), 1.0 / 32 + 1.0 / 9, 1e-12);
}

TEST(Compare, SaysWhatDoesNotFit) {
  ConvLayer large = layer(4, 8, 7, 3);
  large.window.padding = {};
  EXPECT_TRUE(raises([&] { compare(large); },
                     "7x7 4 -> 8 at 3x3: a kernel of 7 with dilation 1 spans 7 rows, but the padded input has 3",
                     ErrorKind::kInvalid));
  EXPECT_TRUE(raises([&] { compare(layer(0, 8, 3, 3)); },
                     "3x3 0 -> 8 at 3x3: the input channels are 0; at least 1 and less than 2^31 is wanted",
                     ErrorKind::kInvalid));
  const std::int64_t huge = (std::int64_t{1} << 31) - 1;
  EXPECT_TRUE(
      raises([&] { compare(layer(1 << 15, 1 << 15, 3, 1 << 21)); },
             "3x3 32768 -> 32768 at 2097152x2097152: a count of its cost does not fit 64 bits; its shapes are too "
             "large",
             ErrorKind::kInvalid));
  EXPECT_THROW(compare(layer(huge, huge, huge, huge)), Error);
}

TEST(ParseConvLayer, ReadsAndRefuses) {
  const ConvLayer plain = parse_conv_layer("in=512,out=256,kernel=3,size=14");
  EXPECT_EQ(plain, layer(512, 256, 3, 14));
  const ConvLayer full =
      parse_conv_layer("size=20x10,kernel=4x1,in=3,out=8,stride=2,dilation=1x2,multiplier=2,bias=1,batch=5");
  EXPECT_EQ(full,
            (ConvLayer{.batch = 5,
                       .in = 3,
                       .out = 8,
                       .size = {20, 10},
                       .window = {.kernel = {4, 1}, .stride = {2, 2}, .dilation = {1, 2}, .padding = {1, 0, 2, 0}},
                       .multiplier = 2,
                       .bias = true}));
  EXPECT_EQ(parse_conv_layer("in=1,out=1,kernel=3,size=5,padding=valid").window.padding, Padding{});
  EXPECT_EQ(parse_conv_layer("in=1,out=1,kernel=3,size=5,padding=2").window.padding, (Padding{2, 2, 2, 2}));
  EXPECT_TRUE(raises([] { parse_conv_layer("in=8,out=4,kernel=0,size=5"); },
                     "0x0 8 -> 4 at 5x5: the kernel over rows is 0; at least 1 and less than 2^31 is wanted",
                     ErrorKind::kInvalid));
  EXPECT_TRUE(raises([] { parse_conv_layer("in=8,out=4,kernel=3,size=5,stride=1x0"); },
                     "3x3 8 -> 4 at 5x5, stride 1x0: the stride over columns is 0; at least 1 and less than 2^31 is "
                     "wanted",
                     ErrorKind::kInvalid));
  struct Case {
    const char* text;
    const char* message;
  };
  const Case cases[] = {
      {"", "a layer is in=512,out=512,kernel=3,size=14, but \"\" is no NAME=VALUE"},
      {"in=1,out=1,kernel=3", "a layer needs size, as in in=512,out=512,kernel=3,size=14"},
      {"in=1,out=1,kernal=3", "a layer has no \"kernal\"; did you mean \"kernel\"?"},
      {"groups=2",
       "a layer has no \"groups\"; it has in, out, kernel, size, stride, dilation, multiplier, bias, padding, "
       "batch"},
      {"in=1,in=1", "a layer names in twice"},
      {"in=1,out=1,kernel=3,size=14,stride=x",
       "stride of a layer is a whole number below 2^31, or two as in 3x5, not \"x\""},
      {"in=-1,out=1,kernel=3,size=14", "in of a layer is a whole number below 2^31, not \"-1\""},
      {"in=1,out=1,kernel=3,size=14,bias=2", "bias of a layer is 0 or 1, not \"2\""},
      {"in=1,out=1,kernel=3,size=14,padding=full",
       "padding of a layer is same, valid or a whole number below 2^31, not \"full\""},
  };
  for (const Case& test : cases) {
    EXPECT_TRUE(raises([&] { parse_conv_layer(test.text); }, test.message, ErrorKind::kUsage)) << test.text;
  }
}

/// conv 3x3 (padded) without bias, batch norm, relu, global mean, dense with bias.
Graph small_network() {
  Graph graph;
  const auto constant = [&](Shape shape) { return graph.add_constant(Tensor(DataType::kF32, shape)); };
  const ValueId image = graph.add_input("image", f32({1, 8, 8, 3}));
  const ValueId conv =
      graph.add(Conv2d{.window = {.kernel = {3, 3}, .padding = {1, 1, 1, 1}}}, {image, constant({4, 3, 3, 3})}, "stem");
  const ValueId four = constant({4});
  const ValueId normal = graph.add(BatchNorm{}, {conv, constant({4}), constant({4}), constant({4}), four}, "bn");
  const ValueId active = graph.add(Unary{UnaryKind::kRelu}, {normal}, "relu");
  const ValueId mean =
      graph.add(Reduce{.kind = ReduceKind::kMean, .axes = {1, 2}, .keep_dims = false}, {active}, "pool");
  const ValueId logits = graph.add(Gemm{}, {mean, constant({4, 10}), constant({10})}, "dense");
  graph.add_output("logits", logits);
  return graph;
}

TEST(CostOfGraph, CountsEveryKindOnce) {
  const NetworkCost cost = cost_of(small_network());
  ASSERT_EQ(cost.layers.size(), 5u);
  using enum LayerKind;
  const LayerKind kinds[] = {kConvolution, kNormalization, kActivation, kPooling, kFullyConnected};
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(cost.layers[i].kind, kinds[i]) << i;
  EXPECT_EQ(cost.total.macs, 64u * 4 * 27 + 40);
  // 3 x 3 taps on 8 x 8 with a border of 1: 22 taps an axis.
  EXPECT_EQ(cost.total.effective_macs, 22u * 22 * 4 * 3 + 40);
  EXPECT_EQ(cost.total.parameters,
            (Parameters{.weights = 4 * 27 + 40, .biases = 10, .normalization = 8, .statistics = 8}));
  EXPECT_EQ(cost.total.parameters.trained(), 166u);
  EXPECT_EQ(cost.total.parameters.stored(), static_cast<std::uint64_t>(count_parameters(small_network())));
  EXPECT_EQ(cost.total.bit_operations, cost.total.macs * 32 * 32);
  EXPECT_EQ(cost.layers[0].cost.weight_bytes, 4u * 27 * 4);
  EXPECT_EQ(cost.layers[0].cost.read_bytes, 8u * 8 * 3 * 4);
  EXPECT_EQ(cost.layers[0].cost.written_bytes, 8u * 8 * 4 * 4);
  EXPECT_EQ(cost.layers[0].cost.traffic(), (108u + 192 + 256) * 4);
  EXPECT_NEAR(cost.layers[0].cost.intensity(), (6912.0 + 6656) / (556 * 4), 1e-9);
  // Image, then maps of 1024 bytes one after another, two at a time.
  EXPECT_EQ(cost.activation_bytes, 768u + 3 * 1024 + 16 + 40);
  EXPECT_EQ(cost.layers[0].live_bytes, 768u + 1024);
  EXPECT_EQ(cost.layers[1].live_bytes, 2048u);
  EXPECT_EQ(cost.peak_bytes, 2048u);
}

TEST(CostOfGraph, ASharedConstantIsOneParameterAndMovesTwice) {
  Graph graph;
  const ValueId a = graph.add_input("a", f32({2, 3}));
  const ValueId weights = graph.add_constant(Tensor(DataType::kF32, {3, 3}));
  const ValueId once = graph.add(MatMul{}, {a, weights}, "once");
  graph.add_output("b", graph.add(MatMul{}, {once, weights}, "twice"));
  const NetworkCost cost = cost_of(graph);
  EXPECT_EQ(cost.layers[0].cost.parameters.weights, 9u);
  EXPECT_EQ(cost.layers[1].cost.parameters.weights, 0u);
  EXPECT_EQ(cost.total.weight_bytes, 72u);
  EXPECT_EQ(cost.stored_bytes, 36u);
}

TEST(CostOfGraph, QuantisedWeightsCountAsTheyAreStored) {
  Graph graph;
  const auto scalar = [&](DataType type) { return graph.add_constant(Tensor(type, Shape{})); };
  const ValueId stored = graph.add_input("x", {DataType::kU8, {1, 4, 4, 2}});
  const ValueId x = graph.add(Dequantize{}, {stored, scalar(DataType::kF32), scalar(DataType::kU8)}, "dx");
  const ValueId filter = graph.add(
      Dequantize{},
      {graph.add_constant(Tensor(DataType::kI8, {5, 1, 1, 2})), scalar(DataType::kF32), scalar(DataType::kI8)}, "dw");
  graph.add_output("y", graph.add(Conv2d{}, {x, filter}, "conv"));
  const NetworkCost cost = cost_of(graph);
  EXPECT_EQ(cost.layers[1].kind, LayerKind::kConstant);
  EXPECT_EQ(cost.layers[1].cost.parameters, (Parameters{.quantization = 2}));
  EXPECT_EQ(cost.layers[1].cost.nominal, Arithmetic{});
  EXPECT_EQ(cost.layers[2].kind, LayerKind::kPointwise);
  EXPECT_EQ(cost.layers[2].cost.parameters, (Parameters{.weights = 10}));
  EXPECT_EQ(cost.layers[2].cost.weight_bytes, 10u);
  EXPECT_EQ(cost.layers[2].cost.bit_operations, 160u * 8 * 8);
  EXPECT_EQ(cost.total.parameters.stored(), static_cast<std::uint64_t>(count_parameters(graph)));
}

TEST(CostOfGraph, QuantisationAndDataAreStoredAndNotTrained) {
  Graph graph;
  const auto constant = [&](DataType type, Shape shape) { return graph.add_constant(Tensor(type, shape)); };
  const auto scale = [&] { return constant(DataType::kF32, {}); };
  const auto zero = [&] { return constant(DataType::kU8, {}); };
  const ValueId x = graph.add_input("x", f32({1, 4, 4, 2}));
  const ValueId q = graph.add(Quantize{}, {x, scale(), zero()});
  const ValueId conv = graph.add(QuantizedConv2d{}, {q, scale(), zero(), constant(DataType::kU8, {3, 1, 1, 2}), scale(),
                                                     zero(), scale(), zero(), constant(DataType::kI32, {3})});
  const ValueId back = graph.add(Dequantize{}, {conv, scale(), zero()});
  const ValueId slope = graph.add(Binary{BinaryKind::kPRelu}, {back, constant(DataType::kF32, {3})});
  graph.add_output("y", graph.add(Binary{BinaryKind::kMultiply}, {slope, constant(DataType::kF32, {3})}));
  const NetworkCost cost = cost_of(graph);
  EXPECT_EQ(cost.total.parameters,
            (Parameters{.weights = 6, .biases = 3, .slopes = 3, .quantization = 10, .constants = 3}));
  EXPECT_EQ(cost.total.parameters.trained(), 12u);
  EXPECT_EQ(cost.total.parameters.stored(), static_cast<std::uint64_t>(count_parameters(graph)));
  EXPECT_EQ(cost.stored_bytes, 6u + 12 + 12 + 12 + 5 * 4 + 5);
}

// ConvInteger's third and fourth inputs are zero points; no bias comes with it.
TEST(CostOfGraph, ZeroPointsAreNoBiases) {
  Graph graph;
  const auto constant = [&](Shape shape) { return graph.add_constant(Tensor(DataType::kU8, shape)); };
  const ValueId x = graph.add_input("x", {DataType::kU8, {1, 4, 4, 2}});
  graph.add_output("y", graph.add(IntegerConv2d{}, {x, constant({3, 1, 1, 2}), constant({}), constant({3})}));
  EXPECT_EQ(cost_of(graph).total.parameters, (Parameters{.weights = 6, .quantization = 4}));
}

TEST(CostOfGraph, AVectorAddedToAProductIsItsBias) {
  Graph graph;
  const ValueId x = graph.add_input("x", f32({1, 3}));
  const ValueId product = graph.add(MatMul{}, {x, graph.add_constant(Tensor(DataType::kF32, {3, 5}))}, "dense");
  const ValueId biased =
      graph.add(Binary{BinaryKind::kAdd}, {graph.add_constant(Tensor(DataType::kF32, {5})), product}, "bias");
  graph.add_output(
      "y", graph.add(Binary{BinaryKind::kAdd}, {biased, graph.add_constant(Tensor(DataType::kF32, {5}))}, "shift"));
  EXPECT_EQ(cost_of(graph).total.parameters, (Parameters{.weights = 15, .biases = 5, .constants = 5}));
}

TEST(CostOfGraph, AReshapeMovesNothingAndLivesInItsInput) {
  Graph graph;
  const ValueId x = graph.add_input("x", f32({1, 4, 4, 1}));
  const ValueId flat = graph.add(Reshape{{1, 16}}, {x});
  graph.add_output("y", graph.add(Unary{UnaryKind::kExp}, {flat}));
  const NetworkCost cost = cost_of(graph);
  EXPECT_EQ(cost.layers[0].name, "reshape 0");
  EXPECT_EQ(cost.layers[0].cost.traffic(), 0u);
  EXPECT_EQ(cost.peak_bytes, 128u);
  EXPECT_EQ(cost.activation_bytes, 128u);
}

TEST(CostOfGraph, OverflowNamesTheLayer) {
  Graph graph;
  const std::int64_t side = std::int64_t{1} << 29;
  const ValueId x = graph.add_input("x", f32({1, side, side, 1}));
  graph.add_output("y", graph.add(Pool{.window = {.kernel = {1 << 10, 1 << 10}}}, {x}, "block\n/pool"));
  EXPECT_TRUE(raises([&] { cost_of(graph); },
                     "block\\x0a/pool: a count of its cost does not fit 64 bits; its shapes are too large",
                     ErrorKind::kInvalid));
}

}  // namespace
}  // namespace sepal
