#include <spng.h>

#include <cstdlib>
#include <memory>

#include "sepal/base/text.h"
#include "sepal/formats/image.h"
#include "sepal/formats/image_codecs.h"

// The one door to libspng. Everything that makes no grey image (palette, transparency, 16 bits) is left to
// it as RGB8; grey keeps one channel, which it converts only up to 8 bits and without alpha, so that the
// other two are read as stored and their upper bytes picked out here.

namespace sepal {
namespace {

// The most that one byte of deflate can become (zlib's technical details: 258 bytes from 2 bits).
constexpr std::int64_t kDeflateRatio = 1032;

// What ancillary chunks may take besides the file's own length, compressed colour profiles for the most part.
constexpr std::size_t kChunkMemory = std::size_t{8} << 20;

void check(int code) {
  if (code == SPNG_EMEM) fail(ErrorKind::kMemory, "not enough memory for the PNG");
  if (code != 0) invalid("a broken PNG: {}", spng_strerror(code));
}

int samples_of(const spng_ihdr& header) {
  switch (header.color_type) {
    case SPNG_COLOR_TYPE_GRAYSCALE_ALPHA:
      return 2;
    case SPNG_COLOR_TYPE_TRUECOLOR:
      return 3;
    case SPNG_COLOR_TYPE_TRUECOLOR_ALPHA:
      return 4;
    default:
      return 1;
  }
}

/// Throws unless `length` bytes of file can hold the rows of that header.
void check_size(const spng_ihdr& header, std::size_t length) {
  const Extent size = {header.height, header.width};
  check_pixels(size);
  const std::int64_t bits = size.w * samples_of(header) * header.bit_depth;
  const std::int64_t bytes = size.h * ((bits + 7) / 8);
  if (bytes / kDeflateRatio > static_cast<std::int64_t>(length)) {
    invalid("a PNG of {} x {} pixels cannot fit into {} bytes", size.w, size.h, length);
  }
}

Tensor decode(spng_ctx* png, const spng_ihdr& header, spng_format format, std::int64_t bytes_per_pixel) {
  std::size_t bytes = 0;
  check(spng_decoded_image_size(png, format, &bytes));
  Tensor image(DataType::kU8, {header.height, header.width, bytes_per_pixel});
  expect(bytes == image.bytes(), "the decoded size of a PNG is as its header says");
  check(spng_decode_image(png, image.data(), bytes, format, 0));
  return image;
}

Tensor decode_pixels(spng_ctx* png, const spng_ihdr& header) {
  const bool alpha = header.color_type == SPNG_COLOR_TYPE_GRAYSCALE_ALPHA;
  if (!alpha && header.color_type != SPNG_COLOR_TYPE_GRAYSCALE) return decode(png, header, SPNG_FMT_RGB8, 3);
  if (!alpha && header.bit_depth <= 8) return decode(png, header, SPNG_FMT_G8, 1);

  const std::int64_t step = header.bit_depth / 8 * samples_of(header);
  const Tensor stored = decode(png, header, SPNG_FMT_RAW, step);  // big-endian: the upper byte comes first
  Tensor grey(DataType::kU8, stored.shape().with(2, 1));
  const std::span<const std::uint8_t> from = stored.values<std::uint8_t>();
  const std::span<std::uint8_t> to = grey.values<std::uint8_t>();
  for (std::size_t i = 0; i < to.size(); ++i) to[i] = from[i * static_cast<std::size_t>(step)];
  return grey;
}

}  // namespace

StoredImage decode_png(std::span<const std::byte> bytes) {
  const std::unique_ptr<spng_ctx, void (*)(spng_ctx*)> png(spng_ctx_new(0), spng_ctx_free);
  if (png == nullptr) fail(ErrorKind::kMemory, "not enough memory for the PNG");
  check(spng_set_crc_action(png.get(), SPNG_CRC_ERROR, SPNG_CRC_ERROR));
  check(spng_set_image_limits(png.get(), kMaxSide, kMaxSide));
  check(spng_set_chunk_limits(png.get(), kChunkMemory + bytes.size(), kChunkMemory + bytes.size()));
  check(spng_set_png_buffer(png.get(), bytes.data(), bytes.size()));
  spng_ihdr header{};
  check(spng_get_ihdr(png.get(), &header));
  check_size(header, bytes.size());

  StoredImage image{decode_pixels(png.get(), header)};
  check(spng_decode_chunks(png.get()));  // to the end: the EXIF chunk may follow the pixels
  spng_exif exif{};
  if (spng_get_exif(png.get(), &exif) == 0) {
    image.orientation = exif_orientation(std::as_bytes(std::span(exif.data, exif.length)));
  }
  return image;
}

std::vector<std::byte> to_png(const Tensor& image) {
  const Shape& shape = image.shape();
  if (image.type() != DataType::kU8 || shape.rank() != 3 || (shape[2] != 1 && shape[2] != 3)) {
    invalid("{} {} as a PNG; pixels are u8 [h, w, 1 or 3]", name_of(image.type()), to_string(shape));
  }
  check_pixels({shape[0], shape[1]});
  const std::unique_ptr<spng_ctx, void (*)(spng_ctx*)> png(spng_ctx_new(SPNG_CTX_ENCODER), spng_ctx_free);
  if (png == nullptr) fail(ErrorKind::kMemory, "not enough memory for the PNG");
  spng_ihdr header{};
  header.width = static_cast<std::uint32_t>(shape[1]);
  header.height = static_cast<std::uint32_t>(shape[0]);
  header.bit_depth = 8;
  header.color_type = shape[2] == 1 ? SPNG_COLOR_TYPE_GRAYSCALE : SPNG_COLOR_TYPE_TRUECOLOR;
  check(spng_set_option(png.get(), SPNG_ENCODE_TO_BUFFER, 1));
  check(spng_set_ihdr(png.get(), &header));
  check(spng_encode_image(png.get(), image.data(), image.bytes(), SPNG_FMT_PNG, SPNG_ENCODE_FINALIZE));
  std::size_t length = 0;
  int error = 0;
  const std::unique_ptr<void, void (*)(void*)> bytes(spng_get_png_buffer(png.get(), &length, &error), std::free);
  check(error);
  const auto* first = static_cast<const std::byte*>(bytes.get());
  return {first, first + length};
}

}  // namespace sepal
