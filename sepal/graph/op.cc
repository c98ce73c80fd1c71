#include "sepal/graph/op.h"

#include <algorithm>
#include <numeric>

#include "sepal/base/text.h"
#include "sepal/base/visit.h"

namespace sepal {

Permutation Permutation::of(std::span<const int> axes) {
  if (axes.size() > Shape::kMaxRank)
    invalid("a permutation of {} axes, but at most {} are handled", axes.size(), Shape::kMaxRank);
  Permutation result;
  result.rank = static_cast<int>(axes.size());
  std::ranges::copy(axes, result.axes.begin());
  for (int axis = 0; axis < result.rank; ++axis) {
    if (std::ranges::count(axes, axis) != 1)
      invalid("[{}] is not a permutation of {} axes", join(axes, ", "), axes.size());
  }
  return result;
}

Permutation Permutation::inverse() const {
  Permutation result;
  result.rank = rank;
  for (int axis = 0; axis < rank; ++axis) result.axes[static_cast<std::size_t>((*this)[axis])] = axis;
  return result;
}

Permutation Permutation::then(const Permutation& next) const {
  expect(rank == next.rank, "permutations of one rank");
  Permutation result;
  result.rank = rank;
  for (int axis = 0; axis < rank; ++axis) result.axes[static_cast<std::size_t>(axis)] = (*this)[next[axis]];
  return result;
}

Shape Permutation::apply(const Shape& shape) const {
  expect(rank == shape.rank(), "a permutation of the shape's rank");
  Shape result = shape;
  for (int axis = 0; axis < rank; ++axis) result = result.with(axis, 1);  // no product overflows on the way
  for (int axis = 0; axis < rank; ++axis) result = result.with(axis, shape[(*this)[axis]]);
  return result;
}

bool Permutation::is_identity() const {
  for (int axis = 0; axis < rank; ++axis) {
    if ((*this)[axis] != axis) return false;
  }
  return true;
}

Permutation channels_last(int rank) {
  Permutation result;
  result.rank = rank;
  std::iota(result.axes.begin(), result.axes.begin() + rank, 0);
  if (rank > 2) std::rotate(result.axes.begin() + 1, result.axes.begin() + 2, result.axes.begin() + rank);
  return result;
}

Permutation channels_first(int rank) { return channels_last(rank).inverse(); }

std::string_view name_of(const Op& op) {
  using Name = std::string_view;
  return std::visit(
      Overload{[](const Conv2d&) -> Name { return "conv2d"; },
               [](const ConvTranspose2d&) -> Name { return "conv_transpose2d"; },
               [](const IntegerConv2d&) -> Name { return "integer_conv2d"; },
               [](const QuantizedConv2d&) -> Name { return "quantized_conv2d"; },
               [](const Pool& pool) -> Name { return pool.kind == PoolKind::kMax ? "max_pool" : "average_pool"; },
               [](const Reduce& reduce) -> Name {
                 switch (reduce.kind) {
                   case ReduceKind::kSum:
                     return "reduce_sum";
                   case ReduceKind::kMean:
                     return "reduce_mean";
                   case ReduceKind::kMax:
                     return "reduce_max";
                   case ReduceKind::kMin:
                     return "reduce_min";
                   case ReduceKind::kProduct:
                     return "reduce_product";
                   case ReduceKind::kL1:
                     return "reduce_l1";
                   case ReduceKind::kL2:
                     return "reduce_l2";
                   case ReduceKind::kSumSquare:
                     return "reduce_sum_square";
                   case ReduceKind::kLogSum:
                     return "reduce_log_sum";
                   case ReduceKind::kLogSumExp:
                     return "reduce_log_sum_exp";
                 }
                 return "reduce";
               },
               [](const ArgReduce& arg) -> Name { return arg.minimum ? "arg_min" : "arg_max"; },
               [](const BatchNorm&) -> Name { return "batch_norm"; },
               [](const LayerNorm&) -> Name { return "layer_norm"; },
               [](const GroupNorm&) -> Name { return "group_norm"; },
               [](const LocalResponseNorm&) -> Name { return "local_response_norm"; },
               [](const Unary& unary) -> Name { return name_of(unary.kind); },
               [](const Binary& binary) -> Name { return name_of(binary.kind); },
               [](const Select&) -> Name { return "select"; },
               [](const MatMul&) -> Name { return "matmul"; },
               [](const Gemm&) -> Name { return "gemm"; },
               [](const IntegerMatMul&) -> Name { return "integer_matmul"; },
               [](const QuantizedMatMul&) -> Name { return "quantized_matmul"; },
               [](const Softmax& softmax) -> Name { return softmax.log ? "log_softmax" : "softmax"; },
               [](const Reshape&) -> Name { return "reshape"; },
               [](const Transpose&) -> Name { return "transpose"; },
               [](const Concat&) -> Name { return "concat"; },
               [](const Slice&) -> Name { return "slice"; },
               [](const Pad&) -> Name { return "pad"; },
               [](const Resize&) -> Name { return "resize"; },
               [](const Gather&) -> Name { return "gather"; },
               [](const Cast&) -> Name { return "cast"; },
               [](const Expand&) -> Name { return "expand"; },
               [](const Tile&) -> Name { return "tile"; },
               [](const Quantize&) -> Name { return "quantize"; },
               [](const Dequantize&) -> Name { return "dequantize"; },
               [](const DynamicQuantize&) -> Name { return "dynamic_quantize"; },
               [](const BatchMoments&) -> Name { return "batch_moments"; },
               [](const BatchNormSums&) -> Name { return "batch_norm_sums"; },
               [](const BatchNormInputGradient&) -> Name { return "batch_norm_gradient"; },
               [](const TrainingConv2d&) -> Name { return "training_conv2d"; },
               [](const Conv2dGradient&) -> Name { return "conv2d_gradient"; },
               [](const ResizeGradient&) -> Name { return "resize_gradient"; },
               [](const CrossEntropy&) -> Name { return "cross_entropy"; },
               [](const Dropout&) -> Name { return "dropout"; },
               [](const UnaryGradient&) -> Name { return "activation_gradient"; },
               [](const PoolGradient& pool) -> Name {
                 return pool.kind == PoolKind::kMax ? "max_pool_gradient" : "average_pool_gradient";
               },
               [](const Update& update) -> Name { return name_of(update.rule.rule); }},
      op);
}

bool is_depthwise(const Conv2d& conv, const Shape& filter) { return conv.groups > 1 && filter.c() == 1; }

bool is_pointwise(const Conv2d& conv, const Shape& filter) {
  return conv.groups == 1 && filter.h() == 1 && filter.w() == 1 && conv.window.padding == Padding{};
}

}  // namespace sepal
