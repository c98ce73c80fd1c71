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
    if (columns < kPanelColumns) std::fill_n(packed, filter.k * kPanelColumns, 0.0f);
    if (filter.co_stride == 1) {
      for (std::int64_t i = 0; i < filter.k; ++i) {
        std::copy_n(column + i * filter.k_stride, columns, packed + i * kPanelColumns);
      }
    } else {
      // A line of terms at a time, so that both sides stay in L1.
      for (std::int64_t begin = 0; begin < filter.k; begin += kLineFloats) {
        const std::int64_t end = std::min(begin + kLineFloats, filter.k);
        for (std::int64_t j = 0; j < columns; ++j) {
          const float* from = column + j * filter.co_stride;
          for (std::int64_t i = begin; i < end; ++i) packed[i * kPanelColumns + j] = from[i * filter.k_stride];
        }
      }
    }
    packed += filter.k * kPanelColumns;
  }
}

}  // namespace sepal
