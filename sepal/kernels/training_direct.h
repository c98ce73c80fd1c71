#pragma once

#include <cstdint>

#include "sepal/base/range.h"
#include "sepal/kernels/training.h"
#include "sepal/tensor/view.h"
#include "sepal/tensor/window.h"

namespace sepal {

/// Any convolution of a training step, and the moments of what it gives; a block is an image.
struct TrainingDirectArgs {
  TensorView<const float> input;  ///< x [n, h, w, ci]
  ReadArgs read;
  Window window;
  std::int64_t groups = 1;
  const float* packed = nullptr;  ///< pack_direct of the filter, no bias
  const float* zeros = nullptr;   ///< ci / groups zeros
  TensorView<float> output;       ///< y [n, h', w', co]
  float* moments = nullptr;       ///< [n][3][co]
};

/// Its gradients: of x, through the activation of its read, and of the filter.
struct DirectGradientArgs {
  TensorView<const float> input;  ///< x [n, h, w, ci]
  ReadArgs read;
  Window window;
  std::int64_t groups = 1;
  Shape output;  ///< of y [n, h', w', co]
  GradientReadArgs gradient;
  const float* packed = nullptr;     ///< pack_transposed of the filter, for the transpose from y to x
  const float* zeros = nullptr;      ///< co / groups zeros
  float* input_gradient = nullptr;   ///< [n, h, w, ci]; null: not wanted
  float* sums = nullptr;             ///< [n][2][ci], where x has a batch norm and its gradient is wanted
  float* filter_gradient = nullptr;  ///< [parts][co, kh, kw, ci / groups]
};

/// Floats of room that one caller of training_direct() needs; of the arguments shapes, window, read count.
std::int64_t training_direct_room(const TrainingDirectArgs& args) noexcept;
/// The same of direct_gradient().
std::int64_t direct_gradient_room(const DirectGradientArgs& args) noexcept;

/// Sums of the filter's gradient that are kept apart: part i is of the images part({0, n}, i, parts).
std::int64_t direct_gradient_parts(const DirectGradientArgs& args) noexcept;

/// Computes the images `images`. Disjoint ranges may run at the same time, each with its room.
void training_direct(const TrainingDirectArgs& args, Range images, float* room) noexcept;

/// Computes one part: its images of the input's gradient and sums, and its sum of the filter's gradient. Parts may run
/// at the same time, each with its room.
void direct_gradient(const DirectGradientArgs& args, std::int64_t part, float* room) noexcept;

}  // namespace sepal
