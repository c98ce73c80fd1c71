// Functions of one, two and three values against the C++ library's, and at their edges.

#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "sepal/kernels/reference/elementwise.h"
#include "tests/kernels/reference_random.h"

namespace sepal::reference {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr float kAlpha = 0.75f;
constexpr float kBeta = 1.5f;

struct UnaryCase {
  UnaryKind kind;
  std::function<double(double)> expected;
};

const std::vector<UnaryCase>& unary_cases() {
  static const double alpha = static_cast<double>(kAlpha);
  static const double beta = static_cast<double>(kBeta);
  using enum UnaryKind;
  static const std::vector<UnaryCase> cases = {
      {kIdentity, [](double x) { return x; }},
      {kAbs, [](double x) { return std::abs(x); }},
      {kNegate, [](double x) { return 0 - x; }},
      {kSign, [](double x) { return static_cast<double>((x > 0) - (x < 0)); }},
      {kFloor, [](double x) { return std::floor(x); }},
      {kCeil, [](double x) { return std::ceil(x); }},
      {kRound, [](double x) { return std::rint(x); }},
      {kSqrt, [](double x) { return std::pow(x, 0.5); }},
      {kReciprocal, [](double x) { return std::pow(x, -1); }},
      {kExp, [](double x) { return std::pow(2.718281828459045, x); }},
      {kLog, [](double x) { return std::log2(x) / std::log2(2.718281828459045); }},
      {kErf, [](double x) { return 1 - std::erfc(x); }},
      {kSin, [](double x) { return std::sin(x); }},
      {kCos, [](double x) { return std::cos(x); }},
      {kTanh, [](double x) { return std::sinh(x) / std::cosh(x); }},
      {kRelu, [](double x) { return std::max(x, 0.0); }},
      {kClip, [](double x) { return std::clamp(x, alpha, beta); }},
      {kLeakyRelu, [](double x) { return std::max(x, alpha * x); }},
      {kElu, [](double x) { return x >= 0 ? x : alpha * std::expm1(x); }},
      {kSelu, [](double x) { return x > 0 ? beta * x : beta * alpha * std::expm1(x); }},
      {kCelu, [](double x) { return std::max(x, 0.0) + std::min(0.0, alpha * std::expm1(x / alpha)); }},
      {kSigmoid, [](double x) { return 0.5 + 0.5 * std::tanh(x / 2); }},
      {kHardSigmoid, [](double x) { return std::clamp(alpha * x + beta, 0.0, 1.0); }},
      {kHardSwish, [](double x) { return x * std::min(std::max(x + 3, 0.0), 6.0) / 6; }},
      {kSwish, [](double x) { return x * (0.5 + 0.5 * std::tanh(alpha * x / 2)); }},
      {kMish, [](double x) { return x * std::tanh(std::log(1 + std::exp(x))); }},
      {kGelu, [](double x) { return x * std::erfc(-x / std::sqrt(2.0)) / 2; }},
      {kGeluTanh,
       [](double x) { return x / 2 * (1 + std::tanh(0.7978845608028654 * (x + 0.044715 * std::pow(x, 3)))); }},
      {kSoftplus, [](double x) { return std::log(1 + std::exp(x)); }},
      {kSoftsign, [](double x) { return x / (1 + std::abs(x)); }},
      {kThresholdedRelu, [](double x) { return x > alpha ? x : 0; }},
  };
  return cases;
}

TEST(ReferenceUnary, IsTheFunction) {
  Random random(31);
  // Every kind but kNot, which has a test of its own.
  ASSERT_EQ(unary_cases().size(), static_cast<std::size_t>(UnaryKind::kThresholdedRelu));
  for (const UnaryCase& test : unary_cases()) {
    SCOPED_TRACE(name_of(test.kind));
    auto x = random.values<double>(200);
    for (double& value : x) value *= 5;
    const bool positive = test.kind == UnaryKind::kSqrt || test.kind == UnaryKind::kLog;
    if (positive) std::ranges::transform(x, x.begin(), [](double value) { return std::abs(value); });
    std::vector<double> y(x.size());
    std::vector<float> x32(x.begin(), x.end());
    std::vector<float> y32(x.size());
    const Unary function{test.kind, kAlpha, kBeta};
    unary(UnaryArgs<double>{.input = view_of(x, {200}), .function = function, .output = view_of(y, {200})});
    unary(UnaryArgs<float>{.input = view_of(x32, {200}), .function = function, .output = view_of(y32, {200})});
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double expected = test.expected(x[i]);
      ASSERT_NEAR(y[i], expected, 1e-12 * std::max(1.0, std::abs(expected))) << "of " << x[i];
      const double of_float = test.expected(static_cast<double>(x32[i]));
      ASSERT_NEAR(static_cast<double>(y32[i]), of_float, 2e-6 * std::max(1.0, std::abs(of_float))) << "of " << x32[i];
    }
  }
}

TEST(ReferenceUnary, Edges) {
  struct Case {
    const char* why;
    Unary function;
    double x;
    double expected;
  };
  using enum UnaryKind;
  const Case cases[] = {
      {"half goes to the even below", {kRound}, 2.5, 2},
      {"half goes to the even above", {kRound}, 3.5, 4},
      {"beta wins where alpha is larger", {kClip, 2, -1}, 5, -1},
      {"beta wins below, too", {kClip, 2, -1}, -5, -1},
      {"relu keeps a NaN", {kRelu}, kNan, kNan},
      {"clip keeps a NaN", {kClip, 0, 6}, kNan, kNan},
      {"hard swish keeps a NaN", {kHardSwish}, kNan, kNan},
      {"hard sigmoid keeps a NaN", {kHardSigmoid, 0.2f, 0.5f}, kNan, kNan},
      {"celu keeps a NaN", {kCelu, 1}, kNan, kNan},
      {"a NaN has no sign", {kSign}, kNan, kNan},
      {"softplus does not overflow", {kSoftplus}, 1000, 1000},
      {"mish does not overflow", {kMish}, 1000, 1000},
      {"sigmoid far below", {kSigmoid}, -1000, 0},
      {"sigmoid far above", {kSigmoid}, 1000, 1},
      {"the logarithm of nothing", {kLog}, 0, -kInfinity},
      {"the reciprocal of nothing", {kReciprocal}, 0, kInfinity},
      {"the root of a negative number", {kSqrt}, -1, kNan},
      {"the threshold itself", {kThresholdedRelu, 1}, 1, 0},
      {"a negative slope of elu at 0", {kElu, 2}, 0, 0},
      {"clip to an infinity", {kClip, 0, std::numeric_limits<float>::infinity()}, 1e300, 1e300},
  };
  for (const Case& test : cases) {
    const double actual = apply(test.function, test.x);
    if (std::isnan(test.expected)) {
      EXPECT_TRUE(std::isnan(actual)) << test.why;
    } else {
      EXPECT_EQ(actual, test.expected) << test.why;
    }
  }
}

TEST(ReferenceUnary, IntegersWrapAroundAndBoolNegates) {
  EXPECT_EQ(apply({UnaryKind::kAbs}, std::int8_t{-128}), -128);
  EXPECT_EQ(apply({UnaryKind::kAbs}, std::int8_t{-127}), 127);
  EXPECT_EQ(apply({UnaryKind::kNegate}, std::numeric_limits<std::int64_t>::min()),
            std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(apply({UnaryKind::kNegate}, std::uint8_t{1}), 255);
  EXPECT_EQ(apply({UnaryKind::kSign}, std::int32_t{-7}), -1);
  EXPECT_EQ(apply({UnaryKind::kSign}, std::uint16_t{7}), 1);
  EXPECT_EQ(apply({UnaryKind::kRelu}, std::int16_t{-7}), 0);
  EXPECT_EQ(apply({UnaryKind::kClip, -1000, 5}, std::int8_t{-100}), -100);
  EXPECT_EQ(apply({UnaryKind::kClip, -1000, 5}, std::int8_t{100}), 5);
  EXPECT_TRUE(apply({UnaryKind::kNot}, false));
  EXPECT_FALSE(apply({UnaryKind::kNot}, true));
  EXPECT_TRUE(apply({UnaryKind::kIdentity}, true));
}

/// Shapes that broadcast: a common shape from which each operand drops leading axes and squeezes others to 1.
Shape narrowed(Random& random, const Shape& shape) {
  std::vector<std::int64_t> dims(shape.begin() + random.whole(0, shape.rank()), shape.end());
  for (std::int64_t& dim : dims) dim = random.coin() ? dim : 1;
  return Shape(dims);
}

TEST(ReferenceBinary, BroadcastsAsCoordinatesDo) {
  Random random(32);
  for (int c = 0; c < 300; ++c) {
    std::vector<std::int64_t> dims;
    for (std::int64_t axis = random.whole(0, 6); axis > 0; --axis) dims.push_back(random.whole(1, 4));
    const Shape whole(dims);
    const Shape a_shape = narrowed(random, whole);
    const Shape b_shape = narrowed(random, whole);
    const Shape condition_shape = narrowed(random, whole);
    const Shape shape = broadcast(a_shape, b_shape);
    const Shape wider = broadcast(condition_shape, shape);
    const auto a = random.values<float>(a_shape.elements());
    const auto b = random.values<float>(b_shape.elements());
    std::array<bool, 4096> condition{};
    for (bool& value : condition) value = random.coin();
    auto difference = filled<float>(shape);
    auto selected = filled<float>(wider);
    binary(BinaryArgs<float>{.kind = BinaryKind::kSubtract,
                             .a = view_of(a, a_shape),
                             .b = view_of(b, b_shape),
                             .output = view_of(difference, shape)});
    select(SelectArgs<float>{.condition = {condition.data(), condition_shape},
                             .a = view_of(a, a_shape),
                             .b = view_of(b, b_shape),
                             .output = view_of(selected, wider)});
    for (std::int64_t k = 0; k < shape.elements(); ++k) {
      const auto at = coordinates(shape, k);
      ASSERT_EQ(difference[static_cast<std::size_t>(k)],
                a[broadcast_place(a_shape, at)] - b[broadcast_place(b_shape, at)]);
    }
    for (std::int64_t k = 0; k < wider.elements(); ++k) {
      const auto at = coordinates(wider, k);
      const bool holds = condition[broadcast_place(condition_shape, at)];
      ASSERT_EQ(selected[static_cast<std::size_t>(k)],
                holds ? a[broadcast_place(a_shape, at)] : b[broadcast_place(b_shape, at)]);
    }
  }
}

TEST(ReferenceBinary, RealEdges) {
  struct Case {
    const char* why;
    BinaryKind kind;
    double a, b, expected;
  };
  using enum BinaryKind;
  const Case cases[] = {
      {"a sum", kAdd, 2, 3, 5},
      {"a product", kMultiply, 2, 3, 6},
      {"a quotient by nothing", kDivide, 1, 0, kInfinity},
      {"the smaller", kMinimum, 2, 3, 2},
      {"the larger", kMaximum, 2, 3, 3},
      {"a NaN is the minimum on the left", kMinimum, kNan, 1, kNan},
      {"a NaN is the minimum on the right", kMinimum, 1, kNan, kNan},
      {"a NaN is the maximum on the left", kMaximum, kNan, 1, kNan},
      {"a NaN is the maximum on the right", kMaximum, 1, kNan, kNan},
      {"a power", kPower, 2, 0.5, 1.4142135623730951},
      {"prelu of a negative number", kPRelu, -2, 0.25, -0.5},
      {"prelu of a positive number", kPRelu, 2, 0.25, 2},
      {"the remainder of reals has the sign of the dividend", kModulo, -5.5, 2, -1.5},
  };
  for (const Case& test : cases) {
    const double actual = combine(test.kind, test.a, test.b);
    if (std::isnan(test.expected)) {
      EXPECT_TRUE(std::isnan(actual)) << test.why;
    } else {
      EXPECT_EQ(actual, test.expected) << test.why;
    }
  }
}

template <typename T>
class ReferenceIntegers : public testing::Test {};
using Integers = testing::Types<std::int8_t, std::uint8_t, std::int16_t, std::uint16_t, std::int32_t, std::int64_t>;
TYPED_TEST_SUITE(ReferenceIntegers, Integers);

TYPED_TEST(ReferenceIntegers, WrapAroundAndNeverTrap) {
  using T = TypeParam;
  using enum BinaryKind;
  constexpr T kMax = std::numeric_limits<T>::max();
  constexpr T kMin = std::numeric_limits<T>::min();
  constexpr bool kSigned = std::signed_integral<T>;
  const T minus_one = static_cast<T>(-1);
  EXPECT_EQ(combine(kAdd, kMax, T(1)), kMin);
  EXPECT_EQ(combine(kSubtract, kMin, T(1)), kMax);
  EXPECT_EQ(combine(kMultiply, kMax, T(2)), static_cast<T>(-2));
  EXPECT_EQ(combine(kMultiply, kMax, kMax), T(1));
  EXPECT_EQ(combine(kDivide, kMax, T(0)), T(0));
  EXPECT_EQ(combine(kModulo, kMax, T(0)), T(0));
  EXPECT_EQ(combine(kDivide, T(7), T(2)), T(3));
  EXPECT_EQ(combine(kModulo, T(7), T(4)), T(3));
  EXPECT_EQ(combine(kPower, T(3), T(4)), T(81));
  EXPECT_EQ(combine(kPower, T(2), static_cast<T>(sizeof(T) * 8)), T(0));
  EXPECT_EQ(combine(kPower, T(0), T(0)), T(1));
  EXPECT_EQ(combine(kMinimum, kMin, kMax), kMin);
  EXPECT_EQ(combine(kMaximum, kMin, kMax), kMax);
  if (kSigned) {
    EXPECT_EQ(combine(kDivide, kMin, minus_one), kMin);
    EXPECT_EQ(combine(kModulo, kMin, minus_one), T(0));
    EXPECT_EQ(combine(kDivide, static_cast<T>(-7), T(2)), static_cast<T>(-3));
    EXPECT_EQ(combine(kModulo, static_cast<T>(-7), T(3)), T(2));
    EXPECT_EQ(combine(kModulo, T(7), static_cast<T>(-3)), static_cast<T>(-2));
    EXPECT_EQ(combine(kModulo, static_cast<T>(-6), T(3)), T(0));
    EXPECT_EQ(combine(kPower, T(2), minus_one), T(0));
    EXPECT_EQ(combine(kPower, T(1), minus_one), T(1));
    EXPECT_EQ(combine(kPower, T(0), minus_one), T(0));
    EXPECT_EQ(combine(kPower, minus_one, static_cast<T>(-3)), minus_one);
    EXPECT_EQ(combine(kPower, minus_one, static_cast<T>(-4)), T(1));
    EXPECT_EQ(combine(kPRelu, static_cast<T>(-3), T(2)), static_cast<T>(-6));
    EXPECT_EQ(combine(kPRelu, kMin, T(2)), T(0));
  }
}

TEST(ReferenceCompare, TruthTables) {
  struct Case {
    BinaryKind kind;
    std::array<bool, 4> expected;  ///< of (1, 1), (1, 2), (2, 1), (NaN, NaN)
  };
  using enum BinaryKind;
  const Case cases[] = {
      {kEqual, {true, false, false, false}},         {kLess, {false, true, false, false}},
      {kLessOrEqual, {true, true, false, false}},    {kGreater, {false, false, true, false}},
      {kGreaterOrEqual, {true, false, true, false}},
  };
  const std::vector<double> a = {1, 1, 2, kNan};
  const std::vector<double> b = {1, 2, 1, kNan};
  for (const Case& test : cases) {
    std::array<bool, 4> result{};
    binary(BinaryArgs<double, bool>{
        .kind = test.kind, .a = view_of(a, {4}), .b = view_of(b, {4}), .output = {result.data(), {4}}});
    EXPECT_EQ(result, test.expected) << name_of(test.kind);
  }
  for (const bool x : {false, true}) {
    for (const bool y : {false, true}) {
      EXPECT_EQ(compare(kAnd, x, y), x && y);
      EXPECT_EQ(compare(kOr, x, y), x || y);
      EXPECT_EQ(compare(kXor, x, y), x != y);
    }
  }
}

TEST(ReferencePower, OfAnotherType) {
  const std::vector<std::int32_t> integers = {2, -3, 10};
  const std::vector<float> floats = {0.5f, 2, 20};
  const std::vector<std::int64_t> exponents = {3, 3, -1};
  std::vector<std::int32_t> whole(3);
  std::vector<float> real(3);
  power(PowerArgs<std::int32_t, float>{
      .base = view_of(integers, {3}), .exponent = view_of(floats, {3}), .output = view_of(whole, {3})});
  EXPECT_EQ(whole, (std::vector<std::int32_t>{1, 9, std::numeric_limits<std::int32_t>::max()}));
  power(PowerArgs<std::int32_t, std::int64_t>{
      .base = view_of(integers, {3}), .exponent = view_of(exponents, {3}), .output = view_of(whole, {3})});
  EXPECT_EQ(whole, (std::vector<std::int32_t>{8, -27, 0}));
  power(PowerArgs<float, std::int64_t>{
      .base = view_of(floats, {3}), .exponent = view_of(exponents, {3}), .output = view_of(real, {3})});
  EXPECT_EQ(real, (std::vector<float>{0.125f, 8, 0.05f}));
}

TEST(ReferenceUnary, OfNothing) {
  std::vector<float> none;
  unary(UnaryArgs<float>{.input = view_of(none, {3, 0}), .output = view_of(none, {3, 0})});
  binary(BinaryArgs<float>{.a = view_of(none, {0}), .b = view_of(none, {0}), .output = view_of(none, {0})});
}

}  // namespace
}  // namespace sepal::reference
