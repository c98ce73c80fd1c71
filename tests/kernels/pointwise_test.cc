#include "sepal/kernels/pointwise.h"

#include "sepal/kernels/packed.h"
#include "tests/kernels/conv_case.h"
#include "tests/kernels/kernel_test.h"

namespace sepal {
namespace {

struct Case {
  std::string why;
  std::int64_t rows, ci, co;
  std::int64_t input_slack = 0, output_slack = 0;  // of the pitches
  Unary activation = {};
  bool bias = true;
};

void expect_right(const Case& test, Random& random) {
  SCOPED_TRACE(format("{}: {} x {} x {}, slack {} {}, {}", test.why, test.rows, test.ci, test.co, test.input_slack,
                      test.output_slack, name_of(test.activation.kind)));
  const std::int64_t input_pitch = test.ci + test.input_slack;
  const std::int64_t output_pitch = test.co + test.output_slack;
  // No slack after the last row: nothing may be read there.
  const std::vector<float> input =
      random.values<float>(std::max<std::int64_t>(0, test.rows * input_pitch - test.input_slack));
  const std::vector<float> filter = random.values<float>(test.co * test.ci);
  const std::vector<float> bias = random.values<float>(test.co);
  Guarded packed(packed_floats(test.co, test.ci));
  pack_panels({filter.data(), test.co, test.ci, test.ci, 1}, test.bias ? bias.data() : nullptr, packed.data());
  EXPECT_TRUE(packed.intact());

  std::vector<Exact> exact;
  for (std::int64_t row = 0; row < test.rows; ++row) {
    for (std::int64_t o = 0; o < test.co; ++o) {
      Exact sum;
      if (test.bias) sum.value = static_cast<double>(bias[static_cast<std::size_t>(o)]);
      for (std::int64_t i = 0; i < test.ci; ++i) {
        const double product = static_cast<double>(input[static_cast<std::size_t>(row * input_pitch + i)]) *
                               static_cast<double>(filter[static_cast<std::size_t>(o * test.ci + i)]);
        sum.value += product;
        sum.magnitude += std::fabs(product);
      }
      sum.value = reference::apply(test.activation, sum.value);
      exact.push_back(sum);
    }
  }

  on_every_target([&] {
    const auto args = [&](float* output) {
      return PointwiseArgs{input.data(),  input_pitch,     test.ci, test.co,
                           packed.data(), test.activation, output,  output_pitch};
    };
    const std::int64_t size = std::max<std::int64_t>(0, test.rows * output_pitch - test.output_slack);
    const std::vector<float> output =
        run_divided(test.rows, size, random, [&](float* values, Range rows) { pointwise(args(values), rows); });
    std::vector<float> dense;
    for (std::int64_t row = 0; row < test.rows; ++row) {
      const auto begin = output.begin() + row * output_pitch;
      dense.insert(dense.end(), begin, begin + test.co);
      // What lies between two rows is not the kernel's to write.
      if (row + 1 < test.rows) {
        EXPECT_TRUE(std::all_of(begin + test.co, begin + output_pitch, [](float x) { return std::isnan(x); }));
      }
    }
    expect_near(dense, exact);

    const auto by_panels = [&](float* values, Range panels) { pointwise(args(values), {0, test.rows}, panels); };
    const std::vector<float> again = run_divided(panels(test.co), size, random, by_panels);
    EXPECT_TRUE(output.empty() || std::memcmp(output.data(), again.data(), output.size() * sizeof(float)) == 0);
  });
}

TEST(Pointwise, MatchesTheProduct) {
  const Case cases[] = {
      {"one value", 1, 1, 1},
      {"one row", 1, 64, 40},
      {"rows that fill tiles, channels that fill panels", 14, 32, 64},
      {"every height of a tile", 8, 3, 32},
      {"one more than two tiles", 15, 9, 7},
      {"one vector of columns", 9, 5, 16},
      {"columns that fill no vector", 9, 5, 19},
      {"a long sum", 3, 3000, 5},
      {"rows that take several blocks", 300, 1024, 3},
      {"rows further apart than they are long", 12, 10, 20, 3, 5},
      {"no bias", 7, 8, 9, 0, 0, {}, false},
      {"no input channels: the bias alone", 3, 0, 5},
      {"no rows", 0, 4, 4},
      {"an activation that is no clamp", 7, 8, 40, 0, 2, {UnaryKind::kHardSwish}},
  };
  Random random(5);
  for (const Case& test : cases) expect_right(test, random);
}

TEST(Pointwise, MatchesTheProductAtRandom) {
  Random random(6);
  for (int i = 0; i < 150; ++i) {
    const Case test = {"random",           random.whole(1, 40), random.whole(1, 70),       random.whole(1, 100),
                       random.whole(0, 3), random.whole(0, 3),  random_activation(random), random.coin()};
    expect_right(test, random);
  }
}

TEST(Pointwise, MultipliesItsInputByAGate) {
  struct GateCase {
    const char* why;
    std::int64_t images, rows, ci, co;
    bool addend = false;
    Unary activation = {};
  };
  const GateCase cases[] = {
      {"one image", 1, 49, 24, 40},
      {"three images, channels that fill no vector", 3, 10, 19, 7},
      {"an addition and a function after it", 2, 12, 33, 50, true, {UnaryKind::kHardSwish}},
      {"a function that no register does", 2, 6, 20, 70, false, {UnaryKind::kSigmoid}},
      {"images of one pixel", 5, 1, 17, 33},
      {"images of several blocks", 2, 150, 1024, 35, true},
      {"no input channels: the bias alone", 2, 3, 0, 5},
  };
  Random random(8);
  for (const GateCase& test : cases) {
    SCOPED_TRACE(test.why);
    const std::int64_t rows = test.images * test.rows;
    const std::vector<float> input = random.values<float>(rows * test.ci);
    const std::vector<float> factors = random.values<float>(test.images * test.ci);
    const std::vector<float> filter = random.values<float>(test.co * test.ci);
    const std::vector<float> bias = random.values<float>(test.co);
    const std::vector<float> addend = random.values<float>(rows * test.co);
    std::vector<float> packed(static_cast<std::size_t>(packed_floats(test.co, test.ci)));
    pack_panels({filter.data(), test.co, test.ci, test.ci, 1}, bias.data(), packed.data());
    std::vector<Exact> exact;
    const auto at = [](const std::vector<float>& values, std::int64_t i) {
      return static_cast<double>(values[static_cast<std::size_t>(i)]);
    };
    for (std::int64_t row = 0; row < rows; ++row) {
      for (std::int64_t o = 0; o < test.co; ++o) {
        Exact sum = {at(bias, o) + (test.addend ? at(addend, row * test.co + o) : 0), 0};
        for (std::int64_t i = 0; i < test.ci; ++i) {
          const double product =
              at(input, row * test.ci + i) * at(factors, row / test.rows * test.ci + i) * at(filter, o * test.ci + i);
          sum.value += product;
          sum.magnitude += std::fabs(product);
        }
        sum.value = reference::apply(test.activation, sum.value);
        exact.push_back(sum);
      }
    }
    on_every_target([&] {
      Guarded room(panel_floats(test.ci));
      const auto args = [&](float* output) {
        return PointwiseArgs{.input = input.data(),
                             .input_pitch = test.ci,
                             .ci = test.ci,
                             .co = test.co,
                             .packed = packed.data(),
                             .activation = test.activation,
                             .output = output,
                             .output_pitch = test.co,
                             .addend = test.addend ? addend.data() : nullptr,
                             .gate = {factors.data(), test.rows, room.data()}};
      };
      const std::vector<float> output = run_divided(
          rows, rows * test.co, random, [&](float* values, Range range) { pointwise(args(values), range); });
      expect_near(output, exact);
      const auto by_panels = [&](float* values, Range panels) { pointwise(args(values), {0, rows}, panels); };
      EXPECT_EQ(run_divided(panels(test.co), rows * test.co, random, by_panels), output);
      EXPECT_TRUE(room.intact());
    });
  }
}

TEST(Pointwise, WhatAGateMakesOfNanAndInfinity) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float inf = std::numeric_limits<float>::infinity();
  struct NotFinite {
    const char* why;
    float input, factor, weight, expected;
  };
  const NotFinite cases[] = {
      {"a closed gate before infinity", inf, 0, 1, nan}, {"infinity times nothing", 0, inf, 1, nan},
      {"infinity and a weight of zero", 1, inf, 0, nan}, {"a factor that is none", 1, nan, 1, nan},
      {"infinity stays one", inf, 0.5f, -1, -inf},
  };
  for (const NotFinite& test : cases) {
    SCOPED_TRACE(test.why);
    std::vector<float> packed(static_cast<std::size_t>(packed_floats(1, 1)));
    pack_panels({&test.weight, 1, 1, 1, 1}, nullptr, packed.data());
    on_every_target([&] {
      std::vector<float> room(static_cast<std::size_t>(panel_floats(1)));
      float output = 7;
      pointwise({.input = &test.input,
                 .input_pitch = 1,
                 .ci = 1,
                 .co = 1,
                 .packed = packed.data(),
                 .activation = {},
                 .output = &output,
                 .output_pitch = 1,
                 .gate = {&test.factor, 1, room.data()}},
                {0, 1});
      EXPECT_TRUE(std::isnan(test.expected) ? std::isnan(output) : output == test.expected) << output;
    });
  }
}

TEST(Packed, TakesAnyLayout) {
  Random random(7);
  const std::int64_t co = 37;
  const std::int64_t k = 5;
  const std::vector<float> filter = random.values<float>(co * k);
  std::vector<float> transposed(filter.size());
  for (std::int64_t o = 0; o < co; ++o) {
    for (std::int64_t i = 0; i < k; ++i) {
      transposed[static_cast<std::size_t>(i * co + o)] = filter[static_cast<std::size_t>(o * k + i)];
    }
  }
  std::vector<float> a(static_cast<std::size_t>(packed_floats(co, k)));
  std::vector<float> b(a.size());
  pack_panels({filter.data(), co, k, k, 1}, nullptr, a.data());
  pack_panels({transposed.data(), co, k, 1, co}, nullptr, b.data());
  EXPECT_EQ(a, b);
}

TEST(Pointwise, ANanStaysOne) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float filter = 1;
  std::vector<float> packed(static_cast<std::size_t>(packed_floats(1, 1)));
  pack_panels({&filter, 1, 1, 1, 1}, nullptr, packed.data());
  on_every_target([&] {
    for (const Unary& activation : kActivations) {
      float output = 0;
      pointwise({&nan, 1, 1, 1, packed.data(), activation, &output, 1}, {0, 1});
      EXPECT_TRUE(std::isnan(output)) << name_of(activation.kind);
    }
  });
}

}  // namespace
}  // namespace sepal
