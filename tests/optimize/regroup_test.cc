#include "sepal/optimize/regroup.h"

#include <gtest/gtest.h>

namespace sepal {
namespace {

TEST(MovesOnlyUnits, LooksAtAxesLongerThanOne) {
  EXPECT_TRUE(moves_only_units({1, 1, 1, 8}, channels_first(4)));
  EXPECT_FALSE(moves_only_units({1, 2, 1, 8}, channels_first(4)));
  EXPECT_TRUE(moves_only_units({3, 1, 5}, Permutation::of({1, 0, 2})));
}

TEST(Regroup, MovesAReshapeBeforeATranspose) {
  struct Case {
    const char* why;
    Shape base;
    Permutation permutation;
    Shape target;
    std::optional<Shape> shape;
    std::optional<Permutation> after;
  };
  const Case kCases[] = {
      {"a unit axis goes", {2, 1, 7, 8}, channels_first(4), {2, 8, 7}, Shape{2, 7, 8}, Permutation::of({0, 2, 1})},
      {"a unit axis comes",
       {2, 7, 8},
       Permutation::of({0, 2, 1}),
       {2, 8, 1, 7},
       Shape{2, 7, 8, 1},
       Permutation::of({0, 2, 3, 1})},
      {"channels split (shuffle)",
       {1, 4, 5, 6},
       channels_first(4),
       {1, 2, 3, 4, 5},
       Shape{1, 4, 5, 2, 3},
       Permutation::of({0, 3, 4, 1, 2})},
      {"rows and columns join",
       {1, 4, 5, 6},
       channels_first(4),
       {1, 6, 20},
       Shape{1, 20, 6},
       Permutation::of({0, 2, 1})},
      {"one pixel becomes a vector", {2, 1, 1, 6}, channels_first(4), {2, 6}, Shape{2, 6}, Permutation::of({0, 1})},
      {"channels and rows cannot join", {1, 4, 5, 6}, channels_first(4), {1, 24, 5}, std::nullopt, std::nullopt},
      {"nothing can be told of no elements", {0, 4}, Permutation::of({1, 0}), {4, 0}, std::nullopt, std::nullopt},
      {"units in front stay in front",
       {4, 5},
       Permutation::of({1, 0}),
       {1, 1, 5, 4},
       Shape{1, 1, 4, 5},
       Permutation::of({0, 1, 3, 2})},
  };
  for (const Case& test : kCases) {
    const auto result = regroup(test.base, test.permutation, test.target);
    ASSERT_EQ(result.has_value(), test.shape.has_value()) << test.why;
    if (!result) continue;
    EXPECT_EQ(result->shape, *test.shape) << test.why << ": " << to_string(result->shape);
    EXPECT_EQ(result->permutation, *test.after) << test.why;
    EXPECT_EQ(result->permutation.apply(result->shape), test.target) << test.why;
  }
}

}  // namespace
}  // namespace sepal
