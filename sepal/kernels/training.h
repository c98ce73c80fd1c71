#pragma once

// What the kernels of a training step share: how a convolution reads x and the gradient of its result, so that batch
// norm and activation never pass over memory by themselves, and the sums over a batch, taken block by block. A block
// is a fixed part of the batch whatever the number of threads; sums within it are f32, and blocks are added in their
// order in double, so that results do not depend on who computed which.

#include <cstdint>

#include "sepal/base/range.h"
#include "sepal/tensor/elementwise.h"

namespace sepal {

/// How x [..., c] is read: as it is, or as activation(factor x + shift).
struct ReadArgs {
  const float* factor = nullptr;  ///< [c] with a vector's slack; null: as it is
  const float* shift = nullptr;   ///< [c]
  const float* mean = nullptr;    ///< [c] of the batch norm; wanted by mask_rows()
  Unary activation{};
};

/// How the gradient of y [..., c] is read: dy = g, or dy = a g + b y + c where y has a batch norm.
struct GradientReadArgs {
  const float* g = nullptr;
  const float* y = nullptr;  ///< null: dy = g
  const float* a = nullptr;  ///< [c] with a vector's slack, as the next two
  const float* b = nullptr;
  const float* c = nullptr;
};

/// What a batch norm of x [count, c] knows of it; scale and bias are the learned ones.
struct BatchNormArgs {
  const float* scale = nullptr;  ///< [c], as the next three
  const float* bias = nullptr;
  const float* mean = nullptr;
  const float* variance = nullptr;
  float epsilon = 1e-5f;
};

/// factor and shift [c] of a read.
void read_coefficients(const BatchNormArgs& norm, std::int64_t channels, float* factor, float* shift) noexcept;

/// a, b and c [c] of a gradient's read, from the gradients of scale and bias over `count` values a channel.
void gradient_coefficients(const BatchNormArgs& norm, const float* scale_gradient, const float* bias_gradient,
                           std::int64_t count, std::int64_t channels, float* a, float* b, float* c) noexcept;

/// A block's moments: for each channel a pivot (a value of the block), the sum of x - pivot and of (x - pivot)^2, so
/// that a mean far from 0 costs no bits. [3][c].
constexpr std::int64_t moment_floats(std::int64_t channels) { return 3 * channels; }

/// Moments of `count` rows [c] that lie side by side, into `moments` [3][c]; the rows go to `to`.
/// With `streams` past the caches: for more than these hold, so that nothing is fetched to be overwritten.
void row_moments(const float* rows, std::int64_t count, std::int64_t channels, float* to, bool streams,
                 float* moments) noexcept;

/// The same of rows that stay where they are.
void measure_rows(const float* rows, std::int64_t count, std::int64_t channels, float* moments) noexcept;

/// Whether so many values are written past the caches.
bool streams(std::int64_t floats) noexcept;

/// Mean and biased variance of `blocks` blocks of so many values a channel each, but for the last that has what is left
/// of `count`.
void join_moments(const float* moments, std::int64_t blocks, std::int64_t block, std::int64_t count,
                  std::int64_t channels, float* mean, float* variance) noexcept;

/// x as it is read, into `to`; rows [rows, c] side by side.
void read_rows(const ReadArgs& read, const float* x, std::int64_t rows, std::int64_t channels, float* to) noexcept;

/// dy of rows [rows, c] side by side, from `first` (in floats) of g and y on.
void read_gradient_rows(const GradientReadArgs& read, std::int64_t first, std::int64_t rows, std::int64_t channels,
                        float* to) noexcept;

/// From `gradient`, that with respect to what was read of x, to dx, that with respect to the batch norm of x: times the
/// activation's derivative at factor x + shift; dx may be gradient's place, or be written past the caches. `sums`
/// [2][c] are written: of dx, and of dx times x - mean.
void mask_rows(const ReadArgs& read, const float* x, std::int64_t rows, std::int64_t channels, const float* gradient,
               float* dx, bool streams, float* sums) noexcept;

/// Rows as they are, to where they belong, past the caches where asked for.
void move_rows(const float* from, std::int64_t floats, float* to, bool streams) noexcept;

/// mask_rows' sums alone, of a gradient that is masked already.
void gradient_sums(const float* gradient, const float* x, const float* mean, std::int64_t rows, std::int64_t channels,
                   float* sums) noexcept;

/// The gradients of scale and bias from blocks of mask_rows' sums [blocks][2][c], added in order.
void join_sums(const float* sums, std::int64_t blocks, const BatchNormArgs& norm, std::int64_t channels,
               float* scale_gradient, float* bias_gradient) noexcept;

}  // namespace sepal
