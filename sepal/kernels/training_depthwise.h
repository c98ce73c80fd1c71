#pragma once

// The depthwise convolution of a training step, forward and backward, block by block of the batch (training.h). A block
// is a fixed number of rows, counted through the batch: whole images, or bands of them where there are few images.
// Filters are packed as depthwise() wants them.

#include <cstdint>

#include "sepal/base/range.h"
#include "sepal/kernels/training.h"
#include "sepal/tensor/shape.h"
#include "sepal/tensor/view.h"
#include "sepal/tensor/window.h"

namespace sepal {

/// Rows of a block of [n, h, w, c], counted through the batch, and how many blocks that makes; the last may have fewer.
struct RowBlocks {
  std::int64_t rows = 1;
  std::int64_t count = 0;
};
/// A function of the shape alone.
RowBlocks row_blocks(const Shape& shape) noexcept;

struct TrainingDepthwiseArgs {
  TensorView<const float> input;  ///< x [n, h, w, c]
  ReadArgs read;
  const float* filter = nullptr;  ///< [taps][c m] (pack_depthwise)
  Window window;
  TensorView<float> output;  ///< y [n, h', w', c m]; must not overlap x
  float* moments = nullptr;  ///< [blocks of y][3][c m], as row_moments() has them
};

/// Floats of room that each caller needs.
std::int64_t training_depthwise_room(const TrainingDepthwiseArgs& args) noexcept;

/// Computes the blocks `blocks` of y and their moments. `room` begins with a cache line. Disjoint blocks may be
/// computed at the same time, and give the same bits in any division.
void training_depthwise(const TrainingDepthwiseArgs& args, Range blocks, float* room) noexcept;

struct DepthwiseGradientArgs {
  TensorView<const float> input;  ///< x [n, h, w, c]
  ReadArgs read;
  const float* filter = nullptr;  ///< [taps][c m] (pack_depthwise)
  Window window;
  GradientReadArgs gradient;        ///< of y
  Shape output;                     ///< of y: [n, h', w', c m]
  float* input_gradient = nullptr;  ///< as x; with a read, with respect to the batch norm of x; or null
  float* sums = nullptr;            ///< [blocks of x][2][c], as mask_rows() has them; with a read and input_gradient
  float* partial = nullptr;         ///< depthwise_gradient_floats() of them
};

/// Parts of the batch, each some blocks of x, with sums of their own for the filter's gradient.
std::int64_t depthwise_gradient_parts(const DepthwiseGradientArgs& args) noexcept;

/// Floats of all parts' sums, and of the room that each caller needs.
std::int64_t depthwise_gradient_floats(const DepthwiseGradientArgs& args) noexcept;
std::int64_t depthwise_gradient_room(const DepthwiseGradientArgs& args) noexcept;

/// Computes the rows of dx, their sums and the filter's partial gradient for the parts `parts`. `room` begins with a
/// cache line. Disjoint parts may be computed at the same time, and give the same bits in any division.
/// A tap beside the image multiplies zeros here, so an infinite x or weight at an edge makes NaN.
void depthwise_gradient(const DepthwiseGradientArgs& args, Range parts, float* room) noexcept;

/// Adds the parts in their order into `filter_gradient` [c m, kh, kw, 1], for the output channels `channels`.
void join_depthwise_gradient(const DepthwiseGradientArgs& args, Range channels, float* filter_gradient) noexcept;

}  // namespace sepal
