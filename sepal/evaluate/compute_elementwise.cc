// Functions of one, two and three values, and conversions.

#include "sepal/evaluate/compute.h"
#include "sepal/kernels/reference/elementwise.h"
#include "sepal/kernels/reference/move.h"

namespace sepal::reference {
namespace {

/// Exponents of a type of their own: these three.
bool is_exponent(DataType type) { return type == DataType::kF32 || type == DataType::kI32 || type == DataType::kI64; }

}  // namespace

bool computes(const Unary& op, Types inputs) {
  const DataType type = inputs[0].type;
  if (op.kind == UnaryKind::kIdentity || type == DataType::kF32) return true;
  return type == DataType::kBool ? op.kind == UnaryKind::kNot : is_integer(type) && has_integer_form(op.kind);
}

void compute(const Unary& op, Inputs inputs, Outputs outputs) noexcept {
  if (op.kind == UnaryKind::kIdentity) return compute(Reshape{outputs[0].shape}, inputs, outputs);
  visit_type(inputs[0].type, [&]<typename T>() {
    if constexpr (Number<T> || std::same_as<T, bool>) {
      unary(UnaryArgs<T>{.input = inputs[0].as<T>(), .function = op, .output = outputs[0].as<T>()});
    }
  });
}

bool computes(const Binary& op, Types inputs) {
  const DataType a = inputs[0].type;
  const DataType b = inputs[1].type;
  if (a == DataType::kBool && b == DataType::kBool) return gives_bool(op.kind);
  return is_number(a) && (a == b || (op.kind == BinaryKind::kPower && is_exponent(b)));
}

void compute(const Binary& op, Inputs inputs, Outputs outputs) noexcept {
  const DataType type = inputs[0].type;
  if (gives_bool(op.kind)) {
    return visit_type(type, [&]<typename T>() {
      if constexpr (Number<T> || std::same_as<T, bool>) {
        binary(BinaryArgs<T, bool>{
            .kind = op.kind, .a = inputs[0].as<T>(), .b = inputs[1].as<T>(), .output = outputs[0].as<bool>()});
      }
    });
  }
  visit_number(type, [&]<typename T>() {
    if (inputs[1].type == type) {
      return binary(BinaryArgs<T, T>{
          .kind = op.kind, .a = inputs[0].as<T>(), .b = inputs[1].as<T>(), .output = outputs[0].as<T>()});
    }
    const auto raise = [&]<typename E>() {
      power(PowerArgs<T, E>{.base = inputs[0].as<T>(), .exponent = inputs[1].as<E>(), .output = outputs[0].as<T>()});
    };
    switch (inputs[1].type) {
      case DataType::kF32:
        return raise.template operator()<float>();
      case DataType::kI32:
        return raise.template operator()<std::int32_t>();
      default:
        return raise.template operator()<std::int64_t>();
    }
  });
}

bool computes(const Select&, Types) { return true; }

void compute(const Select&, Inputs inputs, Outputs outputs) noexcept {
  visit_type(inputs[1].type, [&]<typename T>() {
    select(SelectArgs<T>{.condition = inputs[0].as<bool>(),
                         .a = inputs[1].as<T>(),
                         .b = inputs[2].as<T>(),
                         .output = outputs[0].as<T>()});
  });
}

bool computes(const Cast&, Types) { return true; }

void compute(const Cast& op, Inputs inputs, Outputs outputs) noexcept {
  visit_type(inputs[0].type, [&]<typename From>() {
    visit_type(op.to, [&]<typename To>() {
      cast(CastArgs<To, From>{.input = inputs[0].as<From>(), .output = outputs[0].as<To>()});
    });
  });
}

}  // namespace sepal::reference
