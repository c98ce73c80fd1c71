#pragma once

// What the reference kernels ask of a number type T beyond + - * / and comparisons: in what sums are kept,
// how values are converted, and what maximum and minimum make of a NaN. Functions such as exp are found by
// argument-dependent lookup, so that a type of somebody else's (one that counts operations, say) brings its own.

#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "sepal/tensor/type.h"

namespace sepal::reference {

template <typename T>
struct SumOf {
  using Type = T;
};
template <>
struct SumOf<float> {
  using Type = double;
};
template <std::integral T>
struct SumOf<T> {
  using Type = std::uint64_t;
};

/// What products and sums of T are kept in. Of float: double, so that a reference result carries one
/// rounding and not one per term, which a naive loop gets for nothing. Of integers: 64 bits modulo 2^64, so
/// that they wrap around as in numpy, without undefined behaviour. Of any other T: T.
template <typename T>
using Sum = typename SumOf<T>::Type;

/// Where logarithms, square roots and quotients of T are computed: integers take them in double.
template <typename T>
using Real = std::conditional_t<std::integral<T>, double, Sum<T>>;

/// T's value as a term of a sum.
template <typename T>
constexpr Sum<T> term(T value) {
  return static_cast<Sum<T>>(value);
}

/// The floating-point value rounded towards zero; beyond To's range the limit, and 0 for a NaN.
template <std::integral To, std::floating_point From>
constexpr To saturate(From value) {
  // The limits as From are exact or, for wide integers, the power of two above the largest value.
  if (value >= static_cast<From>(std::numeric_limits<To>::max())) return std::numeric_limits<To>::max();
  if (value <= static_cast<From>(std::numeric_limits<To>::min())) return std::numeric_limits<To>::min();
  return value != value ? To{} : static_cast<To>(value);
}

/// Conversion by value between element types: to bool is != 0, floats to integers saturate, integers to
/// narrower ones wrap around, and half precision goes by way of float.
template <typename To, typename From>
To convert(From value) {
  if constexpr (std::same_as<To, From>) {
    return value;
  } else if constexpr (std::same_as<From, Float16> || std::same_as<From, BFloat16>) {
    return convert<To>(static_cast<float>(value));
  } else if constexpr (std::same_as<To, Float16> || std::same_as<To, BFloat16>) {
    return To(static_cast<float>(value));
  } else if constexpr (std::same_as<To, bool>) {
    return value != From(0);
  } else if constexpr (std::integral<To> && std::floating_point<From>) {
    return saturate<To>(value);
  } else {
    return static_cast<To>(value);
  }
}

/// True only for a NaN.
template <typename T>
constexpr bool is_nan(const T& value) {
  return !(value == value);
}

/// The larger (smaller) of two; a NaN wins, as in numpy.
template <typename T>
constexpr T maximum(T a, T b) {
  return is_nan(a) || a > b ? a : (is_nan(b) || b > a ? b : a);
}
template <typename T>
constexpr T minimum(T a, T b) {
  return is_nan(a) || a < b ? a : (is_nan(b) || b < a ? b : a);
}

/// The value below (above) all others: an infinity where T has one.
template <typename T>
constexpr T lowest() {
  return std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::lowest();
}
template <typename T>
constexpr T highest() {
  return std::numeric_limits<T>::has_infinity ? std::numeric_limits<T>::infinity() : std::numeric_limits<T>::max();
}

}  // namespace sepal::reference
