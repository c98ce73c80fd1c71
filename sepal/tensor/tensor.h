#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <utility>

#include "sepal/tensor/shape.h"
#include "sepal/tensor/type.h"
#include "sepal/tensor/view.h"

#pragma GCC visibility push(default)

namespace sepal {

/// Bytes that a kernel may read past a tensor's last element (it never uses them), so that a vector load
/// needs no tail: one vector of the widest instruction set.
inline constexpr std::size_t kSlack = 64;

/// Memory aligned to 64 bytes with kSlack readable bytes after it, all zero at first. Move-only.
class AlignedBytes {
 public:
  AlignedBytes() = default;
  /// Throws Error(kMemory) that names the size if there is not enough.
  explicit AlignedBytes(std::size_t size);
  std::byte* data() const noexcept { return data_.get(); }
  std::size_t size() const noexcept { return size_; }

 private:
  struct Free {
    void operator()(std::byte* data) const noexcept;
  };
  std::unique_ptr<std::byte[], Free> data_;
  std::size_t size_ = 0;
};

/// A dense, row-major array that owns its elements, in any layout (image maps are [n, h, w, c] inside the
/// library; a model's inputs and outputs have the layout that its file gives them). Move-only: a copy is
/// asked for by name. Zero at first. Reading from several threads is safe.
class Tensor {
 public:
  /// An f32 tensor [0].
  Tensor() : Tensor(DataType::kF32, Shape{0}) {}
  /// Throws Error(kMemory) if there is not enough memory.
  Tensor(DataType type, const Shape& shape);
  /// A copy of `values` as a tensor; their count must be shape.elements(), else Error(kInvalid).
  template <typename T>
  static Tensor of(const Shape& shape, std::span<const T> values) {
    return copy_of({values.data(), type_of<T>(), shape}, values.size());
  }
  template <typename T>
  static Tensor of(const Shape& shape, std::initializer_list<T> values) {
    return of<T>(shape, std::span<const T>(values.begin(), values.size()));
  }
  /// A copy of the elements that `source` points to.
  static Tensor copy_of(const ConstBuffer& source);

  /// What was moved from is an f32 tensor [0].
  Tensor(Tensor&& other) noexcept
      : type_(std::exchange(other.type_, DataType::kF32)),
        shape_(std::exchange(other.shape_, Shape{0})),
        memory_(std::move(other.memory_)) {}
  Tensor& operator=(Tensor&& other) noexcept {
    type_ = std::exchange(other.type_, DataType::kF32);
    shape_ = std::exchange(other.shape_, Shape{0});
    memory_ = std::move(other.memory_);
    return *this;
  }

  DataType type() const noexcept { return type_; }
  const Shape& shape() const noexcept { return shape_; }
  std::int64_t elements() const noexcept { return shape_.elements(); }
  std::size_t bytes() const noexcept { return static_cast<std::size_t>(elements()) * size_of(type_); }

  Tensor copy() const { return copy_of(buffer()); }
  /// The same elements under another shape with as many. Throws Error(kInvalid) otherwise.
  Tensor reshaped(const Shape& shape) &&;

  /// The elements in row-major order. Throws Error(kInvalid) unless T is the element type. Not of a temporary
  /// tensor, whose elements would be gone.
  template <typename T>
  std::span<const T> values() const& {
    check_type(type_of<T>());
    return {reinterpret_cast<const T*>(memory_.data()), static_cast<std::size_t>(elements())};
  }
  template <typename T>
  std::span<const T> values() const&& = delete;
  template <typename T>
  std::span<T> values() & {
    check_type(type_of<T>());
    return {reinterpret_cast<T*>(memory_.data()), static_cast<std::size_t>(elements())};
  }
  template <typename T>
  TensorView<const T> view() const {
    return {values<T>().data(), shape_};
  }
  template <typename T>
  TensorView<T> view() {
    return {values<T>().data(), shape_};
  }

  const std::byte* data() const noexcept { return memory_.data(); }
  std::byte* data() noexcept { return memory_.data(); }
  ConstBuffer buffer() const noexcept { return {memory_.data(), type_, shape_}; }
  Buffer buffer() noexcept { return {memory_.data(), type_, shape_}; }

 private:
  static Tensor copy_of(const ConstBuffer& source, std::size_t count);
  void check_type(DataType wanted) const;

  DataType type_;
  Shape shape_;
  AlignedBytes memory_;
};

/// Equal type, shape and bytes (so a NaN equals itself, and 0 differs from -0).
bool identical(const Tensor& a, const Tensor& b);

}  // namespace sepal

#pragma GCC visibility pop
