#pragma once

// What image.cc shares with the files that know one format each. Not a public header.

#include <cstddef>
#include <cstdint>
#include <span>

#include "sepal/tensor/tensor.h"
#include "sepal/tensor/window.h"

namespace sepal {

/// An image as its file stores it.
struct StoredImage {
  Tensor pixels;        ///< u8 [h, w, c], 1 or 3 channels
  int orientation = 1;  ///< EXIF tag 0x0112, 1 to 8
};

/// Each throws Error(kInvalid or kUnsupported), as decode_image says.
StoredImage decode_jpeg(std::span<const std::byte> bytes);
StoredImage decode_png(std::span<const std::byte> bytes);

/// The orientation that EXIF data hold (a TIFF file, without the "Exif\0\0" in front), 1 to 8; 1 if they hold
/// none or cannot be read, because a picture with broken EXIF is still a picture.
int exif_orientation(std::span<const std::byte> tiff);

/// The most that an image may have, as read and after resizing.
inline constexpr std::int64_t kMaxPixels = std::int64_t{1} << 28;
inline constexpr std::int64_t kMaxSide = std::int64_t{1} << 20;

/// Throws Error(kInvalid) unless there is a pixel and no more than that.
void check_pixels(Extent size);

}  // namespace sepal
