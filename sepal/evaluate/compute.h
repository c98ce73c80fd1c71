#pragma once

// From an operator and untyped buffers to a reference kernel over C++ types: two overloads for every operator,
// `computes` (is there code for these input types?) and `compute`. Not a public header.
//
// Buffers have the types and shapes that `infer` gave; whoever calls `compute` has asked `computes`.

#include <concepts>
#include <span>

#include "sepal/graph/op.h"
#include "sepal/graph/shape_rule.h"
#include "sepal/tensor/view.h"

namespace sepal::reference {

using Types = std::span<const TensorType>;
using Inputs = std::span<const ConstBuffer>;
using Outputs = std::span<const Buffer>;

// compute_image.cc
bool computes(const Conv2d& op, Types inputs);
bool computes(const ConvTranspose2d& op, Types inputs);
bool computes(const Pool& op, Types inputs);
bool computes(const BatchNorm& op, Types inputs);
bool computes(const GroupNorm& op, Types inputs);
bool computes(const LocalResponseNorm& op, Types inputs);
bool computes(const Resize& op, Types inputs);
void compute(const Conv2d& op, Inputs inputs, Outputs outputs) noexcept;
void compute(const ConvTranspose2d& op, Inputs inputs, Outputs outputs) noexcept;
void compute(const Pool& op, Inputs inputs, Outputs outputs) noexcept;
void compute(const BatchNorm& op, Inputs inputs, Outputs outputs) noexcept;
void compute(const GroupNorm& op, Inputs inputs, Outputs outputs) noexcept;
void compute(const LocalResponseNorm& op, Inputs inputs, Outputs outputs) noexcept;
void compute(const Resize& op, Inputs inputs, Outputs outputs) noexcept;

// compute_integer.cc
bool computes(const IntegerConv2d& op, Types inputs);
bool computes(const QuantizedConv2d& op, Types inputs);
bool computes(const IntegerMatMul& op, Types inputs);
bool computes(const QuantizedMatMul& op, Types inputs);
bool computes(const Quantize& op, Types inputs);
bool computes(const Dequantize& op, Types inputs);
bool computes(const DynamicQuantize& op, Types inputs);
void compute(const IntegerConv2d& op, Inputs inputs, Outputs outputs) noexcept;
void compute(const QuantizedConv2d& op, Inputs inputs, Outputs outputs) noexcept;
void compute(const IntegerMatMul& op, Inputs inputs, Outputs outputs) noexcept;
void compute(const QuantizedMatMul& op, Inputs inputs, Outputs outputs) noexcept;
void compute(const Quantize& op, Inputs inputs, Outputs outputs) noexcept;
void compute(const Dequantize& op, Inputs inputs, Outputs outputs) noexcept;
void compute(const DynamicQuantize& op, Inputs inputs, Outputs outputs) noexcept;

// compute_elementwise.cc
bool computes(const Unary& op, Types inputs);
bool computes(const Binary& op, Types inputs);
bool computes(const Select& op, Types inputs);
bool computes(const Cast& op, Types inputs);
void compute(const Unary& op, Inputs inputs, Outputs outputs) noexcept;
void compute(const Binary& op, Inputs inputs, Outputs outputs) noexcept;
void compute(const Select& op, Inputs inputs, Outputs outputs) noexcept;
void compute(const Cast& op, Inputs inputs, Outputs outputs) noexcept;

// compute_matrix.cc: matrix products, and what runs along axes
bool computes(const MatMul& op, Types inputs);
bool computes(const Gemm& op, Types inputs);
bool computes(const Reduce& op, Types inputs);
bool computes(const ArgReduce& op, Types inputs);
bool computes(const LayerNorm& op, Types inputs);
bool computes(const Softmax& op, Types inputs);
void compute(const MatMul& op, Inputs inputs, Outputs outputs) noexcept;
void compute(const Gemm& op, Inputs inputs, Outputs outputs) noexcept;
void compute(const Reduce& op, Inputs inputs, Outputs outputs) noexcept;
void compute(const ArgReduce& op, Inputs inputs, Outputs outputs) noexcept;
void compute(const LayerNorm& op, Inputs inputs, Outputs outputs) noexcept;
void compute(const Softmax& op, Inputs inputs, Outputs outputs) noexcept;

// compute_move.cc
bool computes(const Reshape& op, Types inputs);
bool computes(const Transpose& op, Types inputs);
bool computes(const Concat& op, Types inputs);
bool computes(const Slice& op, Types inputs);
bool computes(const Pad& op, Types inputs);
bool computes(const Gather& op, Types inputs);
bool computes(const Expand& op, Types inputs);
bool computes(const Tile& op, Types inputs);
void compute(const Reshape& op, Inputs inputs, Outputs outputs) noexcept;
void compute(const Transpose& op, Inputs inputs, Outputs outputs) noexcept;
void compute(const Concat& op, Inputs inputs, Outputs outputs) noexcept;
void compute(const Slice& op, Inputs inputs, Outputs outputs) noexcept;
void compute(const Pad& op, Inputs inputs, Outputs outputs) noexcept;
void compute(const Gather& op, Inputs inputs, Outputs outputs) noexcept;
void compute(const Expand& op, Inputs inputs, Outputs outputs) noexcept;
void compute(const Tile& op, Inputs inputs, Outputs outputs) noexcept;

// compute_training.cc
bool computes(const BatchMoments& op, Types inputs);
bool computes(const BatchNormSums& op, Types inputs);
bool computes(const BatchNormInputGradient& op, Types inputs);
bool computes(const TrainingConv2d& op, Types inputs);
bool computes(const Conv2dGradient& op, Types inputs);
bool computes(const UnaryGradient& op, Types inputs);
bool computes(const PoolGradient& op, Types inputs);
bool computes(const ResizeGradient& op, Types inputs);
bool computes(const CrossEntropy& op, Types inputs);
bool computes(const Dropout& op, Types inputs);
bool computes(const Update& op, Types inputs);
void compute(const BatchMoments& op, Inputs inputs, Outputs outputs) noexcept;
void compute(const BatchNormSums& op, Inputs inputs, Outputs outputs) noexcept;
void compute(const BatchNormInputGradient& op, Inputs inputs, Outputs outputs) noexcept;
void compute(const TrainingConv2d& op, Inputs inputs, Outputs outputs) noexcept;
void compute(const Conv2dGradient& op, Inputs inputs, Outputs outputs) noexcept;
void compute(const UnaryGradient& op, Inputs inputs, Outputs outputs) noexcept;
void compute(const PoolGradient& op, Inputs inputs, Outputs outputs) noexcept;
void compute(const ResizeGradient& op, Inputs inputs, Outputs outputs) noexcept;
void compute(const CrossEntropy& op, Inputs inputs, Outputs outputs) noexcept;
void compute(const Dropout& op, Inputs inputs, Outputs outputs) noexcept;
void compute(const Update& op, Inputs inputs, Outputs outputs) noexcept;

/// f32 and the integers: the types in which arithmetic is done.
constexpr bool is_number(DataType type) { return type == DataType::kF32 || is_integer(type); }

template <typename T>
concept Number = std::same_as<T, float> || (std::integral<T> && !std::same_as<T, bool>);

/// visit_type for the types that are numbers; does nothing for others.
template <typename Visitor>
void visit_number(DataType type, Visitor&& visitor) {
  visit_type(type, [&]<typename T>() {
    if constexpr (Number<T>) visitor.template operator()<T>();
  });
}

/// visit_type for u8 and i8.
template <typename Visitor>
void visit_byte(DataType type, Visitor&& visitor) {
  if (type == DataType::kU8) {
    visitor.template operator()<std::uint8_t>();
  } else {
    visitor.template operator()<std::int8_t>();
  }
}

template <typename T>
const T* values_of(const ConstBuffer& buffer) {
  return static_cast<const T*>(buffer.data);
}
template <typename T>
T* values_of(const Buffer& buffer) {
  return static_cast<T*>(buffer.data);
}

/// The value of a scalar input.
template <typename T>
T scalar_of(const ConstBuffer& buffer) {
  return *values_of<T>(buffer);
}

/// The elements of input `index`, or null where the operator was given fewer.
template <typename T>
const T* optional_values(Inputs inputs, std::size_t index) {
  return index < inputs.size() ? values_of<T>(inputs[index]) : nullptr;
}

}  // namespace sepal::reference
