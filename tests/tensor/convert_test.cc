#include "sepal/tensor/convert.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/raises.h"

namespace sepal {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
const Shape kTwo = {2};

TEST(Convert, KeepsValues) {
  struct Case {
    const char* why;
    Tensor from, to;
  };
  const Case kCases[] = {
      {"whole floats to u8", Tensor::of<float>(kTwo, {0, 255}), Tensor::of<std::uint8_t>(kTwo, {0, 255})},
      {"whole floats to i8", Tensor::of<float>(kTwo, {-128, 127}), Tensor::of<std::int8_t>(kTwo, {-128, 127})},
      {"whole floats to i64", Tensor::of<float>(kTwo, {-0x1p63f, 0x1p62f}),
       Tensor::of<std::int64_t>(kTwo, {INT64_MIN, std::int64_t{1} << 62})},
      {"a negative zero", Tensor::of<float>(kTwo, {-0.0f, 1}), Tensor::of<std::int32_t>(kTwo, {0, 1})},
      {"0 and 1 to bool", Tensor::of<float>(kTwo, {1, 0}), Tensor::of<bool>(kTwo, {true, false})},
      {"bool to f32", Tensor::of<bool>(kTwo, {true, false}), Tensor::of<float>(kTwo, {1, 0})},
      {"bool to i64", Tensor::of<bool>(kTwo, {true, false}), Tensor::of<std::int64_t>(kTwo, {1, 0})},
      {"halves to f16", Tensor::of<float>(kTwo, {0.5f, -65504}),
       Tensor::of<Float16>(kTwo, {Float16(0.5f), Float16(-65504)})},
      {"infinity to f16", Tensor::of<float>(kTwo, {kInfinity, -kInfinity}),
       Tensor::of<Float16>(kTwo, {Float16(kInfinity), Float16(-kInfinity)})},
      {"f16 to f32", Tensor::of<Float16>(kTwo, {Float16(0x1p-24f), Float16(3)}),
       Tensor::of<float>(kTwo, {0x1p-24f, 3})},
      {"bf16 to f32", Tensor::of<BFloat16>(kTwo, {BFloat16(256), BFloat16(3)}), Tensor::of<float>(kTwo, {256, 3})},
      {"f32 to bf16", Tensor::of<float>(kTwo, {256, 3}), Tensor::of<BFloat16>(kTwo, {BFloat16(256), BFloat16(3)})},
      {"i64 to f32", Tensor::of<std::int64_t>(kTwo, {1 << 24, INT64_MIN}),
       Tensor::of<float>(kTwo, {0x1p24f, -0x1p63f})},
      {"i64 to u16", Tensor::of<std::int64_t>(kTwo, {0, 65535}), Tensor::of<std::uint16_t>(kTwo, {0, 65535})},
      {"u8 to i16", Tensor::of<std::uint8_t>(kTwo, {0, 255}), Tensor::of<std::int16_t>(kTwo, {0, 255})},
      {"the same type", Tensor::of<std::uint8_t>(kTwo, {0, 255}), Tensor::of<std::uint8_t>(kTwo, {0, 255})},
      {"no values", Tensor(DataType::kF32, {3, 0}), Tensor(DataType::kI8, {3, 0})},
  };
  for (const Case& test : kCases) {
    SCOPED_TRACE(test.why);
    EXPECT_TRUE(identical(converted(test.from, test.to.type()), test.to));
  }
  const Tensor nan = converted(Tensor::of<float>({1}, {NAN}), DataType::kF16);
  EXPECT_TRUE(std::isnan(static_cast<float>(nan.values<Float16>()[0])));
}

TEST(Convert, RefusesTheFirstValueThatIsLost) {
  struct Case {
    const char* message;
    Tensor from;
    DataType to;
  };
  const Case kCases[] = {
      {"the value 300 at [1] cannot be held by u8", Tensor::of<float>(kTwo, {255, 300}), DataType::kU8},
      {"the value -1 at [0] cannot be held by u16", Tensor::of<float>(kTwo, {-1, 300}), DataType::kU16},
      {"the value 0.5 at [1,0] cannot be held by i32", Tensor::of<float>({2, 1}, {1, 0.5f}), DataType::kI32},
      {"the value nan at [0] cannot be held by i64", Tensor::of<float>({1}, {NAN}), DataType::kI64},
      {"the value inf at [0] cannot be held by i64", Tensor::of<float>({1}, {kInfinity}), DataType::kI64},
      {"the value 9.223372036854776e+18 at [0] cannot be held by i64", Tensor::of<float>({1}, {0x1p63f}),
       DataType::kI64},
      {"the value 0.10000000149011612 at [0] cannot be held by f16", Tensor::of<float>({1}, {0.1f}), DataType::kF16},
      {"the value 70000 at [0] cannot be held by f16", Tensor::of<float>({1}, {70000}), DataType::kF16},
      {"the value 257 at [0] cannot be held by bf16", Tensor::of<std::int32_t>({1}, {257}), DataType::kBF16},
      {"the value 16777217 at [0] cannot be held by f32", Tensor::of<std::int32_t>({1}, {16777217}), DataType::kF32},
      {"the value 9223372036854775807 at [0] cannot be held by f32", Tensor::of<std::int64_t>({1}, {INT64_MAX}),
       DataType::kF32},
      {"the value 128 at [] cannot be held by i8", Tensor::of<std::uint8_t>({}, {128}), DataType::kI8},
      {"the value 2 at [0] cannot be held by bool", Tensor::of<std::uint8_t>({1}, {2}), DataType::kBool},
      {"the value 2 at [0] cannot be held by bool", Tensor::of<float>({1}, {2}), DataType::kBool},
  };
  for (const Case& test : kCases) {
    EXPECT_TRUE(raises([&] { converted(test.from, test.to); }, test.message, ErrorKind::kInvalid));
  }
}

}  // namespace
}  // namespace sepal
