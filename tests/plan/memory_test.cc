#include "sepal/plan/memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace sepal {
namespace {

/// No two that live at once overlap, all are aligned, and the block holds them all.
void expect_sound(const std::vector<Lifetime>& lives, const Placement& placement) {
  ASSERT_EQ(placement.offsets.size(), lives.size());
  for (std::size_t i = 0; i < lives.size(); ++i) {
    EXPECT_EQ(placement.offsets[i] % 64, 0u);
    EXPECT_LE(placement.offsets[i] + lives[i].bytes, placement.bytes);
    for (std::size_t j = 0; j < i; ++j) {
      const bool together = lives[i].first <= lives[j].last && lives[j].first <= lives[i].last;
      const bool apart = placement.offsets[i] + lives[i].bytes <= placement.offsets[j] ||
                         placement.offsets[j] + lives[j].bytes <= placement.offsets[i];
      EXPECT_TRUE(!together || apart) << i << " and " << j;
    }
  }
}

TEST(Place, AChainNeedsTwoBuffers) {
  std::vector<Lifetime> lives;
  for (std::size_t i = 0; i < 10; ++i) lives.push_back({.bytes = 1000, .first = i, .last = i + 1});
  const Placement placement = place(lives);
  expect_sound(lives, placement);
  EXPECT_EQ(placement.bytes, 2 * 1024u);
}

TEST(Place, FillsGaps) {
  // The small one fits beside the middle one, where the large ones leave room.
  const std::vector<Lifetime> lives = {{4096, 0, 1}, {1024, 1, 2}, {4096, 2, 3}, {1024, 0, 3}};
  const Placement placement = place(lives);
  expect_sound(lives, placement);
  EXPECT_EQ(placement.bytes, 4096u + 2 * 1024u);
}

TEST(Place, NothingNeedsNothing) {
  EXPECT_EQ(place({}).bytes, 0u);
  const std::vector<Lifetime> lives = {{0, 0, 9}, {64, 0, 9}, {0, 2, 3}};
  expect_sound(lives, place(lives));
}

TEST(Place, ManyArePlacedInTheirOrder) {
  // A chain of 40,000 steps with a value that lives from the first to the last, and short ones of odd sizes.
  std::vector<Lifetime> lives = {{.bytes = 640, .first = 0, .last = 40'000}};
  for (std::size_t i = 0; i < 40'000; ++i) lives.push_back({.bytes = 100 * (1 + i % 7), .first = i, .last = i + 1});
  const Placement placement = place(lives);
  EXPECT_LE(placement.bytes, 640u + 4 * 704u);
  // Soundness between neighbours; a test of all pairs would take the square that placing avoids.
  for (std::size_t i = 2; i < lives.size(); ++i) {
    for (const std::size_t j : {std::size_t{0}, i - 1}) {
      const bool apart = placement.offsets[i] + lives[i].bytes <= placement.offsets[j] ||
                         placement.offsets[j] + lives[j].bytes <= placement.offsets[i];
      ASSERT_TRUE(apart) << i << " and " << j;
    }
  }
}

TEST(Place, IsSoundOnRandomLifetimes) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 200; ++round) {
    std::vector<Lifetime> lives;
    std::size_t sum = 0;
    for (std::size_t i = 0; i < 1 + random() % 40; ++i) {
      const std::size_t first = random() % 20;
      lives.push_back({.bytes = random() % 5000, .first = first, .last = first + random() % 6});
      sum += (lives.back().bytes + 63) / 64 * 64;
    }
    const Placement placement = place(lives);
    expect_sound(lives, placement);
    EXPECT_LE(placement.bytes, sum);
  }
}

}  // namespace
}  // namespace sepal
