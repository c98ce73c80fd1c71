#include "sepal/tensor/shape.h"

#include <charconv>

#include "sepal/base/checked.h"
#include "sepal/base/text.h"

namespace sepal {
namespace {

constexpr std::int64_t kMaxElements = std::int64_t{1} << 59;

}  // namespace

Shape::Shape(std::span<const std::int64_t> dims) {
  if (dims.size() > kMaxRank) invalid("{} dimensions, but at most {} are handled", dims.size(), kMaxRank);
  std::int64_t elements = 1;
  for (const std::int64_t dim : dims) {
    if (dim < 0) invalid("a dimension of {} in {}", dim, join(dims, "x"));
    const auto product = checked_multiply(elements, std::max<std::int64_t>(dim, 1));
    if (!product || *product > kMaxElements) invalid("{} holds too many elements", join(dims, "x"));
    elements = *product;
    dims_[static_cast<std::size_t>(rank_++)] = dim;
  }
}

Shape Shape::with(int axis, std::int64_t dim) const {
  std::array<std::int64_t, kMaxRank> dims = dims_;
  dims[static_cast<std::size_t>(axis)] = dim;
  return Shape(std::span<const std::int64_t>(dims.data(), static_cast<std::size_t>(rank_)));
}

std::int64_t Shape::elements() const noexcept { return elements(0, rank_); }

std::int64_t Shape::elements(int from, int to) const noexcept {
  std::int64_t product = 1;
  for (int axis = from; axis < to; ++axis) product *= (*this)[axis];
  return product;
}

std::string to_string(const Shape& shape) {
  return shape.rank() == 0 ? "scalar" : format("{}", join(shape.dims(), "x"));
}

Shape parse_shape(const std::string& text) {
  if (text == "scalar") return {};
  std::array<std::int64_t, Shape::kMaxRank> dims{};
  std::size_t rank = 0;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (true) {
    if (rank == dims.size()) invalid("the shape \"{}\" has more than {} dimensions", printable(text), Shape::kMaxRank);
    const auto [next, code] = std::from_chars(at, end, dims[rank]);
    if (code != std::errc() || dims[rank] < 0 || (next != end && *next != 'x')) {
      invalid("\"{}\" is not a shape; write it as 1x3x224x224", printable(text));
    }
    ++rank;
    if (next == end) return Shape(std::span<const std::int64_t>(dims.data(), rank));
    at = next + 1;
  }
}

Shape broadcast(const Shape& a, const Shape& b) {
  const int rank = std::max(a.rank(), b.rank());
  std::array<std::int64_t, Shape::kMaxRank> dims{};
  for (int axis = 0; axis < rank; ++axis) {
    const int of_a = axis - (rank - a.rank());
    const int of_b = axis - (rank - b.rank());
    const std::int64_t left = of_a < 0 ? 1 : a[of_a];
    const std::int64_t right = of_b < 0 ? 1 : b[of_b];
    if (left != right && left != 1 && right != 1) invalid("{} and {} do not broadcast", to_string(a), to_string(b));
    dims[static_cast<std::size_t>(axis)] = left == 1 ? right : left;
  }
  return Shape(std::span<const std::int64_t>(dims.data(), static_cast<std::size_t>(rank)));
}

std::array<std::int64_t, Shape::kMaxRank> strides_of(const Shape& shape) noexcept {
  std::array<std::int64_t, Shape::kMaxRank> strides{};
  std::int64_t stride = 1;
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    strides[static_cast<std::size_t>(axis)] = stride;
    stride *= shape[axis];
  }
  return strides;
}

}  // namespace sepal
