#pragma once

// The closed list of operators: small structs of attributes, one variant, and every question about them an
// exhaustive visitor (shape_rule.cc, evaluate/, plan/, formats/onnx_write*.cc). A new operator is a struct
// here; the compiler then lists every visitor that must learn it.
//
// Image maps are [n, h, w, c] and filters [co, kh, kw, ci / groups]. What a file says otherwise (channels
// first, 1-D, run-time axes) its reader has already turned into transposes, reshapes and attributes.

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "sepal/graph/training_op.h"
#include "sepal/tensor/elementwise.h"
#include "sepal/tensor/resample.h"
#include "sepal/tensor/shape.h"
#include "sepal/tensor/type.h"
#include "sepal/tensor/window.h"

namespace sepal {

/// A permutation of axes: output axis i is input axis axes[i]; the first `rank` entries count.
struct Permutation {
  int rank = 0;
  std::array<int, Shape::kMaxRank> axes{};

  /// Throws Error(kInvalid) unless `axes` holds 0 .. n - 1 once each, n <= 6.
  static Permutation of(std::span<const int> axes);
  static Permutation of(std::initializer_list<int> axes) { return of(std::span(axes.begin(), axes.size())); }
  /// The permutation that undoes this one.
  Permutation inverse() const;
  /// First this, then `next`.
  Permutation then(const Permutation& next) const;
  Shape apply(const Shape& shape) const;
  bool is_identity() const;
  int operator[](int axis) const { return axes[static_cast<std::size_t>(axis)]; }
  friend bool operator==(const Permutation&, const Permutation&) = default;
};

/// [n, c, ...] -> [n, ..., c] of that rank.
Permutation channels_last(int rank);
/// [n, ..., c] -> [n, c, ...] of that rank.
Permutation channels_first(int rank);

using PerAxis = std::array<std::int64_t, Shape::kMaxRank>;

/// Convolution (cross-correlation) of any kind. Inputs: x [n, h, w, ci], filter [co, kh, kw, ci / groups],
/// optionally bias [co]. Depthwise is groups = ci (co = depth multiplier * ci), pointwise a 1x1 kernel: both
/// are readings of this one (see is_depthwise, is_pointwise). `activation` is applied to each result.
struct Conv2d {
  Window window{};
  std::int64_t groups = 1;
  Unary activation{};
  friend bool operator==(const Conv2d&, const Conv2d&) = default;
};

/// The transpose of Conv2d's linear map. Inputs: x [n, h, w, ci], filter [ci, kh, kw, co / groups],
/// optionally bias [co]. Output extent: stride (h - 1) + output_padding + dilation (kh - 1) + 1 - padding.
struct ConvTranspose2d {
  Window window{};
  std::int64_t groups = 1;
  Extent output_padding{0, 0};
  friend bool operator==(const ConvTranspose2d&, const ConvTranspose2d&) = default;
};

/// ONNX ConvInteger: (x - x_zero) * (filter - filter_zero) summed in i32. Inputs: x u8 | i8 [n, h, w, ci],
/// filter u8 | i8 [co, kh, kw, ci / groups], x_zero (scalar), filter_zero (scalar or [co]).
struct IntegerConv2d {
  Window window{};
  std::int64_t groups = 1;
  friend bool operator==(const IntegerConv2d&, const IntegerConv2d&) = default;
};

/// ONNX QLinearConv. Inputs: x, x_scale, x_zero, filter, filter_scale, filter_zero (scalars or [co]), y_scale,
/// y_zero, optionally bias i32 [co] in units of x_scale * filter_scale.
struct QuantizedConv2d {
  Window window{};
  std::int64_t groups = 1;
  friend bool operator==(const QuantizedConv2d&, const QuantizedConv2d&) = default;
};

/// Pooling over a window. Input [n, h, w, c]. With `indices` (maximum only) a second output, i64, holds the
/// place of each maximum, counted in x as ONNX lays it out: ((n * c + channel) * h + row) * w + column, or
/// with row and column swapped where `column_major`.
struct Pool {
  PoolKind kind = PoolKind::kMax;
  Window window{};
  bool ceil = false;           ///< output extent rounded up
  bool count_padding = false;  ///< average: divide by the whole window, padding included
  bool indices = false;
  bool column_major = false;
  friend bool operator==(const Pool&, const Pool&) = default;
};

/// Reduction over `axes` (ascending, never empty), which become 1, or vanish unless `keep_dims`.
struct Reduce {
  ReduceKind kind = ReduceKind::kSum;
  std::vector<int> axes{};
  bool keep_dims = true;
  friend bool operator==(const Reduce&, const Reduce&) = default;
};

/// Index (i64) of the largest (or smallest) value along an axis; of equals the first, or the last.
struct ArgReduce {
  bool minimum = false;
  int axis = 0;
  bool keep_dims = true;
  bool last = false;
  friend bool operator==(const ArgReduce&, const ArgReduce&) = default;
};

/// (x - mean) / sqrt(variance + epsilon) * scale + bias per channel, as in inference. Inputs: x [..., c],
/// scale, bias, mean, variance [c].
struct BatchNorm {
  float epsilon = 1e-5f;
  friend bool operator==(const BatchNorm&, const BatchNorm&) = default;
};

/// Normalisation over the axes from `axis` on. Inputs: x, scale, optionally bias (shapes that broadcast to
/// x's). With `statistics` two more outputs: mean and 1 / sqrt(variance + epsilon).
struct LayerNorm {
  int axis = -1;  ///< 0 .. rank - 1
  float epsilon = 1e-5f;
  bool statistics = false;
  friend bool operator==(const LayerNorm&, const LayerNorm&) = default;
};

/// Normalisation over all positions and the channels of one group; groups = c is instance normalisation.
/// Inputs: x [n, ..., c], scale [c], bias [c].
struct GroupNorm {
  std::int64_t groups = 1;
  float epsilon = 1e-5f;
  friend bool operator==(const GroupNorm&, const GroupNorm&) = default;
};

/// x / (bias + alpha / size * sum of squares over `size` neighbouring channels)^beta. Input [n, ..., c].
struct LocalResponseNorm {
  std::int64_t size = 1;
  float alpha = 1e-4f;
  float beta = 0.75f;
  float bias = 1;
  friend bool operator==(const LocalResponseNorm&, const LocalResponseNorm&) = default;
};

/// A function of two inputs that broadcast.
struct Binary {
  BinaryKind kind = BinaryKind::kAdd;
  friend bool operator==(const Binary&, const Binary&) = default;
};

/// condition ? a : b, with broadcasting. Inputs: condition (bool), a, b.
struct Select {
  friend bool operator==(const Select&, const Select&) = default;
};

/// [..., m, k] x [..., k, n] -> [..., m, n]; the leading axes broadcast.
struct MatMul {
  friend bool operator==(const MatMul&, const MatMul&) = default;
};

/// alpha a' b' + beta c. Inputs: a [m, k], b [k, n] (before transposition where so marked), optionally c,
/// which broadcasts to [m, n].
struct Gemm {
  float alpha = 1;
  float beta = 1;
  bool transpose_a = false;
  bool transpose_b = false;
  friend bool operator==(const Gemm&, const Gemm&) = default;
};

/// ONNX MatMulInteger: (a - a_zero) x (b - b_zero) in i32. Inputs: a, b, a_zero (scalar or a column, one per
/// row of a), b_zero (scalar or a row, one per column of b).
struct IntegerMatMul {
  friend bool operator==(const IntegerMatMul&, const IntegerMatMul&) = default;
};

/// ONNX QLinearMatMul. Inputs: a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero, per tensor.
struct QuantizedMatMul {
  friend bool operator==(const QuantizedMatMul&, const QuantizedMatMul&) = default;
};

/// exp(x) / sum exp(x) along an axis, or its logarithm.
struct Softmax {
  int axis = -1;  ///< 0 .. rank - 1
  bool log = false;
  friend bool operator==(const Softmax&, const Softmax&) = default;
};

/// The same elements under another shape.
struct Reshape {
  Shape shape{};
  friend bool operator==(const Reshape&, const Reshape&) = default;
};

struct Transpose {
  Permutation permutation;
  friend bool operator==(const Transpose&, const Transpose&) = default;
};

/// One or more inputs, one after another along `axis`.
struct Concat {
  int axis = 0;
  friend bool operator==(const Concat&, const Concat&) = default;
};

/// size[i] elements along axis i, from start[i] in steps of step[i] (which may be negative).
struct Slice {
  PerAxis start{};
  PerAxis step{1, 1, 1, 1, 1, 1};
  Shape size{};
  friend bool operator==(const Slice&, const Slice&) = default;
};

/// before[i] and after[i] elements more on the two sides of axis i; negative: fewer.
struct Pad {
  PadMode mode = PadMode::kConstant;
  PerAxis before{};
  PerAxis after{};
  double value = 0;
  friend bool operator==(const Pad&, const Pad&) = default;
};

struct Resize {
  Resample how{};
  Shape size{};  ///< the output's
  friend bool operator==(const Resize&, const Resize&) = default;
};

/// data[..., indices, ...] along `axis`. Inputs: data, indices (i32 or i64; negative ones count from the end).
struct Gather {
  int axis = 0;
  friend bool operator==(const Gather&, const Gather&) = default;
};

/// Conversion by value; floats to integers round towards zero.
struct Cast {
  DataType to = DataType::kF32;
  friend bool operator==(const Cast&, const Cast&) = default;
};

/// Repeats axes of length 1 until the input has this shape (which it broadcasts to).
struct Expand {
  Shape shape{};
  friend bool operator==(const Expand&, const Expand&) = default;
};

/// The input repeated repeats[i] times along axis i.
struct Tile {
  PerAxis repeats{1, 1, 1, 1, 1, 1};
  friend bool operator==(const Tile&, const Tile&) = default;
};

/// saturate(round_half_to_even(x / scale) + zero). Inputs: x f32, scale f32, zero of the output's type, both
/// scalars, or [length of axis], or with block > 0 shaped as x but for x.shape[axis] / block along `axis`.
struct Quantize {
  int axis = 0;
  std::int64_t block = 0;
  friend bool operator==(const Quantize&, const Quantize&) = default;
};

/// (x - zero) * scale. Inputs: x, scale, zero, shaped as Quantize's. i32 has zero = 0.
struct Dequantize {
  int axis = 0;
  std::int64_t block = 0;
  friend bool operator==(const Dequantize&, const Dequantize&) = default;
};

/// ONNX DynamicQuantizeLinear: u8 over the range of x widened to hold 0. Outputs: y u8, scale f32, zero u8.
struct DynamicQuantize {
  friend bool operator==(const DynamicQuantize&, const DynamicQuantize&) = default;
};

using Op =
    std::variant<Conv2d, ConvTranspose2d, IntegerConv2d, QuantizedConv2d, Pool, Reduce, ArgReduce, BatchNorm, LayerNorm,
                 GroupNorm, LocalResponseNorm, Unary, Binary, Select, MatMul, Gemm, IntegerMatMul, QuantizedMatMul,
                 Softmax, Reshape, Transpose, Concat, Slice, Pad, Resize, Gather, Cast, Expand, Tile, Quantize,
                 Dequantize, DynamicQuantize, BatchMoments, BatchNormSums, BatchNormInputGradient, TrainingConv2d,
                 Conv2dGradient, UnaryGradient, PoolGradient, ResizeGradient, CrossEntropy, Dropout, Update>;

/// The operator's name as plans and reports show it: "conv2d", "relu", "add", "max_pool", "reduce_mean" ...
std::string_view name_of(const Op& op);

/// groups = input channels > 1, as the depthwise stage of a separable convolution. `filter` is
/// [co, kh, kw, ci / groups].
bool is_depthwise(const Conv2d& conv, const Shape& filter);
/// A 1x1 kernel over all channels, without padding, any stride.
bool is_pointwise(const Conv2d& conv, const Shape& filter);

}  // namespace sepal
