// Functions of one value and of several that broadcast, reductions, and what converts.

#include <algorithm>
#include <cmath>

#include "sepal/base/text.h"
#include "sepal/formats/onnx_write_node.h"

namespace sepal::onnx {
namespace {

/// The operator of a function without parameters; empty for the others.
std::string_view plain_type(UnaryKind kind) {
  switch (kind) {
    case UnaryKind::kIdentity:
      return "Identity";
    case UnaryKind::kAbs:
      return "Abs";
    case UnaryKind::kNegate:
      return "Neg";
    case UnaryKind::kSign:
      return "Sign";
    case UnaryKind::kFloor:
      return "Floor";
    case UnaryKind::kCeil:
      return "Ceil";
    case UnaryKind::kRound:
      return "Round";
    case UnaryKind::kSqrt:
      return "Sqrt";
    case UnaryKind::kReciprocal:
      return "Reciprocal";
    case UnaryKind::kExp:
      return "Exp";
    case UnaryKind::kLog:
      return "Log";
    case UnaryKind::kErf:
      return "Erf";
    case UnaryKind::kSin:
      return "Sin";
    case UnaryKind::kCos:
      return "Cos";
    case UnaryKind::kTanh:
      return "Tanh";
    case UnaryKind::kNot:
      return "Not";
    case UnaryKind::kRelu:
      return "Relu";
    case UnaryKind::kSigmoid:
      return "Sigmoid";
    case UnaryKind::kHardSwish:
      return "HardSwish";
    case UnaryKind::kMish:
      return "Mish";
    case UnaryKind::kSoftplus:
      return "Softplus";
    case UnaryKind::kSoftsign:
      return "Softsign";
    case UnaryKind::kClip:
    case UnaryKind::kLeakyRelu:
    case UnaryKind::kElu:
    case UnaryKind::kSelu:
    case UnaryKind::kCelu:
    case UnaryKind::kHardSigmoid:
    case UnaryKind::kSwish:
    case UnaryKind::kGelu:
    case UnaryKind::kGeluTanh:
    case UnaryKind::kThresholdedRelu:
      break;
  }
  return {};
}

std::string_view type_of(BinaryKind kind) {
  switch (kind) {
    case BinaryKind::kAdd:
      return "Add";
    case BinaryKind::kSubtract:
      return "Sub";
    case BinaryKind::kMultiply:
      return "Mul";
    case BinaryKind::kDivide:
      return "Div";
    case BinaryKind::kMinimum:
      return "Min";
    case BinaryKind::kMaximum:
      return "Max";
    case BinaryKind::kPower:
      return "Pow";
    case BinaryKind::kPRelu:
      return "PRelu";
    case BinaryKind::kModulo:
      return "Mod";
    case BinaryKind::kEqual:
      return "Equal";
    case BinaryKind::kLess:
      return "Less";
    case BinaryKind::kLessOrEqual:
      return "LessOrEqual";
    case BinaryKind::kGreater:
      return "Greater";
    case BinaryKind::kGreaterOrEqual:
      return "GreaterOrEqual";
    case BinaryKind::kAnd:
      return "And";
    case BinaryKind::kOr:
      return "Or";
    case BinaryKind::kXor:
      break;
  }
  return "Xor";
}

std::string_view type_of(ReduceKind kind) {
  switch (kind) {
    case ReduceKind::kSum:
      return "ReduceSum";
    case ReduceKind::kMean:
      return "ReduceMean";
    case ReduceKind::kMax:
      return "ReduceMax";
    case ReduceKind::kMin:
      return "ReduceMin";
    case ReduceKind::kProduct:
      return "ReduceProd";
    case ReduceKind::kL1:
      return "ReduceL1";
    case ReduceKind::kL2:
      return "ReduceL2";
    case ReduceKind::kSumSquare:
      return "ReduceSumSquare";
    case ReduceKind::kLogSum:
      return "ReduceLogSum";
    case ReduceKind::kLogSumExp:
      break;
  }
  return "ReduceLogSumExp";
}

}  // namespace

Wire NodeLowering::apply(const Unary& function, Wire x, DataType type, std::string_view last_part) {
  const auto with = [&](std::string_view op, Attributes attributes) {
    return add(op, {x}, std::move(attributes), last_part);
  };
  switch (function.kind) {
    case UnaryKind::kLeakyRelu:
      return with("LeakyRelu", Attributes().real("alpha", function.alpha));
    case UnaryKind::kElu:
      return with("Elu", Attributes().real("alpha", function.alpha));
    case UnaryKind::kCelu:
      return with("Celu", Attributes().real("alpha", function.alpha));
    case UnaryKind::kThresholdedRelu:
      return with("ThresholdedRelu", Attributes().real("alpha", function.alpha));
    case UnaryKind::kSelu:
      return with("Selu", Attributes().real("alpha", function.alpha).real("gamma", function.beta));
    case UnaryKind::kHardSigmoid:
      return with("HardSigmoid", Attributes().real("alpha", function.alpha).real("beta", function.beta));
    case UnaryKind::kGelu:
      return with("Gelu", Attributes().text("approximate", "none"));
    case UnaryKind::kGeluTanh:
      return with("Gelu", Attributes().text("approximate", "tanh"));
    case UnaryKind::kClip: {
      // An infinite bound is left out, and so is what then ends the list.
      const auto bound = [&](float value, float none, std::string_view name) {
        return value == none ? kNoWire : scalar(static_cast<double>(value), type, name);
      };
      std::vector<Wire> inputs = {x, bound(function.alpha, -HUGE_VALF, "min"), bound(function.beta, HUGE_VALF, "max")};
      while (inputs.back() == kNoWire) inputs.pop_back();
      return add("Clip", std::move(inputs), {}, last_part);
    }
    case UnaryKind::kSwish: {
      // Swish itself is of opset 24, which few read yet.
      Wire gate = x;
      if (function.alpha != 1)
        gate = add("Mul", {x, scalar(static_cast<double>(function.alpha), type, "alpha")}, {}, "scaled");
      gate = add("Sigmoid", {gate}, {}, "sigmoid");
      return add("Mul", {x, gate}, {}, last_part);
    }
    default:
      return with(plain_type(function.kind), {});
  }
}

void NodeLowering::write(const Unary& op) { give(apply(op, ordered(0), element(0), {})); }

void NodeLowering::write(const Binary& op) { give_all(type_of(op.kind), {operand(0), operand(1)}, {}); }

void NodeLowering::write(const Select&) { give_all("Where", {operand(0), operand(1), operand(2)}, {}); }

void NodeLowering::write(const Cast& op) {
  give_all("Cast", {ordered(0)}, Attributes().integer("to", static_cast<std::int64_t>(element_type(op.to))));
}

void NodeLowering::write(const Softmax& op) {
  give_all(op.log ? "LogSoftmax" : "Softmax", {ordered(0)}, Attributes().integer("axis", axis(op.axis)));
}

void NodeLowering::write(const Reduce& op) {
  if (op.axes.empty()) fail(ErrorKind::kUnsupported, "a reduction over no axes has no ONNX form");
  std::vector<std::int64_t> axes;
  for (const int own : op.axes) axes.push_back(axis(own));
  std::ranges::sort(axes);
  // Engines know the mean of a whole image by its own name best.
  const bool spatial = op.keep_dims && axes.size() + 2 == static_cast<std::size_t>(rank()) && axes.front() == 2;
  if (spatial && is_float(element(0)) && (op.kind == ReduceKind::kMean || op.kind == ReduceKind::kMax)) {
    return give_all(op.kind == ReduceKind::kMean ? "GlobalAveragePool" : "GlobalMaxPool", {ordered(0)}, {});
  }
  Attributes attributes = Attributes().integer("keepdims", op.keep_dims ? 1 : 0);
  std::vector<Wire> inputs = {ordered(0)};
  // The axes became an input of ReduceSum in opset 13, of the others in 18.
  if (op.kind == ReduceKind::kSum || to_.opset() >= 18) {
    inputs.push_back(to_.integers(axes, part("axes")));
  } else {
    attributes = std::move(attributes).integers("axes", std::move(axes));
  }
  const Wire result = add(type_of(op.kind), std::move(inputs), std::move(attributes));
  to_.give(node_.outputs[0], op.keep_dims ? order_ : Order::kOwn, result);
}

void NodeLowering::write(const ArgReduce& op) {
  give_all(op.minimum ? "ArgMin" : "ArgMax", {ordered(0)},
           Attributes()
               .integer("axis", axis(op.axis))
               .integer("keepdims", op.keep_dims ? 1 : 0)
               .integer("select_last_index", op.last ? 1 : 0));
}

Attributes NodeLowering::along(int axis, std::int64_t block) const {
  // With one scale for all there is no axis.
  if (block == 0 && shape(1).elements() == 1 && shape(1).rank() <= 1) return {};
  Attributes attributes = Attributes().integer("axis", this->axis(axis));
  return block == 0 ? std::move(attributes) : std::move(attributes).integer("block_size", block);
}

void NodeLowering::write(const Quantize& op) {
  give_all("QuantizeLinear", {ordered(0), own(1), own(2)}, along(op.axis, op.block));
}

void NodeLowering::write(const Dequantize& op) {
  give_all("DequantizeLinear", {ordered(0), own(1), own(2)}, along(op.axis, op.block));
}

void NodeLowering::write(const DynamicQuantize&) { give_own("DynamicQuantizeLinear"); }

}  // namespace sepal::onnx
