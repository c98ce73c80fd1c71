#include "sepal/kernels/elementwise.h"

#include <functional>

#include "tests/kernels/kernel_test.h"

namespace sepal {
namespace {

struct Function {
  Unary unary;
  float low, high;  // where to try it
};

constexpr Function kFunctions[] = {
    {{UnaryKind::kIdentity}, -9, 9},
    {{UnaryKind::kAbs}, -9, 9},
    {{UnaryKind::kNegate}, -9, 9},
    {{UnaryKind::kSign}, -1, 1},
    {{UnaryKind::kFloor}, -9, 9},
    {{UnaryKind::kCeil}, -9, 9},
    {{UnaryKind::kRound}, -9, 9},
    {{UnaryKind::kSqrt}, 0, 100},
    {{UnaryKind::kReciprocal}, 0.1f, 9},
    {{UnaryKind::kExp}, -100, 80},
    {{UnaryKind::kLog}, 1e-6f, 1000},
    {{UnaryKind::kErf}, -4, 4},
    {{UnaryKind::kSin}, -1000, 1000},
    {{UnaryKind::kCos}, -1000, 1000},
    {{UnaryKind::kTanh}, -12, 12},
    {{UnaryKind::kRelu}, -9, 9},
    {{UnaryKind::kClip, -1, 2}, -9, 9},
    {{UnaryKind::kClip, 2, -1}, -9, 9},
    {{UnaryKind::kLeakyRelu, 0.01f}, -9, 9},
    {{UnaryKind::kElu, 1.5f}, -20, 5},
    {{UnaryKind::kSelu, 1.67326f, 1.0507f}, -20, 5},
    {{UnaryKind::kCelu, 0.7f}, -20, 5},
    {{UnaryKind::kSigmoid}, -30, 30},
    {{UnaryKind::kHardSigmoid, 0.2f, 0.5f}, -5, 5},
    {{UnaryKind::kHardSwish}, -5, 5},
    {{UnaryKind::kSwish, 1}, -30, 30},
    {{UnaryKind::kSwish, 1.702f}, -30, 30},
    {{UnaryKind::kMish}, -30, 30},
    {{UnaryKind::kGelu}, -6, 6},
    {{UnaryKind::kGeluTanh}, -6, 6},
    {{UnaryKind::kSoftplus}, -30, 30},
    {{UnaryKind::kSoftsign}, -30, 30},
    {{UnaryKind::kThresholdedRelu, 1.5f}, -9, 9},
};

float apply_one(const Unary& function, float x) {
  float y = 0;
  unary(function, &x, &y, {0, 1});
  return y;
}

TEST(UnaryKernel, IsAccurate) {
  Random random(10);
  for (const Function& test : kFunctions) {
    SCOPED_TRACE(format("{} {} {}", name_of(test.unary.kind), test.unary.alpha, test.unary.beta));
    std::vector<float> input = {0.0f, -0.0f, 0.5f, 1.0f, 1.5f, 2.5f, 1e-6f, test.low, test.high};
    for (int i = 0; i < 2000; ++i) {
      input.push_back(test.low + static_cast<float>(random.real() * 0.5 + 0.5) * (test.high - test.low));
    }
    std::erase_if(input, [&](float x) { return x < test.low || x > test.high; });
    const auto count = static_cast<std::int64_t>(input.size());
    on_every_target([&] {
      const auto kernel = [&](float* output, Range range) { unary(test.unary, input.data(), output, range); };
      const std::vector<float> output = run_divided(count, count, random, kernel);
      for (std::size_t i = 0; i < input.size(); ++i) {
        const double exact = reference::apply(test.unary, static_cast<double>(input[i]));
        const double error = std::fabs(static_cast<double>(output[i]) - exact);
        ASSERT_LE(error, std::max(4 * std::ldexp(std::fabs(exact), -23), 1e-7)) << "of " << input[i];
      }
    });
  }
}

TEST(UnaryKernel, WorksInPlace) {
  on_every_target([] {
    std::vector<float> values(37, -2.0f);
    unary({UnaryKind::kAbs}, values.data(), values.data(), {1, 36});
    std::vector<float> expected(37, 2.0f);
    expected.front() = expected.back() = -2.0f;
    EXPECT_EQ(values, expected);
  });
}

TEST(UnaryKernel, HasTheRightLimits) {
  const float infinity = std::numeric_limits<float>::infinity();
  struct Case {
    Unary unary;
    float x, y;
  };
  const Case cases[] = {
      {{UnaryKind::kExp}, 89, infinity},
      {{UnaryKind::kExp}, infinity, infinity},
      {{UnaryKind::kExp}, -200, 0},
      {{UnaryKind::kExp}, -infinity, 0},
      {{UnaryKind::kTanh}, infinity, 1},
      {{UnaryKind::kTanh}, -infinity, -1},
      {{UnaryKind::kTanh}, 1e30f, 1},
      {{UnaryKind::kSigmoid}, infinity, 1},
      {{UnaryKind::kSigmoid}, -infinity, 0},
      {{UnaryKind::kSigmoid}, -1e30f, 0},
      {{UnaryKind::kSwish, 1}, -infinity, 0},
      {{UnaryKind::kSwish, 1}, infinity, infinity},
      {{UnaryKind::kMish}, -infinity, 0},
      {{UnaryKind::kMish}, infinity, infinity},
      {{UnaryKind::kGeluTanh}, -infinity, 0},
      {{UnaryKind::kGeluTanh}, infinity, infinity},
      {{UnaryKind::kElu, 1}, -infinity, -1},
      {{UnaryKind::kElu, 1}, infinity, infinity},
      {{UnaryKind::kCelu, 1}, -infinity, -1},
      {{UnaryKind::kSelu, 1, 1}, -infinity, -1},
      {{UnaryKind::kSoftplus}, -infinity, 0},
      {{UnaryKind::kSoftplus}, infinity, infinity},
      {{UnaryKind::kLog}, 0, -infinity},
      {{UnaryKind::kSign}, -infinity, -1},
      {{UnaryKind::kRelu}, infinity, infinity},
      {{UnaryKind::kFloor}, -1e30f, -1e30f},
      {{UnaryKind::kRound}, 1e10f, 1e10f},
      {{UnaryKind::kRound}, 2.5f, 2},
      {{UnaryKind::kReciprocal}, infinity, 0},
      {{UnaryKind::kReciprocal}, 0, infinity},
  };
  on_every_target([&] {
    for (const Case& test : cases) {
      EXPECT_EQ(apply_one(test.unary, test.x), test.y) << name_of(test.unary.kind) << " of " << test.x;
    }
    const float nan = std::numeric_limits<float>::quiet_NaN();
    for (const Function& test : kFunctions) {
      if (test.unary.kind == UnaryKind::kThresholdedRelu) continue;  // NaN > alpha is false
      EXPECT_TRUE(std::isnan(apply_one(test.unary, nan))) << name_of(test.unary.kind);
    }
  });
}

double exact_binary(BinaryKind kind, double a, double b) {
  switch (kind) {
    case BinaryKind::kAdd:
      return a + b;
    case BinaryKind::kSubtract:
      return a - b;
    case BinaryKind::kMultiply:
      return a * b;
    case BinaryKind::kDivide:
      return a / b;
    case BinaryKind::kMinimum:
      return std::min(a, b);
    case BinaryKind::kMaximum:
      return std::max(a, b);
    default:
      return a >= 0 ? a : a * b;
  }
}

constexpr BinaryKind kBinaries[] = {BinaryKind::kAdd,    BinaryKind::kSubtract, BinaryKind::kMultiply,
                                    BinaryKind::kDivide, BinaryKind::kMinimum,  BinaryKind::kMaximum,
                                    BinaryKind::kPRelu};

TEST(BinaryKernel, AcceptsWhatItComputes) {
  for (const BinaryKind kind : kBinaries) EXPECT_TRUE(binary_accepts(kind)) << name_of(kind);
  EXPECT_FALSE(binary_accepts(BinaryKind::kPower));
  EXPECT_FALSE(binary_accepts(BinaryKind::kEqual));
}

TEST(BinaryKernel, MatchesTheDefinitionUnderEveryBroadcast) {
  struct Case {
    const char* why;
    std::int64_t rows, columns;
    std::int64_t b_rows, repeat;
    bool one_value;
  };
  constexpr Case kCases[] = {
      {"the same shape", 6, 37, 6, 1, false},    {"the same shape, columns that fill no vector", 40, 3, 40, 1, false},
      {"one row for all", 5, 19, 1, 1, false},   {"one row for all, a value each", 33, 1, 1, 1, false},
      {"one row an image", 12, 20, 3, 4, false}, {"an image repeated through the batch", 12, 20, 4, 1, false},
      {"one value for all", 7, 21, 1, 1, true},  {"one value a row", 7, 21, 7, 1, true},
      {"one value an image", 8, 5, 2, 4, true},  {"nothing", 0, 5, 1, 1, false},
  };
  Random random(11);
  for (const Case& test : kCases) {
    SCOPED_TRACE(test.why);
    const std::vector<float> a = random.values<float>(test.rows * test.columns);
    const std::vector<float> b = random.values<float>(test.b_rows * (test.one_value ? 1 : test.columns));
    for (const BinaryKind kind : kBinaries) {
      for (const bool swapped : {false, true}) {
        for (const Unary& activation : {Unary{}, Unary{UnaryKind::kRelu}, Unary{UnaryKind::kHardSwish}}) {
          SCOPED_TRACE(format("{}{} {}", name_of(kind), swapped ? " swapped" : "", name_of(activation.kind)));
          std::vector<Exact> exact;
          for (std::int64_t i = 0; i < test.rows * test.columns; ++i) {
            const std::int64_t row = i / test.columns / test.repeat % test.b_rows;
            const std::int64_t at = test.one_value ? row : row * test.columns + i % test.columns;
            const auto x = static_cast<double>(a[static_cast<std::size_t>(i)]);
            const auto y = static_cast<double>(b[static_cast<std::size_t>(at)]);
            const double value = swapped ? exact_binary(kind, y, x) : exact_binary(kind, x, y);
            exact.push_back({reference::apply(activation, value), std::fabs(value)});
          }
          on_every_target([&] {
            const auto kernel = [&](float* output, Range rows) {
              binary({kind,
                      a.data(),
                      {b.data(), test.b_rows, test.repeat, test.one_value},
                      test.columns,
                      swapped,
                      activation,
                      output},
                     rows);
            };
            expect_near(run_divided(test.rows, test.rows * test.columns, random, kernel), exact);
          });
        }
      }
    }
  }
}

TEST(BinaryKernel, MayOverwriteItsFirstOperand) {
  on_every_target([] {
    std::vector<float> values(50, 3.0f);
    const float two = 2.0f;
    binary({BinaryKind::kMultiply, values.data(), {&two, 1, 1, true}, 10, false, {}, values.data()}, {0, 5});
    EXPECT_EQ(values, std::vector<float>(50, 6.0f));
  });
}

TEST(BinaryKernel, MinimumAndMaximumKeepANan) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float one = 1.0f;
  on_every_target([&] {
    for (const BinaryKind kind : {BinaryKind::kMinimum, BinaryKind::kMaximum}) {
      float output = 0;
      binary({kind, &nan, {&one}, 1, false, {}, &output}, {0, 1});
      EXPECT_TRUE(std::isnan(output));
      binary({kind, &one, {&nan}, 1, false, {}, &output}, {0, 1});
      EXPECT_TRUE(std::isnan(output));
    }
  });
}

}  // namespace
}  // namespace sepal
