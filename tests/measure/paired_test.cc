// Timing by a clock that stands still unless something runs.

#include "sepal/measure/paired.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sepal/base/error.h"
#include "sepal/measure/rounds.h"

namespace sepal {
namespace {

/// Work that takes as long as it is told, and a record of what ran when.
class FakeTime {
 public:
  Clock clock() {
    return [this] { return now_; };
  }
  /// Its i-th run takes seconds[i % size].
  std::function<void()> work(char name, std::vector<double> seconds) {
    return [this, name, seconds = std::move(seconds), i = std::size_t{0}]() mutable {
      now_ += seconds[i++ % seconds.size()];
      ran_ += name;
    };
  }
  const std::string& ran() const { return ran_; }
  double now() const { return now_; }

 private:
  double now_ = 1000;
  std::string ran_;
};

/// "aabbb" -> "a2b3": runs in a row.
std::string in_short(const std::string& ran) {
  std::string text;
  for (std::size_t i = 0, end = 0; i < ran.size(); i = end) {
    end = std::min(ran.find_first_not_of(ran[i], i), ran.size());
    text += ran[i] + std::to_string(end - i);
  }
  return text;
}

TEST(Timing, RoundsAlternate) {
  FakeTime time;
  // Rounds of 1 s: four runs of a, two of b. Warming up takes 1 + 2 runs of a, 1 of b, since half a round is enough.
  const PairedTiming found =
      time_pair(time.work('a', {0.25}), time.work('b', {0.5}), {.seconds = 8, .least_rounds = 4}, time.clock());
  EXPECT_EQ(in_short(time.ran()), "a3b1a4b4a8b4a4");
  EXPECT_EQ(found.first.runs, 4);
  EXPECT_EQ(found.second.runs, 2);
  EXPECT_EQ(found.first.rounds, 4);
  EXPECT_EQ(found.second.rounds, 4);
  EXPECT_DOUBLE_EQ(found.first.best, 0.25);
  EXPECT_DOUBLE_EQ(found.second.median, 0.5);
  EXPECT_DOUBLE_EQ(found.first.spread, 0);
  EXPECT_DOUBLE_EQ(found.speedup, 0.5);
}

TEST(Timing, TheNumberOfRunsFillsARound) {
  struct Case {
    const char* why;
    double run, seconds;
    int least_rounds;
    int runs, rounds;
  };
  constexpr Case kCases[] = {
      {"many short runs", 1.0 / 1024, 1, 8, 128, 8},
      {"a run as long as a round", 0.125, 1, 8, 1, 8},
      {"a run longer than a round", 10, 1, 5, 1, 5},
      {"a run that does not divide it", 0.375, 16, 8, 5, 9},  // rounds of 1.875 s, until 16 are over
      {"no time given", 0.5, 0, 3, 1, 3},
      {"no rounds asked for count as one", 0.5, 0, 0, 1, 1},
  };
  for (const Case& test : kCases) {
    SCOPED_TRACE(test.why);
    FakeTime time;
    const Timing found = time_one(time.work('a', {test.run}),
                                  {.seconds = test.seconds, .least_rounds = test.least_rounds}, time.clock());
    EXPECT_EQ(found.runs, test.runs);
    EXPECT_EQ(found.rounds, test.rounds);
    EXPECT_NEAR(found.best, test.run, 1e-9);
  }
}

TEST(Timing, StatisticsOfRounds) {
  FakeTime time;
  // A round is one run (a run takes longer than a round has). The first warms up.
  std::vector<double> seconds = {99};
  for (int i = 20; i >= 0; --i) seconds.push_back(100 + i);
  const Timing found = time_one(time.work('a', seconds), {.seconds = 1, .least_rounds = 21}, time.clock());
  EXPECT_DOUBLE_EQ(found.best, 100);
  EXPECT_DOUBLE_EQ(found.median, 110);
  EXPECT_DOUBLE_EQ(found.spread, (119.0 - 101) / 110);
  EXPECT_EQ(found.rounds, 21);
}

TEST(Timing, ARoundCountsByItsBest) {
  FakeTime time;
  // 16 runs of 1, 2, 3 and 4 s a round of 40 s.
  const Timing found = time_one(time.work('a', {1, 2, 3, 4}), {.seconds = 160, .least_rounds = 4}, time.clock());
  EXPECT_GT(found.runs, 4);
  EXPECT_DOUBLE_EQ(found.best, 1);
  EXPECT_DOUBLE_EQ(found.median, 1);
  EXPECT_DOUBLE_EQ(found.spread, 0);
}

TEST(Timing, SpeedupIsTheMedianOfNeighbours) {
  FakeTime time;
  // The machine halves its clock after the warm-up and two rounds: absolute times double, the ratio stays.
  const PairedTiming found =
      time_pair(time.work('a', {30, 30, 30, 60, 60, 60, 60, 60}), time.work('b', {10, 10, 10, 20, 20, 20, 20, 20}),
                {.seconds = 1, .least_rounds = 7}, time.clock());
  EXPECT_DOUBLE_EQ(found.speedup, 3);
  EXPECT_DOUBLE_EQ(found.first.best, 30);
  EXPECT_DOUBLE_EQ(found.first.median, 60);
  EXPECT_GT(found.first.spread, 0.4);
}

TEST(Timing, WhatTakesNoTimeEnds) {
  FakeTime time;
  int runs = 0;
  const auto nothing = [&runs] { ++runs; };
  const PairedTiming found = time_pair(nothing, nothing, {.seconds = 0.3, .least_rounds = 1}, time.clock());
  EXPECT_EQ(found.first.best, 0);
  EXPECT_EQ(found.first.spread, 0);
  EXPECT_EQ(found.speedup, 1);
  EXPECT_GE(found.first.rounds, 1);
}

TEST(Timing, TheSteadyClockGoesOn) {
  const double before = seconds_now();
  EXPECT_GE(seconds_now(), before);
  EXPECT_GE(time_one([] {}, {.seconds = 0.001, .least_rounds = 2}).rounds, 2);
}

TEST(Median, IsTheMiddleOrHalfwayBetweenTwo) {
  EXPECT_EQ(median({3}), 3);
  EXPECT_EQ(median({1, 4}), 2.5);
  EXPECT_EQ(median({9, 1, 2}), 2);
  EXPECT_EQ(median({8, 1, 4, 2}), 3);
  EXPECT_THROW(median({}), Error);
}

}  // namespace
}  // namespace sepal
