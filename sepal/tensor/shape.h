#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

#pragma GCC visibility push(default)

namespace sepal {

/// Dimensions of a tensor, outermost first, rank 0 (a scalar) to 6. A dimension may be 0.
class Shape {
 public:
  static constexpr int kMaxRank = 6;

  Shape() = default;
  /// Throws Error(kInvalid) on more than 6 dimensions, a negative one, or more than 2^59 elements (zeros
  /// counted as ones), so that no product of dimensions and element size overflows later.
  Shape(std::initializer_list<std::int64_t> dims) : Shape(std::span(dims.begin(), dims.size())) {}
  explicit Shape(std::span<const std::int64_t> dims);

  int rank() const noexcept { return rank_; }
  std::int64_t operator[](int axis) const noexcept { return dims_[static_cast<std::size_t>(axis)]; }
  /// A new shape with dimension `axis` replaced. Throws as the constructor does.
  Shape with(int axis, std::int64_t dim) const;

  std::span<const std::int64_t> dims() const noexcept { return {dims_.data(), static_cast<std::size_t>(rank_)}; }
  auto begin() const noexcept { return dims().begin(); }
  auto end() const noexcept { return dims().end(); }

  /// Product of the dimensions; 1 for a scalar.
  std::int64_t elements() const noexcept;
  /// Product of dimensions from .. to - 1.
  std::int64_t elements(int from, int to) const noexcept;

  /// Image maps [n, h, w, c] (filters: [co, kh, kw, ci / groups]); only for rank 4.
  std::int64_t n() const noexcept { return dims_[0]; }
  std::int64_t h() const noexcept { return dims_[1]; }
  std::int64_t w() const noexcept { return dims_[2]; }
  std::int64_t c() const noexcept { return dims_[3]; }

  friend bool operator==(const Shape& a, const Shape& b) noexcept { return std::ranges::equal(a.dims(), b.dims()); }

 private:
  std::array<std::int64_t, kMaxRank> dims_{};
  int rank_ = 0;
};

/// "1x3x224x224"; "scalar" for rank 0.
std::string to_string(const Shape& shape);

/// Reads "1x3x224x224" (or "scalar"). Throws Error(kInvalid) that quotes the text.
Shape parse_shape(const std::string& text);

/// The shape that both broadcast to, aligned at the last axis, as in numpy and ONNX.
/// Throws Error(kInvalid) that names both if they do not fit.
Shape broadcast(const Shape& a, const Shape& b);

/// Elements from one index to the next along each axis of a dense, row-major tensor.
std::array<std::int64_t, Shape::kMaxRank> strides_of(const Shape& shape) noexcept;

}  // namespace sepal

#pragma GCC visibility pop
