#pragma once

// Operators that only move elements, of any type.

#include "sepal/kernels/reference/number.h"
#include "sepal/kernels/reference/walk.h"
#include "sepal/tensor/resample.h"

namespace sepal::reference {

template <typename T>
struct TransposeArgs {
  TensorView<const T> input = {};
  std::array<int, Shape::kMaxRank> axes{};  ///< output axis i is input axis axes[i]
  TensorView<T> output = {};
};
template <typename T>
void transpose(const TransposeArgs<T>& args) noexcept {
  const Strides own = strides_of(args.input.shape);
  Strides strides{};
  for (std::size_t axis = 0; axis < strides.size(); ++axis) strides[axis] = at(own, args.axes[axis]);
  T* output = args.output.data;
  walk<1>(args.output.shape, {strides}, [&](const auto& place) { *output++ = args.input.data[place[0]]; });
}

template <typename T>
struct ConcatArgs {
  TensorView<const T> input = {};
  int axis = 0;
  std::int64_t start = 0;  ///< where along the output's axis this input begins
  TensorView<T> output = {};
};
/// Puts one of the inputs of a concatenation into its place.
template <typename T>
void concat(const ConcatArgs<T>& args) noexcept {
  const Shape& input = args.input.shape;
  if (input.elements() == 0) return;
  const std::int64_t below = input.elements(args.axis + 1, input.rank());
  const std::int64_t run = input[args.axis] * below;
  const std::int64_t stride = args.output.shape[args.axis] * below;
  for (std::int64_t i = 0; i < input.elements(0, args.axis); ++i) {
    std::copy_n(args.input.data + i * run, run, args.output.data + i * stride + args.start * below);
  }
}

template <typename T>
struct SliceArgs {
  TensorView<const T> input = {};
  Strides start{};  ///< per axis, as step
  Strides step{};
  TensorView<T> output = {};
};
template <typename T>
void slice(const SliceArgs<T>& args) noexcept {
  const Shape& shape = args.output.shape;
  int mapped = shape.rank();
  while (mapped > 0 && args.input.shape[mapped - 1] == shape[mapped - 1] && at(args.start, mapped - 1) == 0 &&
         at(args.step, mapped - 1) == 1) {
    --mapped;
  }
  remap(RemapArgs<T>{.input = args.input, .output = args.output}, mapped,
        [&](int axis, std::int64_t i) { return at(args.start, axis) + i * at(args.step, axis); });
}

/// The element of a line of `length` that stands at `place`, or -1 where nothing does. Reflection does not
/// repeat the edge and goes back and forth as often as it takes, as numpy.pad does.
inline std::int64_t padded_place(std::int64_t place, std::int64_t length, PadMode mode) {
  if (place >= 0 && place < length) return place;
  if (length <= 0 || mode == PadMode::kConstant) return -1;
  if (length == 1) return 0;
  const auto modulo = [](std::int64_t a, std::int64_t b) { return (a % b + b) % b; };
  switch (mode) {
    case PadMode::kConstant:
      return -1;
    case PadMode::kEdge:
      return place < 0 ? 0 : length - 1;
    case PadMode::kWrap:
      return modulo(place, length);
    case PadMode::kReflect:
      break;
  }
  const std::int64_t period = 2 * (length - 1);
  const std::int64_t phase = modulo(place, period);
  return phase < length ? phase : period - phase;
}

template <typename T>
struct PadArgs {
  TensorView<const T> input = {};
  PadMode mode = PadMode::kConstant;
  Strides before{};  ///< per axis, as after; negative ones crop, before anything is reflected or repeated
  Strides after{};
  T value{};
  TensorView<T> output = {};
};
template <typename T>
void pad(const PadArgs<T>& args) noexcept {
  int mapped = args.output.shape.rank();
  while (mapped > 0 && at(args.before, mapped - 1) == 0 && at(args.after, mapped - 1) == 0) --mapped;
  remap(RemapArgs<T>{.input = args.input, .output = args.output, .fill = args.value}, mapped,
        [&](int axis, std::int64_t i) {
          const std::int64_t cropped = std::max<std::int64_t>(-at(args.before, axis), 0);
          const std::int64_t length =
              args.input.shape[axis] - cropped - std::max<std::int64_t>(-at(args.after, axis), 0);
          const std::int64_t place =
              padded_place(i - std::max<std::int64_t>(at(args.before, axis), 0), length, args.mode);
          return place < 0 ? place : place + cropped;
        });
}

template <typename T, typename Index>
struct GatherArgs {
  TensorView<const T> data = {};
  TensorView<const Index> indices = {};
  int axis = 0;
  TensorView<T> output = {};
};
/// data[..., indices, ...]. Negative indices count from the end; what lies outside even so (a graph that runs
/// cannot throw) reads the nearest element, and 0 where the axis is empty.
template <typename T, typename Index>
void gather(const GatherArgs<T, Index>& args) noexcept {
  const Shape& data = args.data.shape;
  if (args.output.shape.elements() == 0) return;
  const std::int64_t length = data[args.axis];
  const std::int64_t run = data.elements(args.axis + 1, data.rank());
  const std::int64_t outer = data.elements(0, args.axis);
  const std::int64_t count = args.indices.shape.elements();
  T* output = args.output.data;
  for (std::int64_t i = 0; i < outer; ++i) {
    for (std::int64_t k = 0; k < count; ++k) {
      const auto index = static_cast<std::int64_t>(args.indices.data[k]);
      const std::int64_t place = index < 0 ? std::max<std::int64_t>(index + length, 0) : std::min(index, length - 1);
      output = length == 0 ? std::fill_n(output, run, T{})
                           : std::copy_n(args.data.data + (i * length + place) * run, run, output);
    }
  }
}

template <typename T>
struct ExpandArgs {
  TensorView<const T> input = {};
  TensorView<T> output = {};  ///< of a shape that the input broadcasts to
};
template <typename T>
void expand(const ExpandArgs<T>& args) noexcept {
  T* output = args.output.data;
  walk<1>(args.output.shape, {broadcast_strides(args.input.shape, args.output.shape)},
          [&](const auto& place) { *output++ = args.input.data[place[0]]; });
}

template <typename T>
struct TileArgs {
  TensorView<const T> input = {};
  TensorView<T> output = {};  ///< of the same rank; each dimension a multiple of the input's
};
template <typename T>
void tile(const TileArgs<T>& args) noexcept {
  remap(RemapArgs<T>{.input = args.input, .output = args.output}, args.output.shape.rank(),
        [&](int axis, std::int64_t i) { return i % args.input.shape[axis]; });
}

template <typename To, typename From>
struct CastArgs {
  TensorView<const From> input = {};
  TensorView<To> output = {};
};
/// Each element by `convert`.
template <typename To, typename From>
void cast(const CastArgs<To, From>& args) noexcept {
  const std::int64_t elements = args.input.shape.elements();
  for (std::int64_t i = 0; i < elements; ++i) args.output.data[i] = convert<To>(args.input.data[i]);
}

}  // namespace sepal::reference
