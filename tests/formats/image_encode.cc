#include "tests/formats/image_encode.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdio>
#include <cstdlib>
// jpeglib.h needs FILE and size_t from the lines above.
#include <jpeglib.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace sepal {
namespace {

void append_u32(Bytes& out, std::size_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<std::byte>(value >> shift));
}

const Bytef* zlib_bytes(const std::byte* bytes) { return reinterpret_cast<const Bytef*>(bytes); }

void append_chunk(Bytes& out, std::string_view type, std::span<const std::byte> data) {
  append_u32(out, data.size());
  const std::size_t begin = out.size();
  for (const char letter : type) out.push_back(static_cast<std::byte>(letter));
  out.insert(out.end(), data.begin(), data.end());
  append_u32(out, crc32(0, zlib_bytes(&out[begin]), static_cast<uInt>(out.size() - begin)));
}

int samples_of(PngColour colour) {
  switch (colour) {
    case PngColour::kGreyAlpha:
      return 2;
    case PngColour::kRgb:
      return 3;
    case PngColour::kRgba:
      return 4;
    default:
      return 1;
  }
}

struct Pass {
  std::int64_t top, left, down, right;  ///< first row and column, steps
};
constexpr Pass kAdam7[] = {{0, 0, 8, 8}, {0, 4, 8, 8}, {4, 0, 8, 4}, {0, 2, 4, 4},
                           {2, 0, 4, 2}, {0, 1, 2, 2}, {1, 0, 2, 1}};
constexpr Pass kWhole[] = {{0, 0, 1, 1}};

/// The rows of one pass, each after a filter byte of 0, samples packed from the highest bit.
void append_rows(Bytes& out, Extent size, std::span<const std::uint16_t> samples, const PngOptions& options,
                 Pass pass) {
  const std::int64_t count = samples_of(options.colour);
  if (pass.left >= size.w) return;
  for (std::int64_t y = pass.top; y < size.h; y += pass.down) {
    out.push_back(std::byte{0});
    unsigned bits = 0;
    int filled = 0;
    for (std::int64_t x = pass.left; x < size.w; x += pass.right) {
      for (std::int64_t k = 0; k < count; ++k) {
        bits = bits << options.depth | samples[static_cast<std::size_t>((y * size.w + x) * count + k)];
        for (filled += options.depth; filled >= 8; filled -= 8)
          out.push_back(static_cast<std::byte>(bits >> (filled - 8)));
      }
    }
    if (filled > 0) out.push_back(static_cast<std::byte>(bits << (8 - filled)));
  }
}

Bytes zlib_of(std::span<const std::byte> data) {
  uLongf size = compressBound(data.size());
  Bytes out(size);
  compress(reinterpret_cast<Bytef*>(out.data()), &size, zlib_bytes(data.data()), data.size());
  out.resize(size);
  return out;
}

}  // namespace

Bytes encode_png(Extent size, std::span<const std::uint16_t> samples, const PngOptions& options) {
  Bytes png;
  for (const int byte : {0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A}) png.push_back(static_cast<std::byte>(byte));
  Bytes header;
  append_u32(header, static_cast<std::size_t>(size.w));
  append_u32(header, static_cast<std::size_t>(size.h));
  for (const int byte : {options.depth, static_cast<int>(options.colour), 0, 0, options.interlaced ? 1 : 0}) {
    header.push_back(static_cast<std::byte>(byte));
  }
  append_chunk(png, "IHDR", header);
  if (!options.palette.empty()) append_chunk(png, "PLTE", std::as_bytes(std::span(options.palette)));
  if (!options.transparency.empty()) append_chunk(png, "tRNS", std::as_bytes(std::span(options.transparency)));
  if (!options.exif.empty() && !options.exif_last) append_chunk(png, "eXIf", options.exif);
  Bytes rows;
  for (const Pass& pass : options.interlaced ? std::span<const Pass>(kAdam7) : std::span<const Pass>(kWhole)) {
    append_rows(rows, size, samples, options, pass);
  }
  append_chunk(png, "IDAT", zlib_of(rows));
  if (!options.exif.empty() && options.exif_last) append_chunk(png, "eXIf", options.exif);
  append_chunk(png, "IEND", {});
  return png;
}

Bytes encode_png(const Tensor& image) {
  const auto pixels = image.values<std::uint8_t>();
  const std::vector<std::uint16_t> samples(pixels.begin(), pixels.end());
  return encode_png({image.shape()[0], image.shape()[1]}, samples,
                    {.colour = image.shape()[2] == 1 ? PngColour::kGrey : PngColour::kRgb});
}

void repair_png(Bytes& png) {
  for (std::size_t at = 8; at + 12 <= png.size();) {
    std::size_t length = 0;
    for (std::size_t i = 0; i < 4; ++i) length = length << 8 | std::to_integer<std::size_t>(png[at + i]);
    if (length > png.size() - at - 12) return;
    Bytes sum;
    append_u32(sum, crc32(0, zlib_bytes(&png[at + 4]), static_cast<uInt>(length + 4)));
    std::ranges::copy(sum, png.begin() + static_cast<std::ptrdiff_t>(at + 8 + length));
    at += length + 12;
  }
}

Bytes encode_jpeg(const Tensor& image, const JpegOptions& options) {
  struct Colour {
    J_COLOR_SPACE given, stored;
    int channels;
  };
  constexpr Colour kColours[] = {{JCS_RGB, JCS_YCbCr, 3}, {JCS_GRAYSCALE, JCS_GRAYSCALE, 1},
                                 {JCS_RGB, JCS_RGB, 3},   {JCS_CMYK, JCS_CMYK, 4},
                                 {JCS_CMYK, JCS_YCCK, 4}, {JCS_UNKNOWN, JCS_UNKNOWN, 2}};
  const Colour& colour = kColours[static_cast<std::size_t>(options.colour)];
  EXPECT_EQ(image.shape()[2], colour.channels);

  jpeg_compress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  unsigned char* memory = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&jpeg, &memory, &size);
  jpeg.image_height = static_cast<JDIMENSION>(image.shape()[0]);
  jpeg.image_width = static_cast<JDIMENSION>(image.shape()[1]);
  jpeg.input_components = colour.channels;
  jpeg.in_color_space = colour.given;
  jpeg_set_defaults(&jpeg);
  jpeg_set_colorspace(&jpeg, colour.stored);
  jpeg_set_quality(&jpeg, options.quality, TRUE);
  if (!options.subsampled) jpeg.comp_info[0].h_samp_factor = jpeg.comp_info[0].v_samp_factor = 1;
  if (options.progressive) jpeg_simple_progression(&jpeg);
  jpeg.arith_code = options.arithmetic ? TRUE : FALSE;
  jpeg.restart_interval = static_cast<unsigned>(options.restart_interval);
  std::vector<jpeg_scan_info> scans;
  if (options.many_scans) {  // grey: one coefficient a scan, then its last bit
    scans.push_back({1, {0, 0, 0, 0}, 0, 0, 0, 0});
    for (int i = 1; i < 64; ++i) scans.push_back({1, {0, 0, 0, 0}, i, i, 0, 1});
    for (int i = 1; i < 64; ++i) scans.push_back({1, {0, 0, 0, 0}, i, i, 1, 0});
    jpeg.scan_info = scans.data();
    jpeg.num_scans = static_cast<int>(scans.size());
  }
  jpeg_start_compress(&jpeg, TRUE);
  if (!options.exif.empty()) {
    Bytes segment;
    for (const char letter : std::string_view("Exif\0\0", 6)) segment.push_back(static_cast<std::byte>(letter));
    segment.insert(segment.end(), options.exif.begin(), options.exif.end());
    jpeg_write_marker(&jpeg, JPEG_APP0 + 1, zlib_bytes(segment.data()), static_cast<unsigned>(segment.size()));
  }
  while (jpeg.next_scanline < jpeg.image_height) {
    const std::size_t at =
        std::size_t{jpeg.next_scanline} * jpeg.image_width * static_cast<std::size_t>(colour.channels);
    std::vector<JSAMPLE> row(
        image.values<std::uint8_t>().begin() + static_cast<std::ptrdiff_t>(at),
        image.values<std::uint8_t>().begin() +
            static_cast<std::ptrdiff_t>(at + jpeg.image_width * static_cast<std::size_t>(colour.channels)));
    JSAMPROW rows = row.data();
    jpeg_write_scanlines(&jpeg, &rows, 1);
  }
  jpeg_finish_compress(&jpeg);
  jpeg_destroy_compress(&jpeg);
  const auto written = std::as_bytes(std::span(memory, size));
  Bytes out(written.begin(), written.end());
  std::free(memory);
  return out;
}

Bytes exif_with(int orientation, bool big_endian) {
  // The header, one directory at 8 with one entry (tag 0x0112, SHORT, one value), no next directory.
  const auto value = static_cast<unsigned char>(orientation);
  const std::array<unsigned char, 26> little = {'I', 'I', 42, 0, 8, 0,     0, 0, 1, 0, 0x12, 1, 3,
                                                0,   1,   0,  0, 0, value, 0, 0, 0, 0, 0,    0, 0};
  const std::array<unsigned char, 26> big = {'M', 'M', 0, 42, 0, 0, 0,     8, 0, 1, 1, 0x12, 0,
                                             3,   0,   0, 0,  1, 0, value, 0, 0, 0, 0, 0,    0};
  const auto bytes = std::as_bytes(std::span(big_endian ? big : little));
  return {bytes.begin(), bytes.end()};
}

std::size_t find_bytes(const Bytes& bytes, std::initializer_list<int> wanted) {
  Bytes pattern;
  for (const int byte : wanted) pattern.push_back(static_cast<std::byte>(byte));
  const auto found = std::ranges::search(bytes, pattern);
  EXPECT_FALSE(found.empty());
  return static_cast<std::size_t>(found.begin() - bytes.begin());
}

}  // namespace sepal
