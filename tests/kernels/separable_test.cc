#include "sepal/kernels/separable.h"

#include "sepal/kernels/direct.h"
#include "sepal/kernels/packed.h"
#include "tests/kernels/conv_case.h"

namespace sepal {
namespace {

/// A random depthwise convolution, half of them of the kind that has tiles of its own.
ConvCase depthwise_case(Random& random) {
  const auto [extent, window] = random_window(random);
  const std::int64_t c = random.whole(1, 40);
  ConvCase test = {"depthwise",  {random.whole(1, 2), extent.h, extent.w, c}, c, c, window, random_activation(random),
                   random.coin()};
  if (random.coin()) {
    const std::int64_t kernel = random.coin() ? 3 : 5;
    const std::int64_t stride = random.whole(1, 2);
    test.window = {.kernel = {kernel, kernel}, .stride = {stride, stride}, .padding = {2, 2, 2, 2}};
  }
  return test;
}

TEST(Separable, GivesTheBitsOfItsStages) {
  Random random(1);
  for (int i = 0; i < 120; ++i) {
    const ConvCase test = depthwise_case(random);
    SCOPED_TRACE(describe(test));
    const ConvData data(test, random);
    std::vector<float> taps(data.filter.size());
    pack_depthwise(data.filter.data(), test.co, test.window.kernel.h * test.window.kernel.w, taps.data());
    const std::int64_t co = random.whole(1, 70);
    const std::vector<float> matrix = random.values<float>(co * test.co);
    std::vector<float> panels(static_cast<std::size_t>(packed_floats(co, test.co)));
    pack_panels({matrix.data(), co, test.co, test.co, 1}, nullptr, panels.data());
    const Shape between = test.output();
    const std::int64_t pixels = between.elements(0, 3);
    const std::vector<float> shortcut = random.values<float>(pixels * co);
    const Unary activation = random_activation(random);
    const bool adds = random.coin();
    on_every_target([&] {
      DepthwiseArgs first{.input = {data.input.data(), test.input},
                          .filter = taps.data(),
                          .bias = data.bias_or_null(),
                          .window = test.window,
                          .activation = test.activation,
                          .output = {nullptr, between}};
      PointwiseArgs second{.input_pitch = test.co,
                           .ci = test.co,
                           .co = co,
                           .packed = panels.data(),
                           .activation = activation,
                           .output_pitch = co,
                           .addend = adds ? shortcut.data() : nullptr};
      std::vector<float> map(static_cast<std::size_t>(between.elements()));
      std::vector<float> apart(static_cast<std::size_t>(pixels * co));
      first.output.data = map.data();
      second.input = map.data();
      second.output = apart.data();
      depthwise(first, {0, between.n() * between.h()});
      pointwise(second, {0, pixels});

      const std::int64_t rows_at_once = random.whole(1, 5);
      const auto kernel = [&](float* values, Range rows) {
        Guarded room(rows_at_once * between.w() * between.c());
        PointwiseArgs to = second;
        to.output = values;
        separable({first, to, rows_at_once, room.data()}, rows);
        EXPECT_TRUE(room.intact()) << "wrote outside its room";
      };
      const std::vector<float> together = run_divided(between.n() * between.h(), pixels * co, random, kernel);
      EXPECT_TRUE(std::memcmp(together.data(), apart.data(), apart.size() * sizeof(float)) == 0);
    });
  }
}

/// activation(sum + addend), as the kernel gives it without addend and activation.
std::vector<Exact> added(const std::vector<float>& sums, const std::vector<float>& addend, const Unary& activation) {
  std::vector<Exact> exact;
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const double sum = static_cast<double>(sums[i]) + static_cast<double>(addend[i]);
    exact.push_back({reference::apply(activation, sum), std::fabs(sum)});
  }
  return exact;
}

TEST(Addend, OfAPointwiseConvolution) {
  Random random(2);
  for (int i = 0; i < 60; ++i) {
    const std::int64_t rows = random.whole(1, 30);
    const std::int64_t ci = random.whole(1, 40);
    const std::int64_t co = random.whole(1, 80);
    const std::vector<float> input = random.values<float>(rows * ci);
    const std::vector<float> filter = random.values<float>(co * ci);
    const std::vector<float> addend = random.values<float>(rows * co);
    const Unary activation = random_activation(random);
    std::vector<float> packed(static_cast<std::size_t>(packed_floats(co, ci)));
    pack_panels({filter.data(), co, ci, ci, 1}, nullptr, packed.data());
    SCOPED_TRACE(format("{} x {} x {}, {}", rows, ci, co, name_of(activation.kind)));
    on_every_target([&] {
      std::vector<float> sums(addend.size());
      pointwise({input.data(), ci, ci, co, packed.data(), {}, sums.data(), co}, {0, rows});
      const auto run = [&](float* values, Range range) {
        pointwise({input.data(), ci, ci, co, packed.data(), activation, values, co, addend.data(), packed.data()},
                  range);
      };
      const std::vector<float> apart = run_divided(rows, rows * co, random, run);
      expect_near(apart, added(sums, addend, activation), 1e-5);
      std::vector<float> in_place = addend;
      pointwise({input.data(), ci, ci, co, packed.data(), activation, in_place.data(), co, in_place.data()}, {0, rows});
      EXPECT_EQ(in_place, apart);
    });
  }
}

TEST(Addend, OfADirectConvolution) {
  Random random(3);
  for (int i = 0; i < 40; ++i) {
    const auto [extent, window] = random_window(random);
    const std::int64_t groups = random.whole(1, 3);
    const ConvCase test = {"direct",
                           {random.whole(1, 2), extent.h, extent.w, groups * random.whole(1, 5)},
                           groups * random.whole(1, 20),
                           groups,
                           window,
                           random_activation(random)};
    SCOPED_TRACE(describe(test));
    const ConvData data(test, random);
    std::vector<float> packed(static_cast<std::size_t>(packed_direct_floats(groups, test.co, test.terms())));
    pack_direct(data.filter.data(), data.bias_or_null(), groups, test.co, test.terms(), packed.data());
    const std::vector<float> zeros(static_cast<std::size_t>(test.input.c() / groups));
    const Shape output = test.output();
    const std::vector<float> addend = random.values<float>(output.elements());
    on_every_target([&] {
      DirectArgs args{.input = {data.input.data(), test.input},
                      .packed = packed.data(),
                      .zeros = zeros.data(),
                      .window = window,
                      .groups = groups,
                      .activation = {},
                      .output = {nullptr, output}};
      std::vector<float> sums(addend.size());
      args.output.data = sums.data();
      direct(args, {0, output.n() * output.h()});
      args.activation = test.activation;
      args.addend = addend.data();
      const auto run = [&](float* values, Range rows) {
        DirectArgs to = args;
        to.output.data = values;
        direct(to, rows);
      };
      const std::vector<float> apart = run_divided(output.n() * output.h(), output.elements(), random, run);
      expect_near(apart, added(sums, addend, test.activation), 1e-5);
      std::vector<float> in_place = addend;
      args.addend = args.output.data = in_place.data();
      direct(args, {0, output.n() * output.h()});
      EXPECT_EQ(in_place, apart);
    });
  }
}

}  // namespace
}  // namespace sepal
