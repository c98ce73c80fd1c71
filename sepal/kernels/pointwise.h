#pragma once

#include <cstdint>

#include "sepal/base/range.h"
#include "sepal/tensor/elementwise.h"

namespace sepal {

/// Squeeze-and-excite (Hu et al. 2018): a factor for every channel of an image. The weights are multiplied by it, a
/// panel at a time, which is less work than the pixels where there are more of those than output channels, and the
/// gated map never exists.
struct Gate {
  const float* factors = nullptr;  ///< [images, ci], or null
  std::int64_t rows = 1;           ///< of an image, h * w: row r of the product takes factors r / rows
  float* room = nullptr;           ///< panel_floats(ci), for each caller at a time
};

/// A product of rows with a packed filter: a 1 x 1 convolution of stride 1 (a row is a pixel), Gemm or
/// MatMul with constant weights (a row is a sample).
struct PointwiseArgs {
  const float* input = nullptr;  ///< [rows, ci], a row every input_pitch floats; with input_panels, row panels
  std::int64_t input_pitch = 0;  ///< at least ci
  std::int64_t ci = 0;
  std::int64_t co = 0;
  const float* packed = nullptr;  ///< pack_panels of the filter [co, ci] and the bias
  Unary activation;
  float* output = nullptr;        ///< [rows, co], a row every output_pitch floats; must not overlap input
  std::int64_t output_pitch = 0;  ///< at least co
  const float* addend = nullptr;  ///< laid out as output, added before the activation; may be output; or null
  const float* ahead = nullptr;   ///< packed weights that somebody wants next, for as many floats as one panel; or null
  bool input_panels = false;      ///< the rows lie as depthwise() leaves them with output_panels; all asked for at once
  Gate gate = {};                 ///< what the input is multiplied by; not with input_panels
};

/// Computes the rows `rows` in the panels `panels`: output channels panels.begin * kPanelColumns up to
/// panels.end * kPanelColumns or co. Allocates nothing; disjoint ranges of rows or panels may run at the same
/// time, and give the same bits in any division.
void pointwise(const PointwiseArgs& args, Range rows, Range panels) noexcept;

/// The same in all panels.
void pointwise(const PointwiseArgs& args, Range rows) noexcept;

}  // namespace sepal
