// Kernels that gather over positions or move elements: pooling, means, softmax, layer norm, transposition.

#include <array>
#include <optional>

#include "sepal/kernels/layer_norm.h"
#include "sepal/kernels/pool.h"
#include "sepal/kernels/softmax.h"
#include "sepal/kernels/spatial_mean.h"
#include "sepal/kernels/transpose.h"
#include "sepal/plan/frame.h"
#include "sepal/plan/select.h"

namespace sepal {
namespace {

bool accepts_pool(const Site& site) {
  const auto* op = std::get_if<Pool>(&site.node.op);
  return op != nullptr && site.f32() && !op->indices;
}

void run_pool(const Step& step, const Frame& frame) noexcept {
  const auto& op = std::get<Pool>(step.op);
  const PoolArgs args{.input = frame.view<float>(step.inputs[0]),
                      .window = op.window,
                      .kind = op.kind,
                      .count_include_pad = op.count_padding,
                      .output = frame.output<float>(step.outputs[0])};
  const Shape& output = step.outputs[0].type.shape;
  share(frame, step.work, {0, output.n() * output.h()}, [&](Range rows) { pool(args, rows); });
}

bool accepts_spatial_mean(const Site& site) {
  const auto* op = std::get_if<Reduce>(&site.node.op);
  return op != nullptr && site.f32() && op->kind == ReduceKind::kMean && site.input(0).shape.rank() == 4 &&
         op->axes == std::vector<int>{1, 2} && site.input(0).shape.elements() > 0;
}

void run_spatial_mean(const Step& step, const Frame& frame) noexcept {
  const SpatialMeanArgs args{.input = frame.view<float>(step.inputs[0]),
                             .output = frame.output<float>(step.outputs[0]).data};
  share(frame, step.work, {0, step.outputs[0].type.shape.elements()},
        [&](Range values) { spatial_mean(args, values); });
}

/// Over the last axis, or over one that only axes of length 1 follow.
bool accepts_softmax(const Site& site) {
  const auto* op = std::get_if<Softmax>(&site.node.op);
  if (op == nullptr || !site.f32()) return false;
  const Shape& shape = site.input(0).shape;
  return shape.elements(op->axis + 1, shape.rank()) == 1 && shape[op->axis] > 0;
}

void run_softmax(const Step& step, const Frame& frame) noexcept {
  const auto& op = std::get<Softmax>(step.op);
  const Shape& shape = step.inputs[0].type.shape;
  const SoftmaxArgs args{.input = frame.view<float>(step.inputs[0]).data,
                         .columns = shape[op.axis],
                         .log = op.log,
                         .output = frame.output<float>(step.outputs[0]).data};
  share(frame, step.work, {0, shape.elements(0, op.axis)}, [&](Range rows) { softmax(args, rows); });
}

bool softmax_in_place(const Site&, std::size_t) { return true; }

/// True if the operand has a value for each element of the axes from `axis` on, and none else.
bool covers(const Shape& operand, const Shape& whole, int axis) {
  if (operand.elements() != whole.elements(axis, whole.rank())) return false;
  for (int i = 1; i <= whole.rank() - axis; ++i) {
    if (i > operand.rank() ? whole[whole.rank() - i] != 1 : operand[operand.rank() - i] != whole[whole.rank() - i]) {
      return false;
    }
  }
  return true;
}

bool accepts_layer_norm(const Site& site) {
  const auto* op = std::get_if<LayerNorm>(&site.node.op);
  if (op == nullptr || !site.f32() || op->statistics) return false;
  const Shape& shape = site.input(0).shape;
  return shape.elements() > 0 && covers(site.input(1).shape, shape, op->axis) &&
         (site.inputs() < 3 || covers(site.input(2).shape, shape, op->axis));
}

void run_layer_norm(const Step& step, const Frame& frame) noexcept {
  const auto& op = std::get<LayerNorm>(step.op);
  const Shape& shape = step.inputs[0].type.shape;
  const LayerNormArgs args{.input = frame.view<float>(step.inputs[0]).data,
                           .columns = shape.elements(op.axis, shape.rank()),
                           .scale = frame.view<float>(step.inputs[1]).data,
                           .bias = step.inputs.size() > 2 ? frame.view<float>(step.inputs[2]).data : nullptr,
                           .epsilon = op.epsilon,
                           .output = frame.output<float>(step.outputs[0]).data};
  share(frame, step.work, {0, shape.elements(0, op.axis)}, [&](Range rows) { layer_norm(args, rows); });
}

bool layer_norm_in_place(const Site&, std::size_t i) { return i == 0; }

/// A transposition as [batch][rows][columns] -> [batch][columns][rows].
struct Swap {
  std::int64_t batch = 1;
  std::int64_t rows = 1;
  std::int64_t columns = 1;
};

/// The two runs of axes that change places behind the axes that stay, or nothing if the permutation is more
/// than that. Axes of length 1 do not count.
std::optional<Swap> swap_of(const Shape& shape, const Permutation& permutation) {
  std::array<int, Shape::kMaxRank> order{};  // axes longer than 1, as the output has them
  int count = 0;
  for (int axis = 0; axis < permutation.rank; ++axis) {
    if (shape[permutation[axis]] != 1) order[static_cast<std::size_t>(count++)] = permutation[axis];
  }
  const auto length = [&](int i) { return shape[order[static_cast<std::size_t>(i)]]; };
  Swap swap;
  int i = 0;
  for (int axis = 0; i < count; ++i, ++axis) {
    while (axis < shape.rank() && shape[axis] == 1) ++axis;
    if (order[static_cast<std::size_t>(i)] != axis) break;
    swap.batch *= length(i);
  }
  if (i == count) return std::nullopt;
  // What follows must be two ascending runs, the second entirely before the first.
  const int first = order[static_cast<std::size_t>(i)];
  bool second = false;
  for (int last = -1; i < count; ++i) {
    const int axis = order[static_cast<std::size_t>(i)];
    if (!second && axis < first) {
      second = true;
      last = -1;
    }
    if (axis < last || (second && axis >= first)) return std::nullopt;
    last = axis;
    (second ? swap.rows : swap.columns) *= length(i);
  }
  return swap;
}

bool accepts_transpose(const Site& site) {
  const auto* op = std::get_if<Transpose>(&site.node.op);
  return op != nullptr && size_of(site.input(0).type) == 4 && site.input(0).shape.elements() > 0 &&
         swap_of(site.input(0).shape, op->permutation).has_value();
}

void run_transpose(const Step& step, const Frame& frame) noexcept {
  const Swap swap = *swap_of(step.inputs[0].type.shape, std::get<Transpose>(step.op).permutation);
  const TransposeArgs args{.input = frame.read(step.inputs[0]),
                           .rows = swap.rows,
                           .columns = swap.columns,
                           .output = frame.write(step.outputs[0])};
  share(frame, step.work, {0, swap.batch * swap.columns}, [&](Range rows) { transpose(args, rows); });
}

constexpr std::array kShapes = {
    Candidate{"pool f32", accepts_pool, nullptr, run_pool},
    Candidate{"spatial mean f32", accepts_spatial_mean, nullptr, run_spatial_mean},
    Candidate{"softmax f32", accepts_softmax, nullptr, run_softmax, softmax_in_place},
    Candidate{"layer norm f32", accepts_layer_norm, nullptr, run_layer_norm, layer_norm_in_place},
    Candidate{"transpose 32", accepts_transpose, nullptr, run_transpose},
};

}  // namespace

std::span<const Candidate> shape_candidates() { return kShapes; }

}  // namespace sepal
