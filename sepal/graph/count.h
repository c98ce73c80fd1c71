#pragma once

#include <concepts>
#include <cstdint>

#include "sepal/base/text.h"

namespace sepal {

/// A number of things, 0 .. 2^64 - 1, whose arithmetic never wraps around.
class Count {
 public:
  constexpr Count() = default;
  /// Of a negative number: 0.
  template <std::integral T>
  constexpr Count(T value) : value_(value < T{} ? 0 : static_cast<std::uint64_t>(value)) {}

  constexpr operator std::uint64_t() const { return value_; }

  /// Throws Error(kInvalid) where the result does not fit.
  friend Count operator*(Count a, Count b) {
    std::uint64_t product = 0;
    if (__builtin_mul_overflow(a.value_, b.value_, &product)) overflow();
    return product;
  }
  friend Count operator+(Count a, Count b) {
    std::uint64_t sum = 0;
    if (__builtin_add_overflow(a.value_, b.value_, &sum)) overflow();
    return sum;
  }
  // Exact matches, lest the built-in operators compete.
  template <std::integral T>
  friend Count operator*(Count a, T b) {
    return a * Count(b);
  }
  template <std::integral T>
  friend Count operator+(Count a, T b) {
    return a + Count(b);
  }
  Count& operator+=(Count other) { return *this = *this + other; }

 private:
  [[noreturn]] static void overflow() { invalid("a count of its cost does not fit 64 bits; its shapes are too large"); }

  std::uint64_t value_ = 0;
};

/// a - b, but not less than 0.
constexpr Count excess(Count a, Count b) { return a > b ? std::uint64_t{a} - b : 0; }

/// a / b, rounded down; 0 where b is 0.
constexpr Count share(Count a, Count b) { return b == 0 ? 0 : std::uint64_t{a} / b; }

}  // namespace sepal
