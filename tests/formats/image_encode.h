#pragma once

// Image files made by the tests themselves. PNG is written by hand over zlib, so that every colour type,
// depth and interlacing can be had and the decoder meets a writer that it does not know.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "sepal/tensor/tensor.h"
#include "sepal/tensor/window.h"

namespace sepal {

using Bytes = std::vector<std::byte>;

/// PNG's colour types.
enum class PngColour : std::uint8_t { kGrey = 0, kRgb = 2, kPalette = 3, kGreyAlpha = 4, kRgba = 6 };

struct PngOptions {
  PngColour colour = PngColour::kRgb;
  int depth = 8;
  bool interlaced = false;
  std::vector<std::uint8_t> palette = {};       ///< red, green, blue of each entry
  std::vector<std::uint8_t> transparency = {};  ///< the tRNS chunk as it is
  Bytes exif = {};                              ///< the eXIf chunk
  bool exif_last = false;                       ///< after the pixels instead of before
};

/// `samples`: [h, w, samples a pixel], each of `depth` bits.
Bytes encode_png(Extent size, std::span<const std::uint16_t> samples, const PngOptions& options);
/// u8 [h, w, 1 or 3] as grey or RGB.
Bytes encode_png(const Tensor& image);

/// Sets the checksum of every chunk right, as far as the chunks can be followed.
void repair_png(Bytes& png);

enum class JpegColour : std::uint8_t { kYcc, kGrey, kRgb, kCmyk, kYcck, kTwoChannels };

struct JpegOptions {
  JpegColour colour = JpegColour::kYcc;
  int quality = 98;
  bool subsampled = false;
  bool progressive = false;
  bool arithmetic = false;
  bool many_scans = false;   ///< more than 100
  int restart_interval = 0;  ///< in blocks
  Bytes exif = {};           ///< TIFF data for an APP1 segment
};

/// `image`: u8 [h, w, c] with as many channels as the colour space has.
Bytes encode_jpeg(const Tensor& image, const JpegOptions& options = {});

/// EXIF data (TIFF) with one tag: the orientation.
Bytes exif_with(int orientation, bool big_endian = false);

/// Where `wanted` first occurs in `bytes`; fails the test if nowhere.
std::size_t find_bytes(const Bytes& bytes, std::initializer_list<int> wanted);

}  // namespace sepal
