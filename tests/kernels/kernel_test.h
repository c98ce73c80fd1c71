#pragma once

// What every kernel is put through: all instruction sets of the host, pages that nobody may touch before and after what
// it writes, and any division of its range giving the same bits.

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "sepal/base/range.h"
#include "sepal/base/text.h"
#include "sepal/kernels/reference/elementwise.h"
#include "sepal/kernels/target.h"
#include "tests/guard/guarded.h"
#include "tests/kernels/reference_random.h"

namespace sepal {

/// Calls body() once for every instruction set of the host, then goes back to the best.
template <typename Body>
void on_every_target(Body&& body) {
  for (const std::string& target : available_targets()) {
    SCOPED_TRACE(target);
    pin_target(target);
    body();
  }
  pin_target(available_targets().front());
}

/// Runs kernel(output, range) over 0 .. count - 1 as a whole, row by row backwards, and in three random parts.
/// All must keep to the `size` floats of the output, which end or begin with a page, and write the same bits; returns
/// them.
template <typename Kernel>
std::vector<float> run_divided(std::int64_t count, std::int64_t size, Random& random, Kernel&& kernel) {
  Guarded whole(size);
  kernel(whole.data(), Range{0, count});
  EXPECT_TRUE(whole.intact()) << "wrote outside its output";

  const auto expect_same = [&](const Guarded& other, const char* how) {
    EXPECT_TRUE(other.intact()) << "wrote outside its output, " << how;
    const std::vector<float> a = whole.values();
    const std::vector<float> b = other.values();
    EXPECT_TRUE(a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0) << "other bits " << how;
  };
  Guarded single(size, Against::kBeginning);
  for (std::int64_t i = count; i-- > 0;) kernel(single.data(), Range{i, i + 1});
  expect_same(single, "row by row");

  Guarded parts(size);
  const std::int64_t a = random.whole(0, count);
  const std::int64_t b = random.whole(a, count);
  for (const Range& range : {Range{b, count}, Range{0, a}, Range{a, b}}) kernel(parts.data(), range);
  expect_same(parts, "in three parts");
  return whole.values();
}

/// A value and how large the terms were that made it: rounding errors are proportional to those.
struct Exact {
  double value = 0;
  double magnitude = 0;
};

inline void expect_near(const std::vector<float>& actual, const std::vector<Exact>& exact, double tolerance = 1e-6) {
  ASSERT_EQ(actual.size(), exact.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    ASSERT_NEAR(static_cast<double>(actual[i]), exact[i].value, tolerance * (1 + exact[i].magnitude))
        << "element " << i;
  }
}

}  // namespace sepal
