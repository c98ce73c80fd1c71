#include "sepal/tensor/type.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "sepal/tensor/elementwise.h"

namespace sepal {
namespace {

TEST(DataType, HasNameAndSize) {
  EXPECT_EQ(name_of(DataType::kBF16), "bf16");
  EXPECT_EQ(data_type("i64"), DataType::kI64);
  EXPECT_EQ(data_type("f64"), std::nullopt);
  for (int i = 0; i <= static_cast<int>(DataType::kBool); ++i) {
    const auto type = static_cast<DataType>(i);
    EXPECT_EQ(data_type(name_of(type)), type);
    visit_type(type, [&]<typename T>() {
      EXPECT_EQ(type_of<T>(), type);
      EXPECT_EQ(sizeof(T), size_of(type));
    });
  }
  EXPECT_TRUE(is_float(DataType::kF16) && !is_float(DataType::kI8) && is_integer(DataType::kI64) &&
              !is_integer(DataType::kBool));
}

/// The value of a half by its definition: sign, exponent - 15, ten bits of fraction.
double half_value(std::uint16_t bits) {
  const int exponent = (bits >> 10) & 31;
  const int fraction = bits & 1023;
  const double magnitude = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
  return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

TEST(Float16, EveryValueSurvives) {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    Float16 half;
    half.bits = static_cast<std::uint16_t>(bits);
    const auto value = static_cast<float>(half);
    if ((bits & 0x7C00) != 0x7C00) {
      ASSERT_EQ(value, half_value(half.bits)) << bits;
    } else if ((bits & 0x3FF) == 0) {
      ASSERT_TRUE(std::isinf(value));
    } else {
      ASSERT_TRUE(std::isnan(value));
      ASSERT_TRUE(std::isnan(static_cast<float>(Float16(value))));
      continue;
    }
    ASSERT_EQ(Float16(value).bits, bits);
  }
}

TEST(Float16, RoundsToNearestEven) {
  for (std::uint16_t bits = 0; bits < 0x7BFF; ++bits) {
    const double low = half_value(bits);
    const double high = half_value(static_cast<std::uint16_t>(bits + 1));
    const auto middle = static_cast<float>((low + high) / 2);
    ASSERT_EQ(Float16(middle).bits, bits % 2 == 0 ? bits : bits + 1) << bits;
    ASSERT_EQ(Float16(std::nextafter(middle, 0.0f)).bits, bits);
    ASSERT_EQ(Float16(std::nextafter(middle, 1e9f)).bits, bits + 1);
  }
  EXPECT_EQ(Float16(65519.996f).bits, 0x7BFF);
  EXPECT_EQ(Float16(65520.0f).bits, 0x7C00);
  EXPECT_EQ(Float16(-1e30f).bits, 0xFC00);
}

TEST(BFloat16, RoundsToNearestEven) {
  EXPECT_EQ(BFloat16(1.0f).bits, 0x3F80);
  EXPECT_EQ(BFloat16(std::bit_cast<float>(0x3F808000u)).bits, 0x3F80);  // a tie, down to even
  EXPECT_EQ(BFloat16(std::bit_cast<float>(0x3F818000u)).bits, 0x3F82);  // a tie, up to even
  EXPECT_EQ(BFloat16(std::bit_cast<float>(0x3F808001u)).bits, 0x3F81);
  EXPECT_TRUE(std::isinf(static_cast<float>(BFloat16(std::numeric_limits<float>::max()))));
  EXPECT_TRUE(std::isnan(static_cast<float>(BFloat16(std::numeric_limits<float>::quiet_NaN()))));
  EXPECT_TRUE(std::isnan(static_cast<float>(BFloat16(std::bit_cast<float>(0x7F800001u)))));
}

TEST(Kinds, HaveNames) {
  EXPECT_EQ(name_of(UnaryKind::kIdentity), "identity");
  EXPECT_EQ(name_of(UnaryKind::kHardSwish), "hard_swish");
  EXPECT_EQ(name_of(UnaryKind::kThresholdedRelu), "thresholded_relu");
  EXPECT_EQ(name_of(BinaryKind::kPRelu), "prelu");
  EXPECT_EQ(name_of(BinaryKind::kXor), "xor");
  EXPECT_EQ(name_of(PoolKind::kAverage), "average");
  EXPECT_EQ(name_of(ReduceKind::kLogSumExp), "log_sum_exp");
}

}  // namespace
}  // namespace sepal
