#include "sepal/data/prepare.h"

namespace sepal {

Tensor prepared(const Tensor& pixels, ImageFormat format) {
  format.channels_first = false;
  if (Extent{pixels.shape()[0], pixels.shape()[1]} == format.size) {
    format.fit = Fit::kStretch;  // to crop or pad would enlarge it first
  }
  return prepare_image(pixels, format);
}

}  // namespace sepal
