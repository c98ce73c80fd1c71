#include <gtest/gtest.h>

#include <cmath>
#include <utility>

#include "sepal/base/text.h"
#include "sepal/formats/image.h"
#include "tests/formats/image_test_data.h"
#include "tests/raises.h"

namespace sepal {
namespace {

/// A format whose values are the pixels, [1, h, w, c].
ImageFormat pixels_of(Extent size, int channels, Fit fit) {
  return {.size = size, .channels = channels, .channels_first = false, .type = DataType::kU8, .fit = fit};
}

struct Case {
  const char* why;
  std::int64_t h, w, c;
  Extent to;
};
constexpr Case kCases[] = {
    {"landscape into a square", 45, 60, 3, {28, 28}}, {"portrait; what is cut off is odd", 61, 40, 3, {21, 21}},
    {"into a wide model", 50, 50, 3, {14, 35}},       {"into a tall one", 30, 90, 1, {35, 14}},
    {"padded, 2.5 rows are 2", 4, 16, 3, {10, 10}},   {"padded, 3.5 rows are 4", 4, 16, 1, {14, 14}},
};

TEST(Prepare, CropsAndPadsAsTheGoldensDo) {
  for (const Case& test : kCases) {
    SCOPED_TRACE(test.why);
    const auto c = static_cast<int>(test.c);
    const Tensor image = pattern(test.h, test.w, test.c);
    const Shape shape = {1, test.to.h, test.to.w, test.c};
    const std::string name = format("_{}x{}x{}_{}x{}", test.h, test.w, c, test.to.h, test.to.w);
    const Tensor crop = prepare_image(image, pixels_of(test.to, c, Fit::kCrop));
    EXPECT_TRUE(identical(crop, golden("crop" + name).reshaped(shape)));
    const Tensor pad = prepare_image(image, pixels_of(test.to, c, Fit::kPad));
    EXPECT_TRUE(identical(pad, golden("pad" + name).reshaped(shape)));
    const Tensor stretch = prepare_image(image, pixels_of(test.to, c, Fit::kStretch));
    EXPECT_TRUE(identical(stretch, resize_bilinear(image, test.to).reshaped(shape)));
  }
}

TEST(Prepare, CropsTheLongestImageInLittleMemory) {
  // Resized whole it would have 256 * 2^28 pixels.
  const Tensor image = pattern(1 << 20, 1, 1);
  const Tensor crop = prepare_image(image, pixels_of({224, 224}, 1, Fit::kCrop));
  EXPECT_EQ(crop.shape(), (Shape{1, 224, 224, 1}));
}

TEST(Prepare, KeepsAPixelOfTheThinnestImage) {
  const Tensor pad = prepare_image(pattern(1, 5000, 1), pixels_of({8, 8}, 1, Fit::kPad));
  EXPECT_EQ(pad.shape(), (Shape{1, 8, 8, 1}));
  EXPECT_NE(pad.values<std::uint8_t>()[4 * 8], 0);  // half of seven rows is 4, as Python rounds
  EXPECT_EQ(pad.values<std::uint8_t>()[3 * 8], 0);
}

TEST(Prepare, MakesGreyAsPillowDoes) {
  const Tensor grey = prepare_image(pattern(32, 32, 3), pixels_of({32, 32}, 1, Fit::kStretch));
  EXPECT_TRUE(identical(grey, golden("luma_32x32x3").reshaped({1, 32, 32, 1})));
}

TEST(Prepare, RepeatsGreyForAColourModel) {
  const Tensor colour = prepare_image(pattern(4, 4, 1), pixels_of({4, 4}, 3, Fit::kStretch));
  const Tensor grey = pattern(4, 4, 1);
  for (std::size_t i = 0; i < 48; ++i) {
    ASSERT_EQ(colour.values<std::uint8_t>()[i], grey.values<std::uint8_t>()[i / 3]);
  }
}

TEST(Prepare, NormalisesIntoTheModelsLayout) {
  const Tensor image = pattern(3, 2, 3);
  const auto pixels = image.values<std::uint8_t>();
  for (const char* preset : {"imagenet-torch", "imagenet-tf", "unit", "raw"}) {
    const Normalisation normal = normalisation(preset).value();
    for (const bool first : {false, true}) {
      for (const bool bgr : {false, true}) {
        SCOPED_TRACE(format("{}, {}, {}", preset, first, bgr));
        const Tensor result = prepare_image(
            image,
            {.size = {3, 2}, .channels_first = first, .bgr = bgr, .fit = Fit::kStretch, .normalisation = normal});
        ASSERT_EQ(result.shape(), first ? (Shape{1, 3, 3, 2}) : (Shape{1, 3, 2, 3}));
        for (std::size_t pixel = 0; pixel < 6; ++pixel) {
          for (std::size_t c = 0; c < 3; ++c) {
            const std::size_t to = bgr ? 2 - c : c;
            const double expected = (pixels[pixel * 3 + c] / 255.0 - normal.mean[c]) / normal.std[c];
            ASSERT_FLOAT_EQ(result.values<float>()[first ? to * 6 + pixel : pixel * 3 + to],
                            static_cast<float>(expected));
          }
        }
      }
    }
  }
}

TEST(Prepare, RawValuesAreThePixels) {
  Tensor image(DataType::kU8, {16, 16, 1});
  for (std::size_t i = 0; i < 256; ++i) image.values<std::uint8_t>()[i] = static_cast<std::uint8_t>(i);
  const Tensor raw = prepare_image(
      image, {.size = {16, 16}, .channels = 1, .fit = Fit::kStretch, .normalisation = normalisation("raw").value()});
  for (std::size_t i = 0; i < 256; ++i) ASSERT_EQ(raw.values<float>()[i], static_cast<float>(i));
}

TEST(Prepare, RoundsToHalfPrecision) {
  const Tensor image = Tensor::of<std::uint8_t>({1, 1, 1}, {100});
  ImageFormat format{
      .size = {1, 1}, .channels = 1, .type = DataType::kF16, .normalisation = normalisation("unit").value()};
  const Tensor half = prepare_image(image, format);
  EXPECT_EQ(half.values<Float16>()[0].bits, Float16(100 / 255.0f).bits);
  format.type = DataType::kBF16;
  const Tensor brain = prepare_image(image, format);
  EXPECT_EQ(brain.values<BFloat16>()[0].bits, BFloat16(100 / 255.0f).bits);
}

TEST(Prepare, RefusesWhatCannotBe) {
  const Tensor image = pattern(4, 4, 3);
  struct Wrong {
    const char* message;
    ImageFormat format;
  };
  const Wrong kWrong[] = {
      {"an image of 4 x 0 pixels", {.size = {0, 4}}},
      {"an image as input of 2 channels; 1 and 3 are possible", {.channels = 2}},
      {"an image as input of type i32; f32, f16, bf16 and u8 are possible", {.type = DataType::kI32}},
      {"a std of 0 to divide pixels by", {.normalisation = {{0, 0, 0}, {1, 0, 1}}}},
      {"a mean of inf to subtract from pixels", {.normalisation = {{0, HUGE_VAL, 0}, {1, 1, 1}}}},
      {"a std of inf to divide pixels by", {.normalisation = {{0, 0, 0}, {1, 1, HUGE_VAL}}}},
  };
  for (const Wrong& wrong : kWrong) EXPECT_TRUE(raises([&] { prepare_image(image, wrong.format); }, wrong.message));
  EXPECT_TRUE(
      raises([] { prepare_image(pattern(4, 4, 4), {}); }, "pixels are u8 [h, w, 1 or 3], but this is u8 4x4x4"));
  EXPECT_TRUE(raises([] { prepare_image(Tensor(DataType::kF32, {4, 4, 3}), {}); },
                     "pixels are u8 [h, w, 1 or 3], but this is f32 4x4x3"));
  EXPECT_TRUE(raises([] { prepare_image(Tensor(DataType::kU8, {0, 4, 3}), {}); }, "an image of 4 x 0 pixels"));
}

TEST(Prepare, KnowsItsNames) {
  EXPECT_EQ(fit("crop"), Fit::kCrop);
  EXPECT_EQ(fit("stretch"), Fit::kStretch);
  EXPECT_EQ(fit("pad"), Fit::kPad);
  EXPECT_EQ(fit("squeeze"), std::nullopt);
  EXPECT_EQ(normalisation("imagenet"), std::nullopt);
  EXPECT_EQ(normalisation("imagenet-torch"), ImageFormat{}.normalisation);
}

}  // namespace
}  // namespace sepal
