// Functions of one, two and many values, and what decides nothing about shapes: casts, softmax, identities.

#include <array>
#include <limits>
#include <numeric>

#include "sepal/base/text.h"
#include "sepal/formats/onnx_import.h"
#include "sepal/formats/onnx_tensor.h"

namespace sepal::onnx {
namespace {

template <typename Kind>
struct Name {
  std::string_view type;
  Kind kind;
};

constexpr Name<UnaryKind> kUnary[] = {
    {"Abs", UnaryKind::kAbs},
    {"Ceil", UnaryKind::kCeil},
    {"Cos", UnaryKind::kCos},
    {"Erf", UnaryKind::kErf},
    {"Exp", UnaryKind::kExp},
    {"Floor", UnaryKind::kFloor},
    {"HardSwish", UnaryKind::kHardSwish},
    {"Log", UnaryKind::kLog},
    {"Mish", UnaryKind::kMish},
    {"Neg", UnaryKind::kNegate},
    {"Not", UnaryKind::kNot},
    {"Reciprocal", UnaryKind::kReciprocal},
    {"Relu", UnaryKind::kRelu},
    {"Round", UnaryKind::kRound},
    {"Sigmoid", UnaryKind::kSigmoid},
    {"Sign", UnaryKind::kSign},
    {"Sin", UnaryKind::kSin},
    {"Softplus", UnaryKind::kSoftplus},
    {"Softsign", UnaryKind::kSoftsign},
    {"Sqrt", UnaryKind::kSqrt},
    {"Tanh", UnaryKind::kTanh},
};

constexpr Name<BinaryKind> kBinary[] = {
    {"Add", BinaryKind::kAdd},         {"And", BinaryKind::kAnd},
    {"Div", BinaryKind::kDivide},      {"Equal", BinaryKind::kEqual},
    {"Greater", BinaryKind::kGreater}, {"GreaterOrEqual", BinaryKind::kGreaterOrEqual},
    {"Less", BinaryKind::kLess},       {"LessOrEqual", BinaryKind::kLessOrEqual},
    {"Max", BinaryKind::kMaximum},     {"Mean", BinaryKind::kAdd},
    {"Min", BinaryKind::kMinimum},     {"Mod", BinaryKind::kModulo},
    {"Mul", BinaryKind::kMultiply},    {"Or", BinaryKind::kOr},
    {"PRelu", BinaryKind::kPRelu},     {"Pow", BinaryKind::kPower},
    {"Sub", BinaryKind::kSubtract},    {"Sum", BinaryKind::kAdd},
    {"Xor", BinaryKind::kXor},
};

template <typename Kind, std::size_t kCount>
Kind kind_of(const Name<Kind> (&names)[kCount], std::string_view type) {
  for (const auto& [name, kind] : names) {
    if (name == type) return kind;
  }
  expect(false, "every row of the operator table that needs a kind has one");
  return {};
}

/// The second input as the first opsets broadcast it: its axes lie along those of the first from `axis` on.
ValueId aligned(NodeImport& node) {
  const Shape a = node.shape(0);
  const Shape b = node.shape(1);
  const bool prelu = node.type() == "PRelu";
  if (node.opset() >= 7 || (!prelu && !node.has("axis")) || (prelu && b.rank() != 1)) return node.input(1);
  if (b.elements() == 1) return node.input(1);
  std::int64_t axis = prelu ? 1 : node.integer("axis", 0);
  if (axis < 0) axis += a.rank();
  if (axis < 0 || axis + b.rank() > a.rank()) {
    invalid("{} is broadcast to {} from axis {}, but does not fit", to_string(b), to_string(a), axis);
  }
  std::vector<std::int64_t> dims(b.begin(), b.end());
  dims.resize(static_cast<std::size_t>(a.rank() - axis), 1);
  return node.reshape(node.input(1), Shape(dims), "aligned");
}

/// The one element of a scalar constant as a float.
float scalar(const Tensor& tensor, std::string_view what) {
  if (tensor.elements() != 1) invalid("{} of shape {}, not a scalar", what, to_string(tensor.shape()));
  return visit_type(tensor.type(), [&]<typename T>() { return static_cast<float>(tensor.values<T>()[0]); });
}

bool is_constant(const NodeImport& node, int input) {
  return !node.has(input) || node.graph().is_constant(node.input(input));
}

}  // namespace

void import_unary(NodeImport& node) { node.give(node.add(Unary{kind_of(kUnary, node.type()), 0, 0}, {node.input(0)})); }

void import_parametric_unary(NodeImport& node) {
  const std::string_view type = node.type();
  const auto with = [&](UnaryKind kind, float alpha, float beta = 0) {
    node.give(node.add(Unary{kind, node.real("alpha", alpha), node.real("beta", beta)}, {node.input(0)}));
  };
  if (type == "Celu") return with(UnaryKind::kCelu, 1);
  if (type == "Elu") return with(UnaryKind::kElu, 1);
  if (type == "HardSigmoid") return with(UnaryKind::kHardSigmoid, 0.2f, 0.5f);
  if (type == "LeakyRelu") return with(UnaryKind::kLeakyRelu, 0.01f);
  if (type == "Swish") return with(UnaryKind::kSwish, 1);
  if (type == "ThresholdedRelu") return with(UnaryKind::kThresholdedRelu, 1);
  if (type == "Selu") {
    // The defaults of the first opset had fewer digits (Klambauer et al. 2017 give the longer ones).
    const bool old = node.opset() < 6;
    const float alpha = node.real("alpha", old ? 1.6732f : 1.67326319217681884765625f);
    const float gamma = node.real("gamma", old ? 1.0507f : 1.05070102214813232421875f);
    return node.give(node.add(Unary{UnaryKind::kSelu, alpha, gamma}, {node.input(0)}));
  }
  expect(type == "Gelu", "a row of the operator table names a known function");
  const std::string_view approximate = node.text("approximate", "none");
  if (approximate != "none" && approximate != "tanh") invalid("an approximation of \"{}\"", printable(approximate));
  node.give(node.add(Unary{approximate == "none" ? UnaryKind::kGelu : UnaryKind::kGeluTanh, 0, 0}, {node.input(0)}));
}

// Constant bounds of floats are attributes; of integers, and computed ones, two operators.
void import_clip(NodeImport& node) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const ValueId x = node.input(0);
  if (node.opset() < 11) {
    return node.give(node.add(Unary{UnaryKind::kClip, node.real("min", -kInfinity), node.real("max", kInfinity)}, {x}));
  }
  if (is_float(node.element(0)) && is_constant(node, 1) && is_constant(node, 2)) {
    const float low = node.has(1) ? scalar(node.constant(1), "a lower bound") : -kInfinity;
    const float high = node.has(2) ? scalar(node.constant(2), "an upper bound") : kInfinity;
    return node.give(node.add(Unary{UnaryKind::kClip, low, high}, {x}));
  }
  const bool both = node.has(1) && node.has(2);
  ValueId value = x;
  if (node.has(1)) value = node.add(Binary{BinaryKind::kMaximum}, {value, node.input(1)}, both ? "min" : "");
  if (node.has(2)) value = node.add(Binary{BinaryKind::kMinimum}, {value, node.input(2)}, both ? "max" : "");
  node.give(value);
}

void import_binary(NodeImport& node) {
  if (node.flag("fmod", false)) fail(ErrorKind::kUnsupported, "fmod = 1");
  const ValueId second = aligned(node);
  node.give(node.add(Binary{kind_of(kBinary, node.type())}, {node.input(0), second}));
}

void import_variadic(NodeImport& node) {
  const Binary op{kind_of(kBinary, node.type())};
  const int count = node.input_count();
  const bool mean = node.type() == "Mean" && count > 1;
  ValueId value = node.input(0);
  for (int i = 1; i < count; ++i) {
    value = node.add(op, {value, node.input(i)}, count == 2 && !mean ? "" : format("{}", i - 1));
  }
  if (mean) {
    if (!is_float(node.element(0))) invalid("Mean of {}", name_of(node.element(0)));
    const ValueId divisor =
        node.cast(node.add_constant(Tensor::of<float>({}, {static_cast<float>(count)})), node.element(0), "count");
    value = node.add(Binary{BinaryKind::kDivide}, {value, divisor});
  }
  node.give(value);
}

void import_select(NodeImport& node) { node.give(node.add(Select{}, {node.input(0), node.input(1), node.input(2)})); }

// Before opset 13 the axes from `axis` on were one. Where all but one of them are 1, that is an ordinary
// softmax; else the input is made a matrix for its sake.
void import_softmax(NodeImport& node) {
  const bool log = node.type() == "LogSoftmax";
  const Shape x = node.shape(0);
  if (node.opset() >= 13) {
    const int axis = checked_axis(node.integer("axis", -1), x.rank());
    return node.give(node.add(Softmax{.axis = axis, .log = log}, {node.input(0)}));
  }
  const int first = checked_axis(node.integer("axis", 1), x.rank());
  int longest = first;
  int longer = 0;
  for (int axis = first; axis < x.rank(); ++axis) {
    if (x[axis] == 1) continue;
    longest = axis;
    ++longer;
  }
  if (longer <= 1) return node.give(node.add(Softmax{.axis = longest, .log = log}, {node.input(0)}));
  const Shape matrix{x.elements(0, first), x.elements(first, x.rank())};
  const ValueId flat = node.reshape(node.input(0), matrix, "in");
  node.give(node.reshape(node.add(Softmax{.axis = 1, .log = log}, {flat}), x, "out"));
}

void import_cast(NodeImport& node) {
  const std::int64_t to = node.integer("to", 0);
  const DataType type = element_type(static_cast<ElementType>(to < 0 || to > 1000 ? 0 : to));
  node.give(node.add(Cast{type}, {node.input(0)}));
}

void import_identity(NodeImport& node) { node.give(node.input(0)); }

// In inference nothing is dropped, whatever the ratio.
void import_dropout(NodeImport& node) {
  if (node.has(2) && scalar(node.constant(2), "training_mode") != 0) {
    // A ratio of 0 drops nothing in training either.
    const bool none = node.has(1) && is_constant(node, 1) && scalar(node.constant(1), "a ratio") == 0;
    if (!none) fail(ErrorKind::kUnsupported, "training_mode");
  }
  node.give(0, node.input(0));
  if (!node.wants(1)) return;
  // The mask: all true, of the input's type before opset 10.
  const DataType type = node.opset() < 10 ? node.element(0) : DataType::kBool;
  const ValueId one = node.cast(node.add_constant(Tensor::of<bool>({}, {true})), type, "one");
  node.give(1, node.add(Expand{node.shape(0)}, {one}, "mask"));
}

}  // namespace sepal::onnx
