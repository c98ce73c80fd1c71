#pragma once

// Reductions over any set of axes. Float sums are kept in double (see Sum); integer ones wrap around; the
// mean, logarithms and roots of integers round towards zero. Over nothing: 0 for the sums, 1 for the product,
// -infinity (or the type's lowest) for the maximum and the logarithms, NaN (0 for integers) for the mean.

#include <span>

#include "sepal/kernels/reference/number.h"
#include "sepal/kernels/reference/walk.h"
#include "sepal/tensor/elementwise.h"

namespace sepal::reference {

/// `values(visit)` calls visit(T) for each of `count` values.
template <typename T, typename Values>
T reduce_values(ReduceKind kind, std::int64_t count, const Values& values) {
  using std::exp, std::log, std::sqrt;
  const auto sum_of = [&](const auto& summand) {
    Sum<T> sum(0);
    values([&](T x) { sum = sum + summand(x); });
    return sum;
  };
  const auto real_sum_of = [&](const auto& summand) {
    Real<T> sum(0);
    values([&](T x) { sum = sum + summand(static_cast<Real<T>>(x)); });
    return sum;
  };
  const auto best_of = [&](T start, const auto& better) {
    T best = start;
    values([&](T x) { best = better(best, x); });
    return best;
  };
  const auto square = [](const auto& x) { return x * x; };
  switch (kind) {
    case ReduceKind::kSum:
      return static_cast<T>(sum_of(term<T>));
    case ReduceKind::kMean:
      if constexpr (std::integral<T>) {
        return static_cast<T>(count == 0 ? 0 : static_cast<std::int64_t>(sum_of(term<T>)) / count);
      } else {
        return static_cast<T>(sum_of(term<T>) / static_cast<Sum<T>>(count));
      }
    case ReduceKind::kMax:
      return best_of(lowest<T>(), maximum<T>);
    case ReduceKind::kMin:
      return best_of(highest<T>(), minimum<T>);
    case ReduceKind::kProduct: {
      Sum<T> product(1);
      values([&](T x) { product = product * term(x); });
      return static_cast<T>(product);
    }
    case ReduceKind::kL1:
      return static_cast<T>(sum_of([](T x) { return x < T(0) ? -term(x) : term(x); }));
    case ReduceKind::kL2:
      return convert<T>(sqrt(real_sum_of(square)));
    case ReduceKind::kSumSquare:
      return static_cast<T>(sum_of([&](T x) { return square(term(x)); }));
    case ReduceKind::kLogSum:
      return convert<T>(log(real_sum_of([](const Real<T>& x) { return x; })));
    case ReduceKind::kLogSumExp: {
      // Shifted by the maximum, unless that is infinite, so that no exponential overflows.
      const auto best = static_cast<Real<T>>(best_of(lowest<T>(), maximum<T>));
      const Real<T> shift = best - best == Real<T>(0) ? best : Real<T>(0);
      return convert<T>(shift + log(real_sum_of([&](const Real<T>& x) { return exp(x - shift); })));
    }
  }
  return T(0);
}

/// Maximum and minimum of bool: any and all.
template <typename Values>
bool reduce_values(ReduceKind kind, const Values& values) {
  bool result = kind == ReduceKind::kMin;
  values([&](bool x) { result = kind == ReduceKind::kMin ? result && x : result || x; });
  return result;
}

template <typename T>
struct ReduceArgs {
  TensorView<const T> input = {};
  ReduceKind kind = ReduceKind::kSum;
  std::span<const int> axes;
  T* output = nullptr;  ///< one value for each index of the other axes
};
template <typename T>
void reduce(const ReduceArgs<T>& args) noexcept {
  const Shape& shape = args.input.shape;
  const Strides strides = strides_of(shape);
  std::array<std::int64_t, Shape::kMaxRank> kept{};
  std::array<std::int64_t, Shape::kMaxRank> reduced{};
  std::ranges::copy(shape, kept.begin());
  reduced.fill(1);
  for (const int axis : args.axes) {
    std::swap(kept[static_cast<std::size_t>(axis)], reduced[static_cast<std::size_t>(axis)]);
  }
  const auto rank = static_cast<std::size_t>(shape.rank());
  const Shape outer(std::span<const std::int64_t>(kept.data(), rank));
  const Shape inner(std::span<const std::int64_t>(reduced.data(), rank));
  T* output = args.output;
  walk<1>(outer, {strides}, [&](const auto& first) {
    const auto values = [&](const auto& visit) {
      walk<1>(inner, {strides}, [&](const auto& place) { visit(args.input.data[first[0] + place[0]]); });
    };
    if constexpr (std::same_as<T, bool>) {
      *output++ = reduce_values(args.kind, values);
    } else {
      *output++ = reduce_values<T>(args.kind, inner.elements(), values);
    }
  });
}

template <typename T>
struct ArgReduceArgs {
  TensorView<const T> input = {};
  int axis = 0;
  bool minimum = false;
  bool last = false;               ///< of equals the last, not the first
  std::int64_t* output = nullptr;  ///< one index for each index of the other axes
};
/// A NaN is larger, or smaller, than all, as in numpy. Over an empty axis: 0.
template <typename T>
void arg_reduce(const ArgReduceArgs<T>& args) noexcept {
  const Shape& shape = args.input.shape;
  const std::int64_t length = shape[args.axis];
  const std::int64_t inner = shape.elements(args.axis + 1, shape.rank());
  const std::int64_t outer = inner == 0 ? 0 : shape.elements(0, args.axis);
  const auto better = [&](T x, T best) {
    if (is_nan(x) || is_nan(best)) return is_nan(x) && (args.last || !is_nan(best));
    if (x == best) return args.last;
    return args.minimum ? x < best : x > best;
  };
  for (std::int64_t i = 0; i < outer; ++i) {
    for (std::int64_t j = 0; j < inner; ++j) {
      const T* values = args.input.data + i * length * inner + j;
      std::int64_t index = 0;
      for (std::int64_t k = 1; k < length; ++k) {
        if (better(values[k * inner], values[index * inner])) index = k;
      }
      args.output[i * inner + j] = index;
    }
  }
}

}  // namespace sepal::reference
