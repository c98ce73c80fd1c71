#pragma once

#include <algorithm>
#include <cstdint>

#include "sepal/base/range.h"

namespace sepal {

/// The taps of one axis that lie inside the image: those t of 0 .. kernel - 1 for which
/// 0 <= start + t * dilation < extent. Empty (begin == end) if none does.
constexpr Range taps_inside(std::int64_t start, std::int64_t kernel, std::int64_t dilation, std::int64_t extent) {
  const std::int64_t begin = start >= 0 ? 0 : std::min(kernel, (-start + dilation - 1) / dilation);
  const std::int64_t end = start >= extent ? 0 : std::min(kernel, (extent - 1 - start) / dilation + 1);
  return {begin, std::max(begin, end)};
}

}  // namespace sepal
