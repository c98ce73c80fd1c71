// Convolutions of a training step, backwards, by the three kernels that training_conv.cc has for the way forwards. The
// filter's gradient is summed up in parts, of some blocks of the batch each; parts and the blocks' sums for the batch
// norm are joined at the end.

#include <algorithm>

#include "sepal/kernels/depthwise.h"
#include "sepal/kernels/packed.h"
#include "sepal/kernels/training_depthwise.h"
#include "sepal/kernels/training_direct.h"
#include "sepal/kernels/training_pointwise.h"
#include "sepal/kernels/transposed.h"
#include "sepal/plan/training_layer.h"

namespace sepal {
namespace {

/// Where g stands among the inputs.
std::size_t place_of_g(const Conv2dGradient& op) { return op.read.on ? 6 : 2; }

/// An image of the convolution from y back to x.
TransposedArgs transposed_of(const TrainingLayer& layer) {
  const Shape& x = layer.x;
  const Shape& y = layer.y;
  return {.input = {nullptr, {1, y.h(), y.w(), y.c()}},
          .window = layer.window,
          .groups = layer.groups,
          .output = {nullptr, {1, x.h(), x.w(), x.c()}}};
}

/// What all threads of a step share, the parts that they take, and the room of each.
struct Backward {
  LayerRead read;
  float* a = nullptr;  ///< of dy, as b and c
  float* b = nullptr;
  float* c = nullptr;
  float* sums = nullptr;
  float* partial = nullptr;
  float* packed = nullptr;
  float* zeros = nullptr;
  std::int64_t parts = 1;
  std::int64_t blocks = 1;  ///< of x, each with sums of its own
  std::int64_t room_of_each = 0;

  Backward(const Conv2dGradient& op, const TrainingLayer& layer, Room& room) : read(layer, room) {
    const std::int64_t ci = layer.x.c();
    const std::int64_t co = layer.y.c();
    if (op.normalized) {
      a = room.take(co);
      b = room.take(co);
      c = room.take(co);
    }
    std::int64_t partial_floats = 0;
    switch (layer.kind) {
      case StageKind::kPointwise: {
        const std::int64_t block = training_pointwise_block(ci, co);
        blocks = (layer.rows() + block - 1) / block;
        parts = pointwise_gradient_parts(layer.rows(), ci, co);
        partial_floats = parts * ci * co;
        if (op.input_gradient) packed = room.take(packed_floats(ci, co));
        room_of_each = training_pointwise_room(ci, co);
        break;
      }
      case StageKind::kDepthwise: {
        packed = room.take(layer.filter.elements());
        blocks = row_blocks(layer.x).count;
        const DepthwiseGradientArgs args = depthwise(layer, nullptr, {}, nullptr);
        parts = depthwise_gradient_parts(args);
        partial_floats = depthwise_gradient_floats(args);
        room_of_each = depthwise_gradient_room(args);
        break;
      }
      case StageKind::kDirect: {
        const DirectGradientArgs args = direct(layer, nullptr, {}, nullptr);
        blocks = layer.x.n();
        parts = direct_gradient_parts(args);
        partial_floats = parts * layer.filter.elements();
        if (op.input_gradient) packed = room.take(packed_transposed_floats(transposed_of(layer)));
        zeros = room.take(co / layer.groups);
        room_of_each = direct_gradient_room(args);
        break;
      }
    }
    sums = room.take(blocks * 2 * ci);
    partial = room.take(partial_floats);
  }

  /// dy as the kernels read it; computes a, b and c where y has a batch norm.
  GradientReadArgs gradient(const Conv2dGradient& op, const TrainingLayer& layer, const Step& step,
                            const Frame& frame) const {
    const std::size_t g = place_of_g(op);
    if (!op.normalized) return {.g = values(frame, step, g)};
    const BatchNormArgs norm = {.scale = values(frame, step, g + 2),
                                .bias = nullptr,
                                .mean = values(frame, step, g + 3),
                                .variance = values(frame, step, g + 4),
                                .epsilon = op.epsilon};
    gradient_coefficients(norm, values(frame, step, g + 5), values(frame, step, g + 6), layer.values(), layer.y.c(), a,
                          b, c);
    return {.g = values(frame, step, g), .y = values(frame, step, g + 1), .a = a, .b = b, .c = c};
  }

  PointwiseGradientArgs pointwise(const TrainingLayer& layer, const float* x, const GradientReadArgs& dy,
                                  float* dx) const {
    return {.rows = layer.rows(),
            .ci = layer.x.c(),
            .co = layer.y.c(),
            .input = x,
            .read = read.args,
            .gradient = dy,
            .packed = packed,
            .input_gradient = dx,
            .sums = sums,
            .filter_gradient = partial};
  }
  DepthwiseGradientArgs depthwise(const TrainingLayer& layer, const float* x, const GradientReadArgs& dy,
                                  float* dx) const {
    return {.input = {x, layer.x},
            .read = read.args,
            .filter = packed,
            .window = layer.window,
            .gradient = dy,
            .output = layer.y,
            .input_gradient = dx,
            .sums = sums,
            .partial = partial};
  }
  DirectGradientArgs direct(const TrainingLayer& layer, const float* x, const GradientReadArgs& dy, float* dx) const {
    return {.input = {x, layer.x},
            .read = read.args,
            .window = layer.window,
            .groups = layer.groups,
            .output = layer.y,
            .gradient = dy,
            .packed = packed,
            .zeros = zeros,
            .input_gradient = dx,
            .sums = sums,
            .filter_gradient = partial};
  }
};

}  // namespace

void size_conv_gradient(const Site& site, Step& step) {
  const auto& op = std::get<Conv2dGradient>(site.node.op);
  const TrainingLayer layer(op, site.input(0).shape, site.input(1).shape, site.input(place_of_g(op)).shape);
  Room room;
  const Backward backward(op, layer, room);
  step.shared_room = room.bytes();
  step.room = room_bytes(backward.room_of_each);
}

void run_conv_gradient(const Step& step, const Frame& frame) noexcept {
  const auto& op = std::get<Conv2dGradient>(step.op);
  const TrainingLayer layer(op, step.inputs[0].type.shape, step.inputs[1].type.shape,
                            step.inputs[place_of_g(op)].type.shape);
  Room room(frame.shared);
  Backward backward(op, layer, room);
  backward.read.compute(layer, step, frame);
  const GradientReadArgs dy = backward.gradient(op, layer, step, frame);
  const float* const x = values(frame, step, 0);
  const float* const filter = values(frame, step, 1);
  float* const filter_gradient = results(frame, step, 0);
  float* const dx = op.input_gradient ? results(frame, step, 1) : nullptr;
  const std::int64_t ci = layer.x.c();
  const std::int64_t co = layer.y.c();
  const std::int64_t weights = layer.filter.elements();
  const auto share_parts = [&](const auto& kernel) {
    share_indexed(frame, step.work, {0, backward.parts}, [&](Range parts, int thread) {
      for (std::int64_t part = parts.begin; part < parts.end; ++part) kernel(part, frame.room(step, thread));
    });
  };
  const auto join = [&] {
    share(frame, weights * backward.parts, {0, weights},
          [&](Range range) { join_parts(backward.partial, weights, backward.parts, range, filter_gradient); });
  };
  switch (layer.kind) {
    case StageKind::kPointwise: {
      if (dx != nullptr) {
        share(frame, weights, {0, pointwise_panels(ci)},
              [&](Range panels) { pack_pointwise_back(filter, ci, co, panels, backward.packed); });
      }
      const PointwiseGradientArgs args = backward.pointwise(layer, x, dy, dx);
      share_parts([&](std::int64_t part, float* own) { pointwise_gradient(args, part, own); });
      join();
      break;
    }
    case StageKind::kDepthwise: {
      pack_depthwise(filter, layer.filter.n(), layer.taps(), backward.packed);
      const DepthwiseGradientArgs args = backward.depthwise(layer, x, dy, dx);
      share_parts([&](std::int64_t part, float* own) { depthwise_gradient(args, {part, part + 1}, own); });
      join_depthwise_gradient(args, {0, co}, filter_gradient);
      break;
    }
    case StageKind::kDirect: {
      if (dx != nullptr) pack_transposed(transposed_of(layer), filter, nullptr, backward.packed);
      std::fill_n(backward.zeros, co / layer.groups, 0.0f);
      const DirectGradientArgs args = backward.direct(layer, x, dy, dx);
      share_parts([&](std::int64_t part, float* own) { direct_gradient(args, part, own); });
      join();
      break;
    }
  }
  if (dx != nullptr && op.read.on) {
    const BatchNormArgs norm = batch_norm_args(frame, step, 2, op.read.epsilon);
    join_sums(backward.sums, backward.blocks, norm, ci, results(frame, step, 2), results(frame, step, 3));
  }
}

}  // namespace sepal
