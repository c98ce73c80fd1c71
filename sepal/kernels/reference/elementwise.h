#pragma once

// Functions of one, two and three values, as tensor/elementwise.h defines them.

#include "sepal/kernels/reference/number.h"
#include "sepal/kernels/reference/walk.h"
#include "sepal/tensor/elementwise.h"

namespace sepal::reference {

/// log(1 + exp x), which does not overflow.
template <typename T>
T softplus(T x) {
  using std::exp;
  using std::log1p;
  return x > T(0) ? x + log1p(exp(-x)) : log1p(exp(x));
}

template <typename T>
T sigmoid(T x) {
  using std::exp;
  return T(1) / (T(1) + exp(-x));
}

/// min(max(x, low), high); a NaN stays one.
template <typename T>
T clip(T x, T low, T high) {
  const T raised = x < low ? low : x;
  return raised > high ? high : raised;
}

/// One value of a real-valued function (all but kNot).
template <typename T>
T apply(const Unary& function, T x) {
  using std::ceil, std::cos, std::erf, std::exp, std::floor, std::log, std::nearbyint, std::sin, std::sqrt, std::tanh;
  const T alpha = static_cast<T>(function.alpha);
  const T beta = static_cast<T>(function.beta);
  const T zero(0);
  const T one(1);
  const T half(0.5);
  switch (function.kind) {
    case UnaryKind::kIdentity:
      return x;
    case UnaryKind::kAbs:
      return x < zero ? -x : (x == zero ? zero : x);
    case UnaryKind::kNegate:
      return -x;
    case UnaryKind::kSign:
      return x > zero ? one : (x < zero ? -one : x);
    case UnaryKind::kFloor:
      return floor(x);
    case UnaryKind::kCeil:
      return ceil(x);
    case UnaryKind::kRound:
      return nearbyint(x);
    case UnaryKind::kSqrt:
      return sqrt(x);
    case UnaryKind::kReciprocal:
      return one / x;
    case UnaryKind::kExp:
      return exp(x);
    case UnaryKind::kLog:
      return log(x);
    case UnaryKind::kErf:
      return erf(x);
    case UnaryKind::kSin:
      return sin(x);
    case UnaryKind::kCos:
      return cos(x);
    case UnaryKind::kTanh:
      return tanh(x);
    case UnaryKind::kNot:
      return x == zero ? one : zero;  // of bool only
    case UnaryKind::kRelu:
      return x < zero ? zero : x;
    case UnaryKind::kClip:
      return clip(x, alpha, beta);
    case UnaryKind::kLeakyRelu:
      return x >= zero ? x : alpha * x;
    case UnaryKind::kElu:
      return x >= zero ? x : alpha * (exp(x) - one);
    case UnaryKind::kSelu:
      return beta * (x > zero ? x : alpha * (exp(x) - one));
    case UnaryKind::kCelu: {
      const T below = alpha * (exp(x / alpha) - one);
      return (x < zero ? zero : x) + (below > zero ? zero : below);
    }
    case UnaryKind::kSigmoid:
      return sigmoid(x);
    case UnaryKind::kHardSigmoid:
      return clip(alpha * x + beta, zero, one);
    case UnaryKind::kHardSwish:
      return x * clip(x / T(6) + half, zero, one);
    case UnaryKind::kSwish:
      return x * sigmoid(alpha * x);
    case UnaryKind::kMish:
      return x * tanh(softplus(x));
    case UnaryKind::kGelu:
      return x * (one + erf(x / static_cast<T>(1.41421356237309504880))) * half;  // sqrt 2
    case UnaryKind::kGeluTanh: {
      const T scale = static_cast<T>(0.79788456080286535588);  // sqrt(2 / pi)
      return x * (one + tanh(scale * (x + T(0.044715) * x * x * x))) * half;
    }
    case UnaryKind::kSoftplus:
      return softplus(x);
    case UnaryKind::kSoftsign:
      return x / (one + (x < zero ? -x : x));
    case UnaryKind::kThresholdedRelu:
      return x > alpha ? x : zero;
  }
  return x;
}

/// The functions that make sense of integers (see has_integer_form), wrapping around: |-128| of i8 is -128.
/// Bounds of a clip saturate to the type.
template <std::integral T>
T apply(const Unary& function, T x) {
  switch (function.kind) {
    case UnaryKind::kAbs:
      return x < T(0) ? static_cast<T>(-term(x)) : x;
    case UnaryKind::kNegate:
      return static_cast<T>(-term(x));
    case UnaryKind::kSign:
      return static_cast<T>((x > T(0)) - (x < T(0)));
    case UnaryKind::kRelu:
      return x < T(0) ? T(0) : x;
    case UnaryKind::kClip:
      return clip(x, convert<T>(function.alpha), convert<T>(function.beta));
    default:
      return x;
  }
}

inline bool apply(const Unary& function, bool x) { return function.kind == UnaryKind::kNot ? !x : x; }

/// Whether `apply` has the function for integers.
constexpr bool has_integer_form(UnaryKind kind) {
  return kind == UnaryKind::kIdentity || kind == UnaryKind::kAbs || kind == UnaryKind::kNegate ||
         kind == UnaryKind::kSign || kind == UnaryKind::kRelu || kind == UnaryKind::kClip;
}

template <typename T>
struct UnaryArgs {
  TensorView<const T> input = {};
  Unary function = {};
  TensorView<T> output = {};  ///< of the input's shape; may be the input
};
template <typename T>
void unary(const UnaryArgs<T>& args) noexcept {
  const std::int64_t elements = args.input.shape.elements();
  for (std::int64_t i = 0; i < elements; ++i) args.output.data[i] = apply(args.function, args.input.data[i]);
}

/// a to the power b modulo 2^bits, by squaring; to a negative power 1 / a^|b| rounded towards zero, with
/// 1 / 0 = 0.
template <std::integral T, std::integral E>
T integer_power(T a, E b) {
  if (b < E(0)) {
    if (a == T(1)) return a;
    return term(a) + 1 == 0 ? (term(b) % 2 == 0 ? T(1) : a) : T(0);
  }
  Sum<T> result = 1;
  Sum<T> square = term(a);
  for (Sum<T> rest = term(b); rest != 0; rest /= 2) {
    if (rest % 2 != 0) result *= square;
    square *= square;
  }
  return static_cast<T>(result);
}

/// Rounded towards zero; a / 0 = 0 (ONNX leaves it open), and the one quotient that does not fit wraps.
template <std::integral T>
T integer_quotient(T a, T b) {
  if (b == T(0)) return T(0);
  if (term(b) + 1 == 0) return static_cast<T>(-term(a));  // b = -1
  return static_cast<T>(a / b);
}

/// With the sign of b, as Python's %; a % 0 = 0.
template <std::integral T>
T integer_remainder(T a, T b) {
  if (b == T(0) || term(b) + 1 == 0) return T(0);
  const T rest = static_cast<T>(a % b);
  return rest != T(0) && (rest < T(0)) != (b < T(0)) ? static_cast<T>(rest + b) : rest;
}

/// One value of an arithmetic function of two.
template <typename T>
T combine(BinaryKind kind, T a, T b) {
  using std::fmod, std::pow;
  constexpr bool kInteger = std::integral<T>;
  switch (kind) {
    case BinaryKind::kMinimum:
      return minimum(a, b);
    case BinaryKind::kMaximum:
      return maximum(a, b);
    case BinaryKind::kDivide:
      if constexpr (kInteger)
        return integer_quotient(a, b);
      else
        return a / b;
    case BinaryKind::kPower:
      if constexpr (kInteger)
        return integer_power(a, b);
      else
        return pow(a, b);
    case BinaryKind::kModulo:
      if constexpr (kInteger)
        return integer_remainder(a, b);
      else
        return fmod(a, b);
    case BinaryKind::kAdd:
      if constexpr (kInteger)
        return static_cast<T>(term(a) + term(b));
      else
        return a + b;
    case BinaryKind::kSubtract:
      if constexpr (kInteger)
        return static_cast<T>(term(a) - term(b));
      else
        return a - b;
    case BinaryKind::kMultiply:
      if constexpr (kInteger)
        return static_cast<T>(term(a) * term(b));
      else
        return a * b;
    case BinaryKind::kPRelu:
      if constexpr (kInteger)
        return a >= T(0) ? a : static_cast<T>(term(a) * term(b));
      else
        return a >= T(0) ? a : b * a;
    default:
      return a;  // those that give bool: compare
  }
}

/// One value of a function that gives bool.
template <typename T>
bool compare(BinaryKind kind, T a, T b) {
  switch (kind) {
    case BinaryKind::kEqual:
      return a == b;
    case BinaryKind::kLess:
      return a < b;
    case BinaryKind::kLessOrEqual:
      return a <= b;
    case BinaryKind::kGreater:
      return a > b;
    case BinaryKind::kGreaterOrEqual:
      return a >= b;
    case BinaryKind::kAnd:
      return a != T(0) && b != T(0);
    case BinaryKind::kOr:
      return a != T(0) || b != T(0);
    case BinaryKind::kXor:
      return (a != T(0)) != (b != T(0));
    default:
      return false;  // arithmetic: combine
  }
}

template <typename T, typename Result = T>
struct BinaryArgs {
  BinaryKind kind = BinaryKind::kAdd;
  TensorView<const T> a = {};
  TensorView<const T> b = {};
  TensorView<Result> output = {};  ///< of the shape that a and b broadcast to; Result is bool where gives_bool(kind)
};
template <typename T, typename Result>
void binary(const BinaryArgs<T, Result>& args) noexcept {
  const Shape& shape = args.output.shape;
  Result* output = args.output.data;
  walk<2>(shape, {broadcast_strides(args.a.shape, shape), broadcast_strides(args.b.shape, shape)},
          [&](const auto& place) {
            const T a = args.a.data[place[0]];
            const T b = args.b.data[place[1]];
            if constexpr (std::same_as<Result, bool>) {
              *output++ = compare(args.kind, a, b);
            } else {
              *output++ = combine(args.kind, a, b);
            }
          });
}

template <typename T, typename E>
struct PowerArgs {
  TensorView<const T> base = {};
  TensorView<const E> exponent = {};
  TensorView<T> output = {};  ///< of the shape that the two broadcast to
};
/// Powers whose exponent has a type of its own: integers of integers exactly (modulo 2^bits), what has a float
/// in it as floats.
template <typename T, typename E>
void power(const PowerArgs<T, E>& args) noexcept {
  using std::pow;
  const Shape& shape = args.output.shape;
  T* output = args.output.data;
  walk<2>(shape, {broadcast_strides(args.base.shape, shape), broadcast_strides(args.exponent.shape, shape)},
          [&](const auto& place) {
            const T a = args.base.data[place[0]];
            const E b = args.exponent.data[place[1]];
            if constexpr (std::integral<T> && std::integral<E>) {
              *output++ = integer_power(a, b);
            } else if constexpr (std::integral<T>) {
              *output++ = convert<T>(pow(static_cast<double>(a), static_cast<double>(b)));
            } else {
              *output++ = pow(a, static_cast<T>(b));
            }
          });
}

template <typename T>
struct SelectArgs {
  TensorView<const bool> condition = {};
  TensorView<const T> a = {};  ///< where the condition holds
  TensorView<const T> b = {};
  TensorView<T> output = {};  ///< of the shape that the three broadcast to
};
template <typename T>
void select(const SelectArgs<T>& args) noexcept {
  const Shape& shape = args.output.shape;
  T* output = args.output.data;
  walk<3>(shape,
          {broadcast_strides(args.condition.shape, shape), broadcast_strides(args.a.shape, shape),
           broadcast_strides(args.b.shape, shape)},
          [&](const auto& place) {
            *output++ = args.condition.data[place[0]] ? args.a.data[place[1]] : args.b.data[place[2]];
          });
}

}  // namespace sepal::reference
