#pragma once

#include <cstdint>
#include <string_view>

#pragma GCC visibility push(default)

namespace sepal {

/// Functions of one value. `alpha` and `beta` are those of the ONNX operator of the same name.
enum class UnaryKind : std::uint8_t {
  kIdentity,
  kAbs,
  kNegate,
  kSign,
  kFloor,
  kCeil,
  kRound /* half to even */,
  kSqrt,
  kReciprocal,
  kExp,
  kLog,
  kErf,
  kSin,
  kCos,
  kTanh,
  kNot /* bool */,
  kRelu,
  kClip,       ///< min(max(x, alpha), beta); beta wins where alpha > beta
  kLeakyRelu,  ///< x >= 0 ? x : alpha x
  kElu,        ///< x >= 0 ? x : alpha (exp x - 1)
  kSelu,       ///< beta (x > 0 ? x : alpha (exp x - 1)); beta is ONNX's gamma
  kCelu,       ///< max(0, x) + min(0, alpha (exp(x / alpha) - 1))
  kSigmoid,
  kHardSigmoid,      ///< clip(alpha x + beta, 0, 1)
  kHardSwish,        ///< x clip(x / 6 + 1/2, 0, 1) (Howard et al. 2019, section 5.2)
  kSwish,            ///< x sigmoid(alpha x)
  kMish,             ///< x tanh(softplus x)
  kGelu,             ///< x (1 + erf(x / sqrt 2)) / 2
  kGeluTanh,         ///< x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2
  kSoftplus,         ///< log(1 + exp x)
  kSoftsign,         ///< x / (1 + |x|)
  kThresholdedRelu,  ///< x > alpha ? x : 0
};

/// A function of one value with its parameters: an operator of its own, or the activation that a
/// convolution applies to its result.
struct Unary {
  UnaryKind kind = UnaryKind::kIdentity;
  float alpha = 0;
  float beta = 0;
  friend bool operator==(const Unary&, const Unary&) = default;
};

/// Functions of two values, with broadcasting. The comparisons and the logical ones give bool.
enum class BinaryKind : std::uint8_t {
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,  ///< of integers: rounds towards zero
  kMinimum,
  kMaximum,
  kPower,
  kPRelu,   ///< a >= 0 ? a : b a
  kModulo,  ///< sign of the divisor for integers, as Python's %
  kEqual,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual,
  kAnd,
  kOr,
  kXor,
};

enum class PoolKind : std::uint8_t { kMax, kAverage };

enum class ReduceKind : std::uint8_t { kSum, kMean, kMax, kMin, kProduct, kL1, kL2, kSumSquare, kLogSum, kLogSumExp };

/// "relu", "hard_swish", "add" ...: the names that plans and reports show.
std::string_view name_of(UnaryKind kind);
std::string_view name_of(BinaryKind kind);
std::string_view name_of(PoolKind kind);
std::string_view name_of(ReduceKind kind);

constexpr bool gives_bool(BinaryKind kind) { return kind >= BinaryKind::kEqual; }

}  // namespace sepal

#pragma GCC visibility pop
