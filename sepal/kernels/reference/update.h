#pragma once

// One step of a learning rule, weight by weight, as tensor/learning_rule.h defines the rules.

#include <cmath>
#include <cstdint>

#include "sepal/tensor/learning_rule.h"

namespace sepal::reference {

template <typename T>
struct UpdateArgs {
  LearningRule rule = {};
  std::int64_t count = 0;
  const T* weights = nullptr;
  const T* gradient = nullptr;
  T rate = T(0);
  T first_correction = T(1);   ///< of AdamW's mean of g
  T second_correction = T(1);  ///< and of g^2
  T factor = T(1);             ///< multiplies the gradient first
  const T* momentum = nullptr;
  const T* square = nullptr;  ///< null for SGD
  T* new_weights = nullptr;   ///< each may be its old one
  T* new_momentum = nullptr;
  T* new_square = nullptr;
};

template <typename T>
void update(const UpdateArgs<T>& args) noexcept {
  using std::sqrt;
  const LearningRule& rule = args.rule;
  const T momentum = static_cast<T>(rule.momentum);
  const T decay = static_cast<T>(rule.decay);
  const T epsilon = static_cast<T>(rule.epsilon);
  const T weight_decay = static_cast<T>(rule.weight_decay);
  for (std::int64_t i = 0; i < args.count; ++i) {
    const T w = args.weights[i];
    T g = args.gradient[i] * args.factor;
    if (rule.rule != UpdateRule::kAdamW) g = g + weight_decay * w;
    T m = args.momentum[i];
    T step(0);
    switch (rule.rule) {
      case UpdateRule::kSgd:
        m = momentum * m + g;
        step = args.rate * (rule.nesterov ? g + momentum * m : m);
        break;
      case UpdateRule::kRmsProp: {
        const T s = decay * args.square[i] + (T(1) - decay) * g * g;
        args.new_square[i] = s;
        m = momentum * m + args.rate * g / sqrt(s + epsilon);
        step = m;
        break;
      }
      case UpdateRule::kAdamW: {
        const T s = decay * args.square[i] + (T(1) - decay) * g * g;
        args.new_square[i] = s;
        m = momentum * m + (T(1) - momentum) * g;
        step =
            args.rate * (m / args.first_correction / (sqrt(s / args.second_correction) + epsilon) + weight_decay * w);
        break;
      }
    }
    args.new_momentum[i] = m;
    args.new_weights[i] = w - step;
  }
}

}  // namespace sepal::reference
