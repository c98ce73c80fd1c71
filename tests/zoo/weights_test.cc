#include "sepal/zoo/weights.h"

#include <gtest/gtest.h>

#include <cmath>

#include "sepal/zoo/zoo.h"

namespace sepal {
namespace {

struct Moments {
  double mean = 0;
  double variance = 0;
  double kurtosis = 0;
  float least = 0;
  float most = 0;
};

Moments moments_of(const Tensor& tensor) {
  const std::span<const float> values = tensor.values<float>();
  const auto count = static_cast<double>(values.size());
  Moments moments{.least = values[0], .most = values[0]};
  for (const float value : values) moments.mean += value / count;
  double fourth = 0;
  for (const float value : values) {
    const double d = value - moments.mean;
    moments.variance += d * d / count;
    fourth += d * d * d * d / count;
    moments.least = std::min(moments.least, value);
    moments.most = std::max(moments.most, value);
  }
  moments.kurtosis = fourth / (moments.variance * moments.variance);
  return moments;
}

TEST(WeightSource, NormalHasHesVariance) {
  constexpr std::int64_t kFanIn = 72;
  WeightSource source(3);
  const Moments moments = moments_of(source.normal({1000, 1000}, kFanIn));
  const double expected = 2.0 / kFanIn;
  EXPECT_NEAR(moments.mean, 0, 4 * std::sqrt(expected / 1e6));
  EXPECT_NEAR(moments.variance / expected, 1, 0.01);
  EXPECT_NEAR(moments.kurtosis, 2.7, 0.02);  // 3 - 6/5 / 4: a normal distribution's is 3
  EXPECT_LE(moments.most, std::sqrt(12 * expected));
  EXPECT_GT(moments.most, 3 * std::sqrt(expected));
}

TEST(WeightSource, UniformFillsItsRange) {
  WeightSource source(3);
  const Moments moments = moments_of(source.uniform({100'000}, 1, 0.25f, 2));
  EXPECT_NEAR(moments.mean, 2, 0.01);
  EXPECT_NEAR(moments.least, 1.5, 1e-3);
  EXPECT_NEAR(moments.most, 2.5, 1e-3);
}

// Worked out apart from this code, in integers of any length: every machine and compiler must give these bits.
TEST(WeightSource, GivesTheSameBitsEverywhere) {
  WeightSource source(7);
  const Tensor normal = source.normal({4}, 9);
  const Tensor uniform = source.uniform({4}, 1, 0.25f, 3);
  EXPECT_TRUE(
      identical(normal, Tensor::of<float>({4}, {-0x1.7c31aap-2f, -0x1.d203f4p-1f, -0x1.429bp-1f, 0x1.54bbf8p-2f})));
  EXPECT_TRUE(identical(uniform, Tensor::of<float>({4}, {0x1.97208p+1f, 0x1.6485p+1f, 0x1.a0dfp+1f, 0x1.5ff54p+1f})));
}

TEST(WeightSource, NeighboursDiffer) {
  WeightSource source(7);
  const Tensor first = source.normal({1000}, 9);
  EXPECT_FALSE(identical(first, source.normal({1000}, 9)));
  EXPECT_FALSE(identical(first, WeightSource(8).normal({1000}, 9)));
  EXPECT_TRUE(identical(first, WeightSource(7).normal({1000}, 9)));
}

TEST(Build, SeedsDecideTheWeightsAndNothingElse) {
  const Graph one = build(parse_zoo_spec("ds_cnn_s"));
  EXPECT_TRUE(one == build(parse_zoo_spec("ds_cnn_s:seed=1")));
  Graph two = build(parse_zoo_spec("ds_cnn_s:seed=2"));
  two.about = one.about;
  EXPECT_FALSE(one == two);
  Graph none = build(parse_zoo_spec("ds_cnn_s:seed=2"), Weights::kNone);
  ASSERT_EQ(none.nodes().size(), one.nodes().size());
  const Constant& filter = none.constant(none.nodes()[0].inputs[1]);
  EXPECT_TRUE(identical(*filter, Tensor(DataType::kF32, {64, 10, 4, 1})));
}

}  // namespace
}  // namespace sepal
