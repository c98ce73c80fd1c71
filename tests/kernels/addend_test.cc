#include "sepal/kernels/direct.h"
#include "sepal/kernels/packed.h"
#include "sepal/kernels/pointwise.h"
#include "tests/kernels/conv_case.h"

// What is added to a convolution's result before the activation.

namespace sepal {
namespace {

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
    ConvCase test = {"direct",
                     {random.whole(1, 2), extent.h, extent.w, groups * random.whole(1, 5)},
                     groups * random.whole(1, 20),
                     groups,
                     window,
                     random_activation(random)};
    if (i % 8 == 0) {  // a panel that is gone through in parts
      test = {"large",        {1, 4, 9, 500}, 40, 1, {.kernel = {7, 3}, .stride = {2, 1}, .padding = {3, 1, 3, 1}},
              test.activation};
    }
    SCOPED_TRACE(describe(test));
    const ConvData data(test, random);
    std::vector<float> packed(static_cast<std::size_t>(packed_direct_floats(test.groups, test.co, test.terms())));
    pack_direct(data.filter.data(), data.bias_or_null(), test.groups, test.co, test.terms(), packed.data());
    const std::vector<float> zeros(static_cast<std::size_t>(test.input.c() / test.groups));
    const Shape output = test.output();
    const std::vector<float> addend = random.values<float>(output.elements());
    on_every_target([&] {
      DirectArgs args{.input = {data.input.data(), test.input},
                      .packed = packed.data(),
                      .zeros = zeros.data(),
                      .window = test.window,
                      .groups = test.groups,
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
      // Ten thousand terms round on their way; where they come in parts, the addend is among the first.
      expect_near(apart, added(sums, addend, test.activation), test.terms() > 1000 ? 1e-4 : 1e-5);
      std::vector<float> in_place = addend;
      args.addend = args.output.data = in_place.data();
      direct(args, {0, output.n() * output.h()});
      EXPECT_EQ(in_place, apart);
    });
  }
}

}  // namespace
}  // namespace sepal
