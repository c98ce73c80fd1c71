#include "sepal/train/schedule.h"

#include <gtest/gtest.h>

#include "tests/raises.h"

namespace sepal {
namespace {

struct Case {
  const char* why;
  Schedule schedule;
  std::int64_t step;
  double rate;
};

constexpr Schedule kCosine{.kind = ScheduleKind::kCosine, .rate = 2, .warmup = 3, .steps = 11};
constexpr Schedule kSteps{.kind = ScheduleKind::kStep, .rate = 2, .warmup = 1, .every = 10, .factor = 0.5};

constexpr Case kCases[] = {
    {"constant stays", {.kind = ScheduleKind::kConstant, .rate = 2}, 1'000'000, 2},
    {"the first step of a warm-up", kCosine, 1, 0.5},
    {"its last", kCosine, 3, 1.5},
    {"the first warm step", kCosine, 4, 2},
    {"half-way down the cosine", kCosine, 8, 1},
    {"past the end as at the end", kCosine, 99, 0.0761204674887133},
    {"warm-up comes first", kSteps, 1, 1},
    {"before the first fall", kSteps, 10, 2},
    {"after the first fall", kSteps, 11, 1},
    {"after the second", kSteps, 21, 0.5},
};

TEST(Schedule, IsAFunctionOfTheStep) {
  for (const Case& test : kCases) {
    EXPECT_NEAR(rate_at(test.schedule, test.step), test.rate, 1e-12) << test.why;
  }
}

TEST(Schedule, CorrectsTheMeansOfAdamW) {
  const LearningRule rule{.rule = UpdateRule::kAdamW, .momentum = 0.9f, .decay = 0.75f};
  const auto rates = rates_at({.kind = ScheduleKind::kConstant, .rate = 0.5}, rule, 2);
  EXPECT_EQ(rates[0], 0.5f);
  EXPECT_NEAR(rates[1], 1 - 0.81, 1e-6);
  EXPECT_NEAR(rates[2], 1 - 0.5625, 1e-6);
}

TEST(Schedule, SaysWhatIsOutOfRange) {
  const auto at = [](const Schedule& schedule) { return [schedule] { rate_at(schedule, 1); }; };
  EXPECT_TRUE(raises(at({.rate = 0, .steps = 1}), "a learning rate of 0", ErrorKind::kInvalid));
  EXPECT_TRUE(raises(at({.warmup = -1, .steps = 1}), "a warm-up of -1 steps", ErrorKind::kInvalid));
  EXPECT_TRUE(raises(at({.warmup = 5, .steps = 5}), "a warm-up of 5 steps in a run of 5", ErrorKind::kInvalid));
  EXPECT_TRUE(raises(at({.kind = ScheduleKind::kStep}), "a schedule in steps of 0, each 0.1 of the one before",
                     ErrorKind::kInvalid));
}

TEST(Schedule, IsKnownByName) {
  for (const auto kind : {ScheduleKind::kConstant, ScheduleKind::kStep, ScheduleKind::kCosine}) {
    EXPECT_EQ(schedule_kind(name_of(kind)), kind);
  }
  EXPECT_FALSE(schedule_kind("linear"));
}

}  // namespace
}  // namespace sepal
