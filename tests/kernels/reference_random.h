#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "sepal/tensor/shape.h"
#include "sepal/tensor/view.h"

namespace sepal {

/// A seeded generator that gives the same cases on every platform (std's distributions do not).
class Random {
 public:
  explicit Random(std::uint32_t seed) : engine_(seed) {}

  /// A whole number of least .. most.
  std::int64_t whole(std::int64_t least, std::int64_t most) {
    return least + static_cast<std::int64_t>(engine_() % static_cast<std::uint32_t>(most - least + 1));
  }
  /// A number of -1 .. 1.
  double real() { return static_cast<double>(engine_()) / 2147483647.5 - 1; }
  bool coin() { return whole(0, 1) == 1; }

  /// Real numbers of -1 .. 1 for a floating-point T, all values of a byte for 8-bit integers.
  template <typename T>
  std::vector<T> values(std::int64_t count) {
    std::vector<T> result(static_cast<std::size_t>(count));
    for (T& value : result) {
      if constexpr (std::floating_point<T>) {
        value = static_cast<T>(real());
      } else {
        value = static_cast<T>(whole(0, 255));
      }
    }
    return result;
  }

 private:
  std::mt19937 engine_;
};

template <typename T>
TensorView<const T> view_of(const std::vector<T>& values, const Shape& shape) {
  return {values.data(), shape};
}
template <typename T>
TensorView<T> view_of(std::vector<T>& values, const Shape& shape) {
  return {values.data(), shape};
}

template <typename T>
std::vector<T> filled(const Shape& shape, T value = T{}) {
  return std::vector<T>(static_cast<std::size_t>(shape.elements()), value);
}

/// Coordinates of element `index` of a row-major array.
inline std::vector<std::int64_t> coordinates(const Shape& shape, std::int64_t index) {
  std::vector<std::int64_t> result(static_cast<std::size_t>(shape.rank()));
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    result[static_cast<std::size_t>(axis)] = index % shape[axis];
    index /= shape[axis];
  }
  return result;
}

/// The place of coordinates in an array of `shape` that is broadcast to their rank.
inline std::size_t broadcast_place(const Shape& shape, const std::vector<std::int64_t>& coordinates) {
  std::int64_t place = 0;
  const auto missing = coordinates.size() - static_cast<std::size_t>(shape.rank());
  for (int axis = 0; axis < shape.rank(); ++axis) {
    const std::int64_t at = coordinates[missing + static_cast<std::size_t>(axis)];
    place = place * shape[axis] + (shape[axis] == 1 ? 0 : at);
  }
  return static_cast<std::size_t>(place);
}

}  // namespace sepal
