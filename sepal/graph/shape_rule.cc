// One shape rule an operator: what its inputs must be, and what its outputs then are. The rules of image
// operators stand in shape_rule_image.cc, those that move elements in shape_rule_move.cc.

#include "sepal/graph/shape_rule.h"

#include <algorithm>

#include "sepal/base/text.h"
#include "sepal/base/visit.h"
#include "sepal/graph/shape_rule_image.h"
#include "sepal/graph/shape_rule_move.h"
#include "sepal/graph/shape_rule_training.h"

namespace sepal {

std::string to_string(const TensorType& type) { return format("{} {}", name_of(type.type), to_string(type.shape)); }

int checked_axis(std::int64_t axis, int rank) {
  if (axis < -rank || axis >= rank) invalid("axis {} of a tensor with {} dimensions", axis, rank);
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

void check_count(Inputs inputs, std::size_t least, std::size_t most) {
  if (inputs.size() >= least && inputs.size() <= most) return;
  if (least == most) invalid("{} inputs instead of {}", inputs.size(), least);
  invalid("{} inputs instead of {} to {}", inputs.size(), least, most);
}

void check_float(const TensorType& input, const char* what) {
  if (!is_float(input.type)) invalid("{} is {}, not a floating-point type", what, name_of(input.type));
}

void check_same_type(const TensorType& a, const TensorType& b) {
  if (a.type != b.type) invalid("inputs of types {} and {}", name_of(a.type), name_of(b.type));
}

void check_rank(const TensorType& input, int rank, const char* what) {
  if (input.shape.rank() != rank) invalid("{} is {}, but must have {} dimensions", what, to_string(input.shape), rank);
}

void check_vector(const TensorType& input, std::int64_t length, const char* what, bool or_scalar) {
  if (or_scalar && input.shape.elements() == 1) return;
  if (input.shape != Shape{length}) invalid("{} is {}, but must be {}", what, to_string(input.shape), length);
}

void check_byte(const TensorType& input, const char* what) {
  if (input.type != DataType::kU8 && input.type != DataType::kI8)
    invalid("{} is {}, neither u8 nor i8", what, name_of(input.type));
}

namespace {

using Types = std::vector<TensorType>;

void check_axis(int axis, const Shape& shape) {
  if (axis < 0 || axis >= shape.rank()) invalid("axis {} of a tensor with {} dimensions", axis, shape.rank());
}

/// [..., m, k] x [..., k, n] -> [..., m, n].
Shape multiply(const Shape& a, const Shape& b) {
  if (a.rank() < 2 || b.rank() < 2 || a[a.rank() - 1] != b[b.rank() - 2]) {
    invalid("matrices {} and {} cannot be multiplied", to_string(a), to_string(b));
  }
  const Shape batch = broadcast(Shape(a.dims().first(static_cast<std::size_t>(a.rank() - 2))),
                                Shape(b.dims().first(static_cast<std::size_t>(b.rank() - 2))));
  std::vector<std::int64_t> dims(batch.begin(), batch.end());
  dims.push_back(a[a.rank() - 2]);
  dims.push_back(b[b.rank() - 1]);
  return Shape(dims);
}

/// `shape` must broadcast to `whole` without widening it.
void check_fits(const Shape& shape, const Shape& whole, const char* what) {
  if (broadcast(shape, whole) != whole)
    invalid("{} is {}, which does not broadcast to {}", what, to_string(shape), to_string(whole));
}

Types reduce(const Reduce& op, Inputs inputs) {
  check_count(inputs, 1, 1);
  const Shape& x = inputs[0].shape;
  if (!std::ranges::is_sorted(op.axes) || std::ranges::adjacent_find(op.axes) != op.axes.end()) {
    invalid("axes [{}] are not in ascending order", join(op.axes, ", "));
  }
  std::vector<std::int64_t> dims;
  for (const int axis : op.axes) check_axis(axis, x);
  for (int axis = 0; axis < x.rank(); ++axis) {
    const bool reduced = std::ranges::binary_search(op.axes, axis);
    if (!reduced || op.keep_dims) dims.push_back(reduced ? 1 : x[axis]);
  }
  return {{inputs[0].type, Shape(dims)}};
}

Types arg_reduce(const ArgReduce& op, Inputs inputs) {
  check_count(inputs, 1, 1);
  check_axis(op.axis, inputs[0].shape);
  if (inputs[0].shape[op.axis] == 0)
    invalid("the largest of no values along axis {} of {}", op.axis, to_string(inputs[0].shape));
  return {{DataType::kI64,
           reduce({.kind = ReduceKind::kMax, .axes = {op.axis}, .keep_dims = op.keep_dims}, inputs)[0].shape}};
}

Types batch_norm(const BatchNorm&, Inputs inputs) {
  check_count(inputs, 5, 5);
  check_float(inputs[0], "the input");
  const Shape& x = inputs[0].shape;
  if (x.rank() < 1) invalid("batch norm of a scalar");
  constexpr std::array kNames = {"", "the scale", "the bias", "the mean", "the variance"};
  for (std::size_t i = 1; i < 5; ++i) {
    check_same_type(inputs[0], inputs[i]);
    check_vector(inputs[i], x[x.rank() - 1], kNames[i]);
  }
  return {inputs[0]};
}

Types layer_norm(const LayerNorm& op, Inputs inputs) {
  check_count(inputs, 2, 3);
  check_float(inputs[0], "the input");
  const Shape& x = inputs[0].shape;
  check_axis(op.axis, x);
  for (const TensorType& other : inputs.subspan(1)) {
    check_same_type(inputs[0], other);
    check_fits(other.shape, x, "scale or bias");
  }
  Types result = {inputs[0]};
  if (op.statistics) {
    Shape kept = x;
    for (int axis = op.axis; axis < x.rank(); ++axis) kept = kept.with(axis, 1);
    result.insert(result.end(), 2, {DataType::kF32, kept});
  }
  return result;
}

Types group_norm(const GroupNorm& op, Inputs inputs) {
  check_count(inputs, 3, 3);
  check_float(inputs[0], "the input");
  const Shape& x = inputs[0].shape;
  if (x.rank() < 2) invalid("group norm of {}, but it takes [n, ..., c]", to_string(x));
  const std::int64_t channels = x[x.rank() - 1];
  if (op.groups < 1 || channels % op.groups != 0) invalid("{} groups do not divide {} channels", op.groups, channels);
  for (const TensorType& other : inputs.subspan(1)) {
    check_same_type(inputs[0], other);
    check_vector(other, channels, "scale or bias");
  }
  return {inputs[0]};
}

Types local_response_norm(const LocalResponseNorm& op, Inputs inputs) {
  check_count(inputs, 1, 1);
  check_float(inputs[0], "the input");
  if (inputs[0].shape.rank() < 2) invalid("normalisation across channels of {}", to_string(inputs[0].shape));
  if (op.size < 1) invalid("normalisation across {} channels", op.size);
  return {inputs[0]};
}

Types unary(const Unary& op, Inputs inputs) {
  check_count(inputs, 1, 1);
  const DataType type = inputs[0].type;
  using enum UnaryKind;
  if (op.kind == kNot) {
    if (type != DataType::kBool) invalid("not of {}", name_of(type));
  } else if (op.kind == kAbs || op.kind == kNegate || op.kind == kSign || op.kind == kRelu || op.kind == kIdentity) {
    if (type == DataType::kBool && op.kind != kIdentity) invalid("{} of bool", name_of(op.kind));
  } else {
    check_float(inputs[0], "the input");
  }
  return {inputs[0]};
}

Types binary(const Binary& op, Inputs inputs) {
  check_count(inputs, 2, 2);
  const bool logical = op.kind == BinaryKind::kAnd || op.kind == BinaryKind::kOr || op.kind == BinaryKind::kXor;
  if (op.kind != BinaryKind::kPower) check_same_type(inputs[0], inputs[1]);
  const bool boolean = inputs[0].type == DataType::kBool || inputs[1].type == DataType::kBool;
  if (logical && !boolean) invalid("{} of {}", name_of(op.kind), name_of(inputs[0].type));
  if (!logical && boolean && op.kind != BinaryKind::kEqual) invalid("{} of bool", name_of(op.kind));
  return {{gives_bool(op.kind) ? DataType::kBool : inputs[0].type, broadcast(inputs[0].shape, inputs[1].shape)}};
}

Types select(const Select&, Inputs inputs) {
  check_count(inputs, 3, 3);
  if (inputs[0].type != DataType::kBool) invalid("a condition of type {}", name_of(inputs[0].type));
  check_same_type(inputs[1], inputs[2]);
  return {{inputs[1].type, broadcast(inputs[0].shape, broadcast(inputs[1].shape, inputs[2].shape))}};
}

Types matmul(const MatMul&, Inputs inputs) {
  check_count(inputs, 2, 2);
  check_same_type(inputs[0], inputs[1]);
  return {{inputs[0].type, multiply(inputs[0].shape, inputs[1].shape)}};
}

Types gemm(const Gemm& op, Inputs inputs) {
  check_count(inputs, 2, 3);
  for (const TensorType& input : inputs.first(2)) {
    check_float(input, "a matrix");
    check_same_type(inputs[0], input);
    check_rank(input, 2, "a matrix");
  }
  const auto turned = [](const Shape& s, bool turn) { return turn ? Shape{s[1], s[0]} : s; };
  const Shape output = multiply(turned(inputs[0].shape, op.transpose_a), turned(inputs[1].shape, op.transpose_b));
  if (inputs.size() == 3) {
    check_same_type(inputs[0], inputs[2]);
    check_fits(inputs[2].shape, output, "the third input");
  }
  return {{inputs[0].type, output}};
}

Types integer_matmul(const IntegerMatMul&, Inputs inputs) {
  check_count(inputs, 4, 4);
  check_byte(inputs[0], "the first matrix");
  check_byte(inputs[1], "the second matrix");
  check_same_type(inputs[0], inputs[2]);
  check_same_type(inputs[1], inputs[3]);
  const Shape output = multiply(inputs[0].shape, inputs[1].shape);
  const int rank = output.rank();
  if (inputs[2].shape.elements() != 1 && inputs[2].shape != Shape{output[rank - 2]} &&
      inputs[2].shape != inputs[0].shape.with(inputs[0].shape.rank() - 1, 1)) {
    invalid("the first zero point is {} for {} rows", to_string(inputs[2].shape), output[rank - 2]);
  }
  if (inputs[3].shape.elements() != 1 && inputs[3].shape != Shape{output[rank - 1]} &&
      inputs[3].shape != inputs[1].shape.with(inputs[1].shape.rank() - 2, 1)) {
    invalid("the second zero point is {} for {} columns", to_string(inputs[3].shape), output[rank - 1]);
  }
  return {{DataType::kI32, output}};
}

Types quantized_matmul(const QuantizedMatMul&, Inputs inputs) {
  check_count(inputs, 8, 8);
  check_byte(inputs[0], "the first matrix");
  check_byte(inputs[3], "the second matrix");
  check_byte(inputs[7], "the output's zero point");
  check_same_type(inputs[0], inputs[2]);
  check_same_type(inputs[3], inputs[5]);
  for (const std::size_t i : {1u, 4u, 6u}) {
    if (inputs[i].type != DataType::kF32) invalid("a scale of type {}", name_of(inputs[i].type));
  }
  for (const std::size_t i : {1u, 2u, 4u, 5u, 6u, 7u}) check_vector(inputs[i], 1, "a scale or zero point", true);
  return {{inputs[7].type, multiply(inputs[0].shape, inputs[3].shape)}};
}

Types softmax(const Softmax& op, Inputs inputs) {
  check_count(inputs, 1, 1);
  check_float(inputs[0], "the input");
  check_axis(op.axis, inputs[0].shape);
  return {inputs[0]};
}

bool is_quantized(DataType type) {
  return type == DataType::kU8 || type == DataType::kI8 || type == DataType::kU16 || type == DataType::kI16;
}

/// Scale and zero point of a quantisation of `x`: scalars, one a slice of `axis`, or one a block.
void check_scale(const Shape& x, const TensorType& scale, const TensorType& zero, int axis, std::int64_t block) {
  if (scale.type != DataType::kF32) invalid("a scale of type {}, not f32", name_of(scale.type));
  if (scale.shape.elements() != zero.shape.elements()) {
    invalid("a scale of {} with a zero point of {}", to_string(scale.shape), to_string(zero.shape));
  }
  if (block < 0) invalid("blocks of {}", block);
  if (block > 0) {
    check_axis(axis, x);
    if (scale.shape != x.with(axis, x[axis] / block + (x[axis] % block != 0 ? 1 : 0))) {
      invalid("a scale of {} for {} in blocks of {} along axis {}", to_string(scale.shape), to_string(x), block, axis);
    }
  } else if (scale.shape.elements() != 1 || scale.shape.rank() > 1) {
    check_axis(axis, x);
    check_vector(scale, x[axis], "the scale");
  }
}

Types quantize(const Quantize& op, Inputs inputs) {
  check_count(inputs, 3, 3);
  if (inputs[0].type != DataType::kF32) invalid("the input is {}, not f32", name_of(inputs[0].type));
  if (!is_quantized(inputs[2].type)) invalid("quantisation to {}", name_of(inputs[2].type));
  check_scale(inputs[0].shape, inputs[1], inputs[2], op.axis, op.block);
  return {{inputs[2].type, inputs[0].shape}};
}

Types dequantize(const Dequantize& op, Inputs inputs) {
  check_count(inputs, 3, 3);
  if (!is_quantized(inputs[0].type) && inputs[0].type != DataType::kI32)
    invalid("dequantisation of {}", name_of(inputs[0].type));
  check_same_type(inputs[0], inputs[2]);
  check_scale(inputs[0].shape, inputs[1], inputs[2], op.axis, op.block);
  return {{DataType::kF32, inputs[0].shape}};
}

Types dynamic_quantize(const DynamicQuantize&, Inputs inputs) {
  check_count(inputs, 1, 1);
  if (inputs[0].type != DataType::kF32) invalid("the input is {}, not f32", name_of(inputs[0].type));
  return {{DataType::kU8, inputs[0].shape}, {DataType::kF32, Shape{}}, {DataType::kU8, Shape{}}};
}

}  // namespace

std::vector<TensorType> infer(const Op& op, std::span<const TensorType> inputs) {
  return std::visit(Overload{[&](const Conv2d& o) { return infer_image(o, inputs); },
                             [&](const ConvTranspose2d& o) { return infer_image(o, inputs); },
                             [&](const IntegerConv2d& o) { return infer_image(o, inputs); },
                             [&](const QuantizedConv2d& o) { return infer_image(o, inputs); },
                             [&](const Pool& o) { return infer_image(o, inputs); },
                             [&](const Reduce& o) { return reduce(o, inputs); },
                             [&](const ArgReduce& o) { return arg_reduce(o, inputs); },
                             [&](const BatchNorm& o) { return batch_norm(o, inputs); },
                             [&](const LayerNorm& o) { return layer_norm(o, inputs); },
                             [&](const GroupNorm& o) { return group_norm(o, inputs); },
                             [&](const LocalResponseNorm& o) { return local_response_norm(o, inputs); },
                             [&](const Unary& o) { return unary(o, inputs); },
                             [&](const Binary& o) { return binary(o, inputs); },
                             [&](const Select& o) { return select(o, inputs); },
                             [&](const MatMul& o) { return matmul(o, inputs); },
                             [&](const Gemm& o) { return gemm(o, inputs); },
                             [&](const IntegerMatMul& o) { return integer_matmul(o, inputs); },
                             [&](const QuantizedMatMul& o) { return quantized_matmul(o, inputs); },
                             [&](const Softmax& o) { return softmax(o, inputs); },
                             [&](const Reshape& o) { return infer_move(o, inputs); },
                             [&](const Transpose& o) { return infer_move(o, inputs); },
                             [&](const Concat& o) { return infer_move(o, inputs); },
                             [&](const Slice& o) { return infer_move(o, inputs); },
                             [&](const Pad& o) { return infer_move(o, inputs); },
                             [&](const Resize& o) { return infer_move(o, inputs); },
                             [&](const Gather& o) { return infer_move(o, inputs); },
                             [&](const Cast& o) { return infer_move(o, inputs); },
                             [&](const Expand& o) { return infer_move(o, inputs); },
                             [&](const Tile& o) { return infer_move(o, inputs); },
                             [&](const Quantize& o) { return quantize(o, inputs); },
                             [&](const Dequantize& o) { return dequantize(o, inputs); },
                             [&](const DynamicQuantize& o) { return dynamic_quantize(o, inputs); },
                             [&](const BatchMoments& o) { return infer_training(o, inputs); },
                             [&](const BatchNormSums& o) { return infer_training(o, inputs); },
                             [&](const BatchNormInputGradient& o) { return infer_training(o, inputs); },
                             [&](const TrainingConv2d& o) { return infer_training(o, inputs); },
                             [&](const Conv2dGradient& o) { return infer_training(o, inputs); },
                             [&](const UnaryGradient& o) { return infer_training(o, inputs); },
                             [&](const PoolGradient& o) { return infer_training(o, inputs); },
                             [&](const ResizeGradient& o) { return infer_training(o, inputs); },
                             [&](const CrossEntropy& o) { return infer_training(o, inputs); },
                             [&](const Dropout& o) { return infer_training(o, inputs); },
                             [&](const Update& o) { return infer_training(o, inputs); }},
                    op);
}

}  // namespace sepal
