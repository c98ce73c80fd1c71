#pragma once

// What every timing here shares: rounds until there were enough, and the middle of what they took.

#include <algorithm>
#include <vector>

#include "sepal/measure/paired.h"

namespace sepal {

inline constexpr int kMostRounds = 10'000;

/// Calls round(0), round(1) ... until there were enough, at least one, and the time is up.
template <typename Round>
void go_round(const TimingOptions& options, const Clock& clock, const Round& round) {
  const double begin = clock();
  const int least = std::max(options.least_rounds, 1);
  for (int i = 0; i < least || (i < kMostRounds && clock() - begin < options.seconds); ++i) round(i);
}

/// The value in the middle, halfway between two where their number is even. There is at least one.
double median(std::vector<double> values);

/// before / after. What takes no time that the clock can tell is as quick as the clock can tell.
double speedup_of(double before, double after);

}  // namespace sepal
