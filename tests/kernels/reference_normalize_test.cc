// Softmax and the normalisations against the textbooks' formulas.

#include <gtest/gtest.h>

#include "sepal/kernels/reference/normalize.h"
#include "tests/kernels/reference_random.h"

namespace sepal::reference {
namespace {

TEST(ReferenceSoftmax, IsTheTextbooksAlongEveryAxis) {
  Random random(25);
  const Shape shape{2, 3, 4};
  for (int axis = 0; axis < 3; ++axis) {
    for (const bool log : {false, true}) {
      auto x = random.values<float>(shape.elements());
      for (float& value : x) value *= 20;
      auto y = filled<float>(shape);
      softmax(SoftmaxArgs<float>{.input = view_of(x, shape), .axis = axis, .log = log, .output = view_of(y, shape)});
      for (std::size_t k = 0; k < x.size(); ++k) {
        const auto at = coordinates(shape, static_cast<std::int64_t>(k));
        long double sum = 0;
        for (std::size_t other = 0; other < x.size(); ++other) {
          auto there = coordinates(shape, static_cast<std::int64_t>(other));
          there[static_cast<std::size_t>(axis)] = at[static_cast<std::size_t>(axis)];
          if (there == at) sum += std::exp(static_cast<long double>(x[other]));
        }
        const auto value = static_cast<long double>(x[k]);
        const auto expected = static_cast<double>(log ? value - std::log(sum) : std::exp(value) / sum);
        ASSERT_NEAR(y[k], expected, 1e-6 * std::max(1.0, std::abs(expected)));
      }
    }
  }
  const std::vector<float> large = {1000, 1000};
  std::vector<float> result(2);
  softmax(SoftmaxArgs<float>{.input = view_of(large, {2}), .output = view_of(result, {2})});
  EXPECT_EQ(result, (std::vector<float>{0.5f, 0.5f}));
}

/// Mean and variance in long double.
std::pair<long double, long double> textbook_moments(const std::vector<long double>& values) {
  long double mean = 0;
  for (const long double x : values) mean += x / static_cast<long double>(values.size());
  long double variance = 0;
  for (const long double x : values) variance += (x - mean) * (x - mean) / static_cast<long double>(values.size());
  return {mean, variance};
}

TEST(ReferenceLayerNorm, IsTheTextbooksFromEveryAxis) {
  Random random(26);
  const Shape shape{2, 3, 4};
  for (int axis = 0; axis < 3; ++axis) {
    for (const bool biased : {false, true}) {
      auto x = random.values<float>(shape.elements());
      for (float& value : x) value += 100;  // a mean far from zero
      const Shape normal(shape.dims().subspan(static_cast<std::size_t>(axis)));
      const Shape bias_shape{4};
      const auto scale = random.values<float>(normal.elements());
      const auto bias = random.values<float>(4);
      const std::int64_t rows = shape.elements(0, axis);
      std::vector<float> mean(static_cast<std::size_t>(rows));
      auto inverse = mean;
      auto y = filled<float>(shape);
      layer_norm(LayerNormArgs<float>{.input = view_of(x, shape),
                                      .scale = view_of(scale, normal),
                                      .bias = biased ? view_of(bias, bias_shape) : TensorView<const float>{},
                                      .axis = axis,
                                      .epsilon = 1e-3f,
                                      .output = view_of(y, shape),
                                      .mean = mean.data(),
                                      .inverse_deviation = inverse.data()});
      const auto size = static_cast<std::size_t>(normal.elements());
      for (std::size_t k = 0; k < x.size(); ++k) {
        const std::size_t row = k / size;
        const auto begin = x.begin() + static_cast<std::ptrdiff_t>(row * size);
        const auto [m, v] =
            textbook_moments(std::vector<long double>(begin, begin + static_cast<std::ptrdiff_t>(size)));
        const long double deviation = std::sqrt(v + 1e-3L);
        const auto at = coordinates(shape, static_cast<std::int64_t>(k));
        const auto expected = (static_cast<long double>(x[k]) - m) / deviation *
                                  static_cast<long double>(scale[broadcast_place(normal, at)]) +
                              (biased ? static_cast<long double>(bias[static_cast<std::size_t>(at[2])]) : 0);
        ASSERT_NEAR(y[k], static_cast<double>(expected), 2e-6);
        ASSERT_NEAR(mean[row], static_cast<double>(m), 1e-4);
        ASSERT_NEAR(inverse[row], static_cast<double>(1 / deviation), 1e-5);
      }
    }
  }
}

TEST(ReferenceLayerNorm, HasStatisticsOfNoValues) {
  float mean[2] = {7, 7};
  float inverse[2] = {7, 7};
  float none = 0;
  layer_norm(LayerNormArgs<float>{.input = {&none, {2, 0}},
                                  .scale = {&none, {0}},
                                  .bias = {},
                                  .axis = 1,
                                  .epsilon = 0.25f,
                                  .output = {&none, {2, 0}},
                                  .mean = mean,
                                  .inverse_deviation = inverse});
  for (int row = 0; row < 2; ++row) {
    EXPECT_EQ(mean[row], 0);
    EXPECT_EQ(inverse[row], 2);
  }
}

TEST(ReferenceGroupNorm, NormalisesEachGroupOfChannels) {
  Random random(27);
  const Shape shape{2, 3, 2, 6};
  for (const std::int64_t groups : {1, 2, 3, 6}) {
    const auto x = random.values<double>(shape.elements());
    const auto scale = random.values<double>(6);
    const auto bias = random.values<double>(6);
    auto y = filled<double>(shape);
    group_norm(GroupNormArgs<double>{.input = view_of(x, shape),
                                     .scale = scale.data(),
                                     .bias = bias.data(),
                                     .groups = groups,
                                     .output = view_of(y, shape)});
    for (std::size_t k = 0; k < x.size(); ++k) {
      const auto at = coordinates(shape, static_cast<std::int64_t>(k));
      std::vector<long double> members;
      for (std::size_t other = 0; other < x.size(); ++other) {
        const auto there = coordinates(shape, static_cast<std::int64_t>(other));
        if (there[0] == at[0] && there[3] * groups / 6 == at[3] * groups / 6) members.push_back(x[other]);
      }
      const auto [mean, variance] = textbook_moments(members);
      const auto c = static_cast<std::size_t>(at[3]);
      const auto expected = (x[k] - mean) / std::sqrt(variance + static_cast<long double>(1e-5f)) * scale[c] + bias[c];
      ASSERT_NEAR(y[k], static_cast<double>(expected), 1e-12);
    }
  }
}

TEST(ReferenceBatchNorm, NormalisesByGivenMoments) {
  const std::vector<double> x = {1, 2, 3, 4};
  const std::vector<double> scale = {2, 1};
  const std::vector<double> bias = {0, 10};
  const std::vector<double> mean = {1, 4};
  const std::vector<double> variance = {4, 0.25};
  std::vector<double> y(4);
  batch_norm(BatchNormArgs<double>{.input = view_of(x, {2, 2}),
                                   .scale = scale.data(),
                                   .bias = bias.data(),
                                   .mean = mean.data(),
                                   .variance = variance.data(),
                                   .epsilon = 0,
                                   .output = view_of(y, {2, 2})});
  EXPECT_EQ(y, (std::vector<double>{0, 6, 2, 10}));
}

TEST(ReferenceLocalResponseNorm, CountsMoreChannelsAfterThanBefore) {
  Random random(28);
  const Shape shape{2, 1, 7};
  for (const std::int64_t size : {1, 2, 3, 4, 7, 100}) {
    const auto x = random.values<double>(shape.elements());
    auto y = filled<double>(shape);
    local_response_norm(LocalResponseNormArgs<double>{.input = view_of(x, shape),
                                                      .size = size,
                                                      .alpha = 0.5f,
                                                      .beta = 0.75f,
                                                      .bias = 2,
                                                      .output = view_of(y, shape)});
    for (std::int64_t k = 0; k < 14; ++k) {
      double squares = 0;
      for (std::int64_t c = 0; c < 7; ++c) {
        const double distance = static_cast<double>(c - k % 7);
        if (distance < -std::floor(static_cast<double>(size - 1) / 2)) continue;
        if (distance > std::ceil(static_cast<double>(size - 1) / 2)) continue;
        const double value = x[static_cast<std::size_t>(k / 7 * 7 + c)];
        squares += value * value;
      }
      const double expected =
          x[static_cast<std::size_t>(k)] / std::pow(2 + 0.5 / static_cast<double>(size) * squares, 0.75);
      ASSERT_NEAR(y[static_cast<std::size_t>(k)], expected, 1e-13);
    }
  }
}

}  // namespace
}  // namespace sepal::reference
