#include "sepal/data/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <vector>

#include "sepal/base/error.h"

namespace sepal {
namespace {

using Words = std::array<std::uint32_t, 4>;

TEST(Philox, GivesTheAnswersOfItsAuthors) {
  // Random123 1.14, tests/kat_vectors, philox4x32 10.
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}), (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Random, CountsBlocksOfItsStream) {
  // What a run drew yesterday it must draw tomorrow: the seed is the key, the stream half of the counter.
  Random random(0x299f31d0a4093822, {Purpose::kOrder, 3, 7});
  for (std::uint32_t block = 0; block < 3; ++block) {
    for (const std::uint32_t word : philox({block, 0, 7, 1u << 24 | 3}, {0xa4093822, 0x299f31d0})) {
      EXPECT_EQ(random.bits(), word);
    }
  }
}

TEST(Random, StreamsShareNoNumbers) {
  const std::vector<Stream> streams = {
      {Purpose::kImage},       {Purpose::kMix},         {Purpose::kImage, 1},
      {Purpose::kImage, 0, 1}, {Purpose::kImage, 1, 1}, {Purpose::kImage, (1 << 24) - 1, (std::int64_t{1} << 32) - 1}};
  std::set<std::uint32_t> seen;
  for (const Stream& stream : streams) {
    Random random(1, stream);
    for (int i = 0; i < 100; ++i) seen.insert(random.bits());
  }
  Random other(2, streams[0]);
  for (int i = 0; i < 100; ++i) seen.insert(other.bits());
  EXPECT_EQ(seen.size(), 100 * (streams.size() + 1));  // of 2^32: two would be equal once in 20,000 such tests
}

TEST(Random, NamesAStreamThatCannotBe) {
  const std::vector<Stream> streams = {{Purpose::kImage, -1},
                                       {Purpose::kImage, 1 << 24},
                                       {Purpose::kImage, 0, -1},
                                       {Purpose::kImage, 0, std::int64_t{1} << 32}};
  for (const Stream& stream : streams) EXPECT_THROW(Random(0, stream), Error);
  EXPECT_THROW(Random(0, {Purpose::kImage}).below(0), Error);
  EXPECT_THROW(Random(0, {Purpose::kImage}).below((std::int64_t{1} << 32) + 1), Error);
  EXPECT_THROW(Random(0, {Purpose::kImage}).beta(0), Error);
}

struct Moments {
  double mean = 0;
  double variance = 0;
};

/// Of 100,000 numbers: the mean is within 5 standard errors, which any seed but one in a million keeps.
template <typename Draw>
Moments moments(const Draw& draw) {
  constexpr int kCount = 100'000;
  double sum = 0;
  double squares = 0;
  for (int i = 0; i < kCount; ++i) {
    const auto value = static_cast<double>(draw());
    sum += value;
    squares += value * value;
  }
  const double mean = sum / kCount;
  return {mean, squares / kCount - mean * mean};
}

TEST(Random, HasTheMomentsOfItsDistributions) {
  Random random(11, {Purpose::kImage});
  const Moments uniform = moments([&] { return random.uniform(); });
  EXPECT_NEAR(uniform.mean, 0.5, 5 * std::sqrt(1.0 / 12 / 100'000));
  EXPECT_NEAR(uniform.variance, 1.0 / 12, 0.001);
  const Moments shifted = moments([&] { return random.uniform(-2, 4); });
  EXPECT_NEAR(shifted.mean, 1, 0.03);
  EXPECT_NEAR(shifted.variance, 3, 0.05);
  const Moments normal = moments([&] { return random.normal(); });
  EXPECT_NEAR(normal.mean, 0, 5 * std::sqrt(1.0 / 100'000));
  EXPECT_NEAR(normal.variance, 1, 0.025);
  EXPECT_NEAR(moments([&] { return random.chance(0.3); }).mean, 0.3, 0.01);
  for (const double a : {0.2, 0.5, 1.0, 3.0}) {
    SCOPED_TRACE(a);
    const Moments beta = moments([&] { return random.beta(a); });
    EXPECT_NEAR(beta.mean, 0.5, 0.01);
    EXPECT_NEAR(beta.variance, 1 / (4 * (2 * a + 1)), 0.003);
  }
}

TEST(Random, StaysInRange) {
  Random random(5, {Purpose::kImage});
  for (int i = 0; i < 10'000; ++i) {
    const float value = random.uniform();
    EXPECT_TRUE(value >= 0 && value < 1) << value;
    const float mixed = random.beta(0.001);  // nearly always so small that its logarithm alone can be had
    EXPECT_TRUE(mixed >= 0 && mixed <= 1) << mixed;
    EXPECT_EQ(random.below(1), 0);
  }
  EXPECT_FALSE(random.chance(0));
  EXPECT_TRUE(random.chance(1));
  EXPECT_LT(random.below(std::int64_t{1} << 32), std::int64_t{1} << 32);
}

TEST(Random, ChoosesEachAlike) {
  Random random(8, {Purpose::kImage});
  std::array<int, 6> count{};
  for (int i = 0; i < 60'000; ++i) ++count[static_cast<std::size_t>(random.below(6))];
  for (const int times : count) EXPECT_NEAR(times, 10'000, 500);
}

TEST(Random, PermutesEachWayAlike) {
  Random random(9, {Purpose::kOrder});
  std::array<std::array<int, 4>, 4> place{};  // how often each number came at each place
  for (int i = 0; i < 40'000; ++i) {
    std::vector<std::int64_t> order = random.permutation(4);
    for (std::size_t at = 0; at < 4; ++at) ++place[at][static_cast<std::size_t>(order[at])];
    std::ranges::sort(order);
    EXPECT_EQ(order, (std::vector<std::int64_t>{0, 1, 2, 3}));
  }
  for (const auto& row : place) {
    for (const int times : row) EXPECT_NEAR(times, 10'000, 500);
  }
  EXPECT_TRUE(random.permutation(0).empty());
}

}  // namespace
}  // namespace sepal
