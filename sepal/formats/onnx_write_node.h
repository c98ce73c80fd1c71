#pragma once

// One node of a graph on its way into a file: one function an operator.

#include <string>
#include <string_view>
#include <vector>

#include "sepal/base/text.h"
#include "sepal/formats/onnx_write_lowering.h"

namespace sepal::onnx {

/// Bit i: ONNX's form of the operator takes input i with its channels first. 0 for what is no image operator.
std::uint32_t image_inputs(const Op& op);

/// Whether the operator over `x` is ONNX's InstanceNormalization.
bool is_instance_norm(const GroupNorm& op, const Shape& x);

/// What Resize must be told so that a reader computes the same size and scales, bit by bit.
enum class ResizeForm : std::uint8_t {
  kScales,
  kSizes,
  kAspect,  ///< sizes, of which one gives the scale (keep_aspect_ratio_policy)
  kNone,
};
ResizeForm resize_form(const Resize& op, const Shape& x);

class NodeLowering {
 public:
  NodeLowering(Lowering& to, const Node& node);

  /// Writes the node and gives its outputs.
  void run();

 private:
  // Images: their values with the channels first.
  void write(const Conv2d& op);
  void write(const ConvTranspose2d& op);
  void write(const IntegerConv2d& op);
  void write(const QuantizedConv2d& op);
  void write(const Pool& op);
  void write(const BatchNorm& op);
  void write(const GroupNorm& op);
  void write(const LocalResponseNorm& op);
  // What may have the order of its inputs.
  void write(const Unary& op);
  void write(const Binary& op);
  void write(const Select& op);
  void write(const Cast& op);
  void write(const Softmax& op);
  void write(const Reduce& op);
  void write(const ArgReduce& op);
  void write(const Concat& op);
  void write(const Slice& op);
  void write(const Pad& op);
  void write(const Resize& op);
  void write(const Expand& op);
  void write(const Tile& op);
  void write(const Quantize& op);
  void write(const Dequantize& op);
  // What only knows its own.
  void write(const Reshape& op);
  void write(const Transpose& op);
  void write(const LayerNorm& op);
  void write(const MatMul& op);
  void write(const Gemm& op);
  void write(const IntegerMatMul& op);
  void write(const QuantizedMatMul& op);
  void write(const Gather& op);
  void write(const DynamicQuantize& op);
  template <TrainingOp Operator>
  void write(const Operator& op) {
    fail(ErrorKind::kUnsupported, "{} belongs to training and has no ONNX form", name_of(Op(op)));
  }

  /// The order in which this node works.
  Order choose_order() const;
  /// Whether the operator can work on inputs that have their channels first.
  bool may_work_first() const;
  bool operands_align() const;

  const Graph& graph() const { return to_.graph(); }
  int input_count() const { return static_cast<int>(node_.inputs.size()); }
  ValueId value(int input) const { return node_.inputs[static_cast<std::size_t>(input)]; }
  const Shape& shape(int input) const { return graph().shape(value(input)); }
  DataType element(int input) const { return graph().type(value(input)).type; }
  int rank() const { return shape(0).rank(); }

  /// The input in the node's order, or in its own.
  Wire ordered(int input) { return to_.wire(value(input), order_, part(std::to_string(input))); }
  Wire own(int input) { return to_.wire(value(input), Order::kOwn, part(std::to_string(input))); }
  std::vector<Wire> own_inputs();
  /// An input that broadcasts against others, in the node's order.
  Wire operand(int input);

  // Attributes of the input in its order of axes become those of the file's.
  std::int64_t axis(int own) const;
  template <typename Array>
  std::vector<typename Array::value_type> per_axis(const Array& own) const {
    std::vector<typename Array::value_type> result(static_cast<std::size_t>(rank()));
    for (int i = 0; i < rank(); ++i) result[static_cast<std::size_t>(axis(i))] = own[static_cast<std::size_t>(i)];
    return result;
  }
  std::vector<std::int64_t> per_axis(const Shape& own) const;

  /// "node/part"; "node" for "".
  std::string part(std::string_view part) const;
  Wire add(std::string_view type, std::vector<Wire> inputs, Attributes attributes = {}, std::string_view part = {});
  void give(Wire wire) { give(0, wire); }
  void give(int output, Wire wire);
  void give_all(std::string_view type, std::vector<Wire> inputs, Attributes attributes);
  void give_own(std::string_view type, Attributes attributes = {}) {
    give_all(type, own_inputs(), std::move(attributes));
  }

  /// A function of `x`, whose elements are of that type, in as many nodes as it takes.
  Wire apply(const Unary& function, Wire x, DataType type, std::string_view last_part);
  Wire scalar(double value, DataType type, std::string_view part);
  Attributes windowed(const Window& window) const;
  Attributes along(int axis, std::int64_t block) const;

  Lowering& to_;
  const Node& node_;
  Order order_ = Order::kOwn;
};

}  // namespace sepal::onnx
