// NaN and infinity go through every kernel as ONNX's formulas say, in any lane of a vector, and no further: an infinity
// times a weight of zero is NaN, and an output whose window does not hold it never hears of it, edges and padding
// included.

#include "sepal/kernels/depthwise.h"
#include "sepal/kernels/direct.h"
#include "sepal/kernels/elementwise.h"
#include "sepal/kernels/packed.h"
#include "sepal/kernels/pointwise.h"
#include "sepal/kernels/pool.h"
#include "sepal/kernels/reference/pool.h"
#include "sepal/kernels/separable.h"
#include "sepal/kernels/softmax.h"
#include "sepal/kernels/spatial_mean.h"
#include "tests/kernels/conv_case.h"

namespace sepal {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Both NaN, or the same infinity, or numbers near each other.
testing::AssertionResult alike(double actual, double expected, double tolerance = 1e-5) {
  const bool same = std::isfinite(expected) ? std::fabs(actual - expected) <= tolerance * (1 + std::fabs(expected))
                                            : actual == expected || (std::isnan(actual) && std::isnan(expected));
  if (same) return testing::AssertionSuccess();
  return testing::AssertionFailure() << actual << ", not " << expected;
}

void expect_alike(const std::vector<float>& actual, const std::vector<Exact>& exact) {
  ASSERT_EQ(actual.size(), exact.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    ASSERT_TRUE(alike(static_cast<double>(actual[i]), exact[i].value)) << "element " << i;
  }
}

/// One value in about `every` becomes NaN or infinite.
void spoil(std::vector<float>& values, std::int64_t every, Random& random) {
  constexpr float kSpecial[] = {kNan, kInfinity, -kInfinity};
  for (std::size_t i = 0; i < std::max<std::size_t>(1, values.size() / static_cast<std::size_t>(every)); ++i) {
    const auto place = random.whole(0, static_cast<std::int64_t>(values.size()) - 1);
    values[static_cast<std::size_t>(place)] = kSpecial[random.whole(0, 2)];
  }
}

/// About half of the weights become zero.
void thin(std::vector<float>& weights, Random& random) {
  for (float& weight : weights) weight = random.coin() ? weight : 0.0f;
}

/// The sums over taps that exist and weights that may be zero, then the activation.
std::vector<Exact> convolve_all(ConvCase test, const ConvData& data, const std::vector<float>& addend = {}) {
  const Unary activation = std::exchange(test.activation, {});
  std::vector<Exact> exact = convolve(test, data);
  for (std::size_t i = 0; i < exact.size(); ++i) {
    const double sum = exact[i].value + (addend.empty() ? 0.0 : static_cast<double>(addend[i]));
    // x sigmoid(x) goes to 0 at the bottom; its formula, and the reference with it, has infinity times 0 there.
    const bool bottom = activation.kind == UnaryKind::kSwish && std::isinf(sum) && sum < 0;
    exact[i].value = bottom ? 0.0 : reference::apply(activation, sum);
  }
  return exact;
}

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

/// Depthwise where each channel has filters of its own, direct in any case; both against the sum over taps that exist.
void expect_convolved(const ConvCase& test, Random& random) {
  SCOPED_TRACE(describe(test));
  ConvData data(test, random);
  spoil(data.input, 200, random);
  thin(data.filter, random);
  const std::vector<Exact> exact = convolve_all(test, data);
  const Shape output = test.output();
  const Range rows = {0, output.n() * output.h()};
  std::vector<float> panels(static_cast<std::size_t>(packed_direct_floats(test.groups, test.co, test.terms())));
  pack_direct(data.filter.data(), data.bias_or_null(), test.groups, test.co, test.terms(), panels.data());
  std::vector<float> taps(data.filter.size());
  pack_depthwise(data.filter.data(), test.co, test.terms(), taps.data());
  const std::vector<float> zeros(static_cast<std::size_t>(test.input.c() / test.groups));
  on_every_target([&] {
    std::vector<float> actual(exact.size());
    direct({{data.input.data(), test.input},
            panels.data(),
            zeros.data(),
            test.window,
            test.groups,
            test.activation,
            {actual.data(), output}},
           rows);
    expect_alike(actual, exact);
    if (test.groups != test.input.c()) return;
    std::fill(actual.begin(), actual.end(), 0.0f);
    depthwise({{data.input.data(), test.input},
               taps.data(),
               data.bias_or_null(),
               test.window,
               test.activation,
               {actual.data(), output}},
              rows);
    expect_alike(actual, exact);
  });
}

TEST(NotFinite, ConvolutionsKeepItInItsWindows) {
  const Window same3 = {.kernel = {3, 3}, .padding = {1, 1, 1, 1}};
  const Window same5 = {.kernel = {5, 5}, .padding = {2, 2, 2, 2}};
  const Window half3 = {.kernel = {3, 3}, .stride = {2, 2}, .padding = {0, 0, 1, 1}};
  const ConvCase cases[] = {
      {"depthwise tiles with edges on all sides", {1, 9, 18, 24}, 24, 24, same3},
      {"depthwise tiles of 5 x 5", {1, 9, 17, 8}, 8, 8, same5},
      {"depthwise with stride", {2, 10, 16, 20}, 20, 20, half3},
      {"limits while sums are in registers", {1, 9, 18, 24}, 24, 24, same3, {UnaryKind::kClip, 0, 6}},
      {"hard swish while sums are in registers", {1, 9, 18, 24}, 24, 24, same3, {UnaryKind::kHardSwish}},
      {"an image smaller than the window", {1, 2, 2, 8}, 8, 8, same5},
      {"two filters a channel", {1, 6, 13, 10}, 20, 10, same3},
      {"dense, inside and at the edges", {1, 9, 30, 16}, 33, 1, same3, {UnaryKind::kRelu}},
      {"a stem: edges are copied out", {1, 9, 30, 3}, 32, 1, half3},
      {"dense by groups: tap by tap", {1, 7, 12, 12}, 20, 4, same3},
      {"1 x 1", {1, 9, 9, 40}, 70, 1, {}},
  };
  Random random(40);
  for (const ConvCase& test : cases) expect_convolved(test, random);
  for (int i = 0; i < 80; ++i) {
    const auto [extent, window] = random_window(random);
    const std::int64_t c = random.whole(1, 24);
    const bool own = random.coin();
    expect_convolved({"random",
                      {random.whole(1, 2), extent.h, extent.w, c},
                      own ? c * random.whole(1, 2) : random.whole(1, 40),
                      own ? c : 1,
                      window,
                      random_activation(random),
                      random.coin()},
                     random);
  }
}

TEST(NotFinite, ProductsKeepItInItsRows) {
  Random random(41);
  for (int i = 0; i < 60; ++i) {
    // A product is a convolution of 1 x 1, a row a pixel.
    const std::int64_t rows = random.whole(1, 30);
    const std::int64_t ci = random.whole(1, 60);
    const ConvCase test = {"product", {1, 1, rows, ci}, random.whole(1, 80), 1, {}, random_activation(random)};
    SCOPED_TRACE(describe(test));
    ConvData data(test, random);
    spoil(data.input, 300, random);
    thin(data.filter, random);
    std::vector<float> addend = random.values<float>(rows * test.co);
    spoil(addend, 300, random);
    const std::vector<Exact> exact = convolve_all(test, data, addend);
    std::vector<float> panels(static_cast<std::size_t>(packed_floats(test.co, ci)));
    pack_panels({data.filter.data(), test.co, ci, ci, 1}, data.bias.data(), panels.data());
    on_every_target([&] {
      std::vector<float> actual(exact.size());
      pointwise(
          {data.input.data(), ci, ci, test.co, panels.data(), test.activation, actual.data(), test.co, addend.data()},
          {0, rows});
      expect_alike(actual, exact);
    });
  }
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

TEST(NotFinite, SeparableHasTheNansOfItsStages) {
  const ConvCase first = {"depthwise", {1, 9, 18, 24}, 24, 24, {.kernel = {3, 3}, .padding = {1, 1, 1, 1}}};
  const std::int64_t co = 40;
  Random random(44);
  ConvData data(first, random);
  spoil(data.input, 1000, random);
  thin(data.filter, random);
  std::vector<float> matrix = random.values<float>(co * 24);
  thin(matrix, random);
  std::vector<float> taps(data.filter.size());
  pack_depthwise(data.filter.data(), 24, 9, taps.data());
  std::vector<float> panels(static_cast<std::size_t>(packed_floats(co, 24)));
  pack_panels({matrix.data(), co, 24, 24, 1}, nullptr, panels.data());
  const std::vector<Exact> between = convolve(first, data);
  std::vector<Exact> exact;
  for (std::size_t pixel = 0; pixel < 9 * 18; ++pixel) {
    for (std::size_t o = 0; o < static_cast<std::size_t>(co); ++o) {
      Exact sum;
      for (std::size_t c = 0; c < 24; ++c)
        sum.value += between[pixel * 24 + c].value * static_cast<double>(matrix[o * 24 + c]);
      exact.push_back({reference::apply({UnaryKind::kClip, 0, 6}, sum.value), 0});
    }
  }
  on_every_target([&] {
    std::vector<float> actual(exact.size());
    std::vector<float> room(3 * 18 * 24);
    separable({.depthwise = {.input = {data.input.data(), first.input},
                             .filter = taps.data(),
                             .bias = data.bias.data(),
                             .window = first.window,
                             .activation = {},
                             .output = {nullptr, first.output()}},
               .pointwise = {.input_pitch = 24,
                             .ci = 24,
                             .co = co,
                             .packed = panels.data(),
                             .activation = {UnaryKind::kClip, 0, 6},
                             .output = actual.data(),
                             .output_pitch = co},
               .rows_at_once = 3,
               .room = room.data()},
              {0, 9});
    expect_alike(actual, exact);
  });
}

}  // namespace
}  // namespace sepal
