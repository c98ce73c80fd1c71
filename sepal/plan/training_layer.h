#pragma once

#include <cstdint>

#include "sepal/plan/fusion.h"
#include "sepal/plan/training_room.h"

namespace sepal {

// What the forward and the backward step of a convolution share: its layer, and how x is read.

/// A convolution as one run of it, forwards or backwards, meets it.
struct TrainingLayer {
  StageKind kind;
  Window window;
  std::int64_t groups;
  NormalizedRead read;
  Shape x;
  Shape filter;
  Shape y;

  /// `op` is a TrainingConv2d or a Conv2dGradient.
  template <typename Op>
  TrainingLayer(const Op& op, const Shape& input, const Shape& weights, const Shape& output)
      : kind(kind_of(Conv2d{.window = op.window, .groups = op.groups}, weights)),
        window(op.window),
        groups(op.groups),
        read(op.read),
        x(input),
        filter(weights),
        y(output) {}

  std::int64_t rows() const { return x.elements(0, 3); }
  std::int64_t taps() const { return filter.h() * filter.w(); }
  std::int64_t values() const { return y.elements(0, 3); }  ///< of a channel of y
};

/// How x is read, and where in the room the coefficients of that stand.
struct LayerRead {
  ReadArgs args;
  float* factor = nullptr;  ///< [ci], as the next; null: x is read as it is
  float* shift = nullptr;

  LayerRead(const TrainingLayer& layer, Room& room) {
    if (!layer.read.on) return;
    factor = room.take(layer.x.c());
    shift = room.take(layer.x.c());
    args = {.factor = factor, .shift = shift, .activation = layer.read.activation};
  }
  /// Computes them from the batch norm among the step's inputs.
  void compute(const TrainingLayer& layer, const Step& step, const Frame& frame) {
    if (!layer.read.on) return;
    const BatchNormArgs norm = batch_norm_args(frame, step, 2, layer.read.epsilon);
    args.mean = norm.mean;
    read_coefficients(norm, layer.x.c(), factor, shift);
  }
};

}  // namespace sepal
