// Shape rules of the operators that training needs (training_op.h). All of them compute in f32. What a gradient must
// fit is told by the rule of the operator whose gradient it is.

#include "sepal/graph/shape_rule_training.h"

#include "sepal/base/text.h"

namespace sepal {
namespace {

using Types = std::vector<TensorType>;

void check_f32(Inputs inputs) {
  for (const TensorType& input : inputs) {
    if (input.type != DataType::kF32) invalid("an input is {}, but training computes in f32", name_of(input.type));
  }
}

void check_shape(const TensorType& input, const Shape& shape, const char* what) {
  if (input.shape != shape) invalid("{} is {}, but must be {}", what, to_string(input.shape), to_string(shape));
}

/// Channels of x, which has something to take a mean of.
std::int64_t channels_of(const TensorType& x) {
  if (x.shape.rank() < 1 || x.shape.elements() == 0) invalid("{} has no moments", to_string(x.shape));
  return x.shape[x.shape.rank() - 1];
}

void check_vectors(Inputs inputs, std::int64_t length, const char* what) {
  for (const TensorType& input : inputs) check_vector(input, length, what);
}

TensorType vector_of(std::int64_t length) { return {DataType::kF32, {length}}; }

/// The four vectors of a read with batch norm, from `first` on.
std::size_t check_read(const NormalizedRead& read, Inputs inputs, std::size_t first) {
  if (!read.on) return first;
  check_vectors(inputs.subspan(first, 4), inputs[0].shape.c(), "a vector of the input's batch norm");
  return first + 4;
}

}  // namespace

Types infer_training(const BatchMoments&, Inputs inputs) {
  check_count(inputs, 1, 1);
  check_f32(inputs);
  const std::int64_t channels = channels_of(inputs[0]);
  return {vector_of(channels), vector_of(channels)};
}

Types infer_training(const BatchNormSums&, Inputs inputs) {
  check_count(inputs, 4, 4);
  check_f32(inputs);
  const std::int64_t channels = channels_of(inputs[1]);
  check_shape(inputs[0], inputs[1].shape, "the gradient");
  check_vectors(inputs.subspan(2), channels, "a moment");
  return {vector_of(channels), vector_of(channels)};
}

Types infer_training(const BatchNormInputGradient&, Inputs inputs) {
  check_count(inputs, 7, 7);
  check_f32(inputs);
  const std::int64_t channels = channels_of(inputs[1]);
  check_shape(inputs[0], inputs[1].shape, "the gradient");
  check_vectors(inputs.subspan(2), channels, "a vector of the batch norm");
  return {inputs[1]};
}

Types infer_training(const TrainingConv2d& op, Inputs inputs) {
  const std::size_t count = op.read.on ? 6 : 2;
  check_count(inputs, count, count);
  check_f32(inputs);
  const TensorType y = infer_image(Conv2d{.window = op.window, .groups = op.groups}, inputs.first(2)).front();
  check_read(op.read, inputs, 2);
  const std::int64_t channels = channels_of(y);
  return {y, vector_of(channels), vector_of(channels)};
}

Types infer_training(const Conv2dGradient& op, Inputs inputs) {
  const std::size_t count = (op.read.on ? 7u : 3u) + (op.normalized ? 6u : 0u);
  check_count(inputs, count, count);
  check_f32(inputs);
  const TensorType y = infer_image(Conv2d{.window = op.window, .groups = op.groups}, inputs.first(2)).front();
  std::size_t next = check_read(op.read, inputs, 2);
  check_shape(inputs[next], y.shape, "the gradient");
  if (op.normalized) {
    check_shape(inputs[next + 1], y.shape, "the output");
    check_vectors(inputs.subspan(next + 2), y.shape.c(), "a vector of the output's batch norm");
  }
  Types results = {inputs[1]};
  if (!op.input_gradient) return results;
  results.push_back(inputs[0]);
  if (op.read.on) results.insert(results.end(), 2, vector_of(inputs[0].shape.c()));
  return results;
}

Types infer_training(const UnaryGradient& op, Inputs inputs) {
  check_count(inputs, 2, 2);
  check_f32(inputs);
  if (op.function.kind == UnaryKind::kNot) invalid("not has no gradient");
  check_shape(inputs[1], inputs[0].shape, "the gradient");
  return {inputs[0]};
}

Types infer_training(const PoolGradient& op, Inputs inputs) {
  check_count(inputs, 2, 2);
  check_f32(inputs);
  const Types y = infer_image(
      Pool{.kind = op.kind, .window = op.window, .ceil = op.ceil, .count_padding = op.count_padding}, inputs.first(1));
  check_shape(inputs[1], y.front().shape, "the gradient");
  return {inputs[0]};
}

Types infer_training(const ResizeGradient& op, Inputs inputs) {
  check_count(inputs, 1, 1);
  check_f32(inputs);
  if (op.input.rank() != inputs[0].shape.rank() || (op.input.elements() == 0 && inputs[0].shape.elements() > 0)) {
    invalid("{} cannot be resized to {}", to_string(op.input), to_string(inputs[0].shape));
  }
  return {{DataType::kF32, op.input}};
}

Types infer_training(const CrossEntropy& op, Inputs inputs) {
  check_count(inputs, 2, 2);
  check_f32(inputs);
  check_rank(inputs[0], 2, "the logits");
  check_shape(inputs[1], inputs[0].shape, "the target");
  if (inputs[0].shape.elements() == 0) invalid("logits {} have no loss", to_string(inputs[0].shape));
  if (!(op.smoothing >= 0 && op.smoothing < 1)) invalid("a label smoothing of {}; give one in [0, 1)", op.smoothing);
  return {{DataType::kF32, Shape{}}, inputs[0]};
}

Types infer_training(const Dropout& op, Inputs inputs) {
  check_count(inputs, 2, 2);
  check_f32(inputs.first(1));
  if (inputs[1] != TensorType{DataType::kI64, Shape{}}) invalid("the step is {}, not i64 scalar", to_string(inputs[1]));
  if (!(op.rate >= 0 && op.rate < 1)) invalid("a dropout rate of {}; give one in [0, 1)", op.rate);
  return {inputs[0]};
}

Types infer_training(const Update& op, Inputs inputs) {
  const auto states = static_cast<std::size_t>(states_of(op.rule.rule));
  check_count(inputs, 4 + states, 4 + states);
  check_f32(inputs);
  check_shape(inputs[1], inputs[0].shape, "the gradient");
  check_vector(inputs[2], 3, "the vector of rates");
  check_shape(inputs[3], Shape{}, "the factor");
  for (std::size_t i = 0; i < states; ++i) check_shape(inputs[4 + i], inputs[0].shape, "the state");
  return Types(1 + states, inputs[0]);
}

}  // namespace sepal
