#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "sepal/formats/npy.h"
#include "sepal/tensor/tensor.h"

namespace sepal {

/// The synthetic image of scripts/make_image_goldens.py, u8 [h, w, c]: gradients, a fine texture and hard edges.
inline Tensor pattern(std::int64_t h, std::int64_t w, std::int64_t c) {
  Tensor image(DataType::kU8, {h, w, c});
  std::uint8_t* to = image.values<std::uint8_t>().data();
  for (std::int64_t y = 0; y < h; ++y) {
    for (std::int64_t x = 0; x < w; ++x) {
      for (std::int64_t k = 0; k < c; ++k) {
        *to++ = static_cast<std::uint8_t>(x * 7 + y * 13 + k * 50 + (x * y) % 31 * 3 + (x / 5 + y / 3) % 2 * 90);
      }
    }
  }
  return image;
}

/// A gentle image, which JPEG keeps to a few of 255.
inline Tensor gradient(std::int64_t h, std::int64_t w, std::int64_t c) {
  Tensor image(DataType::kU8, {h, w, c});
  std::uint8_t* to = image.values<std::uint8_t>().data();
  for (std::int64_t y = 0; y < h; ++y) {
    for (std::int64_t x = 0; x < w; ++x) {
      for (std::int64_t k = 0; k < c; ++k) {
        *to++ = static_cast<std::uint8_t>(20 + 150 * x / w + 60 * y / h + 10 * k);
      }
    }
  }
  return image;
}

/// tests/formats/golden/NAME.npy
inline Tensor golden(const std::string& name) {
  return read_npy(std::filesystem::path(SEPAL_SOURCE_DIR) / "tests/formats/golden" / (name + ".npy"));
}

}  // namespace sepal
