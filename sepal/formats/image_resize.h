#pragma once

#include "sepal/tensor/tensor.h"
#include "sepal/tensor/window.h"

namespace sepal {

/// A part of an image.
struct Region {
  std::int64_t top = 0;
  std::int64_t left = 0;
  Extent size;
};

/// What `region` of resize_bilinear(image, full) holds, without the rest being computed; `full` may be
/// larger than any image that could be stored. At the image's own size the region is cut out as it is.
Tensor resize_region(const Tensor& image, Extent full, const Region& region);

}  // namespace sepal
