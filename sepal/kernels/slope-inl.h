// Derivatives of activations, vector by vector: those that networks of separable convolutions use.

#if defined(SEPAL_KERNELS_SLOPE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SEPAL_KERNELS_SLOPE_INL_H_
#undef SEPAL_KERNELS_SLOPE_INL_H_
#else
#define SEPAL_KERNELS_SLOPE_INL_H_
#endif

#include "sepal/kernels/math-inl.h"
#include "sepal/tensor/elementwise.h"

HWY_BEFORE_NAMESPACE();
namespace sepal::HWY_NAMESPACE {

/// `then` where low < x < high, else 0.
HWY_INLINE V between(V x, V low, V high, V then) {
  return hn::IfThenElseZero(hn::And(hn::Gt(x, low), hn::Lt(x, high)), then);
}

/// Calls body(slope), where slope(x) is f'(x); false where the function has no vector form here.
template <typename Body>
HWY_INLINE bool with_slope(const Unary& f, const Body& body) {
  const V zero = hn::Zero(kTag);
  const V one = hn::Set(kTag, 1.0f);
  const V alpha = hn::Set(kTag, f.alpha);
  const V beta = hn::Set(kTag, f.beta);
  switch (f.kind) {
    case UnaryKind::kIdentity:
      body([=](V) HWY_ATTR { return one; });
      return true;
    case UnaryKind::kRelu:
      body([=](V x) HWY_ATTR { return hn::IfThenElseZero(hn::Gt(x, zero), one); });
      return true;
    case UnaryKind::kClip:
      body([=](V x) HWY_ATTR { return between(x, alpha, beta, one); });
      return true;
    case UnaryKind::kLeakyRelu:
      body([=](V x) HWY_ATTR { return hn::IfThenElse(hn::Ge(x, zero), one, alpha); });
      return true;
    case UnaryKind::kHardSigmoid:
      body([=](V x) HWY_ATTR { return between(hn::MulAdd(alpha, x, beta), zero, one, alpha); });
      return true;
    case UnaryKind::kHardSwish:
      body([=](V x) HWY_ATTR {
        const V three = hn::Set(kTag, 3.0f);
        const V middle = hn::MulAdd(x, hn::Set(kTag, 1.0f / 3.0f), hn::Set(kTag, 0.5f));
        return hn::IfThenElse(hn::Ge(x, three), one, hn::IfThenElseZero(hn::Gt(x, hn::Neg(three)), middle));
      });
      return true;
    case UnaryKind::kSigmoid:
      body([=](V x) HWY_ATTR { return hn::Mul(sigmoid(x), sigmoid(hn::Neg(x))); });
      return true;
    case UnaryKind::kSwish:
      body([=](V x) HWY_ATTR {
        const V z = hn::Mul(alpha, x);
        const V gate = sigmoid(z);
        return hn::MulAdd(hn::Mul(z, gate), sigmoid(hn::Neg(z)), gate);
      });
      return true;
    case UnaryKind::kTanh:
      body([=](V x) HWY_ATTR {
        const V t = hyperbolic_tangent(x);
        return hn::NegMulAdd(t, t, one);
      });
      return true;
    default:
      return false;
  }
}

}  // namespace sepal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // SEPAL_KERNELS_SLOPE_INL_H_
