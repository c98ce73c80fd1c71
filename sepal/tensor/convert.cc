#include "sepal/tensor/convert.h"

#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "sepal/base/text.h"

// Every value passes through one of two types that hold all of its family exactly: double for the
// floating-point types, i64 for the integers and bool. What does not come back from the target as it went
// in has not survived.

namespace sepal {
namespace {

template <typename T>
constexpr bool kIsFloat = is_float(type_of<T>());

template <typename T>
auto widened(T value) {
  if constexpr (kIsFloat<T>) {
    return static_cast<double>(static_cast<float>(value));
  } else {
    return static_cast<std::int64_t>(value);
  }
}

/// `value` as an integer, or nothing where it has a fraction or is too large.
std::optional<std::int64_t> as_integer(double value) {
  if (!(value >= -0x1p63 && value < 0x1p63) || value != std::trunc(value)) return std::nullopt;
  return static_cast<std::int64_t>(value);
}

template <typename To>
bool survives(double value, To& out) {
  if constexpr (kIsFloat<To>) {
    out = To(static_cast<float>(value));
    return std::isnan(value) || widened(out) == value;
  } else {
    const std::optional<std::int64_t> integer = as_integer(value);
    out = integer ? static_cast<To>(*integer) : To{};
    return integer && widened(out) == *integer;
  }
}

template <typename To>
bool survives(std::int64_t value, To& out) {
  if constexpr (kIsFloat<To>) {
    out = To(static_cast<float>(value));
    return as_integer(widened(out)) == value;
  } else {
    out = static_cast<To>(value);
    return widened(out) == value;
  }
}

/// "0,3,1": where element `at` of a tensor is.
std::string index_text(const Shape& shape, std::int64_t at) {
  std::vector<std::int64_t> index(static_cast<std::size_t>(shape.rank()));
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    index[static_cast<std::size_t>(axis)] = at % shape[axis];
    at /= shape[axis];
  }
  return format("{}", join(index, ","));
}

template <typename From, typename To>
void convert(const Tensor& from, Tensor& to) {
  const auto source = from.values<From>();
  const auto target = to.values<To>();
  for (std::size_t i = 0; i < source.size(); ++i) {
    const auto value = widened(source[i]);
    if (survives(value, target[i])) continue;
    invalid("the value {} at [{}] cannot be held by {}", value, index_text(from.shape(), static_cast<std::int64_t>(i)),
            name_of(to.type()));
  }
}

}  // namespace

Tensor converted(const Tensor& tensor, DataType type) {
  if (type == tensor.type()) return tensor.copy();
  Tensor result(type, tensor.shape());
  visit_type(tensor.type(), [&]<typename From>() {
    visit_type(type, [&]<typename To>() {
      if constexpr (!std::is_same_v<From, To>) convert<From, To>(tensor, result);
    });
  });
  return result;
}

}  // namespace sepal
