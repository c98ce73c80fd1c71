// Matrix products, and what runs along axes: reductions, softmax, layer normalisation.

#include "sepal/evaluate/compute.h"
#include "sepal/kernels/reference/matmul.h"
#include "sepal/kernels/reference/normalize.h"
#include "sepal/kernels/reference/reduce.h"

namespace sepal::reference {

bool computes(const MatMul&, Types inputs) { return is_number(inputs[0].type); }

void compute(const MatMul&, Inputs inputs, Outputs outputs) noexcept {
  visit_number(inputs[0].type, [&]<typename T>() {
    matmul(MatMulArgs<T>{.a = inputs[0].as<T>(), .b = inputs[1].as<T>(), .output = outputs[0].as<T>()});
  });
}

bool computes(const Gemm&, Types inputs) { return inputs[0].type == DataType::kF32; }

void compute(const Gemm& op, Inputs inputs, Outputs outputs) noexcept {
  gemm(GemmArgs<float>{.a = inputs[0].as<float>(),
                       .b = inputs[1].as<float>(),
                       .c = inputs.size() > 2 ? inputs[2].as<float>() : TensorView<const float>{},
                       .alpha = op.alpha,
                       .beta = op.beta,
                       .transpose_a = op.transpose_a,
                       .transpose_b = op.transpose_b,
                       .output = outputs[0].as<float>()});
}

bool computes(const Reduce& op, Types inputs) {
  if (inputs[0].type == DataType::kBool) return op.kind == ReduceKind::kMax || op.kind == ReduceKind::kMin;
  return is_number(inputs[0].type);
}

void compute(const Reduce& op, Inputs inputs, Outputs outputs) noexcept {
  visit_type(inputs[0].type, [&]<typename T>() {
    if constexpr (Number<T> || std::same_as<T, bool>) {
      reduce(ReduceArgs<T>{
          .input = inputs[0].as<T>(), .kind = op.kind, .axes = op.axes, .output = values_of<T>(outputs[0])});
    }
  });
}

bool computes(const ArgReduce&, Types inputs) { return is_number(inputs[0].type); }

void compute(const ArgReduce& op, Inputs inputs, Outputs outputs) noexcept {
  visit_number(inputs[0].type, [&]<typename T>() {
    arg_reduce(ArgReduceArgs<T>{.input = inputs[0].as<T>(),
                                .axis = op.axis,
                                .minimum = op.minimum,
                                .last = op.last,
                                .output = values_of<std::int64_t>(outputs[0])});
  });
}

bool computes(const LayerNorm&, Types inputs) { return inputs[0].type == DataType::kF32; }

void compute(const LayerNorm& op, Inputs inputs, Outputs outputs) noexcept {
  layer_norm(LayerNormArgs<float>{.input = inputs[0].as<float>(),
                                  .scale = inputs[1].as<float>(),
                                  .bias = inputs.size() > 2 ? inputs[2].as<float>() : TensorView<const float>{},
                                  .axis = op.axis,
                                  .epsilon = op.epsilon,
                                  .output = outputs[0].as<float>(),
                                  .mean = op.statistics ? values_of<float>(outputs[1]) : nullptr,
                                  .inverse_deviation = op.statistics ? values_of<float>(outputs[2]) : nullptr});
}

bool computes(const Softmax&, Types inputs) { return inputs[0].type == DataType::kF32; }

void compute(const Softmax& op, Inputs inputs, Outputs outputs) noexcept {
  softmax(SoftmaxArgs<float>{
      .input = inputs[0].as<float>(), .axis = op.axis, .log = op.log, .output = outputs[0].as<float>()});
}

}  // namespace sepal::reference
