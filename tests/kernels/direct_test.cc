#include "sepal/kernels/direct.h"

#include "tests/kernels/conv_case.h"

namespace sepal {
namespace {

void expect_right(const ConvCase& test, Random& random) {
  SCOPED_TRACE(describe(test));
  const ConvData data(test, random);
  Guarded packed(packed_direct_floats(test.groups, test.co, test.terms()));
  pack_direct(data.filter.data(), data.bias_or_null(), test.groups, test.co, test.terms(), packed.data());
  EXPECT_TRUE(packed.intact());
  const std::vector<float> zeros(static_cast<std::size_t>(test.input.c() / test.groups));
  const Shape output = test.output();
  const std::vector<Exact> exact = convolve(test, data);
  on_every_target([&] {
    const auto kernel = [&](float* values, Range rows) {
      direct({{data.input.data(), test.input},
              packed.data(),
              zeros.data(),
              test.window,
              test.groups,
              test.activation,
              {values, output}},
             rows);
    };
    expect_near(run_divided(output.n() * output.h(), output.elements(), random, kernel), exact);
  });
}

TEST(Direct, MatchesTheSumOfItsTaps) {
  const Window same = {{3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}};
  const ConvCase cases[] = {
      {"a stem: three channels, stride 2", {1, 9, 30, 3}, 32, 1, {{3, 3}, {2, 2}, {1, 1}, {0, 0, 1, 1}}},
      {"dense 3 x 3", {1, 6, 7, 16}, 48, 1, same},
      {"a batch of two", {2, 3, 5, 4}, 8, 1, same},
      {"1 x 1 with stride", {1, 5, 9, 20}, 33, 1, {{1, 1}, {2, 2}, {1, 1}, {0, 0, 0, 0}}},
      {"output channels that fill no vector", {1, 4, 4, 5}, 3, 1, same},
      {"more than one panel, the last one partly empty", {1, 2, 9, 3}, 71, 1, same},
      {"groups", {1, 5, 8, 12}, 20, 4, same},
      {"groups of one channel, as depthwise", {1, 5, 8, 6}, 6, 6, same},
      {"dilation", {1, 9, 12, 4}, 10, 1, {{3, 2}, {1, 1}, {2, 3}, {2, 3, 2, 3}}},
      {"a window that is all padding in the corner", {1, 4, 4, 8}, 8, 1, {{2, 2}, {1, 1}, {1, 1}, {3, 3, 3, 3}}},
      {"one pixel", {1, 1, 1, 1}, 1, 1, same},
      {"no bias", {1, 4, 4, 4}, 4, 1, same, {}, false},
      {"an activation that is no clamp", {1, 4, 4, 4}, 40, 1, same, {UnaryKind::kHardSwish}},
      {"rows that take several blocks", {2, 9, 300, 32}, 2, 1, same},
  };
  Random random(3);
  for (const ConvCase& test : cases) expect_right(test, random);
}

TEST(Direct, MatchesTheSumOfItsTapsAtRandom) {
  Random random(4);
  for (int i = 0; i < 120; ++i) {
    const auto [extent, window] = random_window(random);
    const std::int64_t groups = random.coin() ? 1 : random.whole(1, 4);
    const ConvCase test = {"random",
                           {random.whole(1, 2), extent.h, extent.w, groups * random.whole(1, 9)},
                           groups * random.whole(1, random.coin() ? 6 : 40),
                           groups,
                           window,
                           random_activation(random),
                           random.coin()};
    expect_right(test, random);
  }
}

}  // namespace
}  // namespace sepal
