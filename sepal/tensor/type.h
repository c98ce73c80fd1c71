#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#pragma GCC visibility push(default)

namespace sepal {

/// Element types that a tensor can hold. Double precision in a file is computed in f32.
enum class DataType : std::uint8_t { kF32, kF16, kBF16, kI8, kU8, kI16, kU16, kI32, kI64, kBool };

/// Bytes of one element.
std::size_t size_of(DataType type);
/// "f32", "bf16", "bool" ...
std::string_view name_of(DataType type);
/// The type called `name` ("f32", "i64" ...), or nothing.
std::optional<DataType> data_type(std::string_view name);

constexpr bool is_float(DataType type) { return type <= DataType::kBF16; }
constexpr bool is_integer(DataType type) { return type >= DataType::kI8 && type <= DataType::kI64; }

/// IEEE 754 half precision, stored; arithmetic happens in float.
struct Float16 {
  std::uint16_t bits = 0;
  Float16() = default;
  explicit Float16(float value);
  explicit operator float() const;
};

/// The upper half of a float, stored; arithmetic happens in float.
struct BFloat16 {
  std::uint16_t bits = 0;
  BFloat16() = default;
  /// Rounds to nearest, ties to even; a NaN stays a NaN.
  explicit BFloat16(float value);
  explicit operator float() const { return std::bit_cast<float>(std::uint32_t{bits} << 16); }
};

/// The DataType of a C++ element type.
template <typename T>
constexpr DataType type_of();
template <>
constexpr DataType type_of<float>() {
  return DataType::kF32;
}
template <>
constexpr DataType type_of<Float16>() {
  return DataType::kF16;
}
template <>
constexpr DataType type_of<BFloat16>() {
  return DataType::kBF16;
}
template <>
constexpr DataType type_of<std::int8_t>() {
  return DataType::kI8;
}
template <>
constexpr DataType type_of<std::uint8_t>() {
  return DataType::kU8;
}
template <>
constexpr DataType type_of<std::int16_t>() {
  return DataType::kI16;
}
template <>
constexpr DataType type_of<std::uint16_t>() {
  return DataType::kU16;
}
template <>
constexpr DataType type_of<std::int32_t>() {
  return DataType::kI32;
}
template <>
constexpr DataType type_of<std::int64_t>() {
  return DataType::kI64;
}
template <>
constexpr DataType type_of<bool>() {
  return DataType::kBool;
}

/// Calls visitor.template operator()<T>() with the C++ element type of `type`.
template <typename Visitor>
decltype(auto) visit_type(DataType type, Visitor&& visitor) {
  switch (type) {
    case DataType::kF32:
      return visitor.template operator()<float>();
    case DataType::kF16:
      return visitor.template operator()<Float16>();
    case DataType::kBF16:
      return visitor.template operator()<BFloat16>();
    case DataType::kI8:
      return visitor.template operator()<std::int8_t>();
    case DataType::kU8:
      return visitor.template operator()<std::uint8_t>();
    case DataType::kI16:
      return visitor.template operator()<std::int16_t>();
    case DataType::kU16:
      return visitor.template operator()<std::uint16_t>();
    case DataType::kI32:
      return visitor.template operator()<std::int32_t>();
    case DataType::kI64:
      return visitor.template operator()<std::int64_t>();
    case DataType::kBool:
      break;
  }
  return visitor.template operator()<bool>();
}

}  // namespace sepal

#pragma GCC visibility pop
