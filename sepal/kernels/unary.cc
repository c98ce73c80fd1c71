#include "sepal/kernels/elementwise.h"

#include <cmath>
#include <numbers>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sepal/kernels/unary.cc"
#include <hwy/foreach_target.h>

#include "sepal/kernels/math-inl.h"

// Values go through vector by vector. The last few go the same way in a vector that is partly empty, and not
// through a scalar loop, so that a value's result does not depend on its place.

HWY_BEFORE_NAMESPACE();
namespace sepal::HWY_NAMESPACE {

template <typename Function>
HWY_INLINE void map(const float* input, float* output, Range range, const Function& function) {
  std::int64_t i = range.begin;
  for (; i + kLanes <= range.end; i += kLanes) hn::StoreU(function(hn::LoadU(kTag, input + i)), kTag, output + i);
  if (i < range.end) store_first(function(load_first(input + i, range.end - i)), output + i, range.end - i);
}

// Functions that Highway has not, or not accurately enough for us: one value at a time.
template <typename Function>
void map_scalar(const float* input, float* output, Range range, const Function& function) {
  for (std::int64_t i = range.begin; i < range.end; ++i) output[i] = function(input[i]);
}

// The cheap ones, of which a vector is done in a few cycles; false if `f` is none of them.
bool unary_arithmetic(const Unary& f, const float* in, float* out, Range range) {
  const V zero = hn::Zero(kTag);
  const V one = hn::Set(kTag, 1.0f);
  const V alpha = hn::Set(kTag, f.alpha);
  const V beta = hn::Set(kTag, f.beta);
  switch (f.kind) {
    case UnaryKind::kIdentity:
    case UnaryKind::kRelu:
    case UnaryKind::kClip: {
      const Epilogue limits = epilogue_of(f);
      map(in, out, range, [limits](V x) HWY_ATTR { return finished(x, limits); });
      return true;
    }
    case UnaryKind::kAbs:
      map(in, out, range, [](V x) HWY_ATTR { return hn::Abs(x); });
      return true;
    case UnaryKind::kNegate:
      map(in, out, range, [](V x) HWY_ATTR { return hn::Neg(x); });
      return true;
    case UnaryKind::kSign:  // 0 and NaN stay what they are
      map(in, out, range,
          [=](V x) HWY_ATTR { return hn::IfThenElse(hn::Gt(hn::Abs(x), zero), hn::CopySign(one, x), x); });
      return true;
    case UnaryKind::kFloor:
      map(in, out, range, [](V x) HWY_ATTR { return hn::Floor(x); });
      return true;
    case UnaryKind::kCeil:
      map(in, out, range, [](V x) HWY_ATTR { return hn::Ceil(x); });
      return true;
    case UnaryKind::kRound:
      map(in, out, range, [](V x) HWY_ATTR { return hn::Round(x); });
      return true;
    case UnaryKind::kSqrt:
      map(in, out, range, [](V x) HWY_ATTR { return hn::Sqrt(x); });
      return true;
    case UnaryKind::kReciprocal:
      map(in, out, range, [=](V x) HWY_ATTR { return hn::Div(one, x); });
      return true;
    case UnaryKind::kLeakyRelu:
      map(in, out, range, [=](V x) HWY_ATTR { return hn::IfThenElse(hn::Ge(x, zero), x, hn::Mul(alpha, x)); });
      return true;
    case UnaryKind::kThresholdedRelu:
      map(in, out, range, [=](V x) HWY_ATTR { return hn::IfThenElseZero(hn::Gt(x, alpha), x); });
      return true;
    case UnaryKind::kHardSigmoid:
      map(in, out, range, [=](V x) HWY_ATTR { return at_most(at_least(hn::MulAdd(alpha, x, beta), zero), one); });
      return true;
    case UnaryKind::kHardSwish:
      map(in, out, range, [](V x) HWY_ATTR { return hard_swish(x); });
      return true;
    case UnaryKind::kSoftsign:
      map(in, out, range, [=](V x) HWY_ATTR { return hn::Div(x, hn::Add(one, hn::Abs(x))); });
      return true;
    default:
      return false;
  }
}

// Those made from one exponential.
bool unary_exponential(const Unary& f, const float* in, float* out, Range range) {
  const V zero = hn::Zero(kTag);
  const V alpha = hn::Set(kTag, f.alpha);
  const V beta = hn::Set(kTag, f.beta);
  switch (f.kind) {
    case UnaryKind::kExp:
      map(in, out, range, [](V x) HWY_ATTR { return exponential(x); });
      return true;
    case UnaryKind::kSigmoid:
      map(in, out, range, [](V x) HWY_ATTR { return sigmoid(x); });
      return true;
    case UnaryKind::kSwish:
      map(in, out, range, [=](V x) HWY_ATTR { return gated(x, hn::Mul(alpha, x)); });
      return true;
    case UnaryKind::kGeluTanh:
      // (1 + tanh u) / 2 = sigmoid(2 u), which loses nothing where tanh u comes near -1.
      map(in, out, range, [=](V x) HWY_ATTR {
        const V cubic = hn::MulAdd(hn::Mul(hn::Set(kTag, 0.044715f), hn::Mul(x, x)), x, x);
        return gated(x, hn::Mul(hn::Set(kTag, 1.5957691216057308f), cubic));  // 2 sqrt(2 / pi)
      });
      return true;
    case UnaryKind::kTanh:
      map(in, out, range, [](V x) HWY_ATTR { return hyperbolic_tangent(x); });
      return true;
    case UnaryKind::kElu:
      map(in, out, range,
          [=](V x) HWY_ATTR { return hn::IfThenElse(hn::Ge(x, zero), x, hn::Mul(alpha, exponential_minus_1(x))); });
      return true;
    case UnaryKind::kSelu:
      map(in, out, range, [=](V x) HWY_ATTR {
        return hn::Mul(beta, hn::IfThenElse(hn::Gt(x, zero), x, hn::Mul(alpha, exponential_minus_1(x))));
      });
      return true;
    case UnaryKind::kCelu:
      map(in, out, range, [=](V x) HWY_ATTR {
        const V below = hn::Mul(alpha, exponential_minus_1(hn::Div(x, alpha)));
        return hn::Add(at_least(x, zero), at_most(below, zero));
      });
      return true;
    case UnaryKind::kMish:
      // tanh(log(1 + e)) = n / (n + 2) with e = exp x, n = e (e + 2); past 20 it is 1.
      map(in, out, range, [=](V x) HWY_ATTR {
        const V two = hn::Set(kTag, 2.0f);
        const V e = exponential(at_most(x, hn::Set(kTag, 20.0f)));
        const V n = hn::Mul(e, hn::Add(e, two));
        return hn::Mul(above_infinity(x), hn::Div(n, hn::Add(n, two)));
      });
      return true;
    default:
      return false;
  }
}

void unary_range(const Unary& f, const float* in, float* out, Range range) {
  if (unary_arithmetic(f, in, out, range) || unary_exponential(f, in, out, range)) return;
  switch (f.kind) {
    case UnaryKind::kLog:
      map_scalar(in, out, range, [](float x) { return std::log(x); });
      return;
    case UnaryKind::kErf:
      map_scalar(in, out, range, [](float x) { return std::erf(x); });
      return;
    case UnaryKind::kSin:
      map_scalar(in, out, range, [](float x) { return std::sin(x); });
      return;
    case UnaryKind::kCos:
      map_scalar(in, out, range, [](float x) { return std::cos(x); });
      return;
    case UnaryKind::kGelu:
      // erfc(-z) = 1 + erf(z) without the cancellation at negative z.
      map_scalar(in, out, range,
                 [](float x) { return 0.5f * x * std::erfc(x * (-1.0f / std::numbers::sqrt2_v<float>)); });
      return;
    case UnaryKind::kSoftplus:
      map_scalar(in, out, range, [](float x) { return std::fmax(x, 0.0f) + std::log1p(std::exp(-std::fabs(x))); });
      return;
    default:
      return;
  }
}

}  // namespace sepal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sepal {
namespace {
HWY_EXPORT(unary_range);
}  // namespace

void unary(const Unary& function, const float* input, float* output, Range range) noexcept {
  HWY_DYNAMIC_DISPATCH(unary_range)(function, input, output, range);
}

}  // namespace sepal
#endif
