#pragma once

#include <span>
#include <vector>

#include "sepal/graph/op.h"
#include "sepal/graph/shape_rule.h"
#include "sepal/tensor/tensor.h"

namespace sepal {

/// True if `evaluate` has code for the operator over these input types. f16 and bf16 arithmetic is not
/// here (optimize/widen turns it into f32 first); moving elements about works for every type.
bool can_evaluate(const Op& op, std::span<const TensorType> inputs);

/// Computes one operator by the reference kernels: slow, and as its definition reads. Types and shapes are
/// as `infer` gives them, and can_evaluate is true; outputs do not overlap inputs. Allocates nothing.
void evaluate(const Op& op, std::span<const ConstBuffer> inputs, std::span<const Buffer> outputs) noexcept;

/// The same on tensors: infers, allocates, computes. Throws Error(kInvalid) if the inputs do not suit the
/// operator and Error(kUnsupported) where can_evaluate is false.
std::vector<Tensor> evaluate(const Op& op, std::span<const Tensor* const> inputs);

}  // namespace sepal
