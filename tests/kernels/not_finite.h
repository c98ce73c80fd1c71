#pragma once

// NaN and infinity for the tests that send them through kernels.

#include "tests/kernels/kernel_test.h"

namespace sepal {

inline constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
inline constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Both NaN, or the same infinity, or numbers near each other.
inline testing::AssertionResult alike(double actual, double expected, double tolerance = 1e-5) {
  const bool same = std::isfinite(expected) ? std::fabs(actual - expected) <= tolerance * (1 + std::fabs(expected))
                                            : actual == expected || (std::isnan(actual) && std::isnan(expected));
  if (same) return testing::AssertionSuccess();
  return testing::AssertionFailure() << actual << ", not " << expected;
}

inline void expect_alike(const std::vector<float>& actual, const std::vector<Exact>& exact) {
  ASSERT_EQ(actual.size(), exact.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    ASSERT_TRUE(alike(static_cast<double>(actual[i]), exact[i].value)) << "element " << i;
  }
}

/// One value in about `every` becomes NaN or infinite.
inline void spoil(std::vector<float>& values, std::int64_t every, Random& random) {
  constexpr float kSpecial[] = {kNan, kInfinity, -kInfinity};
  for (std::size_t i = 0; i < std::max<std::size_t>(1, values.size() / static_cast<std::size_t>(every)); ++i) {
    const auto place = random.whole(0, static_cast<std::int64_t>(values.size()) - 1);
    values[static_cast<std::size_t>(place)] = kSpecial[random.whole(0, 2)];
  }
}

}  // namespace sepal
