#pragma once

#include <cstdint>
#include <string_view>

namespace sepal {

enum class UpdateRule : std::uint8_t {
  kSgd,      ///< m = momentum m + g; w -= rate m, with nesterov rate (g + momentum m) (Sutskever et al. 2013)
  kRmsProp,  ///< s = decay s + (1 - decay) g^2; m = momentum m + rate g / sqrt(s + epsilon); w -= m, as MobileNet's
             ///< authors trained (Howard et al. 2017, section 3.2)
  kAdamW,    ///< m, s: decaying means of g and g^2; w -= rate (m / c1 / (sqrt(s / c2) + epsilon) + weight_decay w)
             ///< (Loshchilov and Hutter 2019, algorithm 2)
};

/// "sgd", "rmsprop", "adamw".
std::string_view name_of(UpdateRule rule);

/// How weights learn from their gradients. The rules but AdamW add weight_decay w to g.
struct LearningRule {
  UpdateRule rule = UpdateRule::kSgd;
  float momentum = 0.9f;
  bool nesterov = false;
  float decay = 0.9f;  ///< of s
  float epsilon = 1e-8f;
  float weight_decay = 0;
  friend bool operator==(const LearningRule&, const LearningRule&) = default;
};

/// Values of state that a rule keeps for every weight: m, or m and s.
constexpr int states_of(UpdateRule rule) { return rule == UpdateRule::kSgd ? 1 : 2; }

}  // namespace sepal
