#include "sepal/kernels/pool.h"

#include "sepal/kernels/spatial_mean.h"
#include "tests/kernels/conv_case.h"

namespace sepal {
namespace {

struct Case {
  std::string why;
  Shape input;
  Window window;
  bool ceil = false;
};

std::vector<Exact> pool_exactly(const Case& test, const Shape& out, PoolKind kind, bool include_pad,
                                const std::vector<float>& input) {
  const Shape& in = test.input;
  const Window& w = test.window;
  std::vector<Exact> result;
  for (std::int64_t i = 0; i < out.elements(); ++i) {
    const std::int64_t c = i % out.c();
    const std::int64_t x = i / out.c() % out.w();
    const std::int64_t y = i / out.c() / out.w() % out.h();
    const std::int64_t n = i / out.c() / out.w() / out.h();
    double high = static_cast<double>(std::numeric_limits<float>::lowest());
    double sum = 0;
    int counted = 0;
    for (std::int64_t tap = 0; tap < w.kernel.h * w.kernel.w; ++tap) {
      const std::int64_t row = y * w.stride.h - w.padding.top + tap / w.kernel.w * w.dilation.h;
      const std::int64_t column = x * w.stride.w - w.padding.left + tap % w.kernel.w * w.dilation.w;
      const bool inside = row >= 0 && row < in.h() && column >= 0 && column < in.w();
      const bool padded = row < in.h() + w.padding.bottom && column < in.w() + w.padding.right;
      if (inside || (include_pad && padded)) ++counted;
      if (!inside) continue;
      const auto value =
          static_cast<double>(input[static_cast<std::size_t>(((n * in.h() + row) * in.w() + column) * in.c() + c)]);
      high = std::max(high, value);
      sum += value;
    }
    result.push_back({kind == PoolKind::kMax ? high : sum / std::max(1, counted), 0});
  }
  return result;
}

void expect_right(const Case& test, Random& random) {
  const Window& w = test.window;
  SCOPED_TRACE(format("{}: {}, kernel {}x{}", test.why, to_string(test.input), w.kernel.h, w.kernel.w));
  const Extent size = {test.input.h(), test.input.w()};
  const Extent extent = test.ceil ? output_extent_ceil(size, w) : output_extent(size, w);
  const Shape output = {test.input.n(), extent.h, extent.w, test.input.c()};
  const std::vector<float> input = random.values<float>(test.input.elements());
  for (const PoolKind kind : {PoolKind::kMax, PoolKind::kAverage}) {
    for (const bool include_pad : {false, true}) {
      SCOPED_TRACE(format("{}, padding {}", name_of(kind), include_pad ? "counted" : "not counted"));
      const std::vector<Exact> exact = pool_exactly(test, output, kind, include_pad, input);
      on_every_target([&] {
        const auto kernel = [&](float* values, Range rows) {
          pool({{input.data(), test.input}, w, kind, include_pad, {values, output}}, rows);
        };
        const std::vector<float> actual = run_divided(output.n() * output.h(), output.elements(), random, kernel);
        ASSERT_EQ(actual.size(), exact.size());
        for (std::size_t i = 0; i < actual.size(); ++i) {
          ASSERT_NEAR(static_cast<double>(actual[i]), exact[i].value, 1e-6) << "element " << i;
        }
      });
    }
  }
}

TEST(Pool, MatchesTheDefinition) {
  const Case cases[] = {
      {"2 x 2, stride 2", {1, 6, 8, 20}, {{2, 2}, {2, 2}, {1, 1}, {}}},
      {"3 x 3, padded, stride 2", {2, 7, 7, 16}, {{3, 3}, {2, 2}, {1, 1}, {1, 1, 1, 1}}},
      {"rounded up: the last window hangs over the image", {1, 6, 6, 3}, {{3, 3}, {2, 2}, {1, 1}, {}}, true},
      {"rounded up over padding", {1, 5, 5, 4}, {{3, 3}, {2, 2}, {1, 1}, {1, 1, 1, 1}}, true},
      {"a window that is all padding", {1, 2, 2, 5}, {{2, 2}, {1, 1}, {1, 1}, {2, 2, 2, 2}}},
      {"dilation", {1, 9, 9, 17}, {{3, 2}, {1, 2}, {2, 3}, {1, 0, 2, 1}}},
      {"the whole image", {2, 3, 4, 33}, {{3, 4}, {1, 1}, {1, 1}, {}}},
      {"columns side by side and a rest", {1, 9, 27, 37}, {{3, 3}, {1, 2}, {1, 1}, {1, 1, 1, 1}}},
      {"one value", {1, 1, 1, 1}, {{1, 1}, {1, 1}, {1, 1}, {}}},
  };
  Random random(20);
  for (const Case& test : cases) expect_right(test, random);
}

TEST(Pool, MatchesTheDefinitionAtRandom) {
  Random random(21);
  for (int i = 0; i < 60; ++i) {
    const auto [extent, window] = random_window(random);
    expect_right({"random", {random.whole(1, 2), extent.h, extent.w, random.whole(1, 40)}, window, random.coin()},
                 random);
  }
}

TEST(Pool, TheMaximumOfANanIsNan) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  const Window window = {{1, 3}, {1, 1}, {1, 1}, {}};
  on_every_target([&] {
    for (const std::vector<float>& input : {std::vector<float>{nan, 1, 2}, {1, nan, 2}, {1, 2, nan}}) {
      float output = 0;
      pool({{input.data(), {1, 1, 3, 1}}, window, PoolKind::kMax, false, {&output, {1, 1, 1, 1}}}, {0, 1});
      EXPECT_TRUE(std::isnan(output));
    }
    const std::vector<float> lowest(3, -infinity);
    float output = 0;
    pool({{lowest.data(), {1, 1, 3, 1}}, window, PoolKind::kMax, false, {&output, {1, 1, 1, 1}}}, {0, 1});
    EXPECT_EQ(output, -infinity);
  });
}

TEST(SpatialMean, MatchesTheDefinition) {
  Random random(22);
  for (const Shape& shape :
       {Shape{1, 7, 7, 1024}, Shape{3, 2, 5, 19}, Shape{2, 1, 1, 1}, Shape{1, 100, 90, 3}, Shape{2, 4, 4, 70}}) {
    SCOPED_TRACE(to_string(shape));
    const std::vector<float> input = random.values<float>(shape.elements());
    std::vector<Exact> exact(static_cast<std::size_t>(shape.n() * shape.c()));
    const double pixels = static_cast<double>(shape.h() * shape.w());
    for (std::int64_t i = 0; i < shape.elements(); ++i) {
      const std::int64_t n = i / (shape.h() * shape.w() * shape.c());
      exact[static_cast<std::size_t>(n * shape.c() + i % shape.c())].value +=
          static_cast<double>(input[static_cast<std::size_t>(i)]) / pixels;
    }
    on_every_target([&] {
      const auto kernel = [&](float* output, Range values) { spatial_mean({{input.data(), shape}, output}, values); };
      expect_near(run_divided(shape.n() * shape.c(), shape.n() * shape.c(), random, kernel), exact, 2e-7);
    });
  }
}

}  // namespace
}  // namespace sepal
