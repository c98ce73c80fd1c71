#pragma once

#include <algorithm>
#include <cstdint>

#include "sepal/kernels/tile.h"
#include "sepal/kernels/training_depthwise.h"

namespace sepal {

/// What lies where in the room of depthwise_gradient(), in floats. Channels go by groups of a cache line each. Output
/// channel c m + j lies in plane j, beside input channel c.
struct GradientRoom {
  std::int64_t groups, multiplier, taps;
  std::int64_t left;       ///< columns of zeros before a row of dy
  std::int64_t row_pitch;  ///< of dy
  std::int64_t slots;      ///< rows of the ring
  std::int64_t band;       ///< rows of x
  std::int64_t x_pitch;    ///< of a row of read x and of dx, a column of zeros on either side
  std::int64_t zeros, weights, read, dx, ring, size;

  explicit GradientRoom(const DepthwiseGradientArgs& args) {
    const Shape& in = args.input.shape;
    const Shape& out = args.output;
    const Window& window = args.window;
    groups = (in.c() + kLineFloats - 1) / kLineFloats;
    multiplier = out.c() / std::max<std::int64_t>(in.c(), 1);
    taps = window.kernel.h * window.kernel.w;
    const std::int64_t stride = window.stride.w;
    // Columns of dy that the walks of stride 1 and 2 meet; others keep to those that are there.
    const std::int64_t first = window.padding.left / stride - (window.kernel.w - 1 + stride - 1) / stride;
    const std::int64_t last = (in.w() - 1 + window.padding.left) / stride;
    left = std::max<std::int64_t>(0, -first);
    row_pitch = (left + std::max(out.w(), last + 1)) * kLineFloats;
    x_pitch = (in.w() + 2) * kLineFloats;
    band = 1;
    while (band < std::min(in.h(), kMostBandRows) && fits(args, band + 1)) ++band;
    const std::int64_t bands = (in.h() + band - 1) / band;
    band = (in.h() + bands - 1) / bands;
    slots = slots_of(args, band);
    zeros = 0;
    weights = zeros + row_pitch;
    read = weights + filter_floats();
    dx = read + band * x_pitch;
    ring = dx + band * x_pitch;
    size = ring + groups * multiplier * slots * row_pitch;
  }

  /// Where plane `j` of a group begins in the ring.
  std::int64_t plane(std::int64_t group, std::int64_t j) const {
    return ring + (group * multiplier + j) * slots * row_pitch;
  }
  /// The first weight of a group's plane; the partial gradients of the filter are laid out alike.
  std::int64_t filter(std::int64_t group, std::int64_t j) const {
    return (group * multiplier + j) * taps * kLineFloats;
  }
  std::int64_t filter_floats() const { return filter(groups, 0); }

 private:
  /// Rows of dy that so many rows of x hear, at most.
  static std::int64_t slots_of(const DepthwiseGradientArgs& args, std::int64_t rows) {
    const Window& window = args.window;
    return std::min((rows - 1 + (window.kernel.h - 1) * window.dilation.h) / window.stride.h + 2, args.output.h());
  }
  bool fits(const DepthwiseGradientArgs& args, std::int64_t rows) const {
    const std::int64_t dy = slots_of(args, rows) * row_pitch * 4;
    return dy + 2 * rows * x_pitch * 4 <= kBandBytes && dy * groups * multiplier <= kDyRingBytes;
  }
};

}  // namespace sepal
