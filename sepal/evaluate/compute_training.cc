// The operators of training (graph/training_op.h), all in f32.

#include "sepal/evaluate/compute.h"
#include "sepal/kernels/reference/gradient.h"
#include "sepal/kernels/reference/update.h"

namespace sepal::reference {
namespace {

/// scale, bias, mean, variance from input `first` on.
NormVectors<float> norm_vectors(Inputs inputs, std::size_t first, float epsilon) {
  return {values_of<float>(inputs[first]), values_of<float>(inputs[first + 1]), values_of<float>(inputs[first + 2]),
          values_of<float>(inputs[first + 3]), epsilon};
}

ConvRead<float> conv_read(const NormalizedRead& read, Inputs inputs) {
  if (!read.on) return {};
  return {.on = true, .norm = norm_vectors(inputs, 2, read.epsilon), .activation = read.activation};
}

/// scale, mean, variance and the two sums from input `first` on, behind a batch norm of `shape`.
NormGradient<float> norm_gradient(Inputs inputs, std::size_t first, float epsilon, const Shape& shape) {
  const std::int64_t channels = shape[shape.rank() - 1];
  return {.norm = {.scale = values_of<float>(inputs[first]),
                   .mean = values_of<float>(inputs[first + 1]),
                   .variance = values_of<float>(inputs[first + 2]),
                   .epsilon = epsilon},
          .scale_gradient = values_of<float>(inputs[first + 3]),
          .bias_gradient = values_of<float>(inputs[first + 4]),
          .count = shape.elements() / channels};
}

}  // namespace

bool computes(const BatchMoments&, Types) { return true; }
bool computes(const BatchNormSums&, Types) { return true; }
bool computes(const BatchNormInputGradient&, Types) { return true; }
bool computes(const TrainingConv2d&, Types) { return true; }
bool computes(const Conv2dGradient&, Types) { return true; }
bool computes(const UnaryGradient&, Types) { return true; }
bool computes(const PoolGradient&, Types) { return true; }
bool computes(const ResizeGradient&, Types) { return true; }
bool computes(const CrossEntropy&, Types) { return true; }
bool computes(const Dropout&, Types) { return true; }
bool computes(const Update&, Types) { return true; }

void compute(const BatchMoments&, Inputs inputs, Outputs outputs) noexcept {
  batch_moments(BatchMomentsArgs<float>{
      .input = inputs[0].as<float>(), .mean = values_of<float>(outputs[0]), .variance = values_of<float>(outputs[1])});
}

void compute(const BatchNormSums& op, Inputs inputs, Outputs outputs) noexcept {
  batch_norm_sums(BatchNormSumsArgs<float>{
      .gradient = inputs[0].as<float>(),
      .input = values_of<float>(inputs[1]),
      .norm = {.mean = values_of<float>(inputs[2]), .variance = values_of<float>(inputs[3]), .epsilon = op.epsilon},
      .scale_gradient = values_of<float>(outputs[0]),
      .bias_gradient = values_of<float>(outputs[1])});
}

void compute(const BatchNormInputGradient& op, Inputs inputs, Outputs outputs) noexcept {
  batch_norm_input_gradient(
      BatchNormInputGradientArgs<float>{.gradient = inputs[0].as<float>(),
                                        .input = values_of<float>(inputs[1]),
                                        .norm = norm_gradient(inputs, 2, op.epsilon, inputs[0].shape),
                                        .output = values_of<float>(outputs[0])});
}

void compute(const TrainingConv2d& op, Inputs inputs, Outputs outputs) noexcept {
  training_conv2d(TrainingConv2dArgs<float>{.input = inputs[0].as<float>(),
                                            .filter = inputs[1].as<float>(),
                                            .window = op.window,
                                            .groups = op.groups,
                                            .read = conv_read(op.read, inputs),
                                            .output = outputs[0].as<float>(),
                                            .mean = values_of<float>(outputs[1]),
                                            .variance = values_of<float>(outputs[2])});
}

void compute(const Conv2dGradient& op, Inputs inputs, Outputs outputs) noexcept {
  const std::size_t g = op.read.on ? 6 : 2;
  Conv2dGradientArgs<float> args{.input = inputs[0].as<float>(),
                                 .filter = inputs[1].as<float>(),
                                 .window = op.window,
                                 .groups = op.groups,
                                 .read = conv_read(op.read, inputs),
                                 .gradient = inputs[g].as<float>(),
                                 .filter_gradient = values_of<float>(outputs[0])};
  if (op.normalized) {
    args.output = values_of<float>(inputs[g + 1]);
    args.norm = norm_gradient(inputs, g + 2, op.epsilon, inputs[g].shape);
  }
  if (op.input_gradient) {
    args.input_gradient = values_of<float>(outputs[1]);
    if (op.read.on) {
      args.scale_gradient = values_of<float>(outputs[2]);
      args.bias_gradient = values_of<float>(outputs[3]);
    }
  }
  conv2d_gradient(args);
}

void compute(const UnaryGradient& op, Inputs inputs, Outputs outputs) noexcept {
  const float* x = values_of<float>(inputs[0]);
  const float* dy = values_of<float>(inputs[1]);
  float* dx = values_of<float>(outputs[0]);
  for (std::int64_t i = 0; i < inputs[0].shape.elements(); ++i) dx[i] = dy[i] * derivative(op.function, x[i]);
}

void compute(const PoolGradient& op, Inputs inputs, Outputs outputs) noexcept {
  pool_gradient(PoolGradientArgs<float>{.input = inputs[0].as<float>(),
                                        .gradient = inputs[1].as<float>(),
                                        .kind = op.kind,
                                        .window = op.window,
                                        .count_padding = op.count_padding,
                                        .output = values_of<float>(outputs[0])});
}

void compute(const ResizeGradient& op, Inputs inputs, Outputs outputs) noexcept {
  resize_gradient(
      ResizeGradientArgs<float>{.gradient = inputs[0].as<float>(), .how = op.how, .output = outputs[0].as<float>()});
}

void compute(const CrossEntropy& op, Inputs inputs, Outputs outputs) noexcept {
  cross_entropy(CrossEntropyArgs<float>{.logits = inputs[0].as<float>(),
                                        .target = values_of<float>(inputs[1]),
                                        .smoothing = op.smoothing,
                                        .loss = values_of<float>(outputs[0]),
                                        .gradient = values_of<float>(outputs[1])});
}

void compute(const Dropout& op, Inputs inputs, Outputs outputs) noexcept {
  dropout(DropoutArgs<float>{.input = inputs[0].as<float>(),
                             .rate = op.rate,
                             .seed = op.seed,
                             .step = scalar_of<std::int64_t>(inputs[1]),
                             .output = values_of<float>(outputs[0])});
}

void compute(const Update& op, Inputs inputs, Outputs outputs) noexcept {
  const float* rates = values_of<float>(inputs[2]);
  const bool squares = states_of(op.rule.rule) > 1;
  update(UpdateArgs<float>{.rule = op.rule,
                           .count = inputs[0].shape.elements(),
                           .weights = values_of<float>(inputs[0]),
                           .gradient = values_of<float>(inputs[1]),
                           .rate = rates[0],
                           .first_correction = rates[1],
                           .second_correction = rates[2],
                           .factor = scalar_of<float>(inputs[3]),
                           .momentum = values_of<float>(inputs[4]),
                           .square = squares ? values_of<float>(inputs[5]) : nullptr,
                           .new_weights = values_of<float>(outputs[0]),
                           .new_momentum = values_of<float>(outputs[1]),
                           .new_square = squares ? values_of<float>(outputs[2]) : nullptr});
}

}  // namespace sepal::reference
