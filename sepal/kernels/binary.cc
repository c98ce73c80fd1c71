#include <algorithm>

#include "sepal/kernels/elementwise.h"
#include "sepal/kernels/epilogue.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sepal/kernels/binary.cc"
#include <hwy/foreach_target.h>

#include "sepal/kernels/simd-inl.h"

// One loop over a row serves every kind and every broadcast: the second operand is a row of values or one
// value. Where both operands have the same shape the rows of the range are one long row.

HWY_BEFORE_NAMESPACE();
namespace sepal::HWY_NAMESPACE {

template <typename Function>
HWY_INLINE void map_row(const BinaryArgs& args, const Epilogue& epilogue, Range rows, const Function& function) {
  const bool same_shape = !args.b.one_value && args.b.repeat == 1 && args.b.rows >= rows.end;
  const std::int64_t columns = same_shape ? args.columns * rows.size() : args.columns;
  const std::int64_t count = same_shape ? 1 : rows.size();
  // Where the operand stands is counted: divisions would cost as much as a row of a few vectors.
  std::int64_t b_row = rows.begin / args.b.repeat % args.b.rows;
  std::int64_t same = args.b.repeat - rows.begin % args.b.repeat;  // rows that still take this one
  const auto advance = [&] {
    if (--same > 0) return;
    same = args.b.repeat;
    if (++b_row == args.b.rows) b_row = 0;
  };
  for (std::int64_t i = 0; i < count; ++i, advance()) {
    const std::int64_t row = rows.begin + i;
    const float* a = args.a + row * args.columns;
    float* output = args.output + row * args.columns;
    const float* b = args.b.data + (args.b.one_value ? b_row : b_row * args.columns);
    const V value = hn::Set(kTag, args.b.one_value ? *b : 0.0f);
    std::int64_t j = 0;
    for (; j + kLanes <= columns; j += kLanes) {
      const V right = args.b.one_value ? value : hn::LoadU(kTag, b + j);
      hn::StoreU(finished(function(hn::LoadU(kTag, a + j), right), epilogue), kTag, output + j);
    }
    if (const std::int64_t rest = columns - j; rest > 0) {
      const V right = args.b.one_value ? value : load_first(b + j, rest);
      store_first(finished(function(load_first(a + j, rest), right), epilogue), output + j, rest);
    }
  }
}

void binary_rows(const BinaryArgs& args, Range rows) {
  const Epilogue epilogue = epilogue_of(args.activation);
  const bool swapped = args.swapped;
  const auto map = [&](const auto& function) HWY_ATTR {
    if (swapped) {
      map_row(args, epilogue, rows, [&](V a, V b) HWY_ATTR { return function(b, a); });
    } else {
      map_row(args, epilogue, rows, function);
    }
  };
  switch (args.kind) {
    case BinaryKind::kAdd:
      map([](V a, V b) HWY_ATTR { return hn::Add(a, b); });
      return;
    case BinaryKind::kSubtract:
      map([](V a, V b) HWY_ATTR { return hn::Sub(a, b); });
      return;
    case BinaryKind::kMultiply:
      map([](V a, V b) HWY_ATTR { return hn::Mul(a, b); });
      return;
    case BinaryKind::kDivide:
      map([](V a, V b) HWY_ATTR { return hn::Div(a, b); });
      return;
    case BinaryKind::kMinimum:
      map([](V a, V b) HWY_ATTR { return hn::IfThenElse(hn::Eq(b, b), at_most(a, b), b); });
      return;
    case BinaryKind::kMaximum:
      map([](V a, V b) HWY_ATTR { return hn::IfThenElse(hn::Eq(b, b), at_least(a, b), b); });
      return;
    case BinaryKind::kPRelu:
      map([](V a, V b) HWY_ATTR { return hn::IfThenElse(hn::Ge(a, hn::Zero(kTag)), a, hn::Mul(b, a)); });
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
HWY_EXPORT(binary_rows);
}  // namespace

bool binary_accepts(BinaryKind kind) noexcept {
  switch (kind) {
    case BinaryKind::kAdd:
    case BinaryKind::kSubtract:
    case BinaryKind::kMultiply:
    case BinaryKind::kDivide:
    case BinaryKind::kMinimum:
    case BinaryKind::kMaximum:
    case BinaryKind::kPRelu:
      return true;
    default:
      return false;
  }
}

void binary(const BinaryArgs& args, Range rows) noexcept {
  HWY_DYNAMIC_DISPATCH(binary_rows)(args, rows);
  if (!is_epilogue(args.activation)) {
    unary(args.activation, args.output, args.output, {rows.begin * args.columns, rows.end * args.columns});
  }
}

}  // namespace sepal
#endif
