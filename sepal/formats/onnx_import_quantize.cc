// QuantizeLinear, DequantizeLinear and their dynamic sister. Arithmetic is in f32; where a file asks for
// half precision, casts stand around the operator.

#include "sepal/base/text.h"
#include "sepal/formats/onnx_import.h"
#include "sepal/formats/onnx_tensor.h"

namespace sepal::onnx {
namespace {

/// How scale and zero point lie along the input.
struct Along {
  int axis = 0;
  std::int64_t block = 0;
};

Along read_along(const NodeImport& node) {
  const Shape x = node.shape(0);
  const Shape scale = node.shape(1);
  const std::int64_t block = node.integer("block_size", 0);
  if (block < 0) invalid("a block_size of {}", block);
  // With one scale for all, the axis is not looked at, and need not exist.
  if (block == 0 && scale.elements() == 1 && scale.rank() <= 1) return {};
  return {checked_axis(node.integer("axis", 1), x.rank()), block};
}

/// The zero point, or zeros of that type for every scale.
ValueId zero_point(NodeImport& node, DataType type) {
  if (node.has(2)) return node.input(2);
  const Shape shape = node.shape(1);
  const ValueId zero = node.add_constant(Tensor(type, Shape{}));
  return shape.rank() == 0 ? zero : node.add(Expand{shape}, {zero}, "zero_point");
}

DataType output_type(const NodeImport& node, DataType otherwise) {
  const std::int64_t type = node.integer("output_dtype", 0);
  return type == 0 ? otherwise : element_type(static_cast<ElementType>(type < 0 || type > 1000 ? 0 : type));
}

}  // namespace

void import_quantize(NodeImport& node) {
  const Along along = read_along(node);
  const ValueId zero = zero_point(node, output_type(node, DataType::kU8));
  const ValueId x = node.cast(node.input(0), DataType::kF32, "in");
  const ValueId scale = node.cast(node.input(1), DataType::kF32, "scale");
  node.give(node.add(Quantize{.axis = along.axis, .block = along.block}, {x, scale, zero}));
}

void import_dequantize(NodeImport& node) {
  const Along along = read_along(node);
  const DataType type = output_type(node, node.element(1));
  if (!is_float(type)) invalid("DequantizeLinear to {}", name_of(type));
  const ValueId zero = zero_point(node, node.element(0));
  const ValueId scale = node.cast(node.input(1), DataType::kF32, "scale");
  const ValueId result = node.add(Dequantize{.axis = along.axis, .block = along.block}, {node.input(0), scale, zero});
  node.give(node.cast(result, type, "out"));
}

void import_dynamic_quantize(NodeImport& node) {
  const std::vector<ValueId> results = node.add_all(DynamicQuantize{}, {node.input(0)});
  for (int i = 0; i < 3; ++i) node.give(i, results[static_cast<std::size_t>(i)]);
}

}  // namespace sepal::onnx
