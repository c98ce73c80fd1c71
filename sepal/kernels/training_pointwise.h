#pragma once

#include <cstdint>

#include "sepal/base/range.h"
#include "sepal/kernels/training.h"

namespace sepal {

/// y = read(x) W' of a training step: a 1 x 1 convolution of stride 1, a row a pixel of the batch, and the moments of
/// y. Rows go through in blocks of a fixed size (training.h).
struct TrainingPointwiseArgs {
  std::int64_t rows = 0;
  std::int64_t ci = 0;
  std::int64_t co = 0;
  const float* input = nullptr;  ///< x [rows, ci]
  ReadArgs read;
  const float* packed = nullptr;  ///< pack_pointwise of the filter
  float* output = nullptr;        ///< y [rows, co]
  float* moments = nullptr;       ///< [blocks][3][co]
};

/// Its gradients: of x, through the activation of its read, and of the filter.
struct PointwiseGradientArgs {
  std::int64_t rows = 0;
  std::int64_t ci = 0;
  std::int64_t co = 0;
  const float* input = nullptr;  ///< x [rows, ci]
  ReadArgs read;
  GradientReadArgs gradient;         ///< of y [rows, co]
  const float* packed = nullptr;     ///< pack_pointwise_back of the filter
  float* input_gradient = nullptr;   ///< [rows, ci]; null: not wanted
  float* sums = nullptr;             ///< [blocks][2][ci], where x has a batch norm and its gradient is wanted
  float* filter_gradient = nullptr;  ///< [parts][co][ci]
};

/// Rows of a block, forwards and backwards.
std::int64_t training_pointwise_block(std::int64_t ci, std::int64_t co) noexcept;

/// Sums of the filter's gradient that are kept apart: part i is of the blocks part({0, blocks}, i, parts).
std::int64_t pointwise_gradient_parts(std::int64_t rows, std::int64_t ci, std::int64_t co) noexcept;

/// Floats of room that one caller of either needs.
std::int64_t training_pointwise_room(std::int64_t ci, std::int64_t co) noexcept;

/// Computes the blocks `blocks` of y. Disjoint ranges may run at the same time, each with its room.
void training_pointwise(const TrainingPointwiseArgs& args, Range blocks, float* room) noexcept;

/// Computes one part: its blocks of the input's gradient and sums, and its sum of the filter's gradient. Parts may run
/// at the same time, each with its room.
void pointwise_gradient(const PointwiseGradientArgs& args, std::int64_t part, float* room) noexcept;

/// Panels of the filter [co, ci] for either product: floats that they take, and the panels `panels` of them.
std::int64_t pointwise_panels(std::int64_t columns) noexcept;
void pack_pointwise(const float* filter, std::int64_t ci, std::int64_t co, Range panels, float* packed) noexcept;
void pack_pointwise_back(const float* filter, std::int64_t ci, std::int64_t co, Range panels, float* packed) noexcept;

/// values[i] = the sum over `parts` of parts[part][i], in order; i in `range` of `count`.
void join_parts(const float* parts, std::int64_t count, std::int64_t number, Range range, float* values) noexcept;

}  // namespace sepal
