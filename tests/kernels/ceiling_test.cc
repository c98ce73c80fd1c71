// The loops that measure a machine must do what they say, or they measure something else.

#include "sepal/kernels/ceiling.h"

#include <numeric>

#include "tests/kernels/kernel_test.h"

namespace sepal {
namespace {

TEST(Ceiling, EveryChainGoesEveryRound) {
  on_every_target([] {
    for (const std::int64_t rounds : {1, 2, 3, 10}) {
      SCOPED_TRACE(rounds);
      const FmaChains done = fma_chains(rounds);
      const double sums = static_cast<double>(done.flops) / (2.0 * static_cast<double>(rounds));
      EXPECT_GE(sums, 12);
      EXPECT_EQ(done.sum, sums * 2 * (1 - std::ldexp(1.0, static_cast<int>(-rounds))));
    }
    EXPECT_EQ(fma_chains(0).flops, 0);
    EXPECT_EQ(fma_chains(0).sum, 0.0f);
    EXPECT_EQ(fma_chains(2'000).flops, 2'000 * fma_chains(1).flops);
  });
}

TEST(Ceiling, EveryValueIsReadInEveryPass) {
  struct Case {
    const char* why;
    std::size_t values;
    std::int64_t passes;
  };
  constexpr Case kCases[] = {
      {"nothing", 0, 3},
      {"one value", 1, 3},
      {"part of a vector", 7, 2},
      {"one round of every instruction set", 256, 1},
      {"a round and a bit", 256 + 5, 1},
      {"rounds, vectors and a bit", 1'000 + 3, 4},
      {"no passes", 100, 0},
  };
  for (const Case& test : kCases) {
    SCOPED_TRACE(test.why);
    std::vector<float> values(test.values);
    std::iota(values.begin(), values.end(), 1.0f);  // small whole numbers: their sum is exact in any order
    const double sum = static_cast<double>(test.values * (test.values + 1) / 2) * static_cast<double>(test.passes);
    on_every_target([&] { EXPECT_EQ(read_stream(values, test.passes), sum); });
  }
}

}  // namespace
}  // namespace sepal
