#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "sepal/tensor/learning_rule.h"

namespace sepal {

/// How the learning rate falls after the warm-up.
enum class ScheduleKind : std::uint8_t {
  kConstant,  ///< not at all
  kStep,      ///< times `factor` every `every` steps
  kCosine,    ///< along half a cosine to 0 after `steps` (Loshchilov and Hutter 2017, equation 5, without restarts)
};

/// "constant", "step", "cosine".
std::string_view name_of(ScheduleKind kind);
/// The kind called `name`, or nothing.
std::optional<ScheduleKind> schedule_kind(std::string_view name);

/// The learning rate as a function of the step and of nothing else.
struct Schedule {
  ScheduleKind kind = ScheduleKind::kCosine;
  double rate = 0.1;        ///< once warm
  std::int64_t warmup = 0;  ///< steps in which it grows evenly from rate / (warmup + 1)
  std::int64_t steps = 0;   ///< of the whole run, the warm-up included: where the cosine is 0
  std::int64_t every = 0;   ///< of kStep, counted from the first step of the run
  double factor = 0.1;      ///< of kStep
};

/// The rate of `step`, counted from 1. Steps after the last one have the last one's. Throws Error(kInvalid) that names
/// what is out of range.
double rate_at(const Schedule& schedule, std::int64_t step);

/// What Update takes in `step`: the rate, and the corrections of AdamW's means for their start at zero, 1 - momentum^t
/// and 1 - decay^t.
std::array<float, 3> rates_at(const Schedule& schedule, const LearningRule& rule, std::int64_t step);

}  // namespace sepal
