#include "sepal/formats/image.h"

#include <algorithm>
#include <cstring>

#include "sepal/base/mapped_file.h"
#include "sepal/base/text.h"
#include "sepal/formats/image_codecs.h"

// From a file's bytes to upright pixels: which format it is, and what EXIF says about how it was held. The
// codecs have a file each; image_prepare.cc goes on from pixels to a model's input.

namespace sepal {
namespace {

struct Magic {
  std::string_view name;
  std::size_t at;
  std::string_view bytes;
};

// The formats that are read, then those that people may well try.
constexpr std::string_view kJpeg = "\xFF\xD8\xFF";
constexpr std::string_view kPng = "\x89PNG\r\n\x1A\n";
constexpr Magic kOthers[] = {
    {"a GIF", 0, "GIF8"},          {"a WebP", 8, "WEBP"},
    {"a TIFF", 0, "II*"},          {"a TIFF", 0, {"MM\0*", 4}},
    {"a HEIF or AVIF", 4, "ftyp"}, {"a JPEG XL", 0, "\xFF\x0A"},
    {"a JPEG 2000", 4, "jP  "},    {"a BMP", 0, "BM"},
};

bool has(std::span<const std::byte> bytes, std::size_t at, std::string_view magic) {
  return bytes.size() >= at + magic.size() && std::memcmp(bytes.data() + at, magic.data(), magic.size()) == 0;
}

StoredImage decode_stored(std::span<const std::byte> bytes) {
  if (has(bytes, 0, kJpeg)) return decode_jpeg(bytes);
  if (has(bytes, 0, kPng)) return decode_png(bytes);
  for (const Magic& other : kOthers) {
    if (has(bytes, other.at, other.bytes)) {
      fail(ErrorKind::kUnsupported, "this is {} image; JPEG and PNG are read", other.name);
    }
  }
  invalid("this is no image that is known; JPEG and PNG are read");
}

/// Turns the stored rows and columns into the upright ones. EXIF names what row 0 and column 0 of the file
/// are: 1 top left, 2 top right, 3 bottom right, 4 bottom left, and 5 to 8 the same with rows and columns
/// exchanged (EXIF 2.32, table 6, tag 274).
Tensor upright(StoredImage image) {
  if (image.orientation == 1) return std::move(image.pixels);
  const int orientation = image.orientation;
  const bool exchanged = orientation >= 5;
  const bool rows_back = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const bool columns_back = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;

  const Shape& stored = image.pixels.shape();
  const std::int64_t h = stored[0], w = stored[1], c = stored[2];
  Tensor turned(DataType::kU8, {exchanged ? w : h, exchanged ? h : w, c});
  const std::uint8_t* from = image.pixels.values<std::uint8_t>().data();
  std::uint8_t* to = turned.values<std::uint8_t>().data();
  for (std::int64_t y = 0; y < turned.shape()[0]; ++y) {
    for (std::int64_t x = 0; x < turned.shape()[1]; ++x, to += c) {
      const std::int64_t row = exchanged ? x : y;
      const std::int64_t column = exchanged ? y : x;
      const std::int64_t at = (rows_back ? h - 1 - row : row) * w + (columns_back ? w - 1 - column : column);
      std::copy_n(from + at * c, c, to);
    }
  }
  return turned;
}

}  // namespace

void check_pixels(Extent size) {
  if (size.h < 1 || size.w < 1) invalid("an image of {} x {} pixels", size.w, size.h);
  if (size.h > kMaxSide || size.w > kMaxSide || size.h * size.w > kMaxPixels) {
    invalid("an image of {} x {} pixels; at most {} in all and {} a side are handled", size.w, size.h,
            grouped(kMaxPixels), grouped(kMaxSide));
  }
}

Tensor decode_image(std::span<const std::byte> bytes) { return upright(decode_stored(bytes)); }

Tensor read_image(const std::filesystem::path& path, const ImageFormat& format) {
  const MappedFile file(path);
  return in_place(printable(path.string()), [&] { return prepare_image(decode_image(file.bytes()), format); });
}

}  // namespace sepal
