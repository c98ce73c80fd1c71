#pragma once

#include "sepal/tensor/tensor.h"

#pragma GCC visibility push(default)

namespace sepal {

/// The same values as another type, where every one of them survives: 3.0 becomes the integer 3 and 255
/// the u8 255, but 0.5 is no integer, 300 no u8 and 0.1f no f16. A NaN and the infinities survive in the
/// floating-point types; 0 and 1 are the only values of bool.
/// Throws Error(kInvalid) that names the first value that does not survive, and where it is.
Tensor converted(const Tensor& tensor, DataType type);

}  // namespace sepal

#pragma GCC visibility pop
