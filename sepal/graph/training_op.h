#pragma once

// The operators that training needs besides those of inference: moments of a batch, gradients that are no composition
// of other operators, losses and updates. No file format knows them; train/ puts them into a graph, and a plan runs
// them like any others.
//
// A batch norm in training stands in a graph as BatchMoments and BatchNorm. Its gradient goes by way of g, the
// gradient with respect to what batch norm gives: from g, its sum and its sum of products with the normalised x follow
// both the parameters' gradients and dx = a g + b x + c with one a, b and c a channel (Ioffe and Szegedy 2015, section
// 3). So convolutions pass g on, and the affine map is done where somebody reads dx anyway.

#include <concepts>
#include <cstdint>

#include "sepal/tensor/elementwise.h"
#include "sepal/tensor/learning_rule.h"
#include "sepal/tensor/resample.h"
#include "sepal/tensor/shape.h"
#include "sepal/tensor/window.h"

namespace sepal {

/// Mean and (biased) variance of each channel over all other axes. Input x [..., c]; outputs mean, variance [c].
struct BatchMoments {
  friend bool operator==(const BatchMoments&, const BatchMoments&) = default;
};

/// Sums behind a batch norm's gradient: of g, and of g times the normalised x. Inputs: g, x [..., c], mean,
/// variance [c]; outputs: the gradients of scale and of bias [c].
struct BatchNormSums {
  float epsilon = 1e-5f;
  friend bool operator==(const BatchNormSums&, const BatchNormSums&) = default;
};

/// The gradient with respect to x of a batch norm with the moments of its batch. Inputs: g, x [..., c], scale, mean,
/// variance [c], and scale's and bias's gradients [c] over the same batch; output: dx.
struct BatchNormInputGradient {
  float epsilon = 1e-5f;
  friend bool operator==(const BatchNormInputGradient&, const BatchNormInputGradient&) = default;
};

/// How a convolution reads x: as it is, or as activation(batch norm of x).
struct NormalizedRead {
  bool on = false;
  float epsilon = 1e-5f;
  Unary activation{};
  friend bool operator==(const NormalizedRead&, const NormalizedRead&) = default;
};

/// Conv2d, with batch norm and activation of what it reads, and the moments of what it writes. Inputs: x [n, h, w, ci],
/// filter [co, kh, kw, ci / groups]; with read.on also scale, bias, mean, variance [ci] of x. Outputs: y [n, h', w',
/// co], mean, variance [co].
struct TrainingConv2d {
  Window window{};
  std::int64_t groups = 1;
  NormalizedRead read{};
  friend bool operator==(const TrainingConv2d&, const TrainingConv2d&) = default;
};

/// Both gradients of a convolution in one pass. Inputs: x, filter; with read.on scale, bias, mean, variance [ci] of x;
/// then g [n, h', w', co]; with `normalized` also y [n, h', w', co], scale, mean, variance [co] and the gradients of
/// scale and bias [co]: g is then with respect to the batch norm of y.
/// Outputs: the filter's gradient; with input_gradient also dx, and with read.on that is the gradient with respect to
/// the batch norm of x, followed by the gradients of scale and bias [ci].
struct Conv2dGradient {
  Window window{};
  std::int64_t groups = 1;
  NormalizedRead read{};
  bool normalized = false;
  float epsilon = 1e-5f;       ///< of the batch norm of y
  bool input_gradient = true;  ///< false where x is no function of anything that is learned
  friend bool operator==(const Conv2dGradient&, const Conv2dGradient&) = default;
};

/// dy f'(x). Inputs: x, dy. Where f has a corner, f' is that of the side on which x counts as outside: relu'(0) = 0,
/// and that of a clip is 0 at both limits.
struct UnaryGradient {
  Unary function{};
  friend bool operator==(const UnaryGradient&, const UnaryGradient&) = default;
};

/// The gradient of a pooling. Inputs: x [n, h, w, c], dy. Of equal maxima the first, row by row, gets all.
struct PoolGradient {
  PoolKind kind = PoolKind::kMax;
  Window window{};
  bool ceil = false;           ///< as Pool's
  bool count_padding = false;  ///< as Pool's
  friend bool operator==(const PoolGradient&, const PoolGradient&) = default;
};

/// The gradient of Resize: every output value's share in each input value, times dy. Input: dy; output: of shape
/// `input`.
struct ResizeGradient {
  Resample how{};
  Shape input{};
  friend bool operator==(const ResizeGradient&, const ResizeGradient&) = default;
};

/// Softmax and cross-entropy against distributions over classes, the mean over the batch. Inputs: logits [n, classes],
/// targets [n, classes], which are first mixed with the uniform distribution: (1 - smoothing) t + smoothing / classes
/// (Szegedy et al. 2016, section 7). Outputs: the loss (scalar) and its gradient [n, classes].
struct CrossEntropy {
  float smoothing = 0;
  friend bool operator==(const CrossEntropy&, const CrossEntropy&) = default;
};

/// Zero with probability `rate`, else x / (1 - rate) (Srivastava et al. 2014, inverted). Which, is a function of
/// (seed, step, place): inputs x and step (i64, scalar). Applied to dy with the same step it is its own gradient.
struct Dropout {
  float rate = 0.5f;
  std::uint64_t seed = 0;
  friend bool operator==(const Dropout&, const Dropout&) = default;
};

/// One step of a learning rule. Inputs: w, its gradient g, `rates` [3] = {rate, c1, c2} (c1 and c2 correct AdamW's
/// means for their start at zero: 1 - momentum^t and 1 - decay^t), factor (scalar, multiplies g first), and the rule's
/// state: m, and but for SGD s, shaped as w. Outputs: w and the state anew, which may take the memory of the old ones.
struct Update {
  LearningRule rule{};
  friend bool operator==(const Update&, const Update&) = default;
};

/// The operators of this page.
template <typename T>
concept TrainingOp =
    std::same_as<T, BatchMoments> || std::same_as<T, BatchNormSums> || std::same_as<T, BatchNormInputGradient> ||
    std::same_as<T, TrainingConv2d> || std::same_as<T, Conv2dGradient> || std::same_as<T, UnaryGradient> ||
    std::same_as<T, PoolGradient> || std::same_as<T, ResizeGradient> || std::same_as<T, CrossEntropy> ||
    std::same_as<T, Dropout> || std::same_as<T, Update>;

}  // namespace sepal
