// Matrix products and reductions against formulas written another way.

#include <gtest/gtest.h>

#include <limits>
#include <numeric>

#include "sepal/kernels/reference/integer.h"
#include "sepal/kernels/reference/matmul.h"
#include "sepal/kernels/reference/reduce.h"
#include "tests/kernels/reference_random.h"

namespace sepal::reference {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

Shape random_shape(Random& random, int rank, std::int64_t most) {
  std::vector<std::int64_t> dims;
  for (int axis = 0; axis < rank; ++axis) dims.push_back(random.whole(1, most));
  return Shape(dims);
}

/// A batch of matrices [..., rows, columns] whose leading axes broadcast to `batch`.
Shape batched(Random& random, const Shape& batch, std::int64_t rows, std::int64_t columns) {
  std::vector<std::int64_t> dims(batch.begin() + random.whole(0, batch.rank()), batch.end());
  for (std::int64_t& dim : dims) dim = random.whole(0, 2) == 0 ? 1 : dim;
  dims.push_back(rows);
  dims.push_back(columns);
  return Shape(dims);
}

/// The place of (i, j) of the matrix at `leading`.
std::size_t element(const Shape& shape, std::vector<std::int64_t> leading, std::int64_t i, std::int64_t j) {
  leading.push_back(i);
  leading.push_back(j);
  // A matrix dimension of 1 does not broadcast, but then i (or j) is 0 anyway.
  return broadcast_place(shape, leading);
}

TEST(ReferenceMatMul, IsTheSumOverTheMiddleInAnotherOrder) {
  Random random(21);
  for (int c = 0; c < 300; ++c) {
    const Shape batch = random_shape(random, static_cast<int>(random.whole(0, 3)), 3);
    const std::int64_t m = random.whole(1, 5);
    const std::int64_t k = random.whole(0, 9);
    const std::int64_t n = random.whole(1, 40);
    const Shape a_shape = batched(random, batch, m, k);
    const Shape b_shape = batched(random, batch, k, n);
    SCOPED_TRACE(to_string(a_shape) + " x " + to_string(b_shape));
    const Shape whole = broadcast(Shape(a_shape.dims().first(static_cast<std::size_t>(a_shape.rank() - 2))),
                                  Shape(b_shape.dims().first(static_cast<std::size_t>(b_shape.rank() - 2))));
    std::vector<std::int64_t> dims(whole.begin(), whole.end());
    dims.insert(dims.end(), {m, n});
    const Shape shape(dims);
    const auto a = random.values<float>(a_shape.elements());
    const auto b = random.values<float>(b_shape.elements());
    auto output = filled<float>(shape);
    matmul(MatMulArgs<float>{.a = view_of(a, a_shape), .b = view_of(b, b_shape), .output = view_of(output, shape)});

    std::vector<double> expected(output.size());
    for (std::int64_t inner = k; inner-- > 0;) {
      for (std::size_t o = 0; o < expected.size(); ++o) {
        auto at = coordinates(shape, static_cast<std::int64_t>(o));
        const std::int64_t j = at.back();
        const std::int64_t i = at[at.size() - 2];
        at.resize(at.size() - 2);
        expected[o] += static_cast<double>(a[element(a_shape, at, i, inner)]) *
                       static_cast<double>(b[element(b_shape, at, inner, j)]);
      }
    }
    for (std::size_t o = 0; o < expected.size(); ++o) ASSERT_NEAR(output[o], expected[o], 1e-6);
  }
}

TEST(ReferenceMatMul, IntegersWrapAround) {
  const std::vector<std::int64_t> a = {std::numeric_limits<std::int64_t>::max(), 1};
  const std::vector<std::int64_t> b = {2, 5};
  std::vector<std::int64_t> output(1);
  matmul(MatMulArgs<std::int64_t>{.a = view_of(a, {1, 2}), .b = view_of(b, {2, 1}), .output = view_of(output, {1, 1})});
  EXPECT_EQ(output[0], 3);
}

TEST(ReferenceGemm, TransposesScalesAndAdds) {
  Random random(22);
  for (int c = 0; c < 200; ++c) {
    const std::int64_t m = random.whole(1, 6);
    const std::int64_t k = random.whole(1, 6);
    const std::int64_t n = random.whole(1, 20);
    GemmArgs<double> args;
    args.transpose_a = random.coin();
    args.transpose_b = random.coin();
    args.alpha = 0.5f;
    args.beta = -2;
    const auto a = random.values<double>(m * k);
    const auto b = random.values<double>(k * n);
    constexpr std::size_t kForms = 5;
    const std::array<Shape, kForms> forms = {Shape{}, Shape{1}, Shape{n}, Shape{m, 1}, Shape{m, n}};
    const Shape form = forms[static_cast<std::size_t>(random.whole(0, kForms - 1))];
    const auto third = random.values<double>(form.elements());
    const bool with_third = random.coin();
    auto output = filled<double>(Shape{m, n});
    args.a = view_of(a, args.transpose_a ? Shape{k, m} : Shape{m, k});
    args.b = view_of(b, args.transpose_b ? Shape{n, k} : Shape{k, n});
    if (with_third) args.c = view_of(third, form);
    args.output = view_of(output, Shape{m, n});
    gemm(args);
    for (std::int64_t i = 0; i < m; ++i) {
      for (std::int64_t j = 0; j < n; ++j) {
        double sum = 0;
        for (std::int64_t x = k; x-- > 0;) {
          sum += a[static_cast<std::size_t>(args.transpose_a ? x * m + i : i * k + x)] *
                 b[static_cast<std::size_t>(args.transpose_b ? j * k + x : x * n + j)];
        }
        const double added = with_third ? -2 * third[broadcast_place(form, {i, j})] : 0;
        ASSERT_NEAR(output[static_cast<std::size_t>(i * n + j)], 0.5 * sum + added, 1e-13);
      }
    }
  }
}

TEST(ReferenceIntegerMatMul, SubtractsZeroPointsOfAllForms) {
  Random random(23);
  for (int c = 0; c < 300; ++c) {
    const std::int64_t batch = random.whole(1, 3);
    const std::int64_t m = random.whole(1, 5);
    const std::int64_t k = random.whole(1, 9);
    const std::int64_t n = random.whole(1, 20);
    const auto a = random.values<std::uint8_t>(batch * m * k);
    const auto b = random.values<std::int8_t>(k * n);
    const std::array<std::int64_t, 3> a_counts = {1, m, batch * m};
    const auto a_zero = random.values<std::uint8_t>(a_counts[static_cast<std::size_t>(random.whole(0, 2))]);
    const auto b_zero = random.values<std::int8_t>(random.coin() ? 1 : n);
    const Shape shape{batch, m, n};
    auto output = filled<std::int32_t>(shape);
    const PerChannel<std::uint8_t> rows{a_zero.data(), static_cast<std::int64_t>(a_zero.size())};
    const PerChannel<std::int8_t> columns{b_zero.data(), static_cast<std::int64_t>(b_zero.size())};
    integer_matmul(IntegerMatMulArgs<std::uint8_t, std::int8_t>{.a = view_of(a, {batch, m, k}),
                                                                .b = view_of(b, {k, n}),
                                                                .a_zero = rows,
                                                                .b_zero = columns,
                                                                .output = view_of(output, shape)});
    auto scaled = filled<std::uint8_t>(shape);
    quantized_matmul(QuantizedMatMulArgs<std::uint8_t, std::int8_t, std::uint8_t>{.a = view_of(a, {batch, m, k}),
                                                                                  .b = view_of(b, {k, n}),
                                                                                  .a_zero = rows,
                                                                                  .b_zero = columns,
                                                                                  .multiplier = 0.015625f,
                                                                                  .y_zero = 100,
                                                                                  .output = view_of(scaled, shape)});
    for (std::size_t o = 0; o < output.size(); ++o) {
      const auto at = coordinates(shape, static_cast<std::int64_t>(o));
      const auto row = static_cast<std::size_t>(at[0] * m + at[1]);
      const auto column = static_cast<std::size_t>(at[2]);
      const std::size_t of_row = a_zero.size() == 1 ? 0 : row % a_zero.size();
      int sum = 0;
      for (std::size_t x = 0; x < static_cast<std::size_t>(k); ++x) {
        sum += (a[row * static_cast<std::size_t>(k) + x] - a_zero[of_row]) *
               (b[x * static_cast<std::size_t>(n) + column] - b_zero[b_zero.size() == 1 ? 0 : column]);
      }
      ASSERT_EQ(output[o], sum);
      ASSERT_EQ(scaled[o], static_cast<int>(std::clamp(std::nearbyint(sum / 64.0) + 100, 0.0, 255.0)));
    }
  }
}

/// A reduction of values in a list, textbook style, in long double.
long double reduced(ReduceKind kind, const std::vector<long double>& values) {
  const auto sum = [&](auto&& summand) {
    long double total = 0;
    for (const long double x : values) total += summand(x);
    return total;
  };
  const auto count = static_cast<long double>(values.size());
  switch (kind) {
    case ReduceKind::kSum:
      return sum([](long double x) { return x; });
    case ReduceKind::kMean:
      return sum([](long double x) { return x; }) / count;
    case ReduceKind::kMax:
      return *std::ranges::max_element(values);
    case ReduceKind::kMin:
      return *std::ranges::min_element(values);
    case ReduceKind::kProduct:
      return std::accumulate(values.begin(), values.end(), 1.0L, std::multiplies{});
    case ReduceKind::kL1:
      return sum([](long double x) { return std::abs(x); });
    case ReduceKind::kL2:
      return std::sqrt(sum([](long double x) { return x * x; }));
    case ReduceKind::kSumSquare:
      return sum([](long double x) { return x * x; });
    case ReduceKind::kLogSum:
      return std::log(sum([](long double x) { return x; }));
    case ReduceKind::kLogSumExp:
      return std::log(sum([](long double x) { return std::exp(x); }));
  }
  return 0;
}

TEST(ReferenceReduce, IsTheTextbooksOverEverySetOfAxes) {
  Random random(24);
  const Shape shape{3, 2, 4, 5};
  for (int kind = 0; kind <= static_cast<int>(ReduceKind::kLogSumExp); ++kind) {
    const auto reduction = static_cast<ReduceKind>(kind);
    for (unsigned set = 0; set < 16; ++set) {
      SCOPED_TRACE(std::string(name_of(reduction)) + " over set " + std::to_string(set));
      std::vector<int> axes;
      std::vector<std::int64_t> kept;
      for (int axis = 0; axis < 4; ++axis) {
        const bool in = (set >> axis & 1u) != 0;
        if (in) axes.push_back(axis);
        kept.push_back(in ? 1 : shape[axis]);
      }
      const Shape output_shape(kept);
      auto input = random.values<float>(shape.elements());
      for (float& x : input) x = x * 0.5f + 1.5f;  // positive, for the logarithm
      auto output = filled<float>(output_shape);
      reduce(
          ReduceArgs<float>{.input = view_of(input, shape), .kind = reduction, .axes = axes, .output = output.data()});
      std::vector<std::vector<long double>> buckets(output.size());
      for (std::size_t k = 0; k < input.size(); ++k) {
        buckets[broadcast_place(output_shape, coordinates(shape, static_cast<std::int64_t>(k)))].push_back(
            static_cast<long double>(input[k]));
      }
      for (std::size_t k = 0; k < output.size(); ++k) {
        const auto expected = static_cast<double>(reduced(reduction, buckets[k]));
        ASSERT_NEAR(output[k], expected, 1e-6 * std::abs(expected));
      }
    }
  }
}

template <typename T>
T reduce_all(ReduceKind kind, const std::vector<T>& values) {
  const std::array<int, 1> axes = {0};
  T result{};
  reduce(ReduceArgs<T>{.input = view_of(values, {static_cast<std::int64_t>(values.size())}),
                       .kind = kind,
                       .axes = axes,
                       .output = &result});
  return result;
}

TEST(ReferenceReduce, Edges) {
  struct Case {
    const char* why;
    ReduceKind kind;
    std::vector<float> values;
    float expected;
  };
  const Case cases[] = {
      {"the sum of nothing", ReduceKind::kSum, {}, 0},
      {"the product of nothing", ReduceKind::kProduct, {}, 1},
      {"the mean of nothing", ReduceKind::kMean, {}, kNan},
      {"the maximum of nothing", ReduceKind::kMax, {}, -kInfinity},
      {"the minimum of nothing", ReduceKind::kMin, {}, kInfinity},
      {"the norm of nothing", ReduceKind::kL2, {}, 0},
      {"the logarithm of nothing", ReduceKind::kLogSum, {}, -kInfinity},
      {"the logarithm of no exponential", ReduceKind::kLogSumExp, {}, -kInfinity},
      {"a NaN is the maximum", ReduceKind::kMax, {1, kNan, 2}, kNan},
      {"a NaN is the minimum", ReduceKind::kMin, {1, kNan, 2}, kNan},
      {"exponentials that would overflow", ReduceKind::kLogSumExp, {1000, 1000}, 1000.6931f},
      {"exponentials that would vanish", ReduceKind::kLogSumExp, {-1000, -1000}, -999.3069f},
      {"an infinite exponent", ReduceKind::kLogSumExp, {kInfinity, 1}, kInfinity},
      {"a small term beside large ones that cancel", ReduceKind::kSum, {1e8f, 1, -1e8f}, 1},
  };
  for (const Case& test : cases) {
    const float actual = reduce_all(test.kind, test.values);
    if (std::isnan(test.expected)) {
      EXPECT_TRUE(std::isnan(actual)) << test.why;
    } else {
      EXPECT_FLOAT_EQ(actual, test.expected) << test.why;
    }
  }
}

TEST(ReferenceReduce, IntegersAndBool) {
  using I = std::int32_t;
  constexpr I kMax = std::numeric_limits<I>::max();
  EXPECT_EQ(reduce_all<I>(ReduceKind::kSum, {kMax, 1}), std::numeric_limits<I>::min());
  EXPECT_EQ(reduce_all<I>(ReduceKind::kMean, {-3, -4}), -3);
  EXPECT_EQ(reduce_all<I>(ReduceKind::kMean, {kMax, kMax}), kMax);
  EXPECT_EQ(reduce_all<I>(ReduceKind::kMean, {}), 0);
  EXPECT_EQ(reduce_all<I>(ReduceKind::kMax, {}), std::numeric_limits<I>::min());
  EXPECT_EQ(reduce_all<I>(ReduceKind::kProduct, {3, -4}), -12);
  EXPECT_EQ(reduce_all<I>(ReduceKind::kL1, {3, -4}), 7);
  EXPECT_EQ(reduce_all<I>(ReduceKind::kL2, {3, -4}), 5);
  EXPECT_EQ(reduce_all<I>(ReduceKind::kLogSum, {}), std::numeric_limits<I>::min());
  EXPECT_EQ(reduce_all<I>(ReduceKind::kLogSumExp, {5, 3}), 5);
  const std::array<int, 1> axes = {1};
  const std::array<bool, 6> values = {true, false, true, true, false, false};
  std::array<bool, 3> result{};
  ReduceArgs<bool> args{
      .input = {values.data(), {3, 2}}, .kind = ReduceKind::kMax, .axes = axes, .output = result.data()};
  reduce(args);
  EXPECT_EQ(result, (std::array<bool, 3>{true, true, false}));
  args.kind = ReduceKind::kMin;
  reduce(args);
  EXPECT_EQ(result, (std::array<bool, 3>{false, true, false}));
}

TEST(ReferenceArgReduce, FirstAndLastOfEquals) {
  struct Case {
    const char* why;
    std::vector<float> values;
    bool minimum;
    bool last;
    std::int64_t expected;
  };
  const Case cases[] = {
      {"the first of the largest", {1, 3, 3, 2}, false, false, 1},
      {"the last of the largest", {1, 3, 3, 2}, false, true, 2},
      {"the first of the smallest", {2, 1, 1}, true, false, 1},
      {"the last of the smallest", {2, 1, 1}, true, true, 2},
      {"the first NaN", {1, kNan, 5, kNan}, false, false, 1},
      {"the last NaN", {1, kNan, 5, kNan}, true, true, 3},
      {"one value", {4}, false, false, 0},
  };
  for (const Case& test : cases) {
    std::int64_t index = -1;
    arg_reduce(ArgReduceArgs<float>{.input = view_of(test.values, {static_cast<std::int64_t>(test.values.size())}),
                                    .minimum = test.minimum,
                                    .last = test.last,
                                    .output = &index});
    EXPECT_EQ(index, test.expected) << test.why;
  }
  // Along the middle axis.
  const std::vector<std::int8_t> values = {1, 9, 5, 2, /**/ 0, -1, -3, 7};
  std::vector<std::int64_t> indices(4);
  arg_reduce(ArgReduceArgs<std::int8_t>{.input = view_of(values, {2, 2, 2}), .axis = 1, .output = indices.data()});
  EXPECT_EQ(indices, (std::vector<std::int64_t>{1, 0, 0, 1}));
}

}  // namespace
}  // namespace sepal::reference
