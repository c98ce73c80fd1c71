#include "sepal/train/schedule.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "sepal/base/text.h"

namespace sepal {
namespace {

constexpr std::array kKinds = {ScheduleKind::kConstant, ScheduleKind::kStep, ScheduleKind::kCosine};

void check(const Schedule& schedule, std::int64_t step) {
  expect(step >= 1, "steps are counted from 1");
  if (!(schedule.rate > 0) || !std::isfinite(schedule.rate)) invalid("a learning rate of {}", schedule.rate);
  if (schedule.warmup < 0) invalid("a warm-up of {} steps", schedule.warmup);
  if (schedule.kind == ScheduleKind::kStep && (schedule.every < 1 || !(schedule.factor > 0) || schedule.factor > 1)) {
    invalid("a schedule in steps of {}, each {} of the one before", schedule.every, schedule.factor);
  }
  if (schedule.kind == ScheduleKind::kCosine && schedule.steps <= schedule.warmup) {
    invalid("a warm-up of {} steps in a run of {}", schedule.warmup, schedule.steps);
  }
}

}  // namespace

std::string_view name_of(ScheduleKind kind) {
  switch (kind) {
    case ScheduleKind::kConstant:
      return "constant";
    case ScheduleKind::kStep:
      return "step";
    case ScheduleKind::kCosine:
      break;
  }
  return "cosine";
}

std::optional<ScheduleKind> schedule_kind(std::string_view name) {
  const auto* const found = std::ranges::find(kKinds, name, [](ScheduleKind kind) { return name_of(kind); });
  return found == kKinds.end() ? std::nullopt : std::optional(*found);
}

double rate_at(const Schedule& schedule, std::int64_t step) {
  check(schedule, step);
  const double warmup = static_cast<double>(schedule.warmup);
  if (step <= schedule.warmup) return schedule.rate * static_cast<double>(step) / (warmup + 1);
  switch (schedule.kind) {
    case ScheduleKind::kConstant:
      break;
    case ScheduleKind::kStep:
      return schedule.rate * std::pow(schedule.factor, static_cast<double>((step - 1) / schedule.every));
    case ScheduleKind::kCosine: {
      const double done = static_cast<double>(std::min(step, schedule.steps) - 1 - schedule.warmup);
      const double whole = static_cast<double>(schedule.steps - schedule.warmup);
      return schedule.rate * 0.5 * (1 + std::cos(std::numbers::pi * done / whole));
    }
  }
  return schedule.rate;
}

std::array<float, 3> rates_at(const Schedule& schedule, const LearningRule& rule, std::int64_t step) {
  const auto correction = [&](float share) {
    return static_cast<float>(1 - std::pow(static_cast<double>(share), static_cast<double>(step)));
  };
  return {static_cast<float>(rate_at(schedule, step)), correction(rule.momentum), correction(rule.decay)};
}

}  // namespace sepal
