#pragma once

#include <cstdint>
#include <span>

#include "sepal/graph/shape_rule.h"

namespace sepal {

/// About how much there is to do: multiply-adds of a convolution or a product, else elements read or written,
/// whichever are more. 2^63 - 1 where that does not fit, so a hostile shape counts as much work, not as little.
/// For deciding what is worth a thread, and what is too much to do on a file's word; not a cost to report.
std::int64_t work_of(const Op& op, std::span<const TensorType> inputs, std::span<const TensorType> outputs);

}  // namespace sepal
