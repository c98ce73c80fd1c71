// Predictions on a machine with round figures.

#include "sepal/measure/roofline.h"

#include <gtest/gtest.h>

namespace sepal {
namespace {

// 100 FLOPs a second, 10 bytes a second from a cache of 1000, 1 from memory; twice that for both threads, but of
// memory.
Machine slow() {
  return {.processor = "slow",
          .cores = 2,
          .target = "NONE",
          .flops = 100,
          .all_flops = 200,
          .levels = {{"L1", 1000, 10, 20}, {"memory", 1'000'000, 1, 1}}};
}

/// So many FLOPs and bytes, divided among all that counts as such.
Cost cost(std::uint64_t flops, std::uint64_t bytes) {
  Cost made;
  made.nominal.multiplications = flops / 2;
  made.nominal.additions = flops - flops / 2;
  made.nominal.comparisons = 77;  // no FLOPs
  made.effective.multiplications = 1;
  made.weight_bytes = bytes / 4;
  made.read_bytes = bytes / 4;
  made.written_bytes = bytes - 2 * (bytes / 4);
  return made;
}

TEST(Roofline, TheLongerOfArithmeticAndTraffic) {
  struct Case {
    const char* why;
    std::uint64_t flops, bytes;
    int threads;
    double compute, memory;
    Bound bound;
  };
  constexpr Case kCases[] = {
      {"nothing to do", 0, 0, 1, 0, 0, Bound::kCompute},
      {"arithmetic", 5'000, 200, 1, 50, 20, Bound::kCompute},
      {"traffic in the cache", 1'000, 900, 1, 10, 90, Bound::kMemory},
      {"traffic from memory", 100'000, 2'000, 1, 1'000, 2'000, Bound::kMemory},
      {"at the ridge both", 1'000, 100, 1, 10, 10, Bound::kCompute},
      {"two threads have two caches", 1'000, 900, 2, 5, 45, Bound::kMemory},
      {"and one memory", 1'000, 2'000, 2, 5, 2'000, Bound::kMemory},
  };
  for (const Case& test : kCases) {
    SCOPED_TRACE(test.why);
    const Prediction found = predict(cost(test.flops, test.bytes), slow(), test.threads);
    EXPECT_DOUBLE_EQ(found.compute_seconds, test.compute);
    EXPECT_DOUBLE_EQ(found.memory_seconds, test.memory);
    EXPECT_DOUBLE_EQ(found.seconds, std::max(test.compute, test.memory));
    EXPECT_EQ(found.bound, test.bound);
  }
}

TEST(Roofline, OneAfterAnotherIsASum) {
  const Prediction sum = predict(cost(5'000, 200), slow(), 1) + predict(cost(1'000, 900), slow(), 1);
  EXPECT_DOUBLE_EQ(sum.seconds, 50 + 90);
  EXPECT_DOUBLE_EQ(sum.compute_seconds, 60);
  EXPECT_DOUBLE_EQ(sum.memory_seconds, 110);
  EXPECT_EQ(sum.bound, Bound::kMemory);
}

}  // namespace
}  // namespace sepal
