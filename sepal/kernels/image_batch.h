#pragma once

#include <cstdint>

namespace sepal {

/// Images side by side in the room of direct_gradient(): as they are read with a border, and dy.
struct ImageBatch {
  std::int64_t images;
  const float* x;
  std::int64_t x_row;    ///< floats from a row to the next
  std::int64_t x_image;  ///< from an image to the next
  const float* dy;
  float* panels;  ///< room for one group of dy in row panels
};

}  // namespace sepal
