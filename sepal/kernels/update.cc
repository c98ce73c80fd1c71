#include "sepal/kernels/update.h"

#include "sepal/kernels/reference/gradient.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sepal/kernels/update.cc"
#include <hwy/foreach_target.h>

#include "sepal/kernels/slope-inl.h"

// Learning rules and derivatives, value by value: bound by memory, so the only care is to touch each value once.

HWY_BEFORE_NAMESPACE();
namespace sepal::HWY_NAMESPACE {

/// body(place, load, store) for every vector of the range.
template <typename Body>
HWY_INLINE void each_vector_of(Range range, const Body& body) {
  std::int64_t i = range.begin;
  for (; i + kLanes <= range.end; i += kLanes) {
    body(
        i, [](const float* p) HWY_ATTR __attribute__((always_inline)) { return hn::LoadU(kTag, p); },
        [](V v, float* p) HWY_ATTR __attribute__((always_inline)) { hn::StoreU(v, kTag, p); });
  }
  if (const std::int64_t rest = range.end - i; rest > 0) {
    body(
        i, [=](const float* p) HWY_ATTR __attribute__((always_inline)) { return load_first(p, rest); },
        [=](V v, float* p) HWY_ATTR __attribute__((always_inline)) { store_first(v, p, rest); });
  }
}

void update_range(const UpdateArgs& args, Range range) {
  const LearningRule& rule = args.rule;
  const V momentum = hn::Set(kTag, rule.momentum);
  const V decay = hn::Set(kTag, rule.decay);
  const V rest_of_decay = hn::Set(kTag, 1 - rule.decay);
  const V epsilon = hn::Set(kTag, rule.epsilon);
  const V weight_decay = hn::Set(kTag, rule.weight_decay);
  const V rate = hn::Set(kTag, args.rate);
  const V factor = hn::Set(kTag, args.factor);
  switch (rule.rule) {
    case UpdateRule::kSgd: {
      const bool nesterov = rule.nesterov;
      return each_vector_of(range, [&](std::int64_t i, const auto& load, const auto& store) HWY_ATTR {
        const V w = load(args.weights + i);
        const V g = hn::MulAdd(weight_decay, w, hn::Mul(load(args.gradient + i), factor));
        const V m = hn::MulAdd(momentum, load(args.momentum + i), g);
        store(m, args.new_momentum + i);
        store(hn::NegMulAdd(rate, nesterov ? hn::MulAdd(momentum, m, g) : m, w), args.new_weights + i);
      });
    }
    case UpdateRule::kRmsProp:
      return each_vector_of(range, [&](std::int64_t i, const auto& load, const auto& store) HWY_ATTR {
        const V w = load(args.weights + i);
        const V g = hn::MulAdd(weight_decay, w, hn::Mul(load(args.gradient + i), factor));
        const V s = hn::MulAdd(decay, load(args.square + i), hn::Mul(hn::Mul(rest_of_decay, g), g));
        store(s, args.new_square + i);
        const V step = hn::Div(hn::Mul(rate, g), hn::Sqrt(hn::Add(s, epsilon)));
        const V m = hn::MulAdd(momentum, load(args.momentum + i), step);
        store(m, args.new_momentum + i);
        store(hn::Sub(w, m), args.new_weights + i);
      });
    case UpdateRule::kAdamW:
      break;
  }
  const V rest_of_momentum = hn::Set(kTag, 1 - rule.momentum);
  const V first = hn::Set(kTag, args.first_correction);
  const V second = hn::Set(kTag, args.second_correction);
  each_vector_of(range, [&](std::int64_t i, const auto& load, const auto& store) HWY_ATTR {
    const V w = load(args.weights + i);
    const V g = hn::Mul(load(args.gradient + i), factor);
    const V s = hn::MulAdd(decay, load(args.square + i), hn::Mul(hn::Mul(rest_of_decay, g), g));
    store(s, args.new_square + i);
    const V m = hn::MulAdd(momentum, load(args.momentum + i), hn::Mul(rest_of_momentum, g));
    store(m, args.new_momentum + i);
    const V step = hn::Div(hn::Div(m, first), hn::Add(hn::Sqrt(hn::Div(s, second)), epsilon));
    store(hn::NegMulAdd(rate, hn::MulAdd(weight_decay, w, step), w), args.new_weights + i);
  });
}

/// False where the derivative has no vector form.
bool slope_range(const Unary& function, const float* x, const float* dy, float* dx, Range range) {
  return with_slope(function, [&](const auto& slope) HWY_ATTR {
    each_vector_of(range, [&](std::int64_t i, const auto& load, const auto& store)
                              HWY_ATTR { store(hn::Mul(load(dy + i), slope(load(x + i))), dx + i); });
  });
}

}  // namespace sepal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sepal {
namespace {
HWY_EXPORT(update_range);
HWY_EXPORT(slope_range);
}  // namespace

void update(const UpdateArgs& args, Range range) noexcept { HWY_DYNAMIC_DISPATCH(update_range)(args, range); }

void unary_gradient(const Unary& function, const float* x, const float* dy, float* dx, Range range) noexcept {
  if (HWY_DYNAMIC_DISPATCH(slope_range)(function, x, dy, dx, range)) return;
  for (std::int64_t i = range.begin; i < range.end; ++i) dx[i] = dy[i] * reference::derivative(function, x[i]);
}

}  // namespace sepal
#endif
