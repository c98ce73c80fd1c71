// Convolutions of a training step, forwards. Weights change from step to step, so they are packed when the step runs,
// and all of them by one of three kernels: pointwise, depthwise, or direct for the rest. Each leaves moments of its
// blocks behind, which are joined at the end.

#include <algorithm>

#include "sepal/kernels/depthwise.h"
#include "sepal/kernels/direct.h"
#include "sepal/kernels/packed.h"
#include "sepal/kernels/training_depthwise.h"
#include "sepal/kernels/training_direct.h"
#include "sepal/kernels/training_pointwise.h"
#include "sepal/plan/training_layer.h"

namespace sepal {
namespace {

/// Blocks of a step, each with moments of its own: how many, and values of a channel in each but the last.
struct Blocks {
  std::int64_t count;
  std::int64_t values;
};
Blocks blocks_of(const TrainingLayer& layer) {
  switch (layer.kind) {
    case StageKind::kPointwise: {
      const std::int64_t block = training_pointwise_block(layer.x.c(), layer.y.c());
      return {(layer.rows() + block - 1) / block, block};
    }
    case StageKind::kDepthwise: {
      const RowBlocks blocks = row_blocks(layer.y);
      return {blocks.count, blocks.rows * layer.y.w()};
    }
    case StageKind::kDirect:
      break;
  }
  return {layer.y.n(), layer.y.h() * layer.y.w()};
}

/// What all threads of a step share, and the room of each.
struct Forward {
  LayerRead read;
  Blocks blocks;
  float* moments = nullptr;
  float* packed = nullptr;
  float* zeros = nullptr;
  std::int64_t room_of_each = 0;

  Forward(const TrainingLayer& layer, Room& room)
      : read(layer, room), blocks(blocks_of(layer)), moments(room.take(blocks.count * moment_floats(layer.y.c()))) {
    switch (layer.kind) {
      case StageKind::kPointwise:
        packed = room.take(packed_floats(layer.y.c(), layer.x.c()));
        room_of_each = training_pointwise_room(layer.x.c(), layer.y.c());
        break;
      case StageKind::kDepthwise:
        packed = room.take(layer.filter.elements());
        room_of_each = training_depthwise_room(depthwise(layer, nullptr, nullptr));
        break;
      case StageKind::kDirect:
        packed = room.take(packed_direct_floats(layer.groups, layer.y.c(), layer.filter.elements(1, 4)));
        zeros = room.take(layer.filter.c());
        room_of_each = training_direct_room(direct(layer, nullptr, nullptr));
        break;
    }
  }

  TrainingPointwiseArgs pointwise(const TrainingLayer& layer, const float* x, float* y) const {
    return {.rows = layer.rows(),
            .ci = layer.x.c(),
            .co = layer.y.c(),
            .input = x,
            .read = read.args,
            .packed = packed,
            .output = y,
            .moments = moments};
  }
  TrainingDepthwiseArgs depthwise(const TrainingLayer& layer, const float* x, float* y) const {
    return {.input = {x, layer.x},
            .read = read.args,
            .filter = packed,
            .window = layer.window,
            .output = {y, layer.y},
            .moments = moments};
  }
  TrainingDirectArgs direct(const TrainingLayer& layer, const float* x, float* y) const {
    return {.input = {x, layer.x},
            .read = read.args,
            .window = layer.window,
            .groups = layer.groups,
            .packed = packed,
            .zeros = zeros,
            .output = {y, layer.y},
            .moments = moments};
  }
};

}  // namespace

void size_training_conv(const Site& site, Step& step) {
  const auto& op = std::get<TrainingConv2d>(site.node.op);
  const TrainingLayer layer(op, site.input(0).shape, site.input(1).shape, site.output().shape);
  Room room;
  const Forward forward(layer, room);
  step.shared_room = room.bytes();
  step.room = room_bytes(forward.room_of_each);
}

void run_training_conv(const Step& step, const Frame& frame) noexcept {
  const TrainingLayer layer(std::get<TrainingConv2d>(step.op), step.inputs[0].type.shape, step.inputs[1].type.shape,
                            step.outputs[0].type.shape);
  Room room(frame.shared);
  Forward forward(layer, room);
  forward.read.compute(layer, step, frame);
  const float* const x = values(frame, step, 0);
  const float* const filter = values(frame, step, 1);
  float* const y = results(frame, step, 0);
  const std::int64_t ci = layer.x.c();
  const std::int64_t co = layer.y.c();
  const auto share_blocks = [&](const auto& kernel, const auto& args) {
    share_indexed(frame, step.work, {0, forward.blocks.count},
                  [&](Range blocks, int thread) { kernel(args, blocks, frame.room(step, thread)); });
  };
  switch (layer.kind) {
    case StageKind::kPointwise:
      share(frame, layer.filter.elements(), {0, pointwise_panels(co)},
            [&](Range panels) { pack_pointwise(filter, ci, co, panels, forward.packed); });
      share_blocks(training_pointwise, forward.pointwise(layer, x, y));
      break;
    case StageKind::kDepthwise:
      pack_depthwise(filter, layer.filter.n(), layer.taps(), forward.packed);
      share_blocks(training_depthwise, forward.depthwise(layer, x, y));
      break;
    case StageKind::kDirect:
      pack_direct(filter, nullptr, layer.groups, co, layer.filter.elements(1, 4), forward.packed);
      std::fill_n(forward.zeros, layer.filter.c(), 0.0f);
      share_blocks(training_direct, forward.direct(layer, x, y));
      break;
  }
  join_moments(forward.moments, forward.blocks.count, forward.blocks.values, layer.values(), co,
               results(frame, step, 1), results(frame, step, 2));
}

}  // namespace sepal
