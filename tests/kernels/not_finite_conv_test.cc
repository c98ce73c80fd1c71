// NaN and infinity go through convolutions and products as the sums over their taps say, and no further: an infinity
// times a weight of zero is NaN, and an output whose window does not hold it never hears of it, edges and padding
// included.

#include "sepal/kernels/cascade.h"
#include "sepal/kernels/depthwise.h"
#include "sepal/kernels/direct.h"
#include "sepal/kernels/grouped.h"
#include "sepal/kernels/packed.h"
#include "sepal/kernels/pointwise.h"
#include "sepal/kernels/reference/conv.h"
#include "tests/kernels/conv_case.h"
#include "tests/kernels/not_finite.h"

namespace sepal {
namespace {

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

/// Direct, grouped where that is made for it, and depthwise where each channel has filters of its own, against `exact`;
/// the reference by its sums alone.
void expect_convolved(const ConvCase& test, const ConvData& data, const std::vector<Exact>& exact) {
  const Shape output = test.output();
  const Range rows = {0, output.n() * output.h()};
  std::vector<float> panels(static_cast<std::size_t>(packed_direct_floats(test.groups, test.co, test.terms())));
  pack_direct(data.filter.data(), data.bias_or_null(), test.groups, test.co, test.terms(), panels.data());
  std::vector<float> taps(data.filter.size());
  pack_depthwise(data.filter.data(), test.co, test.terms(), taps.data());
  const std::int64_t group = test.input.c() / test.groups;
  const std::int64_t spots = test.terms() / group;
  const bool small = group > 1 && group <= kMostGroupChannels && test.co == test.input.c();
  std::vector<float> lanes(static_cast<std::size_t>(packed_grouped_floats(test.co, spots, group)));
  if (small) pack_grouped(data.filter.data(), data.bias_or_null(), test.co, spots, group, lanes.data());
  const std::vector<float> zeros(static_cast<std::size_t>(group));
  std::vector<float> actual(exact.size());
  on_every_target([&] {
    direct({{data.input.data(), test.input},
            panels.data(),
            zeros.data(),
            test.window,
            test.groups,
            test.activation,
            {actual.data(), output}},
           rows);
    expect_alike(actual, exact);
    if (small) {
      std::fill(actual.begin(), actual.end(), 0.0f);
      grouped(
          {{data.input.data(), test.input}, lanes.data(), test.window, group, test.activation, {actual.data(), output}},
          rows);
      expect_alike(actual, exact);
    }
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
  ConvCase sums = test;
  sums.activation = {};
  const Extent kernel = test.window.kernel;
  reference::conv2d<float>({.input = {data.input.data(), test.input},
                            .filter = {data.filter.data(), {test.co, kernel.h, kernel.w, test.input.c() / test.groups}},
                            .bias = data.bias_or_null(),
                            .window = test.window,
                            .groups = test.groups,
                            .output = {actual.data(), output}});
  expect_alike(actual, convolve(sums, data));
}

void expect_convolved(const ConvCase& test, Random& random) {
  SCOPED_TRACE(describe(test));
  ConvData data(test, random);
  spoil(data.input, 200, random);
  thin(data.filter, random);
  expect_convolved(test, data, convolve_all(test, data));
}

TEST(NotFiniteConvolution, PaddingMakesNoNanOfAnInfiniteImage) {
  const Padding one = {1, 1, 1, 1};
  const ConvCase cases[] = {
      {"depthwise tiles", {1, 9, 18, 24}, 24, 24, {.kernel = {3, 3}, .padding = one}},
      {"depthwise tiles with stride",
       {1, 9, 18, 24},
       24,
       24,
       {.kernel = {5, 5}, .stride = {2, 2}, .padding = {2, 2, 2, 2}}},
      {"depthwise, any window", {1, 9, 18, 5}, 5, 5, {.kernel = {3, 2}, .dilation = {2, 1}, .padding = {3, 2, 1, 1}}},
      {"dense, edges copied out", {1, 5, 18, 3}, 40, 1, {.kernel = {3, 3}, .padding = one}},
      {"dense, tap by tap", {1, 5, 18, 8}, 8, 2, {.kernel = {3, 3}, .padding = one}},
      {"small groups", {1, 5, 18, 20}, 20, 10, {.kernel = {3, 3}, .padding = one}},
      {"windows that are all padding", {1, 2, 2, 8}, 8, 8, {.kernel = {2, 2}, .padding = {3, 3, 3, 3}}},
  };
  Random random(45);
  for (const ConvCase& test : cases) {
    SCOPED_TRACE(describe(test));
    ConvData data(test, random);
    std::fill(data.input.begin(), data.input.end(), kInfinity);
    std::fill(data.filter.begin(), data.filter.end(), 1.0f);
    const std::vector<Exact> exact = convolve(test, data);
    for (const Exact& value : exact) ASSERT_FALSE(std::isnan(value.value));
    expect_convolved(test, data, exact);
  }
}

TEST(NotFiniteConvolution, KeepsItInItsWindows) {
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
      {"small groups", {1, 9, 18, 24}, 24, 6, same3},
      {"small groups that fill no vector, with stride", {1, 9, 18, 15}, 15, 5, half3},
      {"small groups wider than some vectors", {1, 7, 9, 14}, 14, 2, same3},
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

TEST(NotFiniteConvolution, AProductKeepsItInItsRows) {
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

TEST(NotFiniteConvolution, ASeparableOneHasTheNansOfItsStages) {
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
    const DepthwiseArgs taps_args{.input = {data.input.data(), first.input},
                                  .filter = taps.data(),
                                  .bias = data.bias.data(),
                                  .window = first.window,
                                  .activation = {},
                                  .output = {nullptr, first.output()}};
    const PointwiseArgs product{.input_pitch = 24,
                                .ci = 24,
                                .co = co,
                                .packed = panels.data(),
                                .activation = {UnaryKind::kClip, 0, 6},
                                .output = actual.data(),
                                .output_pitch = co};
    const CascadeStage stages[] = {{.args = taps_args, .output = first.output(), .ring_rows = 3},
                                   {.args = product, .output = {1, 9, 18, co}}};
    std::vector<float> room(static_cast<std::size_t>(ring_floats(stages[0])));
    cascade({.stages = stages, .rows_at_once = 3, .room = room.data()}, {0, 9});
    expect_alike(actual, exact);
  });
}

}  // namespace
}  // namespace sepal
