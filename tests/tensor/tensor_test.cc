#include "sepal/tensor/tensor.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

#include "sepal/tensor/window.h"
#include "tests/raises.h"

namespace sepal {
namespace {

TEST(Tensor, BeginsAsZerosAligned) {
  const Tensor tensor(DataType::kI16, {3, 5});
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(tensor.data()) % 64, 0u);
  for (const std::int16_t value : tensor.values<std::int16_t>()) EXPECT_EQ(value, 0);
  EXPECT_EQ(tensor.bytes(), 30u);
  EXPECT_EQ(Tensor().elements(), 0);
}

TEST(Tensor, CopiesWhenAsked) {
  Tensor tensor = Tensor::of<float>({2, 2}, {1, 2, 3, 4});
  const Tensor copy = tensor.copy();
  tensor.values<float>()[0] = 9;
  EXPECT_EQ(copy.values<float>()[0], 1);
  EXPECT_FALSE(identical(tensor, copy));
  EXPECT_TRUE(identical(copy, Tensor::of<float>({2, 2}, {1, 2, 3, 4})));
  const Tensor flat = std::move(tensor).reshaped({4});
  EXPECT_EQ(flat.values<float>()[0], 9);
  EXPECT_EQ(flat.shape(), Shape{4});
}

TEST(Tensor, ComparesBits) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(identical(Tensor::of<float>({1}, {nan}), Tensor::of<float>({1}, {nan})));
  EXPECT_FALSE(identical(Tensor::of<float>({1}, {0.0f}), Tensor::of<float>({1}, {-0.0f})));
  EXPECT_FALSE(identical(Tensor::of<float>({1}, {0}), Tensor::of<std::int32_t>({1}, {0})));
  EXPECT_TRUE(identical(Tensor(DataType::kF32, {0}), Tensor(DataType::kF32, {0})));
}

TEST(Tensor, RefusesWhatDoesNotFit) {
  EXPECT_TRUE(raises([] { Tensor::of<float>({3}, {1, 2}); }, "2 values for a tensor of 3", ErrorKind::kInvalid));
  EXPECT_TRUE(
      raises([] { Tensor(DataType::kF32, {2, 3}).reshaped({4}); }, "2x3 cannot be reshaped to 4", ErrorKind::kInvalid));
  EXPECT_TRUE(raises(
      [] {
        const Tensor tensor(DataType::kF32, {2});
        tensor.values<std::int8_t>();
      },
      "a tensor of f32 was read as i8", ErrorKind::kInvalid));
}

TEST(Tensor, MemoryThatIsNotThere) {
  EXPECT_TRUE(raises([] { Tensor(DataType::kI64, {std::int64_t{1} << 56}); }, "512.0 PiB of memory cannot be had",
                     ErrorKind::kMemory));
  EXPECT_TRUE(raises([] { AlignedBytes{std::numeric_limits<std::size_t>::max()}; }, "16.0 EiB of memory cannot be had",
                     ErrorKind::kMemory));
}

TEST(Window, GivesTheOutputsExtent) {
  struct Case {
    const char* why;
    Extent input;
    Window window;
    Extent expected, ceil;
  };
  const Case kCases[] = {
      {"the identity", {5, 7}, {}, {5, 7}, {5, 7}},
      {"valid 3x3", {5, 7}, {.kernel = {3, 3}}, {3, 5}, {3, 5}},
      {"stride that does not divide", {6, 7}, {.kernel = {3, 3}, .stride = {2, 3}}, {2, 2}, {3, 3}},
      {"uneven padding; rounded up, no window begins behind the image",
       {4, 4},
       {.kernel = {3, 3}, .padding = {0, 1, 2, 3}},
       {4, 6},
       {4, 5}},
      {"dilation", {9, 9}, {.kernel = {3, 5}, .dilation = {4, 2}}, {1, 1}, {1, 1}},
      {"rounding up must not begin in the padding behind",
       {2, 2},
       {.kernel = {1, 1}, .stride = {2, 2}, .padding = {0, 0, 1, 1}},
       {2, 2},
       {1, 1}},
  };
  for (const Case& test : kCases) {
    EXPECT_EQ(output_extent(test.input, test.window), test.expected) << test.why;
    EXPECT_EQ(output_extent_ceil(test.input, test.window), test.ceil) << test.why;
  }
  EXPECT_EQ(span_of({.kernel = {3, 5}, .dilation = {4, 2}}), (Extent{9, 9}));
}

TEST(Window, RefusesWhatCannotBe) {
  EXPECT_TRUE(raises([] { output_extent({7, 7}, {.kernel = {5, 1}, .dilation = {2, 1}}); },
                     "a kernel of 5 with dilation 2 spans 9 rows, but the padded input has 7", ErrorKind::kInvalid));
  EXPECT_TRUE(raises([] { output_extent({7, 1}, {.kernel = {1, 2}}); },
                     "a kernel of 2 with dilation 1 spans 2 columns, but the padded input has 1", ErrorKind::kInvalid));
  EXPECT_TRUE(raises([] { output_extent({7, 7}, {.kernel = {3, 3}, .stride = {0, 1}}); },
                     "the stride over rows is 0; at least 1 and less than 2^31 is wanted", ErrorKind::kInvalid));
  EXPECT_TRUE(raises([] { output_extent({7, 7}, {.kernel = {3, 3}, .padding = {0, -1, 0, 0}}); },
                     "the padding before columns is -1; at least 0 and less than 2^31 is wanted", ErrorKind::kInvalid));
  EXPECT_TRUE(raises([] { output_extent({7, 7}, {.kernel = {std::int64_t{1} << 31, 1}}); },
                     "the kernel over rows is 2147483648; at least 1 and less than 2^31 is wanted",
                     ErrorKind::kInvalid));
}

}  // namespace
}  // namespace sepal
