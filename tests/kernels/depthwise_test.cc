#include "sepal/kernels/depthwise.h"

#include "tests/kernels/conv_case.h"

namespace sepal {
namespace {

void expect_right(const ConvCase& test, Random& random) {
  SCOPED_TRACE(describe(test));
  const ConvData data(test, random);
  std::vector<float> packed(data.filter.size());
  pack_depthwise(data.filter.data(), test.co, test.terms(), packed.data());
  const Shape output = test.output();
  const std::vector<Exact> exact = convolve(test, data);
  on_every_target([&] {
    const auto kernel = [&](float* values, Range rows) {
      depthwise({{data.input.data(), test.input},
                 packed.data(),
                 data.bias_or_null(),
                 test.window,
                 test.activation,
                 {values, output}},
                rows);
    };
    expect_near(run_divided(output.n() * output.h(), output.elements(), random, kernel), exact);
  });
}

Window square(std::int64_t kernel, std::int64_t stride, std::int64_t padding, std::int64_t dilation = 1) {
  return {{kernel, kernel}, {stride, stride}, {dilation, dilation}, {padding, padding, padding, padding}};
}

TEST(Depthwise, MatchesTheSumOfItsTaps) {
  const ConvCase cases[] = {
      {"3 x 3, a row of one wide tile", {1, 7, 7, 32}, 32, 32, square(3, 1, 1)},
      {"3 x 3, wide tiles and a narrow one", {1, 5, 18, 16}, 16, 16, square(3, 1, 1)},
      {"3 x 3, two narrow tiles", {2, 3, 8, 16}, 16, 16, square(3, 1, 1)},
      {"3 x 3, a row narrower than a tile", {1, 3, 2, 16}, 16, 16, square(3, 1, 1)},
      {"3 x 3 without padding", {1, 6, 16, 20}, 20, 20, square(3, 1, 0)},
      {"3 x 3, stride 2, even size", {1, 14, 14, 24}, 24, 24, square(3, 2, 1)},
      {"3 x 3, stride 2, padded behind only (TensorFlow)", {1, 8, 16, 8}, 8, 8, {{3, 3}, {2, 2}, {1, 1}, {0, 0, 1, 1}}},
      {"5 x 5", {1, 9, 15, 40}, 40, 40, square(5, 1, 2)},
      {"5 x 5, stride 2", {1, 9, 15, 12}, 12, 12, square(5, 2, 2)},
      {"3 wide and 1 high", {1, 4, 17, 5}, 5, 5, {{1, 3}, {1, 1}, {1, 1}, {0, 1, 0, 1}}},
      {"1-D: 9 wide", {1, 1, 49, 19}, 19, 19, {{1, 9}, {1, 1}, {1, 1}, {0, 4, 0, 4}}},
      {"dilation", {1, 12, 20, 17}, 17, 17, square(3, 1, 2, 2)},
      {"channels that fill no vector", {1, 7, 7, 3}, 3, 3, square(3, 1, 1)},
      {"one channel, one pixel", {1, 1, 1, 1}, 1, 1, square(3, 1, 1)},
      {"a window that is all padding in the corner", {1, 4, 4, 8}, 8, 8, square(2, 1, 3)},
      {"padding wider than a tile", {1, 2, 2, 8}, 8, 8, square(3, 1, 9)},
      {"7 x 7 on wide tiles, at both edges and between", {1, 8, 45, 33}, 33, 33, square(7, 1, 3)},
      {"9 x 9 on an image that is smaller", {1, 5, 5, 70}, 70, 70, square(9, 1, 4)},
      {"an even kernel with stride 3", {1, 13, 47, 20}, 20, 20, square(4, 3, 1)},
      {"a row of one pixel: several vectors of channels",
       {1, 20, 1, 150},
       150,
       150,
       {{5, 1}, {1, 1}, {1, 1}, {2, 0, 2, 0}}},
      {"more columns of input than a tile copies out", {1, 3, 160, 5}, 5, 5, {{1, 3}, {1, 2}, {1, 60}, {0, 60, 0, 60}}},
      {"taps so far apart that some meet nothing", {1, 6, 20, 18}, 18, 18, square(3, 1, 30, 30)},
      {"a depth multiplier with dilation and stride", {1, 11, 31, 11}, 33, 11, square(3, 2, 4, 2)},
      {"a depth multiplier on a row of one pixel", {1, 9, 1, 30}, 60, 30, {{3, 1}, {1, 1}, {1, 1}, {1, 0, 1, 0}}},
      {"depth multiplier 2", {1, 6, 13, 10}, 20, 10, square(3, 1, 1)},
      {"depth multiplier 8 on one channel", {2, 5, 5, 1}, 8, 1, square(3, 2, 1)},
      {"depth multiplier 33", {1, 3, 3, 2}, 66, 2, square(3, 1, 1)},
      {"no bias", {1, 5, 9, 16}, 16, 16, square(3, 1, 1), {}, false},
      {"an activation that is no clamp", {1, 5, 9, 16}, 16, 16, square(3, 1, 1), {UnaryKind::kHardSwish}},
  };
  Random random(1);
  for (const ConvCase& test : cases) expect_right(test, random);
}

TEST(Depthwise, MatchesTheSumOfItsTapsAtRandom) {
  Random random(2);
  for (int i = 0; i < 200; ++i) {
    const auto [extent, window] = random_window(random);
    const std::int64_t c = random.whole(1, 40);
    const std::int64_t m = random.coin() ? 1 : random.whole(1, 4);
    ConvCase test = {
        "random",     {random.whole(1, 2), extent.h, extent.w, c}, c * m, c, window, random_activation(random),
        random.coin()};
    if (random.coin()) {  // those that have a path of their own
      const std::int64_t kernel = random.coin() ? 3 : 5;
      const std::int64_t stride = random.whole(1, 2);
      test.window = {{kernel, kernel}, {stride, stride}, {1, 1}, {random.whole(0, 3), 2, 2, random.whole(0, 3)}};
      test.input = {random.whole(1, 2), random.whole(1, 9) + kernel - 2, random.whole(1, 20), c};
      if (test.input.w() + 2 + test.window.padding.right < kernel) test.window.padding.right = 3;
    }
    expect_right(test, random);
  }
}

}  // namespace
}  // namespace sepal
