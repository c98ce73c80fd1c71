#include "sepal/kernels/grouped.h"

#include "tests/kernels/conv_case.h"

namespace sepal {
namespace {

void expect_right(const ConvCase& test, Random& random, bool adds = false) {
  SCOPED_TRACE(describe(test));
  const ConvData data(test, random);
  const std::int64_t taps = test.window.kernel.h * test.window.kernel.w;
  const std::int64_t group = test.co / test.groups;
  Guarded packed(packed_grouped_floats(test.co, taps, group));
  pack_grouped(data.filter.data(), data.bias_or_null(), test.co, taps, group, packed.data());
  EXPECT_TRUE(packed.intact());
  const Shape output = test.output();
  const std::vector<float> addend = random.values<float>(output.elements());
  ConvCase sums = test;
  if (adds) sums.activation = {};
  std::vector<Exact> exact = convolve(sums, data);
  for (std::size_t i = 0; adds && i < exact.size(); ++i) {
    exact[i].value = reference::apply(test.activation, exact[i].value + static_cast<double>(addend[i]));
  }
  on_every_target([&] {
    GroupedArgs args{.input = {data.input.data(), test.input},
                     .packed = packed.data(),
                     .window = test.window,
                     .group = group,
                     .activation = test.activation,
                     .output = {nullptr, output},
                     .addend = adds ? addend.data() : nullptr};
    const auto kernel = [&](float* values, Range rows) {
      args.output.data = values;
      grouped(args, rows);
    };
    const std::vector<float> apart = run_divided(output.n() * output.h(), output.elements(), random, kernel);
    expect_near(apart, exact);
    if (!adds) return;
    std::vector<float> in_place = addend;
    args.addend = in_place.data();
    kernel(in_place.data(), {0, output.n() * output.h()});
    EXPECT_EQ(in_place, apart);
  });
}

TEST(Grouped, MatchesTheSumOfItsTaps) {
  const Window same = {.kernel = {3, 3}, .padding = {1, 1, 1, 1}};
  const ConvCase cases[] = {
      {"ResNeXt: groups of four", {1, 9, 14, 128}, 128, 32, same},
      {"with stride", {1, 9, 15, 64}, 64, 16, {.kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1, 1, 1}}},
      {"pairs, a row of all widths of tiles", {1, 3, 28, 32}, 32, 16, same},
      {"groups of eight, 1 x 1", {1, 5, 14, 64}, 64, 8, {}},
      {"groups of three: a lane of a vector is left", {1, 4, 11, 51}, 51, 17, same},
      {"groups of five", {2, 4, 9, 40}, 40, 8, same},
      {"groups of seven, fewer than a vector", {1, 4, 9, 14}, 14, 2, same},
      {"two groups of two", {1, 5, 14, 4}, 4, 2, same},
      {"a row narrower than a tile", {1, 5, 3, 24}, 24, 6, same},
      {"an image of one pixel", {1, 1, 1, 16}, 16, 4, same},
      {"a window that is all padding in the corner", {1, 4, 4, 8}, 8, 4, {.kernel = {2, 2}, .padding = {3, 3, 3, 3}}},
      {"more columns of input than a tile copies out",
       {1, 3, 160, 12},
       12,
       3,
       {.kernel = {1, 3}, .dilation = {1, 60}, .padding = {0, 60, 0, 60}}},
      {"dilation and stride", {1, 12, 33, 24}, 24, 12, {.kernel = {3, 2}, .stride = {1, 3}, .dilation = {2, 3}}},
      {"no bias", {1, 4, 9, 16}, 16, 4, same, {}, false},
      {"hard swish", {1, 4, 9, 16}, 16, 4, same, {UnaryKind::kHardSwish}},
      {"a function that no register does", {2, 3, 9, 16}, 16, 4, same, {UnaryKind::kSigmoid}},
  };
  Random random(9);
  for (const ConvCase& test : cases) expect_right(test, random);
}

TEST(Grouped, MatchesTheSumOfItsTapsAtRandom) {
  Random random(10);
  for (int i = 0; i < 120; ++i) {
    const auto [extent, window] = random_window(random);
    const std::int64_t groups = random.whole(1, 9);
    const std::int64_t c = groups * random.whole(2, kMostGroupChannels);
    expect_right({"random",
                  {random.whole(1, 2), extent.h, extent.w, c},
                  c,
                  groups,
                  window,
                  random_activation(random),
                  random.coin()},
                 random, random.coin());
  }
}

}  // namespace
}  // namespace sepal
