// Convolutions of a training step. Weights change from step to step, so they are packed when the step runs, and all of
// them by one of three kernels: pointwise, depthwise, or direct for the rest. Each leaves moments and sums of its
// blocks behind, which are joined at the end.

#include <algorithm>

#include "sepal/kernels/depthwise.h"
#include "sepal/kernels/direct.h"
#include "sepal/kernels/packed.h"
#include "sepal/kernels/training_depthwise.h"
#include "sepal/kernels/training_direct.h"
#include "sepal/kernels/training_pointwise.h"
#include "sepal/kernels/transposed.h"
#include "sepal/plan/fusion.h"
#include "sepal/plan/training_room.h"

namespace sepal {
namespace {

/// What one run of a convolution reads, forwards or backwards.
struct Layer {
  StageKind kind;
  Window window;
  std::int64_t groups;
  Shape x;
  Shape filter;
  Shape y;
  NormalizedRead read;

  Layer(const Window& w, std::int64_t g, const NormalizedRead& r, const Shape& input, const Shape& f,
        const Shape& output)
      : kind(kind_of(Conv2d{.window = w, .groups = g}, f)),
        window(w),
        groups(g),
        x(input),
        filter(f),
        y(output),
        read(r) {}

  std::int64_t rows() const { return x.elements(0, 3); }
  std::int64_t taps() const { return filter.h() * filter.w(); }
  std::int64_t values() const { return y.elements(0, 3); }  ///< of a channel of y
};

Layer forward_layer(const Step& step) {
  const auto& op = std::get<TrainingConv2d>(step.op);
  return {
      op.window, op.groups, op.read, step.inputs[0].type.shape, step.inputs[1].type.shape, step.outputs[0].type.shape};
}

/// Where g stands among the inputs of a gradient.
std::size_t place_of_g(const Conv2dGradient& op) { return op.read.on ? 6 : 2; }

Layer backward_layer(const Step& step) {
  const auto& op = std::get<Conv2dGradient>(step.op);
  return {op.window,
          op.groups,
          op.read,
          step.inputs[0].type.shape,
          step.inputs[1].type.shape,
          step.inputs[place_of_g(op)].type.shape};
}

/// factor and shift of the read.
ReadArgs take_read(const Layer& layer, Room& room) {
  if (!layer.read.on) return {};
  ReadArgs read;
  read.factor = room.take(layer.x.c());
  read.shift = room.take(layer.x.c());
  read.activation = layer.read.activation;
  return read;
}

/// Computes them.
void fill_read(const Step& step, const Frame& frame, const Layer& layer, ReadArgs& read) {
  if (!layer.read.on) return;
  const BatchNormArgs norm = batch_norm_args(frame, step, 2, layer.read.epsilon);
  read.mean = norm.mean;
  read_coefficients(norm, layer.x.c(), const_cast<float*>(read.factor), const_cast<float*>(read.shift));
}

TrainingDirectArgs direct_args(const Layer& layer, const ReadArgs& read, Room& room) {
  const std::int64_t k = layer.filter.elements(1, 4);
  return {.input = {nullptr, layer.x},
          .read = read,
          .window = layer.window,
          .groups = layer.groups,
          .packed = room.take(packed_direct_floats(layer.groups, layer.y.c(), k)),
          .zeros = room.take(layer.filter.c()),
          .output = {nullptr, layer.y}};
}

/// Blocks of a forward step, each with moments of its own: how many, and values of a channel in each but the last.
struct Blocks {
  std::int64_t count;
  std::int64_t values;
};
Blocks forward_blocks(const Layer& layer) {
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

/// What all threads of a forward step share, and the room of each.
struct Forward {
  ReadArgs read;
  float* moments = nullptr;
  float* packed = nullptr;
  TrainingDirectArgs direct{};
  std::int64_t room_of_each = 0;

  Forward(const Layer& layer, Room& room) {
    read = take_read(layer, room);
    moments = room.take(forward_blocks(layer).count * moment_floats(layer.y.c()));
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
        direct = direct_args(layer, read, room);
        room_of_each = training_direct_room(direct);
        break;
    }
  }

  TrainingDepthwiseArgs depthwise(const Layer& layer, const float* x, float* y) const {
    return {.input = {x, layer.x},
            .read = read,
            .filter = packed,
            .window = layer.window,
            .output = {y, layer.y},
            .moments = moments};
  }
};

float* room_of(const Step& step, const Frame& frame, int thread) {
  return reinterpret_cast<float*>(frame.rooms + static_cast<std::size_t>(thread) * step.room);
}

std::size_t room_bytes(std::int64_t floats) {
  Room room;
  room.take(floats);
  return room.bytes();
}

}  // namespace

void size_training_conv(const Site& site, Step& step) {
  const auto& op = std::get<TrainingConv2d>(site.node.op);
  const Layer layer(op.window, op.groups, op.read, site.input(0).shape, site.input(1).shape, site.output().shape);
  Room room;
  const Forward forward(layer, room);
  step.shared_room = room.bytes();
  step.room = room_bytes(forward.room_of_each);
}

void run_training_conv(const Step& step, const Frame& frame) noexcept {
  const Layer layer = forward_layer(step);
  Room room(frame.shared);
  Forward forward(layer, room);
  fill_read(step, frame, layer, forward.read);
  const float* const x = values(frame, step, 0);
  const float* const filter = values(frame, step, 1);
  float* const y = results(frame, step, 0);
  const Blocks blocks = forward_blocks(layer);
  const std::int64_t ci = layer.x.c();
  const std::int64_t co = layer.y.c();
  switch (layer.kind) {
    case StageKind::kPointwise: {
      share(frame, layer.filter.elements(), {0, pointwise_panels(co)},
            [&](Range panels) { pack_pointwise(filter, ci, co, panels, forward.packed); });
      const TrainingPointwiseArgs args = {.rows = layer.rows(),
                                          .ci = ci,
                                          .co = co,
                                          .input = x,
                                          .read = forward.read,
                                          .packed = forward.packed,
                                          .output = y,
                                          .moments = forward.moments};
      share_indexed(frame, step.work, {0, blocks.count},
                    [&](Range range, int thread) { training_pointwise(args, range, room_of(step, frame, thread)); });
      break;
    }
    case StageKind::kDepthwise: {
      pack_depthwise(filter, layer.filter.n(), layer.taps(), forward.packed);
      const TrainingDepthwiseArgs args = forward.depthwise(layer, x, y);
      share_indexed(frame, step.work, {0, blocks.count},
                    [&](Range range, int thread) { training_depthwise(args, range, room_of(step, frame, thread)); });
      break;
    }
    case StageKind::kDirect: {
      TrainingDirectArgs args = forward.direct;
      pack_direct(filter, nullptr, layer.groups, co, layer.filter.elements(1, 4), const_cast<float*>(args.packed));
      std::fill_n(const_cast<float*>(args.zeros), layer.filter.c(), 0.0f);
      args.read = forward.read;
      args.input.data = x;
      args.output.data = y;
      args.moments = forward.moments;
      share_indexed(frame, step.work, {0, blocks.count},
                    [&](Range range, int thread) { training_direct(args, range, room_of(step, frame, thread)); });
      break;
    }
  }
  join_moments(forward.moments, blocks.count, blocks.values, layer.values(), co, results(frame, step, 1),
               results(frame, step, 2));
}

namespace {

/// What all threads of a backward step share, the parts that they take, and the room of each.
struct Backward {
  ReadArgs read;
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

  Backward(const Conv2dGradient& op, const Layer& layer, Room& room) {
    read = take_read(layer, room);
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
        DepthwiseGradientArgs args = depthwise(layer, nullptr, {}, nullptr);
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
        if (op.input_gradient) packed = room.take(packed_transposed_floats(transposed(layer)));
        zeros = room.take(co / layer.groups);
        room_of_each = direct_gradient_room(args);
        break;
      }
    }
    sums = room.take(blocks * 2 * ci);
    partial = room.take(partial_floats);
  }

  PointwiseGradientArgs pointwise(const Layer& layer, const float* x, const GradientReadArgs& gradient,
                                  float* dx) const {
    return {.rows = layer.rows(),
            .ci = layer.x.c(),
            .co = layer.y.c(),
            .input = x,
            .read = read,
            .gradient = gradient,
            .packed = packed,
            .input_gradient = dx,
            .sums = sums,
            .filter_gradient = partial};
  }
  DepthwiseGradientArgs depthwise(const Layer& layer, const float* x, const GradientReadArgs& gradient,
                                  float* dx) const {
    return {.input = {x, layer.x},
            .read = read,
            .filter = packed,
            .window = layer.window,
            .gradient = gradient,
            .output = layer.y,
            .input_gradient = dx,
            .sums = sums,
            .partial = partial};
  }
  DirectGradientArgs direct(const Layer& layer, const float* x, const GradientReadArgs& gradient, float* dx) const {
    return {.input = {x, layer.x},
            .read = read,
            .window = layer.window,
            .groups = layer.groups,
            .output = layer.y,
            .gradient = gradient,
            .packed = packed,
            .zeros = zeros,
            .input_gradient = dx,
            .sums = sums,
            .filter_gradient = partial};
  }
  /// An image of the convolution from y back to x.
  static TransposedArgs transposed(const Layer& layer) {
    const Shape& x = layer.x;
    const Shape& y = layer.y;
    return {.input = {nullptr, {1, y.h(), y.w(), y.c()}},
            .window = layer.window,
            .groups = layer.groups,
            .output = {nullptr, {1, x.h(), x.w(), x.c()}}};
  }
};

}  // namespace

void size_conv_gradient(const Site& site, Step& step) {
  const auto& op = std::get<Conv2dGradient>(site.node.op);
  const Layer layer(op.window, op.groups, op.read, site.input(0).shape, site.input(1).shape,
                    site.input(place_of_g(op)).shape);
  Room room;
  const Backward backward(op, layer, room);
  step.shared_room = room.bytes();
  step.room = room_bytes(backward.room_of_each);
}

void run_conv_gradient(const Step& step, const Frame& frame) noexcept {
  const auto& op = std::get<Conv2dGradient>(step.op);
  const Layer layer = backward_layer(step);
  Room room(frame.shared);
  Backward backward(op, layer, room);
  fill_read(step, frame, layer, backward.read);
  const std::int64_t ci = layer.x.c();
  const std::int64_t co = layer.y.c();
  const std::size_t g = place_of_g(op);
  GradientReadArgs gradient{.g = values(frame, step, g)};
  if (op.normalized) {
    const BatchNormArgs norm = {.scale = values(frame, step, g + 2),
                                .bias = nullptr,
                                .mean = values(frame, step, g + 3),
                                .variance = values(frame, step, g + 4),
                                .epsilon = op.epsilon};
    gradient_coefficients(norm, values(frame, step, g + 5), values(frame, step, g + 6), layer.values(), co, backward.a,
                          backward.b, backward.c);
    gradient = {gradient.g, values(frame, step, g + 1), backward.a, backward.b, backward.c};
  }
  const float* const x = values(frame, step, 0);
  const float* const filter = values(frame, step, 1);
  float* const filter_gradient = results(frame, step, 0);
  float* const dx = op.input_gradient ? results(frame, step, 1) : nullptr;
  const std::int64_t weights = layer.filter.elements();
  const auto share_parts = [&](const auto& kernel) {
    share_indexed(frame, step.work, {0, backward.parts}, [&](Range parts, int thread) {
      for (std::int64_t part = parts.begin; part < parts.end; ++part) kernel(part, room_of(step, frame, thread));
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
      const PointwiseGradientArgs args = backward.pointwise(layer, x, gradient, dx);
      share_parts([&](std::int64_t part, float* own) { pointwise_gradient(args, part, own); });
      join();
      break;
    }
    case StageKind::kDepthwise: {
      pack_depthwise(filter, layer.filter.n(), layer.taps(), backward.packed);
      const DepthwiseGradientArgs args = backward.depthwise(layer, x, gradient, dx);
      share_parts([&](std::int64_t part, float* own) { depthwise_gradient(args, {part, part + 1}, own); });
      join_depthwise_gradient(args, {0, co}, filter_gradient);
      break;
    }
    case StageKind::kDirect: {
      if (dx != nullptr) pack_transposed(Backward::transposed(layer), filter, nullptr, backward.packed);
      std::fill_n(backward.zeros, co / layer.groups, 0.0f);
      const DirectGradientArgs args = backward.direct(layer, x, gradient, dx);
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
