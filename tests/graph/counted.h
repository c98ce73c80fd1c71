#pragma once

// A number that counts what is done with it, for the reference kernels, which are templates over their number type.
// Adding to the literal 0 that a sum begins with, and multiplying by the literal 1 of a product, is no operation; nor
// is a change of sign. Which of two is the larger is counted apart from all that, as `ordered`: kernels also ask it for
// their own ends (NaN, ties, branches), so that it proves a formula's comparisons for maxima over windows alone.

#include <cmath>
#include <cstdint>
#include <limits>

#include "sepal/graph/cost.h"

namespace sepal {

struct Counted {
  double value = 0;
  bool literal_zero = false;
  bool literal_one = false;

  Counted() = default;
  explicit Counted(int number) : value(number), literal_zero(number == 0), literal_one(number == 1) {}
  explicit Counted(std::int64_t number) : value(static_cast<double>(number)) {}
  explicit Counted(double number) : value(number) {}
  explicit Counted(float number) : value(static_cast<double>(number)) {}

  /// What has been counted since the last `reset`.
  static inline Arithmetic done{};
  static inline std::uint64_t ordered = 0;
  static void reset() {
    done = {};
    ordered = 0;
  }

  static Counted function(double result) {
    ++done.functions;
    return Counted(result);
  }

  friend Counted operator+(Counted a, Counted b) {
    if (!a.literal_zero && !b.literal_zero) ++done.additions;
    return Counted(a.value + b.value);
  }
  friend Counted operator-(Counted a, Counted b) {
    ++done.additions;
    return Counted(a.value - b.value);
  }
  friend Counted operator*(Counted a, Counted b) {
    if (!a.literal_one && !b.literal_one) ++done.multiplications;
    return Counted(a.value * b.value);
  }
  friend Counted operator/(Counted a, Counted b) {
    ++done.divisions;
    return Counted(a.value / b.value);
  }
  friend Counted operator-(Counted a) { return Counted(-a.value); }
  friend bool operator==(Counted a, Counted b) { return a.value == b.value; }
  friend auto operator<=>(Counted a, Counted b) {
    ++ordered;
    return a.value <=> b.value;
  }

  friend Counted sqrt(Counted x) { return function(std::sqrt(x.value)); }
  friend Counted exp(Counted x) { return function(std::exp(x.value)); }
  friend Counted log(Counted x) { return function(std::log(x.value)); }
  friend Counted log1p(Counted x) { return function(std::log1p(x.value)); }
  friend Counted erf(Counted x) { return function(std::erf(x.value)); }
  friend Counted tanh(Counted x) { return function(std::tanh(x.value)); }
  friend Counted sin(Counted x) { return function(std::sin(x.value)); }
  friend Counted cos(Counted x) { return function(std::cos(x.value)); }
  friend Counted floor(Counted x) { return function(std::floor(x.value)); }
  friend Counted ceil(Counted x) { return function(std::ceil(x.value)); }
  friend Counted nearbyint(Counted x) { return function(std::nearbyint(x.value)); }
  friend Counted pow(Counted a, Counted b) { return function(std::pow(a.value, b.value)); }
  friend Counted fmod(Counted a, Counted b) {
    ++done.divisions;
    return Counted(std::fmod(a.value, b.value));
  }
};

}  // namespace sepal

template <>
struct std::numeric_limits<sepal::Counted> {
  static constexpr bool has_infinity = true;
  static sepal::Counted infinity() { return sepal::Counted(std::numeric_limits<double>::infinity()); }
  static sepal::Counted lowest() { return sepal::Counted(std::numeric_limits<double>::lowest()); }
  static sepal::Counted max() { return sepal::Counted(std::numeric_limits<double>::max()); }
};
