#pragma once

// Ways over an array of any rank: by strides (broadcasting, transposing, reducing), and by a map from output
// to input coordinates (slicing, padding, repeating).

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "sepal/tensor/shape.h"
#include "sepal/tensor/view.h"

namespace sepal::reference {

using Strides = std::array<std::int64_t, Shape::kMaxRank>;

inline std::int64_t at(const Strides& strides, int axis) { return strides[static_cast<std::size_t>(axis)]; }

/// The strides by which `operand` is read as though it had been broadcast to `shape`: aligned at the last
/// axis, 0 along axes that it repeats.
inline Strides broadcast_strides(const Shape& operand, const Shape& shape) {
  const Strides own = strides_of(operand);
  Strides strides{};
  const int missing = shape.rank() - operand.rank();
  for (int axis = std::max(missing, 0); axis < shape.rank(); ++axis) {
    if (operand[axis - missing] != 1) strides[static_cast<std::size_t>(axis)] = at(own, axis - missing);
  }
  return strides;
}

template <std::size_t kOperands, typename Body>
void walk_axis(const Shape& shape, int axis, const std::array<Strides, kOperands>& strides,
               std::array<std::int64_t, kOperands> offsets, Body& body) {
  // The second condition never holds; it tells the compiler, which unrolls this, that no axis is past the last.
  if (axis >= shape.rank() || axis >= Shape::kMaxRank) return body(offsets);
  const bool last = axis + 1 == shape.rank();
  for (std::int64_t i = 0; i < shape[axis]; ++i) {
    if (last) {
      body(offsets);
    } else {
      walk_axis(shape, axis + 1, strides, offsets, body);
    }
    for (std::size_t k = 0; k < kOperands; ++k) offsets[k] += at(strides[k], axis);
  }
}

/// Calls body(offsets) for every index of `shape` in row-major order, where offsets[k] is the place of that
/// index under strides[k].
template <std::size_t kOperands, typename Body>
void walk(const Shape& shape, const std::array<Strides, kOperands>& strides, Body&& body) {
  if (shape.elements() > 0) walk_axis(shape, 0, strides, std::array<std::int64_t, kOperands>{}, body);
}

/// What `remap` works on.
template <typename T>
struct RemapArgs {
  TensorView<const T> input = {};
  TensorView<T> output = {};  ///< of the same rank
  T fill{};                   ///< where the map says that there is no input
};

template <typename T, typename Map>
void remap_axis(const RemapArgs<T>& args, int axis, int mapped, const T* input, T*& output, const Map& map) {
  if (axis == mapped) {
    output = std::copy_n(input, args.output.shape.elements(axis, args.output.shape.rank()), output);
    return;
  }
  const std::int64_t stride = args.input.shape.elements(axis + 1, args.input.shape.rank());
  for (std::int64_t i = 0; i < args.output.shape[axis]; ++i) {
    const std::int64_t from = map(axis, i);
    if (from < 0) {
      output = std::fill_n(output, args.output.shape.elements(axis + 1, args.output.shape.rank()), args.fill);
    } else {
      remap_axis(args, axis + 1, mapped, input + from * stride, output, map);
    }
  }
}

/// output[i, j, ...] = input[map(0, i), map(1, j), ...], and `fill` where one of them is negative. The axes
/// from `mapped` on are the same in both and are copied whole.
template <typename T, typename Map>
void remap(const RemapArgs<T>& args, int mapped, const Map& map) {
  T* output = args.output.data;
  if (args.output.shape.elements() > 0) remap_axis(args, 0, mapped, args.input.data, output, map);
}

}  // namespace sepal::reference
