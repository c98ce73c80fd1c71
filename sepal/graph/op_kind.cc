// What operators are to a report, by their definitions alone: one exhaustive visitor a question, no arithmetic (that is
// op_cost.cc).

#include "sepal/graph/op_kind.h"

#include <algorithm>

#include "sepal/base/visit.h"

namespace sepal {

ParameterRole role_of(const Op& op, std::size_t index) {
  using enum ParameterRole;
  // What quantised operators read besides their operands are scales and zero points.
  const auto scaled = [&](bool operand) { return operand ? kWeights : kQuantization; };
  return std::visit(
      Overload{
          [&](const Conv2d&) { return index == 2 ? kBias : kWeights; },
          [&](const ConvTranspose2d&) { return index == 2 ? kBias : kWeights; },
          [&](const IntegerConv2d&) { return scaled(index < 2); },
          [&](const QuantizedConv2d&) { return index == 8 ? kBias : scaled(index == 0 || index == 3); },
          [&](const MatMul&) { return kWeights; }, [&](const Gemm&) { return index == 2 ? kBias : kWeights; },
          [&](const IntegerMatMul&) { return scaled(index < 2); },
          [&](const QuantizedMatMul&) { return scaled(index == 0 || index == 3); },
          [&](const BatchNorm&) { return index < 3 ? kNormalization : kStatistics; },
          [&](const LayerNorm&) { return kNormalization; }, [&](const GroupNorm&) { return kNormalization; },
          [&](const Gather&) { return index == 0 ? kWeights : kConstant; },
          [&](const Binary& binary) { return binary.kind == BinaryKind::kPRelu && index == 1 ? kSlope : kConstant; },
          [&](const Quantize&) { return index > 0 ? kQuantization : kConstant; },
          [&](const Dequantize&) { return index > 0 ? kQuantization : kConstant; },
          [&](const auto&) { return kConstant; }},
      op);
}

std::optional<ConvReading> convolution_of(const Op& op) {
  return std::visit(
      Overload{[](const Conv2d& conv) { return std::optional(ConvReading{conv, 1, 2}); },
               [](const IntegerConv2d& conv) {
                 return std::optional(ConvReading{{.window = conv.window, .groups = conv.groups}, 1, std::nullopt});
               },
               [](const QuantizedConv2d& conv) {
                 return std::optional(ConvReading{{.window = conv.window, .groups = conv.groups}, 3, 8});
               },
               [](const auto&) { return std::optional<ConvReading>(); }},
      op);
}

Factors factors_of(const Op& op) {
  return std::visit(
      Overload{[](const Conv2d&) { return Factors{0, 1}; }, [](const ConvTranspose2d&) { return Factors{0, 1}; },
               [](const IntegerConv2d&) { return Factors{0, 1}; }, [](const QuantizedConv2d&) { return Factors{0, 3}; },
               [](const MatMul&) { return Factors{0, 1}; }, [](const Gemm&) { return Factors{0, 1}; },
               [](const IntegerMatMul&) { return Factors{0, 1}; }, [](const QuantizedMatMul&) { return Factors{0, 3}; },
               [](const auto&) { return Factors{}; }},
      op);
}

LayerKind kind_of(const Op& op, std::span<const TensorType> inputs, const std::vector<bool>& constant) {
  if (!constant.empty() && std::ranges::all_of(constant, [](bool is) { return is; })) return LayerKind::kConstant;
  if (const auto reading = convolution_of(op)) {
    const Shape& filter = inputs[reading->filter].shape;
    if (is_depthwise(reading->conv, filter)) return LayerKind::kDepthwise;
    return is_pointwise(reading->conv, filter) ? LayerKind::kPointwise : LayerKind::kConvolution;
  }
  const auto product_kind = [&](std::size_t a, std::size_t b) {
    return constant[a] || constant[b] ? LayerKind::kFullyConnected : LayerKind::kMatrixProduct;
  };
  using enum LayerKind;
  return std::visit(
      Overload{[&](const Conv2d&) { return kConvolution; },
               [&](const IntegerConv2d&) { return kConvolution; },
               [&](const QuantizedConv2d&) { return kConvolution; },
               [&](const ConvTranspose2d&) { return kConvolution; },
               [&](const MatMul&) { return product_kind(0, 1); },
               [&](const Gemm&) { return product_kind(0, 1); },
               [&](const IntegerMatMul&) { return product_kind(0, 1); },
               [&](const QuantizedMatMul&) { return product_kind(0, 3); },
               [&](const BatchNorm&) { return kNormalization; },
               [&](const LayerNorm&) { return kNormalization; },
               [&](const GroupNorm&) { return kNormalization; },
               [&](const LocalResponseNorm&) { return kNormalization; },
               [&](const Unary&) { return kActivation; },
               [&](const Softmax&) { return kActivation; },
               [&](const Binary& binary) { return binary.kind == BinaryKind::kPRelu ? kActivation : kElementwise; },
               [&](const Select&) { return kElementwise; },
               [&](const Quantize&) { return kElementwise; },
               [&](const Dequantize&) { return kElementwise; },
               [&](const DynamicQuantize&) { return kElementwise; },
               [&](const Pool&) { return kPooling; },
               [&](const Reduce&) { return kPooling; },
               [&](const ArgReduce&) { return kPooling; },
               [&](const Resize&) { return kResize; },
               [&](const Reshape&) { return kMovement; },
               [&](const Transpose&) { return kMovement; },
               [&](const Concat&) { return kMovement; },
               [&](const Slice&) { return kMovement; },
               [&](const Pad&) { return kMovement; },
               [&](const Gather&) { return kMovement; },
               [&](const Cast&) { return kMovement; },
               [&](const Expand&) { return kMovement; },
               [&](const Tile&) { return kMovement; },
               [&](const BatchMoments&) { return kNormalization; },
               [&](const BatchNormSums&) { return kNormalization; },
               [&](const BatchNormInputGradient&) { return kNormalization; },
               [&](const TrainingConv2d&) { return kConvolution; },
               [&](const Conv2dGradient&) { return kConvolution; },
               [&](const UnaryGradient&) { return kActivation; },
               [&](const PoolGradient&) { return kPooling; },
               [&](const ResizeGradient&) { return kResize; },
               [&](const CrossEntropy&) { return kActivation; },
               [&](const Dropout&) { return kElementwise; },
               [&](const Update&) { return kElementwise; }},
      op);
}

}  // namespace sepal
