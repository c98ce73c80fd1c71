#pragma once

#include <cstdint>

#include "sepal/base/range.h"
#include "sepal/tensor/elementwise.h"
#include "sepal/tensor/learning_rule.h"

namespace sepal {

/// One step of a learning rule (tensor/learning_rule.h); the new values may take the places of the old ones.
struct UpdateArgs {
  LearningRule rule;
  const float* weights = nullptr;
  const float* gradient = nullptr;
  float rate = 0;
  float first_correction = 1;   ///< of AdamW's mean of g
  float second_correction = 1;  ///< and of g^2
  float factor = 1;             ///< multiplies the gradient first
  const float* momentum = nullptr;
  const float* square = nullptr;  ///< null for SGD
  float* new_weights = nullptr;
  float* new_momentum = nullptr;
  float* new_square = nullptr;
};

/// Updates the weights `range`.
void update(const UpdateArgs& args, Range range) noexcept;

/// dx = dy f'(x) for the values `range`; dx may be dy.
void unary_gradient(const Unary& function, const float* x, const float* dy, float* dx, Range range) noexcept;

}  // namespace sepal
