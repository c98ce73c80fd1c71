#pragma once

// The room of a forward walk of a training step (training_depthwise.cc), and which convolutions have one.

#include <algorithm>
#include <cstdint>

#include "sepal/kernels/epilogue.h"
#include "sepal/kernels/tile.h"
#include "sepal/kernels/training_depthwise.h"

namespace sepal {

/// What lies where in the room of a walk, in floats.
struct SumsRoom {
  static constexpr std::int64_t kGroupBytes = 20 * 1024;  // of the rows of one group of channels, to stay in L1
  static constexpr std::int64_t kRingBytes = 256 * 1024;  // of all, to stay in L2
  static constexpr std::int64_t kMostRows = 32;

  std::int64_t groups = 0;
  std::int64_t row_pitch = 0;
  std::int64_t band = 1;   ///< rows of y
  std::int64_t slots = 0;  ///< rows of x
  std::int64_t ring = 0;   ///< where it begins, behind a row of zeros
  std::int64_t size = 0;

  explicit SumsRoom(const TrainingDepthwiseArgs& args) {
    const Shape& in = args.input.shape;
    const Shape& out = args.output.shape;
    const Window& window = args.window;
    groups = (in.c() + kLineFloats - 1) / kLineFloats;
    const std::int64_t met = (out.w() - 1) * window.stride.w + window.kernel.w;
    row_pitch = std::max(met, window.padding.left + in.w()) * kLineFloats;
    const auto fits = [&](std::int64_t rows) {
      const std::int64_t bytes = ((rows - 1) * window.stride.h + window.kernel.h) * row_pitch * 4;
      return bytes <= kGroupBytes && bytes * groups <= kRingBytes;
    };
    while (band < std::min(out.h(), kMostRows) && fits(band + 1)) ++band;
    slots = std::min((band - 1) * window.stride.h + window.kernel.h, in.h());
    ring = row_pitch;
    size = ring + groups * slots * row_pitch;
  }
};

/// Whether a walk can do it.
inline bool has_sums_walk(const TrainingDepthwiseArgs& args) {
  const Window& window = args.window;
  return window.kernel == Extent{3, 3} && window.dilation == Extent{1, 1} && window.stride.w <= 2 &&
         args.input.shape.c() == args.output.shape.c() && is_epilogue(args.read.activation);
}

}  // namespace sepal
