#pragma once

// ONNX Resize of any rank. Every axis is sampled by itself: an output coordinate becomes a place on the input's
// axis, and that place either picks the nearest element or weighs its neighbours by a kernel (a tent, or Keys'
// cubic; widened by 1 / scale when shrinking with antialias). Weights are computed where they are needed.
// Places are computed in float for `nearest`, as ONNX Runtime does, because there a tie decides which element
// is taken: 3 / 0.6f is 5 in float and 4.9999998 in double. Elsewhere in double.

#include <cmath>

#include "sepal/kernels/reference/number.h"
#include "sepal/kernels/reference/walk.h"
#include "sepal/tensor/resample.h"

namespace sepal::reference {

template <typename T>
struct ResizeArgs {
  TensorView<const T> input = {};
  Resample how = {};
  TensorView<T> output = {};  ///< of the same rank
};

/// True if the axis is taken over as it is.
inline bool keeps_axis(const Resample& how, const Shape& input, const Shape& output, int axis) {
  const auto k = static_cast<std::size_t>(axis);
  return input[axis] == output[axis] && how.scales[k] == 1.0f &&
         (how.coordinate != ResizeCoordinate::kTfCropAndResize || (how.roi_start[k] == 0 && how.roi_end[k] == 1));
}

/// Axes 0 .. result - 1 are resampled (or might be), the others taken over.
inline int resampled_axes(const Resample& how, const Shape& input, const Shape& output) {
  int axes = output.rank();
  while (axes > 0 && keeps_axis(how, input, output, axes - 1)) --axes;
  return axes;
}

/// Where element i of an output axis lies on the input axis.
template <std::floating_point F>
F input_place(const Resample& how, int axis, std::int64_t i, std::int64_t input, std::int64_t output) {
  const auto k = static_cast<std::size_t>(axis);
  const auto x = static_cast<F>(i);
  const auto scale = static_cast<F>(how.scales[k]);
  const auto half = static_cast<F>(0.5);
  const F half_pixel = (x + half) / scale - half;
  switch (how.coordinate) {
    case ResizeCoordinate::kHalfPixel:
      return half_pixel;
    case ResizeCoordinate::kHalfPixelSymmetric: {
      const F centre = static_cast<F>(input) / 2;
      return centre * (1 - static_cast<F>(output) / (scale * static_cast<F>(input))) + half_pixel;
    }
    case ResizeCoordinate::kPytorchHalfPixel:
      return output > 1 ? half_pixel : F(0);
    case ResizeCoordinate::kAlignCorners:
      return output > 1 ? x * static_cast<F>(input - 1) / static_cast<F>(output - 1) : F(0);
    case ResizeCoordinate::kAsymmetric:
      return x / scale;
    case ResizeCoordinate::kTfHalfPixelForNearest:
      return (x + half) / scale;
    case ResizeCoordinate::kTfCropAndResize:
      break;
  }
  const auto start = static_cast<F>(how.roi_start[k]);
  const auto end = static_cast<F>(how.roi_end[k]);
  const auto last = static_cast<F>(input - 1);
  return output > 1 ? start * last + x * (end - start) * last / static_cast<F>(output - 1)
                    : half * (start + end) * last;
}

/// True if a region of interest puts the place outside the image, where the extrapolation value stands.
template <std::floating_point F>
bool extrapolates(const Resample& how, F place, std::int64_t input) {
  return how.coordinate == ResizeCoordinate::kTfCropAndResize && (place < 0 || place > static_cast<F>(input - 1));
}

/// The element nearest to a place, on the image.
inline std::int64_t nearest_to(ResizeNearest rule, float place, std::int64_t input) {
  const double x = place;
  double rounded = x;
  switch (rule) {
    case ResizeNearest::kRoundPreferFloor:
      rounded = std::ceil(x - 0.5);
      break;
    case ResizeNearest::kRoundPreferCeil:
      rounded = std::floor(x + 0.5);
      break;
    case ResizeNearest::kFloor:
      rounded = std::floor(x);
      break;
    case ResizeNearest::kCeil:
      rounded = std::ceil(x);
      break;
  }
  return std::clamp<std::int64_t>(saturate<std::int64_t>(rounded), 0, input - 1);
}

/// ResizeMode::kNearest, of any type.
template <typename T>
void resize_nearest(const ResizeArgs<T>& args) noexcept {
  const Shape& input = args.input.shape;
  const Shape& output = args.output.shape;
  if (input.elements() == 0) return;
  remap(RemapArgs<T>{.input = args.input, .output = args.output, .fill = convert<T>(args.how.extrapolation)},
        resampled_axes(args.how, input, output), [&](int axis, std::int64_t i) {
          if (keeps_axis(args.how, input, output, axis)) return i;
          const auto place = input_place<float>(args.how, axis, i, input[axis], output[axis]);
          return extrapolates(args.how, place, input[axis]) ? -1 : nearest_to(args.how.nearest, place, input[axis]);
        });
}

/// The neighbours that one output coordinate hears along one axis, and how loudly.
struct Neighbours {
  std::int64_t first = 0;  ///< may lie outside the image: the edge is repeated
  std::int64_t count = 0;
  double place = 0;
  double narrowing = 1;  ///< distances are multiplied by this: the scale when shrinking with antialias
  double total = 1;      ///< what weights are divided by
};

/// The kernel at a distance. Cubic: Keys (1981), "Cubic convolution interpolation for digital image
/// processing", with its free coefficient.
inline double kernel_at(const Resample& how, double distance) {
  const double x = std::abs(distance);
  if (how.mode == ResizeMode::kLinear) return std::max(1 - x, 0.0);
  const double a = how.cubic_a;
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((x - 5) * x + 8) * x * a - 4 * a : 0;
}

/// Neighbour k's share.
inline double weight_of(const Resample& how, const Neighbours& near, std::int64_t k, std::int64_t input) {
  const std::int64_t at = near.first + k;
  if (how.exclude_outside && (at < 0 || at >= input)) return 0;
  return kernel_at(how, (static_cast<double>(at) - near.place) * near.narrowing) / near.total;
}

inline Neighbours neighbours(const Resample& how, int axis, std::int64_t i, std::int64_t input, std::int64_t output) {
  Neighbours near;
  // Scales that fit their shapes stay far within this bound; others are only kept from overflowing.
  const double bound = 4 * static_cast<double>(input) + 4;
  near.place = std::clamp(input_place<double>(how, axis, i, input, output), -bound, bound);
  if (how.antialias) near.narrowing = std::min(1.0, static_cast<double>(how.scales[static_cast<std::size_t>(axis)]));
  const double reach = std::min((how.mode == ResizeMode::kLinear ? 1 : 2) / near.narrowing, bound);
  near.first = saturate<std::int64_t>(std::floor(near.place - reach)) + 1;
  near.count = saturate<std::int64_t>(std::ceil(near.place + reach)) - near.first;
  if (how.antialias || how.exclude_outside) {
    double total = 0;
    for (std::int64_t k = 0; k < near.count; ++k) total += weight_of(how, near, k, input);
    if (total != 0) near.total = total;
  }
  return near;
}

/// Linear and cubic. T is a floating-point type or behaves as one.
template <typename T>
class Interpolation {
 public:
  explicit Interpolation(const ResizeArgs<T>& args)
      : args_(args),
        axes_(resampled_axes(args.how, args.input.shape, args.output.shape)),
        run_(args.output.shape.elements(axes_, args.output.shape.rank())),
        output_(args.output.data) {}

  void compute() {
    if (args_.output.shape.elements() > 0 && args_.input.shape.elements() > 0) place(0, false);
  }

 private:
  static constexpr std::int64_t kLanes = 16;  ///< elements of the run that are summed at once

  /// Fixes the output coordinate axis by axis, then computes the run of elements there.
  void place(int axis, bool outside) {
    const Shape& input = args_.input.shape;
    if (axis < axes_) {
      for (std::int64_t i = 0; i < args_.output.shape[axis]; ++i) {
        Neighbours& near = near_[static_cast<std::size_t>(axis)];
        if (keeps_axis(args_.how, input, args_.output.shape, axis)) {
          near = {.first = i, .count = 1, .place = static_cast<double>(i)};
        } else {
          near = neighbours(args_.how, axis, i, input[axis], args_.output.shape[axis]);
        }
        place(axis + 1, outside || extrapolates(args_.how, near.place, input[axis]));
      }
      return;
    }
    if (outside) {
      output_ = std::fill_n(output_, run_, static_cast<T>(args_.how.extrapolation));
      return;
    }
    for (std::int64_t first = 0; first < run_; first += kLanes) {
      lanes_ = std::min(kLanes, run_ - first);
      std::fill_n(sums_, kLanes, Sum<T>(0));
      gather(0, first, 1.0);
      for (std::int64_t k = 0; k < lanes_; ++k) *output_++ = static_cast<T>(sums_[k]);
    }
  }

  /// Adds the neighbours along the axes from `axis` on, `offset` elements into the input.
  void gather(int axis, std::int64_t offset, double weight) {
    if (axis == axes_) {
      for (std::int64_t k = 0; k < lanes_; ++k) {
        sums_[k] = sums_[k] + static_cast<Sum<T>>(weight) * term(args_.input.data[offset + k]);
      }
      return;
    }
    const Shape& input = args_.input.shape;
    const Neighbours& near = near_[static_cast<std::size_t>(axis)];
    const std::int64_t stride = input.elements(axis + 1, input.rank());
    for (std::int64_t k = 0; k < near.count; ++k) {
      const std::int64_t at = std::clamp<std::int64_t>(near.first + k, 0, input[axis] - 1);
      const double share = weight_of(args_.how, near, k, input[axis]);
      if (share != 0) gather(axis + 1, offset + at * stride, weight * share);
    }
  }

  const ResizeArgs<T>& args_;
  int axes_;
  std::int64_t run_;
  T* output_;
  std::array<Neighbours, Shape::kMaxRank> near_{};
  Sum<T> sums_[kLanes]{};
  std::int64_t lanes_ = 0;
};

/// ResizeMode::kLinear and kCubic.
template <typename T>
void resize_smooth(const ResizeArgs<T>& args) noexcept {
  Interpolation<T>(args).compute();
}

}  // namespace sepal::reference
