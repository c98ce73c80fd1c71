#include "sepal/formats/image.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "sepal/base/mapped_file.h"
#include "sepal/base/text.h"
#include "tests/formats/image_encode.h"
#include "tests/formats/image_test_data.h"
#include "tests/raises.h"
#include "tests/test_data.h"

namespace sepal {
namespace {

/// The largest difference between two images of one shape; 256 where the shapes differ.
int difference(const Tensor& a, const Tensor& b) {
  if (a.shape() != b.shape()) return 256;
  int largest = 0;
  for (std::size_t i = 0; i < a.bytes(); ++i) {
    largest = std::max(largest, std::abs(a.values<std::uint8_t>()[i] - b.values<std::uint8_t>()[i]));
  }
  return largest;
}

std::vector<std::byte> bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

struct PngCase {
  const char* why;
  PngOptions options;
  int samples;   ///< a pixel
  int channels;  ///< after decoding
};

TEST(Png, EveryColourTypeAndDepth) {
  constexpr Extent kSize = {11, 13};
  const std::vector<PngCase> cases = {
      {"black and white", {.colour = PngColour::kGrey, .depth = 1}, 1, 1},
      {"4 greys", {.colour = PngColour::kGrey, .depth = 2}, 1, 1},
      {"16 greys", {.colour = PngColour::kGrey, .depth = 4}, 1, 1},
      {"grey", {.colour = PngColour::kGrey, .depth = 8}, 1, 1},
      {"grey with a transparent one, which is dropped",
       {.colour = PngColour::kGrey, .depth = 8, .transparency = {0, 7}},
       1,
       1},
      {"grey of 16 bits", {.colour = PngColour::kGrey, .depth = 16}, 1, 1},
      {"grey and alpha", {.colour = PngColour::kGreyAlpha, .depth = 8}, 2, 1},
      {"grey and alpha of 16 bits", {.colour = PngColour::kGreyAlpha, .depth = 16}, 2, 1},
      {"colour", {.colour = PngColour::kRgb, .depth = 8}, 3, 3},
      {"colour with a transparent one",
       {.colour = PngColour::kRgb, .depth = 8, .transparency = {0, 7, 0, 8, 0, 9}},
       3,
       3},
      {"colour of 16 bits", {.colour = PngColour::kRgb, .depth = 16}, 3, 3},
      {"colour and alpha, which is dropped", {.colour = PngColour::kRgba, .depth = 8}, 4, 3},
      {"colour and alpha of 16 bits", {.colour = PngColour::kRgba, .depth = 16}, 4, 3},
  };
  for (const PngCase& test : cases) {
    for (const bool interlaced : {false, true}) {
      SCOPED_TRACE(format("{}, interlaced: {}", test.why, interlaced));
      PngOptions options = test.options;
      options.interlaced = interlaced;
      const unsigned highest = (1u << options.depth) - 1;
      std::vector<std::uint16_t> samples(static_cast<std::size_t>(kSize.h * kSize.w * test.samples));
      for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = static_cast<std::uint16_t>(i * 12345 & highest);

      const Tensor image = decode_image(encode_png(kSize, samples, options));
      ASSERT_EQ(image.shape(), (Shape{kSize.h, kSize.w, test.channels}));
      for (std::size_t i = 0; i < image.bytes(); ++i) {
        const auto c = static_cast<std::size_t>(test.channels);
        const unsigned sample = samples[i / c * static_cast<std::size_t>(test.samples) + i % c];
        const unsigned expected = options.depth == 16 ? sample >> 8 : sample * 255 / highest;
        ASSERT_EQ(image.values<std::uint8_t>()[i], expected) << i;
      }
    }
  }
}

TEST(Png, Palettes) {
  const std::vector<std::uint8_t> palette = {1, 2, 3, 250, 0, 9, 7, 77, 177};
  const std::vector<std::uint16_t> samples = {0, 1, 2, 2, 1, 0};
  for (const int depth : {2, 4, 8}) {
    SCOPED_TRACE(depth);
    const PngOptions options = {
        .colour = PngColour::kPalette, .depth = depth, .palette = palette, .transparency = {0, 128}};
    const Tensor image = decode_image(encode_png({2, 3}, samples, options));
    ASSERT_EQ(image.shape(), (Shape{2, 3, 3}));
    for (std::size_t i = 0; i < 18; ++i) {
      ASSERT_EQ(image.values<std::uint8_t>()[i], palette[samples[i / 3] * 3u + i % 3]);
    }
  }
  // An index beyond the palette is black, as in libpng.
  const PngOptions short_palette = {.colour = PngColour::kPalette, .palette = {1, 2, 3}};
  const Tensor black = decode_image(encode_png({1, 1}, std::vector<std::uint16_t>{9}, short_palette));
  EXPECT_TRUE(identical(black, Tensor(DataType::kU8, {1, 1, 3})));
}

TEST(Orientation, All8InBothFormatsAndByteOrders) {
  // What is seen at (y, x) of the upright image, told by where the stored image's corners must go.
  struct Case {
    int orientation;
    std::array<std::uint8_t, 6> upright;  ///< row by row
    Extent size;
  };
  // Stored:  1 2 3
  //          4 5 6
  constexpr Case kCases[] = {
      {1, {1, 2, 3, 4, 5, 6}, {2, 3}},  // as it is
      {2, {3, 2, 1, 6, 5, 4}, {2, 3}},  // mirrored
      {3, {6, 5, 4, 3, 2, 1}, {2, 3}},  // half a turn
      {4, {4, 5, 6, 1, 2, 3}, {2, 3}},  // upside down
      {5, {1, 4, 2, 5, 3, 6}, {3, 2}},  // over the diagonal
      {6, {4, 1, 5, 2, 6, 3}, {3, 2}},  // a quarter clockwise to be upright
      {7, {6, 3, 5, 2, 4, 1}, {3, 2}},  // over the other diagonal
      {8, {3, 6, 2, 5, 1, 4}, {3, 2}},  // a quarter counterclockwise
      {0, {1, 2, 3, 4, 5, 6}, {2, 3}},  // no orientation at all
      {9, {1, 2, 3, 4, 5, 6}, {2, 3}},
  };
  constexpr std::array<std::uint16_t, 6> kStored = {1, 2, 3, 4, 5, 6};
  for (const Case& test : kCases) {
    for (const bool flag : {false, true}) {
      SCOPED_TRACE(format("orientation {}, {}", test.orientation, flag));
      const Bytes exif = exif_with(test.orientation, flag);
      const Tensor expected =
          Tensor::of<std::uint8_t>({test.size.h, test.size.w, 1}, std::span<const std::uint8_t>(test.upright));
      const Tensor png =
          decode_image(encode_png({2, 3}, kStored, {.colour = PngColour::kGrey, .exif = exif, .exif_last = flag}));
      EXPECT_TRUE(identical(png, expected));

      // JPEG would blur single pixels: blocks of 8 x 8 of one value instead.
      Tensor blocks(DataType::kU8, {16, 24, 1});
      for (std::size_t i = 0; i < blocks.bytes(); ++i) {
        blocks.values<std::uint8_t>()[i] = static_cast<std::uint8_t>(kStored[i / 24 / 8 * 3 + i % 24 / 8] * 40);
      }
      const Tensor jpeg = decode_image(encode_jpeg(blocks, {.colour = JpegColour::kGrey, .exif = exif}));
      ASSERT_EQ(jpeg.shape(), (Shape{test.size.h * 8, test.size.w * 8, 1}));
      for (std::size_t i = 0; i < 6; ++i) {
        const std::size_t w = static_cast<std::size_t>(test.size.w);
        EXPECT_NEAR(jpeg.values<std::uint8_t>()[(i / w * 8 + 4) * w * 8 + i % w * 8 + 4], test.upright[i] * 40, 2);
      }
    }
  }
}

TEST(Orientation, BrokenExifIsNone) {
  const Tensor image = gradient(16, 24, 1);
  for (const Bytes& exif : {bytes_of("II"), bytes_of("nonsense, and more of it"), Bytes(200)}) {
    EXPECT_EQ(decode_image(encode_jpeg(image, {.colour = JpegColour::kGrey, .exif = exif})).shape(), image.shape());
  }
}

TEST(Jpeg, EveryColourSpace) {
  struct Case {
    const char* why;
    JpegOptions options;
    int tolerance;
  };
  const Case kCases[] = {
      {"as cameras write it", {}, 4},
      {"with fewer colours than pixels", {.subsampled = true}, 6},
      {"progressive", {.progressive = true}, 4},
      {"with restart markers", {.restart_interval = 2}, 4},
      {"grey", {.colour = JpegColour::kGrey}, 2},
      {"RGB as such", {.colour = JpegColour::kRgb}, 3},
  };
  for (const Case& test : kCases) {
    SCOPED_TRACE(test.why);
    const Tensor image = gradient(37, 43, test.options.colour == JpegColour::kGrey ? 1 : 3);
    EXPECT_LE(difference(decode_image(encode_jpeg(image, test.options)), image), test.tolerance);
  }
}

TEST(Jpeg, InksBecomeColours) {
  const Tensor rgb = gradient(16, 24, 3);
  Tensor inks(DataType::kU8, {16, 24, 4});
  for (std::size_t i = 0; i < inks.bytes(); ++i) {  // inverted, as Adobe stores them: no black
    inks.values<std::uint8_t>()[i] = i % 4 == 3 ? std::uint8_t{255} : rgb.values<std::uint8_t>()[i / 4 * 3 + i % 4];
  }
  EXPECT_LE(difference(decode_image(encode_jpeg(inks, {.colour = JpegColour::kCmyk})), rgb), 3);
  EXPECT_LE(difference(decode_image(encode_jpeg(inks, {.colour = JpegColour::kYcck})), rgb), 5);
  for (std::size_t i = 3; i < inks.bytes(); i += 4) inks.values<std::uint8_t>()[i] = 0;  // nothing but black
  EXPECT_LE(
      difference(decode_image(encode_jpeg(inks, {.colour = JpegColour::kCmyk})), Tensor(DataType::kU8, rgb.shape())),
      2);
}

TEST(Jpeg, SkipsBytesThatAreNotPixels) {
  const Tensor image = gradient(16, 24, 3);
  Bytes jpeg = encode_jpeg(image);
  const auto table = static_cast<std::ptrdiff_t>(find_bytes(jpeg, {0xFF, 0xDB}));
  jpeg.insert(jpeg.begin() + table, 5, std::byte{7});
  jpeg.insert(jpeg.end(), 100, std::byte{1});  // and after the end
  EXPECT_LE(difference(decode_image(jpeg), image), 4);
}

/// `jpeg` with other numbers in its frame header.
Bytes with_frame(Bytes jpeg, int marker, int precision, int h, int w) {
  const std::size_t frame = find_bytes(jpeg, {0xFF, 0xC0, 0x00});
  jpeg[frame + 1] = static_cast<std::byte>(marker);
  jpeg[frame + 4] = static_cast<std::byte>(precision);
  jpeg[frame + 5] = static_cast<std::byte>(h >> 8);
  jpeg[frame + 6] = static_cast<std::byte>(h & 0xFF);
  jpeg[frame + 7] = static_cast<std::byte>(w >> 8);
  jpeg[frame + 8] = static_cast<std::byte>(w & 0xFF);
  return jpeg;
}

TEST(Jpeg, RefusesWhatItCannotRead) {
  const Bytes good = encode_jpeg(gradient(16, 24, 3));
  const Bytes grey = encode_jpeg(gradient(16, 24, 1), {.colour = JpegColour::kGrey});
  Bytes no_tables = good;  // the quantisation tables are renamed to comments
  for (std::size_t i = 0; i + 1 < no_tables.size(); ++i) {
    if (no_tables[i] == std::byte{0xFF} && no_tables[i + 1] == std::byte{0xDB}) no_tables[i + 1] = std::byte{0xFE};
  }
  Bytes restart = encode_jpeg(gradient(64, 64, 1), {.colour = JpegColour::kGrey, .restart_interval = 8});
  restart[find_bytes(restart, {0xFF, 0xD3}) + 1] = std::byte{0xD1};
  Bytes marker = grey;  // an end marker amid the data
  marker[marker.size() - 8] = std::byte{0xFF};
  marker[marker.size() - 7] = std::byte{0xD9};
  struct Case {
    std::string message;
    ErrorKind kind;
    Bytes jpeg;
  };
  const Case kCases[] = {
      {"a JPEG with arithmetic coding; Huffman coding is read", ErrorKind::kUnsupported,
       encode_jpeg(gradient(16, 24, 3), {.arithmetic = true})},
      {"a JPEG of more than 100 scans", ErrorKind::kUnsupported,
       encode_jpeg(gradient(16, 24, 1), {.colour = JpegColour::kGrey, .many_scans = true})},
      {"a JPEG of 2 channels; grey, RGB, YCbCr, CMYK and YCCK are read", ErrorKind::kUnsupported,
       encode_jpeg(gradient(16, 24, 2), {.colour = JpegColour::kTwoChannels})},
      {"a JPEG of a kind that is not read: Unsupported JPEG process: SOF type 0xc3", ErrorKind::kUnsupported,
       with_frame(good, 0xC3, 8, 16, 24)},
      {"a JPEG of a kind that is not read: Unsupported JPEG data precision 12", ErrorKind::kUnsupported,
       with_frame(good, 0xC0, 12, 16, 24)},
      {"a broken JPEG: Empty JPEG image (DNL not supported)", ErrorKind::kInvalid, with_frame(good, 0xC0, 8, 0, 24)},
      {"an image of 65000 x 65000 pixels; at most 268,435,456 in all and 1,048,576 a side are handled",
       ErrorKind::kInvalid, with_frame(good, 0xC0, 8, 65000, 65000)},
      {format("a JPEG of 16000 x 16000 pixels cannot fit into {} bytes", good.size()), ErrorKind::kInvalid,
       with_frame(good, 0xC0, 8, 16000, 16000)},
      {"a broken JPEG: Quantization table 0x00 was not defined", ErrorKind::kInvalid, no_tables},
      {"a broken JPEG: Corrupt JPEG data: found marker 0xd1 instead of RST3", ErrorKind::kInvalid, restart},
      {"a broken JPEG: Corrupt JPEG data: premature end of data segment", ErrorKind::kInvalid, marker},
  };
  for (const Case& test : kCases) {
    EXPECT_TRUE(raises([&] { decode_image(test.jpeg); }, test.message, test.kind));
  }
}

TEST(Png, RefusesWhatItCannotRead) {
  const auto with = [](std::size_t at, std::initializer_list<int> bytes, bool repair = true) {
    Bytes png = encode_png(gradient(16, 24, 3));
    for (const int byte : bytes) png[at++] = static_cast<std::byte>(byte);
    if (repair) repair_png(png);
    return png;
  };
  const std::size_t length = encode_png(gradient(16, 24, 3)).size();
  struct Case {
    std::string message;
    Bytes png;
  };
  const Case kCases[] = {
      {"a broken PNG: invalid chunk checksum", with(16, {0, 0, 0, 25}, false)},
      {"a broken PNG: invalid image width", with(16, {0, 0, 0, 0})},
      {"a broken PNG: image width exceeds user limit", with(16, {0, 0x20, 0, 0})},
      {"an image of 524288 x 524288 pixels; at most 268,435,456 in all and 1,048,576 a side are handled",
       with(16, {0, 8, 0, 0, 0, 8, 0, 0})},
      {format("a PNG of 4096 x 4096 pixels cannot fit into {} bytes", length),
       with(16, {0, 0, 0x10, 0, 0, 0, 0x10, 0})},
      {"a broken PNG: IDAT stream too short", with(16, {0, 0, 0, 24, 0, 0, 0, 17})},
      {"a broken PNG: invalid bit depth", with(24, {3})},
  };
  for (const Case& test : kCases) {
    EXPECT_TRUE(raises([&] { decode_image(test.png); }, test.message, ErrorKind::kInvalid));
  }
}

TEST(Png, WhatIsWrittenIsReadAgain) {
  struct Case {
    const char* why;
    Shape shape;
  };
  const Case cases[] = {{"grey", {28, 28, 1}}, {"colour", {17, 33, 3}}, {"one pixel", {1, 1, 3}}};
  for (const Case& test : cases) {
    const Tensor image = pattern(test.shape[0], test.shape[1], test.shape[2]);
    EXPECT_TRUE(identical(decode_image(to_png(image)), image)) << test.why;
  }
  EXPECT_TRUE(raises([] { to_png(Tensor(DataType::kU8, {2, 3, 4})); },
                     "u8 2x3x4 as a PNG; pixels are u8 [h, w, 1 or 3]", ErrorKind::kInvalid));
  EXPECT_TRUE(raises([] { to_png(Tensor(DataType::kF32, {2, 3, 1})); },
                     "f32 2x3x1 as a PNG; pixels are u8 [h, w, 1 or 3]", ErrorKind::kInvalid));
  EXPECT_TRUE(
      raises([] { to_png(Tensor(DataType::kU8, {2, 0, 1})); }, "an image of 0 x 2 pixels", ErrorKind::kInvalid));
}

TEST(Image, EveryCutIsAnError) {
  const Tensor image = gradient(16, 24, 3);
  for (const Bytes& whole : {encode_jpeg(image), encode_jpeg(image, {.progressive = true}),
                             encode_jpeg(image, {.restart_interval = 2}), encode_png(image)}) {
    EXPECT_EQ(decode_image(whole).shape(), image.shape());
    // The last 4 bytes of a PNG are the checksum of nothing, and not asked for.
    const std::size_t needed = whole[0] == std::byte{0xFF} ? whole.size() : whole.size() - 4;
    for (std::size_t length = 0; length < needed; ++length) {
      EXPECT_THROW(decode_image(std::span(whole).first(length)), Error) << length << " of " << whole.size();
    }
  }
  const Bytes jpeg = encode_jpeg(image);
  EXPECT_TRUE(raises([&] { decode_image(std::span(jpeg).first(jpeg.size() - 5)); },
                     "a broken JPEG: the file ends before the image does", ErrorKind::kInvalid));
}

TEST(Image, NamesTheFormatsThatItDoesNotRead) {
  struct Case {
    const char* name;
    std::string_view bytes;
  };
  constexpr Case kCases[] = {
      {"a GIF", "GIF89a..."},
      {"a WebP", "RIFF1234WEBPVP8 "},
      {"a TIFF", {"II*\0....", 8}},
      {"a TIFF", {"MM\0*....", 8}},
      {"a BMP", "BM......"},
      {"a HEIF or AVIF",
       {"\0\0\0\x1C"
        "ftypavif",
        12}},
      {"a JPEG XL", "\xFF\x0A...."},
      {"a JPEG 2000", {"\0\0\0\x0CjP  \r\n", 10}},
  };
  for (const Case& test : kCases) {
    EXPECT_TRUE(raises([&] { decode_image(bytes_of(test.bytes)); },
                       format("this is {} image; JPEG and PNG are read", test.name), ErrorKind::kUnsupported));
  }
  for (const std::string_view bytes : {"", "B", "a text", "\xFF\xD8"}) {
    EXPECT_TRUE(raises([&] { decode_image(bytes_of(bytes)); }, "this is no image that is known; JPEG and PNG are read",
                       ErrorKind::kInvalid));
  }
}

TEST(Image, ReadsAFileAndNamesIt) {
  const auto path = std::filesystem::path(testing::TempDir()) / "sepal_image_test.bin";
  write_file(path, encode_png(pattern(4, 4, 3)));  // the name does not matter
  const ImageFormat format = {.size = {4, 4}, .channels_first = false, .type = DataType::kU8, .fit = Fit::kStretch};
  EXPECT_TRUE(identical(read_image(path, format), pattern(4, 4, 3).reshaped({1, 4, 4, 3})));
  write_file(path, bytes_of("no image"));
  EXPECT_TRUE(raises([&] { read_image(path, format); },
                     path.string() + ": this is no image that is known; JPEG and PNG are read"));
  std::filesystem::remove(path);
  EXPECT_TRUE(raises([&] { read_image(path, format); }, path.string() + ": cannot be opened: No such file or directory",
                     ErrorKind::kIo));
}

TEST(Image, DecodesThePhotographs) {
  SEPAL_NEEDS_TEST_DATA();
  int count = 0;
  std::ifstream index(test_data() / "images/IMAGES.tsv");
  std::string line;
  std::getline(index, line);  // the head
  while (std::getline(index, line)) {
    const std::string name = line.substr(0, line.find('\t'));
    if (!name.ends_with(".jpg") && !name.ends_with(".png")) continue;
    SCOPED_TRACE(name);
    const MappedFile file(test_data() / "images" / name);
    const Tensor image = decode_image(file.bytes());
    // The index has the sizes as stored; two of the photographs lie on their side.
    const auto is = [&](std::int64_t w, std::int64_t h) { return line.starts_with(format("{}\t{}x{}\t", name, w, h)); };
    const std::int64_t h = image.shape()[0], w = image.shape()[1];
    EXPECT_TRUE(name.starts_with("Silent-Face") ? is(h, w) : is(w, h)) << line;
    EXPECT_EQ(prepare_image(image, {}).shape(), (Shape{1, 3, 224, 224}));
    ++count;
  }
  EXPECT_GT(count, 0);
}

}  // namespace
}  // namespace sepal
