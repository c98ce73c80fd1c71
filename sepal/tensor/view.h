#pragma once

#include <cstddef>
#include <type_traits>

#include "sepal/tensor/shape.h"
#include "sepal/tensor/type.h"

#pragma GCC visibility push(default)

namespace sepal {

/// Dense, row-major elements that somebody else owns.
template <typename T>
struct TensorView {
  T* data = nullptr;
  Shape shape;

  operator TensorView<const T>() const
    requires(!std::is_const_v<T>)
  {
    return {data, shape};
  }  // NOLINT(google-explicit-constructor)
};

/// Elements of a type known at run time, to read.
struct ConstBuffer {
  const void* data = nullptr;
  DataType type = DataType::kF32;
  Shape shape;

  std::size_t bytes() const { return static_cast<std::size_t>(shape.elements()) * size_of(type); }
  /// The caller has checked that T is the element type.
  template <typename T>
  TensorView<const T> as() const {
    return {static_cast<const T*>(data), shape};
  }
};

/// Elements of a type known at run time, to write.
struct Buffer {
  void* data = nullptr;
  DataType type = DataType::kF32;
  Shape shape;

  std::size_t bytes() const { return static_cast<std::size_t>(shape.elements()) * size_of(type); }
  template <typename T>
  TensorView<T> as() const {
    return {static_cast<T*>(data), shape};
  }
  operator ConstBuffer() const { return {data, type, shape}; }  // NOLINT(google-explicit-constructor)
};

}  // namespace sepal

#pragma GCC visibility pop
