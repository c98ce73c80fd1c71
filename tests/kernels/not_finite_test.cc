// NaN and infinity go through functions, operators of two, pools, means and softmax as ONNX's formulas say, in any lane
// of a vector, and no further.

#include "tests/kernels/not_finite.h"

#include "sepal/kernels/elementwise.h"
#include "sepal/kernels/pool.h"
#include "sepal/kernels/reference/pool.h"
#include "sepal/kernels/softmax.h"
#include "sepal/kernels/spatial_mean.h"
#include "tests/kernels/conv_case.h"

namespace sepal {
namespace {

TEST(NotFinite, FunctionsInAnyLane) {
  struct Case {
    const char* why;
    Unary function;
    float x, y;
  };
  const Case cases[] = {
      {"relu of NaN", {UnaryKind::kRelu}, kNan, kNan},
      {"relu ends at the bottom alone", {UnaryKind::kRelu}, kInfinity, kInfinity},
      {"relu of the least", {UnaryKind::kRelu}, -kInfinity, 0},
      {"clip of NaN", {UnaryKind::kClip, -1, 6}, kNan, kNan},
      {"clip from above", {UnaryKind::kClip, -1, 6}, kInfinity, 6},
      {"clip from below", {UnaryKind::kClip, -1, 6}, -kInfinity, -1},
      {"clip at one side", {UnaryKind::kClip, -1, kInfinity}, kInfinity, kInfinity},
      {"hard swish of NaN", {UnaryKind::kHardSwish}, kNan, kNan},
      {"hard swish above", {UnaryKind::kHardSwish}, kInfinity, kInfinity},
      {"hard swish below: infinity times zero", {UnaryKind::kHardSwish}, -kInfinity, kNan},
      {"hard sigmoid of NaN", {UnaryKind::kHardSigmoid, 0.2f, 0.5f}, kNan, kNan},
      {"hard sigmoid above", {UnaryKind::kHardSigmoid, 0.2f, 0.5f}, kInfinity, 1},
      {"hard sigmoid below", {UnaryKind::kHardSigmoid, 0.2f, 0.5f}, -kInfinity, 0},
      {"sigmoid of NaN", {UnaryKind::kSigmoid}, kNan, kNan},
      {"sigmoid above", {UnaryKind::kSigmoid}, kInfinity, 1},
      {"sigmoid below", {UnaryKind::kSigmoid}, -kInfinity, 0},
      {"leaky relu of NaN", {UnaryKind::kLeakyRelu, 0.1f}, kNan, kNan},
      {"leaky relu below", {UnaryKind::kLeakyRelu, 0.1f}, -kInfinity, -kInfinity},
      {"tanh below", {UnaryKind::kTanh}, -kInfinity, -1},
      {"a root of the least", {UnaryKind::kSqrt}, -kInfinity, kNan},
      {"softsign: infinity over infinity", {UnaryKind::kSoftsign}, kInfinity, kNan},
  };
  constexpr std::size_t kCount = 37;
  on_every_target([&] {
    for (const Case& test : cases) {
      SCOPED_TRACE(test.why);
      EXPECT_TRUE(alike(reference::apply(test.function, static_cast<double>(test.x)), static_cast<double>(test.y)));
      const double usual = reference::apply(test.function, 1.0);
      for (std::size_t place = 0; place < kCount; ++place) {
        std::vector<float> values(kCount, 1.0f);
        values[place] = test.x;
        unary(test.function, values.data(), values.data(), {0, kCount});
        for (std::size_t i = 0; i < kCount; ++i) {
          const double expected = i == place ? static_cast<double>(test.y) : usual;
          ASSERT_TRUE(alike(static_cast<double>(values[i]), expected)) << "lane " << i << ", special " << place;
        }
      }
    }
  });
}

TEST(NotFinite, SumsAndProductsOfTwo) {
  struct Case {
    const char* why;
    BinaryKind kind;
    float a, b, y;
  };
  constexpr Case kCases[] = {
      {"a sum with NaN", BinaryKind::kAdd, 1, kNan, kNan},
      {"a sum with infinity", BinaryKind::kAdd, kInfinity, -3, kInfinity},
      {"infinities that meet", BinaryKind::kAdd, kInfinity, -kInfinity, kNan},
      {"infinities that part", BinaryKind::kSubtract, kInfinity, kInfinity, kNan},
      {"a sum too large", BinaryKind::kAdd, 3e38f, 3e38f, kInfinity},
      {"infinity times zero", BinaryKind::kMultiply, 0, kInfinity, kNan},
      {"infinity times a negative", BinaryKind::kMultiply, -1, kInfinity, -kInfinity},
      {"zero by zero", BinaryKind::kDivide, 0, 0, kNan},
      {"a number by infinity", BinaryKind::kDivide, 1, -kInfinity, 0},
      {"the minimum with infinity", BinaryKind::kMinimum, 1, -kInfinity, -kInfinity},
      {"the maximum with infinity", BinaryKind::kMaximum, kInfinity, 1, kInfinity},
      {"a slope of zero", BinaryKind::kPRelu, -kInfinity, 0, kNan},
      {"a slope that is not asked for", BinaryKind::kPRelu, 1, kNan, 1},
  };
  constexpr std::size_t kCount = 37;
  on_every_target([&] {
    for (const Case& test : kCases) {
      SCOPED_TRACE(test.why);
      for (std::size_t place = 0; place < kCount; ++place) {
        std::vector<float> a(kCount, 1.0f);
        std::vector<float> b(kCount, 1.0f);
        a[place] = test.a;
        b[place] = test.b;
        std::vector<float> y(kCount);
        binary({test.kind, a.data(), {b.data()}, kCount, false, {}, y.data()}, {0, 1});
        const float usual = y[(place + 1) % kCount];
        EXPECT_TRUE(std::isfinite(usual));
        for (std::size_t i = 0; i < kCount; ++i) {
          ASSERT_TRUE(alike(static_cast<double>(y[i]), static_cast<double>(i == place ? test.y : usual))) << i;
        }
      }
    }
  });
}

TEST(NotFinite, PoolsKeepItInTheirWindows) {
  Random random(42);
  for (int i = 0; i < 80; ++i) {
    const auto [extent, window] = random_window(random);
    const Shape input = {random.whole(1, 2), extent.h, extent.w, random.whole(1, 40)};
    const Extent to = output_extent(extent, window);
    const Shape output = {input.n(), to.h, to.w, input.c()};
    SCOPED_TRACE(format("{}, kernel {}x{}", to_string(input), window.kernel.h, window.kernel.w));
    std::vector<float> values = random.values<float>(input.elements());
    spoil(values, 20, random);
    const auto filled_out = [&](const auto& pool_all) {
      std::vector<float> result(static_cast<std::size_t>(output.elements()));
      pool_all(TensorView<float>{result.data(), output});
      std::vector<Exact> exact;
      for (const float value : result) exact.push_back({static_cast<double>(value), 0});
      return exact;
    };
    const TensorView<const float> from = {values.data(), input};
    const std::vector<Exact> highest = filled_out([&](TensorView<float> result) {
      reference::max_pool<float>({.input = from, .window = window, .output = result});
    });
    const std::vector<Exact> means = filled_out([&](TensorView<float> result) {
      reference::average_pool<float>({.input = from, .window = window, .output = result});
    });
    on_every_target([&] {
      std::vector<float> actual(highest.size());
      const Range rows = {0, output.n() * output.h()};
      pool({from, window, PoolKind::kMax, false, {actual.data(), output}}, rows);
      expect_alike(actual, highest);
      pool({from, window, PoolKind::kAverage, false, {actual.data(), output}}, rows);
      expect_alike(actual, means);
    });
  }
}

TEST(NotFinite, MeansOfImagesKeepItInItsChannel) {
  const Shape shape = {2, 5, 7, 70};
  Random random(43);
  std::vector<float> values = random.values<float>(shape.elements());
  spoil(values, 500, random);
  std::vector<Exact> exact(static_cast<std::size_t>(shape.n() * shape.c()));
  for (std::int64_t i = 0; i < shape.elements(); ++i) {
    const std::int64_t n = i / (5 * 7 * 70);
    exact[static_cast<std::size_t>(n * 70 + i % 70)].value +=
        static_cast<double>(values[static_cast<std::size_t>(i)]) / 35;
  }
  on_every_target([&] {
    std::vector<float> actual(exact.size());
    spatial_mean({{values.data(), shape}, actual.data()}, {0, 2 * 70});
    expect_alike(actual, exact);
  });
}

TEST(NotFinite, Softmax) {
  // exp(x - max) / sum: a NaN or +infinity in a row leaves no number in it, -infinity has no share.
  struct Case {
    const char* why;
    float x;
    float itself, others;  // of a row of 37 that are 0 otherwise; of which -infinity leaves 36
  };
  constexpr Case kCases[] = {
      {"NaN", kNan, kNan, kNan},
      {"infinity", kInfinity, kNan, kNan},
      {"minus infinity", -kInfinity, 0, 1.0f / 36},
      {"a large number", 3e38f, 1, 0},
      {"a large negative number", -3e38f, 0, 1.0f / 36},
  };
  constexpr std::size_t kColumns = 37;
  on_every_target([&] {
    for (const Case& test : kCases) {
      SCOPED_TRACE(test.why);
      for (std::size_t place = 0; place < kColumns; ++place) {
        std::vector<float> values(3 * kColumns);
        values[kColumns + place] = test.x;
        softmax({values.data(), kColumns, false, values.data()}, {0, 3});
        for (std::size_t i = 0; i < values.size(); ++i) {
          const float expected = i / kColumns != 1 ? 1.0f / 37 : (i == kColumns + place ? test.itself : test.others);
          ASSERT_TRUE(alike(static_cast<double>(values[i]), static_cast<double>(expected)))
              << i << ", special " << place;
        }
      }
    }
    std::vector<float> nothing(kColumns, -kInfinity);
    softmax({nothing.data(), kColumns, false, nothing.data()}, {0, 1});
    for (const float value : nothing) EXPECT_TRUE(std::isnan(value)) << "no value has a share";
  });
}

}  // namespace
}  // namespace sepal
