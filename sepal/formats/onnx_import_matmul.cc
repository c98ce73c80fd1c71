// Products of matrices, plain and quantised.

#include "sepal/base/text.h"
#include "sepal/formats/onnx_import.h"

namespace sepal::onnx {
namespace {

/// A product whose operands may be vectors: the first becomes a row, the second a column, and the axis is
/// taken out of the result again.
struct Operands {
  ValueId a, b;
  bool row = false;
  bool column = false;
};

Operands as_matrices(NodeImport& node, int first, int second) {
  const Shape a = node.shape(first);
  const Shape b = node.shape(second);
  Operands operands{node.input(first), node.input(second), a.rank() == 1, b.rank() == 1};
  if (operands.row) operands.a = node.reshape(operands.a, {1, a[0]}, "row");
  if (operands.column) operands.b = node.reshape(operands.b, {b[0], 1}, "column");
  return operands;
}

ValueId without_added_axes(NodeImport& node, const Operands& operands, ValueId result) {
  if (!operands.row && !operands.column) return result;
  const Shape shape = node.graph().shape(result);
  std::vector<std::int64_t> dims(shape.begin(), shape.end());
  if (operands.column) dims.pop_back();
  if (operands.row) dims.erase(dims.end() - (operands.column ? 1 : 2));
  return node.reshape(result, Shape(dims), "out");
}

}  // namespace

void import_matmul(NodeImport& node) {
  const Operands operands = as_matrices(node, 0, 1);
  node.give(without_added_axes(node, operands, node.add(MatMul{}, {operands.a, operands.b})));
}

void import_gemm(NodeImport& node) {
  std::vector<ValueId> inputs = {node.input(0), node.input(1)};
  if (node.has(2)) inputs.push_back(node.input(2));
  if (!is_float(node.element(0))) fail(ErrorKind::kUnsupported, "{} matrices", name_of(node.element(0)));
  node.give(node.add(Gemm{.alpha = node.real("alpha", 1),
                          .beta = node.real("beta", 1),
                          .transpose_a = node.flag("transA", false),
                          .transpose_b = node.flag("transB", false)},
                     std::move(inputs)));
}

void import_integer_matmul(NodeImport& node) {
  const Operands operands = as_matrices(node, 0, 1);
  const auto zero = [&](int input, DataType type) {
    return node.has(input) ? node.input(input) : node.add_constant(Tensor(type, Shape{}));
  };
  ValueId a_zero = zero(2, node.element(0));
  const ValueId b_zero = zero(3, node.element(1));
  // One zero point per row of a comes as a list; as a column it broadcasts.
  const Shape shape = node.graph().shape(a_zero);
  if (shape.rank() == 1 && shape[0] > 1) a_zero = node.reshape(a_zero, {shape[0], 1}, "zero_column");
  const ValueId result = node.add(IntegerMatMul{}, {operands.a, operands.b, a_zero, b_zero});
  node.give(without_added_axes(node, operands, result));
}

void import_quantized_matmul(NodeImport& node) {
  for (const int i : {1, 2, 4, 5, 6, 7}) {
    if (node.shape(i).elements() != 1) fail(ErrorKind::kUnsupported, "scales or zero points per row or column");
  }
  const Operands operands = as_matrices(node, 0, 3);
  // Scales may be float16 since opset 21; the arithmetic is in f32.
  const auto scale = [&](int input, std::string_view suffix) {
    return node.cast(node.input(input), DataType::kF32, suffix);
  };
  const ValueId result =
      node.add(QuantizedMatMul{}, {operands.a, scale(1, "a_scale"), node.input(2), operands.b, scale(4, "b_scale"),
                                   node.input(5), scale(6, "y_scale"), node.input(7)});
  node.give(without_added_axes(node, operands, result));
}

}  // namespace sepal::onnx
