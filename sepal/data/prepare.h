#pragma once

#include "sepal/formats/image.h"

namespace sepal {

/// Pixels, u8 [h, w, c], as a tensor [1, h, w, c] of that format, whatever its channels_first: what already has the
/// size is taken as it is, anything else is fitted. Throws Error as prepare_image does.
Tensor prepared(const Tensor& pixels, ImageFormat format);

}  // namespace sepal
