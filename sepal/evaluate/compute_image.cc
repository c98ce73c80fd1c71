// Operators over image maps: convolution, pooling, normalisation by channel, resizing.

#include "sepal/evaluate/compute.h"
#include "sepal/kernels/reference/conv.h"
#include "sepal/kernels/reference/normalize.h"
#include "sepal/kernels/reference/pool.h"
#include "sepal/kernels/reference/resize.h"

namespace sepal::reference {

bool computes(const Conv2d&, Types inputs) { return inputs[0].type == DataType::kF32; }

void compute(const Conv2d& op, Inputs inputs, Outputs outputs) noexcept {
  conv2d(Conv2dArgs<float>{.input = inputs[0].as<float>(),
                           .filter = inputs[1].as<float>(),
                           .bias = optional_values<float>(inputs, 2),
                           .window = op.window,
                           .groups = op.groups,
                           .activation = op.activation,
                           .output = outputs[0].as<float>()});
}

bool computes(const ConvTranspose2d&, Types inputs) { return inputs[0].type == DataType::kF32; }

void compute(const ConvTranspose2d& op, Inputs inputs, Outputs outputs) noexcept {
  conv_transpose2d(ConvTranspose2dArgs<float>{.input = inputs[0].as<float>(),
                                              .filter = inputs[1].as<float>(),
                                              .bias = optional_values<float>(inputs, 2),
                                              .window = op.window,
                                              .groups = op.groups,
                                              .output = outputs[0].as<float>()});
}

bool computes(const Pool& op, Types inputs) {
  return op.kind == PoolKind::kAverage ? inputs[0].type == DataType::kF32 : is_number(inputs[0].type);
}

void compute(const Pool& op, Inputs inputs, Outputs outputs) noexcept {
  if (op.kind == PoolKind::kAverage) {
    return average_pool(AveragePoolArgs<float>{.input = inputs[0].as<float>(),
                                               .window = op.window,
                                               .count_padding = op.count_padding,
                                               .output = outputs[0].as<float>()});
  }
  visit_number(inputs[0].type, [&]<typename T>() {
    max_pool(MaxPoolArgs<T>{.input = inputs[0].as<T>(),
                            .window = op.window,
                            .output = outputs[0].as<T>(),
                            .indices = op.indices ? values_of<std::int64_t>(outputs[1]) : nullptr,
                            .column_major = op.column_major});
  });
}

bool computes(const BatchNorm&, Types inputs) { return inputs[0].type == DataType::kF32; }

void compute(const BatchNorm& op, Inputs inputs, Outputs outputs) noexcept {
  batch_norm(BatchNormArgs<float>{.input = inputs[0].as<float>(),
                                  .scale = values_of<float>(inputs[1]),
                                  .bias = values_of<float>(inputs[2]),
                                  .mean = values_of<float>(inputs[3]),
                                  .variance = values_of<float>(inputs[4]),
                                  .epsilon = op.epsilon,
                                  .output = outputs[0].as<float>()});
}

bool computes(const GroupNorm&, Types inputs) { return inputs[0].type == DataType::kF32; }

void compute(const GroupNorm& op, Inputs inputs, Outputs outputs) noexcept {
  group_norm(GroupNormArgs<float>{.input = inputs[0].as<float>(),
                                  .scale = values_of<float>(inputs[1]),
                                  .bias = values_of<float>(inputs[2]),
                                  .groups = op.groups,
                                  .epsilon = op.epsilon,
                                  .output = outputs[0].as<float>()});
}

bool computes(const LocalResponseNorm&, Types inputs) { return inputs[0].type == DataType::kF32; }

void compute(const LocalResponseNorm& op, Inputs inputs, Outputs outputs) noexcept {
  local_response_norm(LocalResponseNormArgs<float>{.input = inputs[0].as<float>(),
                                                   .size = op.size,
                                                   .alpha = op.alpha,
                                                   .beta = op.beta,
                                                   .bias = op.bias,
                                                   .output = outputs[0].as<float>()});
}

bool computes(const Resize& op, Types inputs) {
  return op.how.mode == ResizeMode::kNearest || inputs[0].type == DataType::kF32;
}

void compute(const Resize& op, Inputs inputs, Outputs outputs) noexcept {
  if (op.how.mode != ResizeMode::kNearest) {
    return resize_smooth(
        ResizeArgs<float>{.input = inputs[0].as<float>(), .how = op.how, .output = outputs[0].as<float>()});
  }
  visit_type(inputs[0].type, [&]<typename T>() {
    resize_nearest(ResizeArgs<T>{.input = inputs[0].as<T>(), .how = op.how, .output = outputs[0].as<T>()});
  });
}

}  // namespace sepal::reference
