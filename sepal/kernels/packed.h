#pragma once

#include <cstddef>
#include <cstdint>

#include "sepal/kernels/tile.h"

namespace sepal {

/// A filter seen as a matrix [k][co], whatever its layout: the weight of output channel o and term i is
/// data[o * co_stride + i * k_stride]. A filter [co, kh, kw, ci] is {data, co, k = kh kw ci, k, 1}; the right
/// operand [k, n] of MatMul is {data, n, k, 1, n}.
struct FilterMatrix {
  const float* data = nullptr;
  std::int64_t co = 0;
  std::int64_t k = 0;
  std::int64_t co_stride = 0;
  std::int64_t k_stride = 1;
};

/// Panels of a filter with `co` output channels; the last one is filled up with zeros.
constexpr std::int64_t panels(std::int64_t co) { return (co + kPanelColumns - 1) / kPanelColumns; }

/// Floats of one panel, {bias[kPanelColumns]; [k][kPanelColumns]}.
constexpr std::int64_t panel_floats(std::int64_t k) { return (1 + k) * kPanelColumns; }

/// Floats that pack_panels writes for a filter of `co` output channels with `k` terms each.
constexpr std::int64_t packed_floats(std::int64_t co, std::int64_t k) { return panels(co) * panel_floats(k); }

/// Floats in which `rows` rows of k values lie as row panels (simd-inl.h), whatever the instruction set.
constexpr std::int64_t row_panel_floats(std::int64_t rows, std::int64_t k) {
  constexpr std::int64_t kMostLanes = 16;
  return (rows + kTileRowsOf32Registers - 1) * ((k + kMostLanes - 1) / kMostLanes * kMostLanes);
}

/// Brings a filter and its bias ([co], or null for zeros) into the layout that pointwise() and direct()
/// read: panel by panel, {bias[kPanelColumns]; [k][kPanelColumns]}. `packed` has packed_floats(co, k) floats.
void pack_panels(const FilterMatrix& filter, const float* bias, float* packed) noexcept;

}  // namespace sepal
