#include <gtest/gtest.h>

#include "sepal/base/text.h"
#include "sepal/formats/image.h"
#include "tests/formats/image_test_data.h"
#include "tests/raises.h"

namespace sepal {
namespace {

struct Case {
  const char* why;
  std::int64_t h, w, c;
  Extent to;
};
constexpr Case kCases[] = {
    {"both shrink, by odd ratios", 37, 53, 3, {16, 16}},
    {"both grow", 16, 16, 3, {40, 25}},
    {"one shrinks, one grows", 64, 48, 1, {7, 50}},
    {"a single column", 120, 1, 3, {11, 3}},
    {"one side stays", 20, 30, 3, {20, 13}},
    {"wide filters", 9, 300, 1, {9, 5}},
};

TEST(Resize, EqualsPillow) {
  for (const Case& test : kCases) {
    SCOPED_TRACE(test.why);
    const Tensor expected = golden(format("resize_{}x{}x{}_{}x{}", test.h, test.w, test.c, test.to.h, test.to.w));
    EXPECT_TRUE(identical(resize_bilinear(pattern(test.h, test.w, test.c), test.to), expected));
  }
}

TEST(Resize, ToTheSameSizeIsTheSame) {
  const Tensor image = pattern(11, 7, 3);
  EXPECT_TRUE(identical(resize_bilinear(image, {11, 7}), image));
}

TEST(Resize, KeepsAFlatImageFlat) {
  Tensor image(DataType::kU8, {200, 301, 1});
  std::ranges::fill(image.values<std::uint8_t>(), std::uint8_t{255});
  for (const Extent to : {Extent{1, 1}, Extent{7, 450}, Extent{333, 2}}) {
    const Tensor resized = resize_bilinear(image, to);
    for (const std::uint8_t value : resized.values<std::uint8_t>()) ASSERT_EQ(value, 255);
  }
}

TEST(Resize, RefusesWhatIsNoImage) {
  EXPECT_TRUE(raises([] { resize_bilinear(Tensor(DataType::kF32, {2, 2, 3}), {2, 2}); },
                     "pixels are u8 [h, w, c], but this is f32 2x2x3"));
  EXPECT_TRUE(raises([] { resize_bilinear(Tensor(DataType::kU8, {2, 2}), {2, 2}); },
                     "pixels are u8 [h, w, c], but this is u8 2x2"));
  EXPECT_TRUE(raises([] { resize_bilinear(Tensor(DataType::kU8, {2, 0, 3}), {2, 2}); },
                     "pixels are u8 [h, w, c], but this is u8 2x0x3"));
  EXPECT_TRUE(raises([] { resize_bilinear(pattern(2, 2, 1), {0, 2}); }, "an image of 2 x 0 pixels"));
  EXPECT_TRUE(raises([] { resize_bilinear(pattern(2, 2, 1), {1 << 20, 1 << 9}); },
                     "an image of 512 x 1048576 pixels; at most 268,435,456 in all and 1,048,576 a side are handled"));
  EXPECT_TRUE(raises([] { resize_bilinear(pattern(2, 2, 1), {1, (1 << 20) + 1}); },
                     "an image of 1048577 x 1 pixels; at most 268,435,456 in all and 1,048,576 a side are handled"));
}

}  // namespace
}  // namespace sepal
