// Exponentials over Highway's, made whole: overflow gives infinity, and NaN stays NaN.

#if defined(SEPAL_KERNELS_MATH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SEPAL_KERNELS_MATH_INL_H_
#undef SEPAL_KERNELS_MATH_INL_H_
#else
#define SEPAL_KERNELS_MATH_INL_H_
#endif

#include <hwy/contrib/math/math-inl.h>

#include "sepal/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sepal::HWY_NAMESPACE {

/// `y` where x is a number, else x.
HWY_INLINE V unless_nan(V x, V y) { return hn::IfThenElse(hn::Eq(x, x), y, x); }

/// x where Highway's exponentials are defined (to 1 ulp); beyond, results are 0 or infinite anyway. 0 for NaN.
HWY_INLINE V in_exponential_range(V x) {
  const V bounded = at_most(at_least(x, hn::Set(kTag, -150.0f)), hn::Set(kTag, 104.0f));
  return hn::IfThenElseZero(hn::Eq(x, x), bounded);
}

HWY_INLINE V exponential(V x) { return unless_nan(x, hn::Exp(kTag, in_exponential_range(x))); }

/// exp(x) - 1 without cancellation near 0.
HWY_INLINE V exponential_minus_1(V x) { return unless_nan(x, hn::Expm1(kTag, in_exponential_range(x))); }

HWY_INLINE V hyperbolic_tangent(V x) {
  // Past 20 the result is 1, and Highway squares exp(x), which must not overflow.
  const V bound = hn::Set(kTag, 20.0f);
  const V bounded = at_most(at_least(x, hn::Neg(bound)), bound);
  return unless_nan(x, hn::Tanh(kTag, hn::IfThenElseZero(hn::Eq(x, x), bounded)));
}

/// 1 / (1 + exp(-x)).
HWY_INLINE V sigmoid(V x) {
  const V one = hn::Set(kTag, 1.0f);
  return hn::Div(one, hn::Add(one, exponential(hn::Neg(x))));
}

/// x, a finite number in place of -infinity: functions that go to 0 there as x times a factor that is 0 long
/// before do not become NaN.
HWY_INLINE V above_infinity(V x) { return at_least(x, hn::Set(kTag, -3.0e38f)); }

/// x sigmoid(z).
HWY_INLINE V gated(V x, V z) {
  return hn::Div(above_infinity(x), hn::Add(hn::Set(kTag, 1.0f), exponential(hn::Neg(z))));
}

}  // namespace sepal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // SEPAL_KERNELS_MATH_INL_H_
