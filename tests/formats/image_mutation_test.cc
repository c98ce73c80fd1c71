// Thousands of damaged image files: each is decoded or refused in one line. What else may happen (a crash,
// a leak, a read outside) is for the sanitizer builds to see; SEPAL_MUTATIONS=2000 is the full count.

#include <gtest/gtest.h>

#include <random>
#include <string_view>

#include "sepal/base/text.h"
#include "sepal/formats/image.h"
#include "tests/formats/image_encode.h"
#include "tests/formats/image_test_data.h"
#include "tests/mutate.h"

namespace sepal {
namespace {

std::vector<Bytes> seeds() {
  const Tensor colour = gradient(21, 26, 3);
  const Tensor grey = gradient(21, 26, 1);
  std::vector<std::uint16_t> samples(21 * 26 * 4);
  for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = static_cast<std::uint16_t>(i * 321);
  std::vector<std::uint16_t> indices(21 * 26);
  for (std::size_t i = 0; i < indices.size(); ++i) indices[i] = static_cast<std::uint16_t>(i % 3);
  const Bytes exif = exif_with(6);
  return {
      encode_jpeg(colour, {.exif = exif}),
      encode_jpeg(colour, {.subsampled = true, .progressive = true}),
      encode_jpeg(grey, {.colour = JpegColour::kGrey, .restart_interval = 2}),
      encode_jpeg(gradient(9, 9, 4), {.colour = JpegColour::kYcck}),
      encode_png(colour),
      encode_png({21, 26}, samples, {.colour = PngColour::kRgba, .depth = 16, .interlaced = true, .exif = exif}),
      encode_png(
          {21, 26}, indices,
          {.colour = PngColour::kPalette, .depth = 2, .palette = {1, 2, 3, 4, 5, 6, 7, 8, 9}, .transparency = {9}}),
      encode_png({21, 26}, samples, {.colour = PngColour::kGreyAlpha, .depth = 16, .exif = exif, .exif_last = true}),
  };
}

TEST(Image, MutationsAreDecodedOrRefused) {
  std::mt19937_64 random(20241);
  const std::vector<Bytes> good = seeds();
  int decoded = 0;
  const int count = mutations(400);
  for (int i = 0; i < count; ++i) {
    const std::size_t seed = static_cast<std::size_t>(i) % good.size();
    Bytes bytes = mutate(good[seed], random);
    // Checksums would stop nearly every damaged PNG at the door.
    if (seed >= 4 && pick(random, 8) != 0) repair_png(bytes);
    SCOPED_TRACE(format("mutation {}", i));
    try {
      const Tensor image = decode_image(bytes);
      EXPECT_LE(image.elements(), 3 * (std::int64_t{1} << 28));
      ++decoded;
    } catch (const Error& error) {
      EXPECT_NE(error.kind(), ErrorKind::kInternal) << error.what();
      EXPECT_EQ(std::string_view(error.what()).find('\n'), std::string_view::npos) << error.what();
    }
  }
  if (count >= 300) {
    EXPECT_GT(decoded, 0);
    EXPECT_LT(decoded, count);
  }
}

TEST(Image, MutationsOfExifLeaveAPicture) {
  std::mt19937_64 random(20242);
  const Tensor image = gradient(8, 16, 1);
  for (int i = 0; i < mutations(400); ++i) {
    const Bytes exif = mutate(exif_with(6, i % 2 == 0), random);
    if (exif.empty()) continue;
    const Tensor decoded = decode_image(encode_jpeg(image, {.colour = JpegColour::kGrey, .exif = exif}));
    EXPECT_EQ(decoded.elements(), image.elements());
  }
}

}  // namespace
}  // namespace sepal
