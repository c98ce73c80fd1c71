#include "sepal/kernels/packed.h"

#include <algorithm>

namespace sepal {

void pack_panels(const FilterMatrix& filter, const float* bias, float* packed) noexcept {
  for (std::int64_t first = 0; first < filter.co; first += kPanelColumns) {
    const std::int64_t columns = std::min(kPanelColumns, filter.co - first);
    for (std::int64_t j = 0; j < kPanelColumns; ++j) {
      packed[j] = bias != nullptr && j < columns ? bias[first + j] : 0.0f;
    }
    packed += kPanelColumns;
    const float* column = filter.data + first * filter.co_stride;
    for (std::int64_t i = 0; i < filter.k; ++i, packed += kPanelColumns, column += filter.k_stride) {
      for (std::int64_t j = 0; j < columns; ++j) packed[j] = column[j * filter.co_stride];
      std::fill(packed + columns, packed + kPanelColumns, 0.0f);
    }
  }
}

}  // namespace sepal
