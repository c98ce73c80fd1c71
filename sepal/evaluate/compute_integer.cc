// Operators of quantised networks.

#include "sepal/evaluate/compute.h"
#include "sepal/kernels/reference/integer.h"
#include "sepal/kernels/reference/quantize.h"

namespace sepal::reference {
namespace {

template <typename T>
PerChannel<T> per_channel(const ConstBuffer& buffer) {
  return {values_of<T>(buffer), buffer.shape.elements()};
}

/// u8, i8, u16, i16.
template <typename Visitor>
void visit_quantized(DataType type, Visitor&& visitor) {
  visit_type(type, [&]<typename T>() {
    if constexpr (std::integral<T> && !std::same_as<T, bool> && sizeof(T) <= 2) visitor.template operator()<T>();
  });
}

}  // namespace

bool computes(const IntegerConv2d&, Types) { return true; }

void compute(const IntegerConv2d& op, Inputs inputs, Outputs outputs) noexcept {
  visit_byte(inputs[0].type, [&]<typename X>() {
    visit_byte(inputs[1].type, [&]<typename F>() {
      integer_conv2d(IntegerConv2dArgs<X, F>{.site = {.input = inputs[0].as<X>(),
                                                      .filter = inputs[1].as<F>(),
                                                      .x_zero = scalar_of<X>(inputs[2]),
                                                      .filter_zero = per_channel<F>(inputs[3]),
                                                      .window = op.window,
                                                      .groups = op.groups},
                                             .output = outputs[0].as<std::int32_t>()});
    });
  });
}

bool computes(const QuantizedConv2d&, Types) { return true; }

void compute(const QuantizedConv2d& op, Inputs inputs, Outputs outputs) noexcept {
  visit_byte(inputs[0].type, [&]<typename X>() {
    visit_byte(inputs[3].type, [&]<typename F>() {
      visit_byte(inputs[7].type, [&]<typename Y>() {
        quantized_conv2d(QuantizedConv2dArgs<X, F, Y>{.site = {.input = inputs[0].as<X>(),
                                                               .filter = inputs[3].as<F>(),
                                                               .x_zero = scalar_of<X>(inputs[2]),
                                                               .filter_zero = per_channel<F>(inputs[5]),
                                                               .window = op.window,
                                                               .groups = op.groups},
                                                      .x_scale = scalar_of<float>(inputs[1]),
                                                      .filter_scale = per_channel<float>(inputs[4]),
                                                      .bias = optional_values<std::int32_t>(inputs, 8),
                                                      .y_scale = scalar_of<float>(inputs[6]),
                                                      .y_zero = scalar_of<Y>(inputs[7]),
                                                      .output = outputs[0].as<Y>()});
      });
    });
  });
}

bool computes(const IntegerMatMul&, Types) { return true; }

void compute(const IntegerMatMul&, Inputs inputs, Outputs outputs) noexcept {
  visit_byte(inputs[0].type, [&]<typename A>() {
    visit_byte(inputs[1].type, [&]<typename B>() {
      integer_matmul(IntegerMatMulArgs<A, B>{.a = inputs[0].as<A>(),
                                             .b = inputs[1].as<B>(),
                                             .a_zero = per_channel<A>(inputs[2]),
                                             .b_zero = per_channel<B>(inputs[3]),
                                             .output = outputs[0].as<std::int32_t>()});
    });
  });
}

bool computes(const QuantizedMatMul&, Types) { return true; }

void compute(const QuantizedMatMul&, Inputs inputs, Outputs outputs) noexcept {
  const float multiplier = scalar_of<float>(inputs[1]) * scalar_of<float>(inputs[4]) / scalar_of<float>(inputs[6]);
  visit_byte(inputs[0].type, [&]<typename A>() {
    visit_byte(inputs[3].type, [&]<typename B>() {
      visit_byte(inputs[7].type, [&]<typename Y>() {
        quantized_matmul(QuantizedMatMulArgs<A, B, Y>{.a = inputs[0].as<A>(),
                                                      .b = inputs[3].as<B>(),
                                                      .a_zero = per_channel<A>(inputs[2]),
                                                      .b_zero = per_channel<B>(inputs[5]),
                                                      .multiplier = multiplier,
                                                      .y_zero = scalar_of<Y>(inputs[7]),
                                                      .output = outputs[0].as<Y>()});
      });
    });
  });
}

bool computes(const Quantize&, Types) { return true; }

void compute(const Quantize& op, Inputs inputs, Outputs outputs) noexcept {
  visit_quantized(outputs[0].type, [&]<typename Q>() {
    quantize(QuantizeArgs<Q>{.input = inputs[0].as<float>(),
                             .scale = inputs[1].as<float>(),
                             .zero = values_of<Q>(inputs[2]),
                             .axis = op.axis,
                             .block = op.block,
                             .output = outputs[0].as<Q>()});
  });
}

bool computes(const Dequantize&, Types) { return true; }

void compute(const Dequantize& op, Inputs inputs, Outputs outputs) noexcept {
  const auto run = [&]<typename Q>() {
    dequantize(DequantizeArgs<Q>{.input = inputs[0].as<Q>(),
                                 .scale = inputs[1].as<float>(),
                                 .zero = values_of<Q>(inputs[2]),
                                 .axis = op.axis,
                                 .block = op.block,
                                 .output = outputs[0].as<float>()});
  };
  if (inputs[0].type == DataType::kI32) return run.operator()<std::int32_t>();
  visit_quantized(inputs[0].type, run);
}

bool computes(const DynamicQuantize&, Types) { return true; }

void compute(const DynamicQuantize&, Inputs inputs, Outputs outputs) noexcept {
  dynamic_quantize({.input = inputs[0].as<float>(),
                    .output = outputs[0].as<std::uint8_t>(),
                    .scale = values_of<float>(outputs[1]),
                    .zero = values_of<std::uint8_t>(outputs[2])});
}

}  // namespace sepal::reference
