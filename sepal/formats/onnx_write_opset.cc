// Which opset a graph needs. 17 has nearly everything; what came later is listed here, and the writer leans on
// nothing else of later opsets.

#include <algorithm>

#include "sepal/base/visit.h"
#include "sepal/formats/onnx_write_node.h"

namespace sepal::onnx {
namespace {

constexpr std::int64_t kLowest = 17;

std::int64_t needed(const Unary& function) {
  switch (function.kind) {
    case UnaryKind::kMish:
      return 18;
    case UnaryKind::kGelu:
    case UnaryKind::kGeluTanh:
      return 20;
    default:
      return kLowest;
  }
}

std::int64_t needed_to_quantize(DataType type, std::int64_t block) {
  return block > 0 || type == DataType::kI16 || type == DataType::kU16 ? 21 : kLowest;
}

std::int64_t needed(const Graph& graph, const Node& node) {
  const Shape& x = graph.shape(node.inputs[0]);
  return std::visit(
      Overload{[](const auto&) { return kLowest; }, [](const Conv2d& op) { return needed(op.activation); },
               [](const Unary& op) { return needed(op); },
               [](const Pool& op) {
                 return op.kind == PoolKind::kAverage && op.window.dilation != Extent{1, 1} ? std::int64_t{19}
                                                                                            : kLowest;
               },
               // GroupNormalization of opset 18 scales groups instead of channels.
               [&](const GroupNorm& op) { return is_instance_norm(op, x) ? kLowest : std::int64_t{21}; },
               [](const Pad& op) { return op.mode == PadMode::kWrap ? std::int64_t{19} : kLowest; },
               [&](const Resize& op) {
                 if (op.how.coordinate == ResizeCoordinate::kHalfPixelSymmetric) return std::int64_t{19};
                 return op.how.antialias || resize_form(op, x) == ResizeForm::kAspect ? std::int64_t{18} : kLowest;
               },
               [&](const Quantize& op) { return needed_to_quantize(graph.type(node.outputs[0]).type, op.block); },
               [&](const Dequantize& op) { return needed_to_quantize(graph.type(node.inputs[0]).type, op.block); }},
      node.op);
}

}  // namespace

std::uint32_t image_inputs(const Op& op) {
  return std::visit(Overload{[](const auto&) { return 0u; }, [](const Conv2d&) { return 0b11u; },
                             [](const ConvTranspose2d&) { return 0b11u; }, [](const IntegerConv2d&) { return 0b11u; },
                             [](const QuantizedConv2d&) { return 0b1001u; }, [](const Pool&) { return 0b1u; },
                             [](const BatchNorm&) { return 0b1u; }, [](const GroupNorm&) { return 0b1u; },
                             [](const LocalResponseNorm&) { return 0b1u; }},
                    op);
}

bool is_instance_norm(const GroupNorm& op, const Shape& x) { return x.rank() > 2 && op.groups == x[x.rank() - 1]; }

std::int64_t lowest_opset(const Graph& graph) {
  std::int64_t opset = kLowest;
  for (const Node& node : graph.nodes()) opset = std::max(opset, needed(graph, node));
  return opset;
}

}  // namespace sepal::onnx
