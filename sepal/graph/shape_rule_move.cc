// Shape rules of operators that move elements without computing on them (and of Resize, which blends).

#include "sepal/graph/shape_rule_move.h"

#include <algorithm>
#include <cmath>

#include "sepal/base/checked.h"
#include "sepal/base/text.h"

namespace sepal {
namespace {

std::size_t at(int axis) { return static_cast<std::size_t>(axis); }

}  // namespace

std::vector<TensorType> infer_move(const Reshape& op, Inputs inputs) {
  check_count(inputs, 1, 1);
  if (op.shape.elements() != inputs[0].shape.elements()) {
    invalid("{} cannot be reshaped to {}: {} elements are not {}", to_string(inputs[0].shape), to_string(op.shape),
            inputs[0].shape.elements(), op.shape.elements());
  }
  return {{inputs[0].type, op.shape}};
}

std::vector<TensorType> infer_move(const Transpose& op, Inputs inputs) {
  check_count(inputs, 1, 1);
  if (op.permutation.rank != inputs[0].shape.rank()) {
    invalid("a permutation of {} axes for {}", op.permutation.rank, to_string(inputs[0].shape));
  }
  return {{inputs[0].type, op.permutation.apply(inputs[0].shape)}};
}

std::vector<TensorType> infer_move(const Concat& op, Inputs inputs) {
  check_count(inputs, 1, 1 << 20);
  const Shape& first = inputs[0].shape;
  if (op.axis < 0 || op.axis >= first.rank()) invalid("axis {} of a tensor with {} dimensions", op.axis, first.rank());
  std::int64_t length = 0;
  for (const TensorType& input : inputs) {
    check_same_type(inputs[0], input);
    if (input.shape.rank() != first.rank() || input.shape.with(op.axis, 0) != first.with(op.axis, 0)) {
      invalid("{} and {} cannot be joined along axis {}", to_string(first), to_string(input.shape), op.axis);
    }
    const auto sum = checked_add(length, input.shape[op.axis]);
    if (!sum) invalid("more than 2^63 elements along axis {}", op.axis);
    length = *sum;
  }
  return {{inputs[0].type, first.with(op.axis, length)}};
}

std::vector<TensorType> infer_move(const Slice& op, Inputs inputs) {
  check_count(inputs, 1, 1);
  const Shape& x = inputs[0].shape;
  if (op.size.rank() != x.rank()) invalid("a slice of {} from {}", to_string(op.size), to_string(x));
  for (int axis = 0; axis < x.rank(); ++axis) {
    if (op.size[axis] == 0) continue;
    const std::int64_t first = op.start[at(axis)];
    const auto way = checked_multiply(op.step[at(axis)], op.size[axis] - 1);
    const auto last = way ? checked_add(first, *way) : way;
    if (op.step[at(axis)] == 0 || first < 0 || first >= x[axis] || !last || *last < 0 || *last >= x[axis]) {
      invalid("{} elements from {} in steps of {} along axis {} of {}", op.size[axis], first, op.step[at(axis)], axis,
              to_string(x));
    }
  }
  return {{inputs[0].type, op.size}};
}

std::vector<TensorType> infer_move(const Pad& op, Inputs inputs) {
  check_count(inputs, 1, 1);
  const Shape& x = inputs[0].shape;
  std::array<std::int64_t, Shape::kMaxRank> dims{};
  for (int axis = 0; axis < x.rank(); ++axis) {
    const std::int64_t before = op.before[at(axis)];
    const std::int64_t after = op.after[at(axis)];
    const auto part = checked_add(x[axis], before);
    const auto whole = part ? checked_add(*part, after) : part;
    if (!whole || *whole < 0) invalid("padding of {} and {} along axis {} of {}", before, after, axis, to_string(x));
    if (op.mode == PadMode::kConstant &&
        x[axis] + std::min<std::int64_t>(before, 0) + std::min<std::int64_t>(after, 0) < 0) {
      invalid("padding of {} and {} along axis {} of {}", before, after, axis, to_string(x));
    }
    if (op.mode != PadMode::kConstant && (before > 0 || after > 0) && x[axis] == 0) {
      invalid("padding of axis {} of {} from no element", axis, to_string(x));
    }
    dims[at(axis)] = *whole;
  }
  return {{inputs[0].type, Shape(std::span<const std::int64_t>(dims.data(), at(x.rank())))}};
}

std::vector<TensorType> infer_move(const Resize& op, Inputs inputs) {
  check_count(inputs, 1, 1);
  const Shape& x = inputs[0].shape;
  if (op.size.rank() != x.rank()) invalid("{} resized to {}", to_string(x), to_string(op.size));
  if (inputs[0].type == DataType::kBool) invalid("resize of bool");
  for (int axis = 0; axis < x.rank(); ++axis) {
    const float scale = op.how.scales[at(axis)];
    if (!(scale > 0) || !std::isfinite(scale)) invalid("a scale of {} along axis {}", scale, axis);
    if (x[axis] == 0 && op.size[axis] > 0) invalid("{} resized to {}", to_string(x), to_string(op.size));
  }
  return {{inputs[0].type, op.size}};
}

std::vector<TensorType> infer_move(const Gather& op, Inputs inputs) {
  check_count(inputs, 2, 2);
  const Shape& x = inputs[0].shape;
  if (op.axis < 0 || op.axis >= x.rank()) invalid("axis {} of a tensor with {} dimensions", op.axis, x.rank());
  if (inputs[1].type != DataType::kI32 && inputs[1].type != DataType::kI64)
    invalid("indices of type {}", name_of(inputs[1].type));
  if (x[op.axis] == 0 && inputs[1].shape.elements() > 0) invalid("an index into axis {} of {}", op.axis, to_string(x));
  std::vector<std::int64_t> dims(x.begin(), x.begin() + op.axis);
  dims.insert(dims.end(), inputs[1].shape.begin(), inputs[1].shape.end());
  dims.insert(dims.end(), x.begin() + op.axis + 1, x.end());
  return {{inputs[0].type, Shape(dims)}};
}

std::vector<TensorType> infer_move(const Cast& op, Inputs inputs) {
  check_count(inputs, 1, 1);
  return {{op.to, inputs[0].shape}};
}

std::vector<TensorType> infer_move(const Expand& op, Inputs inputs) {
  check_count(inputs, 1, 1);
  if (broadcast(inputs[0].shape, op.shape) != op.shape) {
    invalid("{} does not expand to {}", to_string(inputs[0].shape), to_string(op.shape));
  }
  return {{inputs[0].type, op.shape}};
}

std::vector<TensorType> infer_move(const Tile& op, Inputs inputs) {
  check_count(inputs, 1, 1);
  const Shape& x = inputs[0].shape;
  std::array<std::int64_t, Shape::kMaxRank> dims{};
  for (int axis = 0; axis < x.rank(); ++axis) {
    const std::int64_t repeats = op.repeats[at(axis)];
    const auto length = checked_multiply(x[axis], repeats);
    if (repeats < 0 || !length) invalid("axis {} of {} repeated {} times", axis, to_string(x), repeats);
    dims[at(axis)] = *length;
  }
  return {{inputs[0].type, Shape(std::span<const std::int64_t>(dims.data(), at(x.rank())))}};
}

}  // namespace sepal
