#include "sepal/optimize/regroup.h"

#include <gtest/gtest.h>

#include <numeric>
#include <random>
#include <vector>

#include "sepal/evaluate/evaluate.h"

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

/// The operator over one tensor.
Tensor apply(const Op& op, const Tensor& input) {
  const Tensor* inputs[] = {&input};
  return std::move(evaluate(op, inputs).front());
}

/// A tensor whose elements all differ.
Tensor numbered(const Shape& shape) {
  Tensor tensor(DataType::kI64, shape);
  std::iota(tensor.values<std::int64_t>().begin(), tensor.values<std::int64_t>().end(), 0);
  return tensor;
}

/// Shapes, permutations and targets by chance: neighbouring axes joined, axes split, units put in and left out.
class Chance {
 public:
  explicit Chance(std::uint64_t seed) : random_(seed) {}

  std::int64_t below(std::int64_t count) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(count));
  }
  Shape shape() {
    constexpr std::int64_t kLengths[] = {1, 1, 2, 2, 3, 4, 6};
    std::vector<std::int64_t> dims(static_cast<std::size_t>(1 + below(5)));
    for (std::int64_t& dim : dims) dim = kLengths[below(7)];
    return Shape(dims);
  }
  Permutation permutation(int rank) {
    Permutation result{.rank = rank};
    for (int i = 0; i < rank; ++i) {
      const auto other = static_cast<std::size_t>(below(i + 1));
      result.axes[static_cast<std::size_t>(i)] = result.axes[other];
      result.axes[other] = i;
    }
    return result;
  }
  Shape target(const Shape& from) {
    std::vector<std::int64_t> dims;
    for (const std::int64_t dim : from) {
      if (!dims.empty() && below(3) == 0) {
        dims.back() *= dim;
      } else {
        dims.push_back(dim);
      }
      constexpr std::int64_t kParts[] = {1, 2, 3};
      const std::int64_t part = kParts[below(3)];
      if (dims.back() % part == 0 && below(3) == 0) {
        dims.back() /= part;
        dims.push_back(part);
      }
      if (dims.back() == 1 && dims.size() > 1 && below(2) == 0) dims.pop_back();
    }
    while (dims.size() > static_cast<std::size_t>(Shape::kMaxRank)) {
      dims[dims.size() - 2] *= dims.back();
      dims.pop_back();
    }
    return Shape(dims);
  }

 private:
  std::mt19937_64 random_;
};

TEST(Regroup, MovesEveryElementWhereItBelongs) {
  Chance chance(5);
  int regrouped = 0;
  int gathered = 0;
  for (int i = 0; i < 5000; ++i) {
    const Shape base = chance.shape();
    const Permutation permutation = chance.permutation(base.rank());
    const Shape target = chance.target(permutation.apply(base));
    SCOPED_TRACE(to_string(base) + " through " + to_string(permutation.apply(base)) + " to " + to_string(target));
    const Tensor x = numbered(base);
    const Tensor expected = apply(Reshape{target}, apply(Transpose{permutation}, x));
    if (const auto result = regroup(base, permutation, target)) {
      ++regrouped;
      const Tensor found = apply(Transpose{result->permutation}, apply(Reshape{result->shape}, x));
      ASSERT_TRUE(identical(found, expected));
      continue;
    }
    // Brought together, each group can be reshaped before the rest of the permutation.
    const auto together = gather_groups(base, permutation, target);
    if (!together) continue;
    ++gathered;
    const Tensor moved = apply(Transpose{*together}, x);
    const auto result = regroup(moved.shape(), together->inverse().then(permutation), target);
    ASSERT_TRUE(result.has_value());
    const Tensor found = apply(Transpose{result->permutation}, apply(Reshape{result->shape}, moved));
    ASSERT_TRUE(identical(found, expected));
  }
  EXPECT_GT(regrouped, 1000);
  EXPECT_GT(gathered, 500);
}

}  // namespace
}  // namespace sepal
