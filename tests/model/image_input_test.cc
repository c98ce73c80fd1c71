#include "sepal/model/image_input.h"

#include <gtest/gtest.h>

#include "tests/raises.h"

namespace sepal {
namespace {

using Properties = std::map<std::string, std::string>;

ValueInfo info(std::vector<std::int64_t> dimensions, DataType type = DataType::kF32) {
  std::string text;
  for (const std::int64_t dimension : dimensions)
    text += (text.empty() ? "" : "x") + (dimension < 0 ? std::string("?") : std::to_string(dimension));
  return {"image", type, std::move(dimensions), text};
}

ImageFormat format_of(ValueInfo input, const std::map<std::string, Shape>& shapes = {},
                      const Properties& properties = {}) {
  return image_input_format(std::span(&input, 1), "", shapes, properties);
}

TEST(ImageInput, ReadsTheShape) {
  const ImageFormat first = format_of(info({1, 3, 240, 320}));
  EXPECT_TRUE(first.channels_first);
  EXPECT_EQ(first.size, (Extent{240, 320}));
  EXPECT_EQ(first.channels, 3);
  const ImageFormat last = format_of(info({-1, 49, 10, 1}, DataType::kU8));
  EXPECT_FALSE(last.channels_first);
  EXPECT_EQ(last.size, (Extent{49, 10}));
  EXPECT_EQ(last.channels, 1);
  EXPECT_EQ(last.type, DataType::kU8);
  EXPECT_EQ(format_of(info({-1, 3, -1, -1}), {{"image", {1, 3, 64, 48}}}).size, (Extent{64, 48}));
}

TEST(ImageInput, ReadsTheProperties) {
  const ImageFormat format = format_of(info({1, 3, 8, 8}), {},
                                       {{"sepal.mean", "0.1, 0.2,0.3"}, {"sepal.std", "0.5"}, {"sepal.resize", "pad"}});
  EXPECT_EQ(format.normalisation.mean, (std::array{0.1, 0.2, 0.3}));
  EXPECT_EQ(format.normalisation.std, (std::array{0.5, 0.5, 0.5}));
  EXPECT_EQ(format.fit, Fit::kPad);
}

TEST(ImageInput, SaysWhatIsNoImage) {
  const auto says = [](const ValueInfo& input, const char* message) {
    EXPECT_TRUE(raises([&] { format_of(input); }, message, ErrorKind::kInvalid));
  };
  says(info({1, 1960}), "input \"image\" is f32 1x1960: not an image of 1 or 3 channels; give it as an array");
  says(info({1, 7, 8, 8}), "input \"image\" is f32 1x7x8x8: not an image of 1 or 3 channels; give it as an array");
  says(info({1, 3, 8, 8}, DataType::kI64),
       "input \"image\" is i64 1x3x8x8: images are f32, f16, bf16 or u8; give it as an array");
  says(info({1, 3, -1, 8}), "input \"image\" is f32 1x3x?x8: its size is free; give --shape image=1x3x224x224");
  says(info({1, -1, -1, 1}), "input \"image\" is f32 1x?x?x1: its size is free; give --shape image=1x224x224x1");
  says(info({2, 3, 8, 8}), "input \"image\" is f32 2x3x8x8: it takes 2 images at once; give them as an array");
  EXPECT_TRUE(raises([] { image_input_format({}, "", {}, {}); }, "the model has no inputs, so none for an image",
                     ErrorKind::kInvalid));
}

TEST(ImageInput, MayBeOneOfSeveral) {
  std::vector<ValueInfo> inputs = {info({2}), info({1, 3, 6, 5})};
  inputs[0].name = "threshold";
  EXPECT_EQ(image_input_format(inputs, "image", {}, {}).size, (Extent{6, 5}));
  EXPECT_TRUE(raises([&] { image_input_format(inputs, "", {}, {}); },
                     "the model has 2 inputs; say which takes the image", ErrorKind::kInvalid));
  EXPECT_TRUE(raises([&] { image_input_format(inputs, "picture", {}, {}); }, "the model has no input \"picture\"",
                     ErrorKind::kInvalid));
  EXPECT_TRUE(raises([&] { image_input_format(inputs, "threshold", {}, {}); },
                     "input \"threshold\" is f32 2: not an image of 1 or 3 channels; give it as an array"));
}

TEST(ImageInput, SaysWhatPropertyDoesNotParse) {
  for (const char* text : {"", "a", "1,2", "1,2,3,4", "1,2,3,", "nan", "1;2;3"}) {
    EXPECT_TRUE(raises([&] { format_of(info({1, 3, 8, 8}), {}, {{"sepal.mean", text}}); },
                       std::string("the property sepal.mean is \"") + text +
                           "\", but must be one number or three with commas between them"));
  }
  for (const char* text : {"0", "1,0,1", "1,1,-0.0"}) {
    EXPECT_TRUE(raises([&] { format_of(info({1, 3, 8, 8}), {}, {{"sepal.std", text}}); },
                       std::string("the property sepal.std is \"") + text + "\", but pixels cannot be divided by 0",
                       ErrorKind::kInvalid));
  }
  EXPECT_TRUE(raises([] { format_of(info({1, 3, 8, 8}), {}, {{"sepal.resize", "zoom"}}); },
                     "the property sepal.resize is \"zoom\", but must be crop, stretch or pad", ErrorKind::kInvalid));
}

}  // namespace
}  // namespace sepal
