// Operators whose result is known as soon as shapes are.

#include <algorithm>
#include <cmath>

#include "sepal/base/text.h"
#include "sepal/formats/onnx_import.h"

namespace sepal::onnx {
namespace {

/// A list of numbers as a constant.
template <typename T>
ValueId list(NodeImport& node, const std::vector<T>& values) {
  return node.add_constant(Tensor::of<T>({std::ssize(values)}, values));
}

template <typename T>
T scalar(const NodeImport& node, int input) {
  const Tensor& tensor = node.constant(input);
  if (tensor.elements() != 1) invalid("input {} of Range is {}, not a scalar", input, to_string(tensor.shape()));
  if (tensor.type() != type_of<T>()) invalid("Range of {} and {}", name_of(type_of<T>()), name_of(tensor.type()));
  return tensor.values<T>()[0];
}

/// ceil((limit - start) / delta), at least 0.
template <typename T>
std::int64_t steps(T start, T limit, T delta) {
  if constexpr (std::is_same_v<T, float>) {
    const double count =
        std::ceil((static_cast<double>(limit) - static_cast<double>(start)) / static_cast<double>(delta));
    if (delta == 0 || std::isnan(count)) invalid("from {} to {} in steps of {}", start, limit, delta);
    return count <= 0 ? 0 : count >= 0x1p62 ? INT64_MAX : static_cast<std::int64_t>(count);
  } else {
    // Without signs, differences of any two numbers fit.
    const auto number = [](T value) { return static_cast<std::uint64_t>(std::int64_t{value}); };
    if (delta == 0) invalid("a delta of 0");
    if (delta > 0 ? start >= limit : start <= limit) return 0;
    const std::uint64_t way = delta > 0 ? number(limit) - number(start) : number(start) - number(limit);
    const std::uint64_t stride = delta > 0 ? number(delta) : 0 - number(delta);
    return static_cast<std::int64_t>(std::min<std::uint64_t>((way - 1) / stride + 1, INT64_MAX));
  }
}

template <typename T>
ValueId range(NodeImport& node) {
  const T start = scalar<T>(node, 0);
  const T delta = scalar<T>(node, 2);
  const std::int64_t count = steps(start, scalar<T>(node, 1), delta);
  node.charge(count);
  Tensor result(type_of<T>(), {count});
  const std::span<T> values = result.values<T>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if constexpr (std::is_same_v<T, float>) {
      values[i] = start + static_cast<float>(i) * delta;
    } else {
      // Between start and limit, so it fits, though the product by itself may not.
      values[i] = static_cast<T>(static_cast<std::uint64_t>(std::int64_t{start}) +
                                 i * static_cast<std::uint64_t>(std::int64_t{delta}));
    }
  }
  return node.add_constant(std::move(result));
}

}  // namespace

void import_shape(NodeImport& node) {
  const Shape x = node.shape(0);
  const auto place = [&](std::string_view attribute, std::int64_t otherwise) {
    const std::int64_t given = node.integer(attribute, otherwise);
    return std::clamp<std::int64_t>(given < 0 ? given + x.rank() : given, 0, x.rank());
  };
  const std::int64_t start = place("start", 0);
  const std::int64_t end = std::max(start, place("end", x.rank()));
  node.give(list(node, std::vector<std::int64_t>(x.begin() + start, x.begin() + end)));
}

void import_size(NodeImport& node) {
  node.give(node.add_constant(Tensor::of<std::int64_t>({}, {node.shape(0).elements()})));
}

void import_constant(NodeImport& node) {
  if (const Constant tensor = node.tensor("value")) return node.give(node.share_constant(tensor));
  if (node.has("value_float"))
    return node.give(node.add_constant(Tensor::of<float>({}, {node.real("value_float", 0)})));
  if (node.has("value_int")) {
    return node.give(node.add_constant(Tensor::of<std::int64_t>({}, {node.integer("value_int", 0)})));
  }
  if (const auto* values = node.reals("value_floats")) return node.give(list(node, *values));
  if (const auto* values = node.integers("value_ints")) return node.give(list(node, *values));
  invalid("Constant without a value");
}

// One element, expanded: folded where it is small, a node where it is large.
void import_constant_of_shape(NodeImport& node) {
  const Shape shape(node.integers(0));
  const Constant given = node.tensor("value");
  if (given != nullptr && given->elements() != 1)
    invalid("a value of {} instead of one element", to_string(given->shape()));
  Tensor value = given == nullptr ? Tensor(DataType::kF32, {}) : given->copy().reshaped({});
  node.give(node.add(Expand{shape}, {node.add_constant(std::move(value))}));
}

void import_range(NodeImport& node) {
  switch (node.element(0)) {
    case DataType::kF32:
      return node.give(range<float>(node));
    case DataType::kI16:
      return node.give(range<std::int16_t>(node));
    case DataType::kI32:
      return node.give(range<std::int32_t>(node));
    case DataType::kI64:
      return node.give(range<std::int64_t>(node));
    default:
      invalid("Range of {}", name_of(node.element(0)));
  }
}

}  // namespace sepal::onnx
