// Operators of training: their shape rules, their names, and the MACs that they count.

#include "sepal/graph/training_op.h"

#include <gtest/gtest.h>

#include "sepal/graph/cost.h"
#include "sepal/graph/op_cost.h"
#include "sepal/graph/shape_rule.h"
#include "sepal/graph/work.h"
#include "tests/raises.h"

namespace sepal {
namespace {

TensorType f32(Shape shape) { return {DataType::kF32, shape}; }
TensorType i64(Shape shape) { return {DataType::kI64, shape}; }

const Window kThree = {.kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1, 1, 1}};

/// x, a dense filter and, where x is read through a batch norm, its four vectors.
std::vector<TensorType> read_inputs(bool on) {
  std::vector<TensorType> inputs = {f32({2, 8, 6, 3}), f32({5, 3, 3, 3})};
  if (on) inputs.insert(inputs.end(), 4, f32({3}));
  return inputs;
}
/// The same and the gradient; where y has a batch norm, y and what is known of that.
std::vector<TensorType> gradient_inputs(bool on, bool normalized) {
  std::vector<TensorType> inputs = read_inputs(on);
  inputs.push_back(f32({2, 4, 3, 5}));
  if (normalized) {
    inputs.push_back(f32({2, 4, 3, 5}));
    inputs.insert(inputs.end(), 5, f32({5}));
  }
  return inputs;
}

TEST(TrainingOp, GivesTheOutputsTypes) {
  struct Good {
    const char* why;
    Op op;
    std::vector<TensorType> inputs;
    std::vector<TensorType> outputs;
  };
  const Good kCases[] = {
      {"moments of a map", BatchMoments{}, {f32({2, 4, 3, 5})}, {f32({5}), f32({5})}},
      {"sums behind a batch norm",
       BatchNormSums{},
       {f32({4, 5}), f32({4, 5}), f32({5}), f32({5})},
       {f32({5}), f32({5})}},
      {"gradient of a batch norm",
       BatchNormInputGradient{},
       {f32({4, 5}), f32({4, 5}), f32({5}), f32({5}), f32({5}), f32({5}), f32({5})},
       {f32({4, 5})}},
      {"convolution", TrainingConv2d{.window = kThree}, read_inputs(false), {f32({2, 4, 3, 5}), f32({5}), f32({5})}},
      {"convolution that reads through a batch norm",
       TrainingConv2d{.window = kThree, .read = {.on = true}},
       read_inputs(true),
       {f32({2, 4, 3, 5}), f32({5}), f32({5})}},
      {"gradients",
       Conv2dGradient{.window = kThree},
       gradient_inputs(false, false),
       {f32({5, 3, 3, 3}), f32({2, 8, 6, 3})}},
      {"gradients, and of a batch norm",
       Conv2dGradient{.window = kThree, .read = {.on = true}, .normalized = true},
       gradient_inputs(true, true),
       {f32({5, 3, 3, 3}), f32({2, 8, 6, 3}), f32({3}), f32({3})}},
      {"the filter's gradient alone",
       Conv2dGradient{.window = kThree, .input_gradient = false},
       gradient_inputs(false, false),
       {f32({5, 3, 3, 3})}},
      {"a function's derivative", UnaryGradient{{UnaryKind::kRelu}}, {f32({2, 3}), f32({2, 3})}, {f32({2, 3})}},
      {"of a pooling", PoolGradient{.window = kThree}, {f32({2, 8, 6, 3}), f32({2, 4, 3, 3})}, {f32({2, 8, 6, 3})}},
      {"of a resize", ResizeGradient{.input = {1, 2, 2, 3}}, {f32({1, 4, 4, 3})}, {f32({1, 2, 2, 3})}},
      {"a loss", CrossEntropy{0.1f}, {f32({4, 10}), f32({4, 10})}, {f32({}), f32({4, 10})}},
      {"dropout", Dropout{0.2f}, {f32({4, 10}), i64({})}, {f32({4, 10})}},
      {"an update with one state", Update{}, {f32({4}), f32({4}), f32({3}), f32({}), f32({4})}, {f32({4}), f32({4})}},
      {"an update with two",
       Update{{.rule = UpdateRule::kAdamW}},
       {f32({4}), f32({4}), f32({3}), f32({}), f32({4}), f32({4})},
       {f32({4}), f32({4}), f32({4})}},
  };
  for (const Good& test : kCases) {
    EXPECT_EQ(infer(test.op, test.inputs), test.outputs) << test.why;
    EXPECT_FALSE(name_of(test.op).empty());
    EXPECT_GT(work_of(test.op, test.inputs, test.outputs), 0) << test.why;
  }
}

TEST(TrainingOp, SaysWhatDoesNotSuit) {
  struct Bad {
    Op op;
    std::vector<TensorType> inputs;
    const char* message;
  };
  std::vector<TensorType> short_vector = read_inputs(true);
  short_vector[3] = f32({2});
  std::vector<TensorType> other_gradient = gradient_inputs(false, false);
  other_gradient[2] = f32({2, 4, 4, 5});
  std::vector<TensorType> other_output = gradient_inputs(false, true);
  other_output[3] = f32({2, 4, 3, 4});
  std::vector<TensorType> other_scale = gradient_inputs(false, true);
  other_scale[5] = f32({4});
  const Bad kCases[] = {
      {BatchMoments{}, {f32({})}, "scalar has no moments"},
      {BatchMoments{}, {f32({0, 3})}, "0x3 has no moments"},
      {BatchMoments{}, {{DataType::kF16, {2, 3}}}, "an input is f16, but training computes in f32"},
      {BatchNormSums{}, {f32({4, 5}), f32({4, 6}), f32({6}), f32({6})}, "the gradient is 4x5, but must be 4x6"},
      {BatchNormSums{}, {f32({4, 5}), f32({4, 5}), f32({4}), f32({5})}, "a moment is 4, but must be 5"},
      {BatchNormInputGradient{}, {f32({4, 5})}, "1 inputs instead of 7"},
      {BatchNormInputGradient{},
       {f32({4, 5}), f32({4, 5}), f32({5}), f32({5}), f32({5}), f32({5}), f32({1})},
       "a vector of the batch norm is 1, but must be 5"},
      {TrainingConv2d{.window = kThree, .read = {.on = true}}, read_inputs(false), "2 inputs instead of 6"},
      {TrainingConv2d{.window = kThree, .read = {.on = true}}, short_vector,
       "a vector of the input's batch norm is 2, but must be 3"},
      {TrainingConv2d{}, read_inputs(false), "the window's kernel is 1x1, but the filter's is 3x3"},
      {Conv2dGradient{.window = kThree}, other_gradient, "the gradient is 2x4x4x5, but must be 2x4x3x5"},
      {Conv2dGradient{.window = kThree, .normalized = true}, other_output,
       "the output is 2x4x3x4, but must be 2x4x3x5"},
      {Conv2dGradient{.window = kThree, .normalized = true}, other_scale,
       "a vector of the output's batch norm is 4, but must be 5"},
      {UnaryGradient{{UnaryKind::kRelu}}, {f32({2}), f32({3})}, "the gradient is 3, but must be 2"},
      {UnaryGradient{{UnaryKind::kNot}}, {f32({2}), f32({2})}, "not has no gradient"},
      {PoolGradient{.window = kThree},
       {f32({2, 8, 6, 3}), f32({2, 4, 4, 3})},
       "the gradient is 2x4x4x3, but must be 2x4x3x3"},
      {ResizeGradient{.input = {2}}, {f32({4, 4})}, "2 cannot be resized to 4x4"},
      {ResizeGradient{.input = {0}}, {f32({4})}, "0 cannot be resized to 4"},
      {CrossEntropy{}, {f32({4, 10}), f32({4, 9})}, "the target is 4x9, but must be 4x10"},
      {CrossEntropy{}, {f32({0, 10}), f32({0, 10})}, "logits 0x10 have no loss"},
      {CrossEntropy{1}, {f32({4, 10}), f32({4, 10})}, "a label smoothing of 1; give one in [0, 1)"},
      {Dropout{1}, {f32({4}), i64({})}, "a dropout rate of 1; give one in [0, 1)"},
      {Dropout{}, {f32({4}), f32({})}, "the step is f32 scalar, not i64 scalar"},
      {Update{}, {f32({4}), f32({5}), f32({3}), f32({}), f32({4})}, "the gradient is 5, but must be 4"},
      {Update{}, {f32({4}), f32({4}), f32({2}), f32({}), f32({4})}, "the vector of rates is 2, but must be 3"},
      {Update{}, {f32({4}), f32({4}), f32({3}), f32({1}), f32({4})}, "the factor is 1, but must be scalar"},
      {Update{}, {f32({4}), f32({4}), f32({3}), f32({}), f32({5})}, "the state is 5, but must be 4"},
      {Update{{.rule = UpdateRule::kAdamW}},
       {f32({4}), f32({4}), f32({3}), f32({}), f32({4})},
       "5 inputs instead of 6"},
  };
  for (const Bad& test : kCases) {
    EXPECT_TRUE(raises([&] { infer(test.op, test.inputs); }, test.message, ErrorKind::kInvalid)) << name_of(test.op);
  }
}

TEST(TrainingOp, CountsThreeForwardPassesOfAConvolution) {
  const auto macs = [](const Op& op, const std::vector<TensorType>& inputs) {
    return arithmetic_of(op, inputs, infer(op, inputs)).macs;
  };
  const auto forward = macs(Conv2d{.window = kThree}, read_inputs(false));
  EXPECT_EQ(forward, 2u * 4 * 3 * 5 * 9 * 3);
  EXPECT_EQ(macs(TrainingConv2d{.window = kThree, .read = {.on = true}}, read_inputs(true)), forward);
  EXPECT_EQ(macs(Conv2dGradient{.window = kThree}, gradient_inputs(false, false)), 2 * forward);
  EXPECT_EQ(
      macs(Conv2dGradient{.window = kThree, .normalized = true, .input_gradient = false}, gradient_inputs(false, true)),
      forward);
}

TEST(TrainingOp, HasRulesWithNames) {
  EXPECT_EQ(name_of(UpdateRule::kSgd), "sgd");
  EXPECT_EQ(name_of(UpdateRule::kRmsProp), "rmsprop");
  EXPECT_EQ(name_of(UpdateRule::kAdamW), "adamw");
}

}  // namespace
}  // namespace sepal
