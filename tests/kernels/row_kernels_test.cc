// Softmax, layer norm and transposition.

#include "sepal/kernels/layer_norm.h"
#include "sepal/kernels/softmax.h"
#include "sepal/kernels/transpose.h"
#include "tests/kernels/kernel_test.h"

namespace sepal {
namespace {

TEST(SoftmaxKernel, MatchesTheDefinition) {
  struct Case {
    const char* why;
    std::int64_t rows, columns;
    double scale;
  };
  constexpr Case kCases[] = {
      {"a classifier", 1, 1000, 10},
      {"fewer columns than a vector has lanes", 9, 5, 3},
      {"one column", 4, 1, 1},
      {"a vector and a bit", 3, 17, 5},
      {"values that overflow without care", 2, 40, 500},
      {"all equal", 2, 33, 0},
      {"no rows", 0, 8, 1},
      {"a map of two classes", 100, 2, 5},
      {"of three", 101, 3, 5},
      {"of four", 35, 4, 5},
      {"of five", 33, 5, 5},
      {"of six", 34, 6, 5},
      {"of seven", 47, 7, 5},
      {"of eight", 50, 8, 5},
      {"of nine", 50, 9, 5},
      {"narrow values that overflow without care", 20, 3, 500},
  };
  Random random(30);
  for (const Case& test : kCases) {
    SCOPED_TRACE(test.why);
    std::vector<float> input = random.values<float>(test.rows * test.columns);
    for (float& x : input) x *= static_cast<float>(test.scale);
    for (const bool log : {false, true}) {
      SCOPED_TRACE(log ? "log" : "plain");
      std::vector<Exact> exact;
      for (std::int64_t row = 0; row < test.rows; ++row) {
        const auto begin = input.begin() + row * test.columns;
        const auto high = static_cast<double>(*std::max_element(begin, begin + test.columns));
        double sum = 0;
        for (auto x = begin; x != begin + test.columns; ++x) sum += std::exp(static_cast<double>(*x) - high);
        for (auto x = begin; x != begin + test.columns; ++x) {
          const double shifted = static_cast<double>(*x) - high;
          exact.push_back({log ? shifted - std::log(sum) : std::exp(shifted) / sum, log ? std::fabs(shifted) : 0});
        }
      }
      on_every_target([&] {
        const auto kernel = [&](float* output, Range rows) {
          softmax({input.data(), test.columns, log, output}, rows);
        };
        expect_near(run_divided(test.rows, test.rows * test.columns, random, kernel), exact, 6e-7);
      });
    }
  }
}

TEST(SoftmaxKernel, WorksInPlace) {
  on_every_target([] {
    std::vector<float> values(32, 7.0f);
    softmax({values.data(), 4, false, values.data()}, {0, 8});
    EXPECT_EQ(values, std::vector<float>(32, 0.25f));
  });
}

TEST(LayerNormKernel, MatchesTheDefinition) {
  struct Case {
    const char* why;
    std::int64_t rows, columns;
    double shift;
  };
  constexpr Case kCases[] = {
      {"a transformer's row", 5, 768, 0},
      {"sums and a rest", 3, 83, 0},
      {"fewer columns than a vector", 9, 5, 0},
      {"one column: the bias", 4, 1, 0},
      {"far from zero, where squares cancel", 2, 96, 1000},
      {"no rows", 0, 8, 0},
  };
  Random random(32);
  for (const Case& test : kCases) {
    SCOPED_TRACE(test.why);
    std::vector<float> input = random.values<float>(test.rows * test.columns);
    for (float& x : input) x += static_cast<float>(test.shift);
    const std::vector<float> scale = random.values<float>(test.columns);
    const std::vector<float> bias = random.values<float>(test.columns);
    for (const bool biased : {true, false}) {
      std::vector<Exact> exact;
      const auto n = static_cast<std::size_t>(test.columns);
      for (std::size_t row = 0; row < static_cast<std::size_t>(test.rows); ++row) {
        double mean = 0;
        double variance = 0;
        for (std::size_t i = 0; i < n; ++i) mean += static_cast<double>(input[row * n + i]) / static_cast<double>(n);
        for (std::size_t i = 0; i < n; ++i) {
          variance += std::pow(static_cast<double>(input[row * n + i]) - mean, 2) / static_cast<double>(n);
        }
        for (std::size_t i = 0; i < n; ++i) {
          const double normal = (static_cast<double>(input[row * n + i]) - mean) / std::sqrt(variance + 1e-5);
          const double shift = biased ? static_cast<double>(bias[i]) : 0;
          // What the mean's rounding does to a value counts in deviations.
          exact.push_back({normal * static_cast<double>(scale[i]) + shift, 3 + test.shift});
        }
      }
      on_every_target([&] {
        const auto kernel = [&](float* output, Range rows) {
          layer_norm({input.data(), test.columns, scale.data(), biased ? bias.data() : nullptr, 1e-5f, output}, rows);
        };
        expect_near(run_divided(test.rows, test.rows * test.columns, random, kernel), exact);
      });
    }
  }
}

TEST(TransposeKernel, MovesEveryElement) {
  struct Case {
    const char* why;
    std::int64_t batch, rows, columns;
  };
  constexpr Case kCases[] = {
      {"an image of three channels", 1, 3, 224},
      {"back again", 1, 224, 3},
      {"a batch of two", 2, 3, 50},
      {"squares and a rest on both sides", 1, 39, 70},
      {"several blocks", 2, 130, 67},
      {"one row", 1, 1, 9},
      {"one column", 1, 9, 1},
      {"one element", 1, 1, 1},
      {"no rows", 1, 0, 4},
  };
  Random random(31);
  for (const Case& test : kCases) {
    SCOPED_TRACE(test.why);
    const std::int64_t size = test.batch * test.rows * test.columns;
    const std::vector<float> input = random.values<float>(size);
    std::vector<float> expected(input.size());
    for (std::int64_t i = 0; i < size; ++i) {
      const std::int64_t matrix = i / (test.rows * test.columns);
      const std::int64_t r = i / test.columns % test.rows;
      const std::int64_t c = i % test.columns;
      expected[static_cast<std::size_t>((matrix * test.columns + c) * test.rows + r)] =
          input[static_cast<std::size_t>(i)];
    }
    on_every_target([&] {
      const auto kernel = [&](float* output, Range output_rows) {
        transpose({input.data(), test.rows, test.columns, output}, output_rows);
      };
      EXPECT_EQ(run_divided(test.batch * test.columns, size, random, kernel), expected);
    });
  }
}

TEST(TransposeKernel, MovesBitsNotNumbers) {
  // The elements may be integers: patterns that are signalling NaNs or denormals as floats.
  std::vector<std::uint32_t> input;
  for (std::uint32_t i = 0; i < 64; ++i) input.push_back(0x7f800001u + i * 0x01234567u);
  on_every_target([&] {
    std::vector<std::uint32_t> there(64);
    std::vector<std::uint32_t> back(64);
    transpose({input.data(), 4, 16, there.data()}, {0, 16});
    transpose({there.data(), 16, 4, back.data()}, {0, 4});
    EXPECT_EQ(back, input);
  });
}

}  // namespace
}  // namespace sepal
