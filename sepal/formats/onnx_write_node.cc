// What all nodes share, and the operators on images and matrices.

#include "sepal/formats/onnx_write_node.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "sepal/base/text.h"
#include "sepal/base/visit.h"

namespace sepal::onnx {

NodeLowering::NodeLowering(Lowering& to, const Node& node) : to_(to), node_(node), order_(choose_order()) {}

void NodeLowering::run() {
  std::visit([&](const auto& op) { write(op); }, node_.op);
}

// In a graph as imported every input is there in its own order, so nothing here departs from the file that was
// read. In an optimised graph most images are there with their channels first only, and go on so.
Order NodeLowering::choose_order() const {
  if (image_inputs(node_.op) != 0) return rank() > 2 ? Order::kFirst : Order::kOwn;
  const auto lacks_own = [&](ValueId input) { return !to_.has(input, Order::kOwn); };
  return std::ranges::any_of(node_.inputs, lacks_own) && may_work_first() ? Order::kFirst : Order::kOwn;
}

bool NodeLowering::may_work_first() const {
  const auto keeps = [](const auto&) { return true; };
  const auto along = [&](std::int64_t block) { return block == 0 && shape(1).rank() <= 1; };
  return std::visit(
      Overload{[](const auto&) { return false; }, [&](const Unary& op) { return keeps(op); },
               [&](const Cast& op) { return keeps(op); }, [&](const Softmax& op) { return keeps(op); },
               [&](const Concat& op) { return keeps(op); }, [&](const Slice& op) { return keeps(op); },
               [&](const Pad& op) { return keeps(op); }, [&](const Resize& op) { return keeps(op); },
               [&](const Tile& op) { return keeps(op); }, [&](const Expand& op) { return op.shape.rank() == rank(); },
               [&](const Binary&) { return operands_align(); }, [&](const Select&) { return operands_align(); },
               [](const ArgReduce& op) { return op.keep_dims; },
               // Without the axes between n and c both orders are one.
               [&](const Reduce& op) {
                 const auto between =
                     std::ranges::count_if(op.axes, [&](int axis) { return axis > 0 && axis < rank() - 1; });
                 return op.keep_dims || between == rank() - 2;
               },
               [&](const Quantize& op) { return along(op.block); },
               [&](const Dequantize& op) { return along(op.block); }},
      node_.op);
}

bool NodeLowering::operands_align() const {
  const int rank = graph().shape(node_.outputs[0]).rank();
  return std::ranges::all_of(node_.inputs, [&](ValueId input) {
    return graph().is_constant(input) || graph().shape(input).rank() == rank || graph().shape(input).elements() == 1;
  });
}

std::vector<Wire> NodeLowering::own_inputs() {
  std::vector<Wire> wires;
  for (int i = 0; i < input_count(); ++i) wires.push_back(own(i));
  return wires;
}

Wire NodeLowering::operand(int input) {
  const int rank = graph().shape(node_.outputs[0]).rank();
  if (order_ == Order::kOwn || (shape(input).elements() == 1 && shape(input).rank() < rank)) return own(input);
  const Constant& constant = graph().constant(value(input));
  return constant == nullptr ? ordered(input) : to_.constant(constant, rank, part(std::to_string(input)));
}

std::int64_t NodeLowering::axis(int own) const {
  if (order_ == Order::kOwn || own == 0) return own;
  return own == rank() - 1 ? 1 : own + 1;
}

std::vector<std::int64_t> NodeLowering::per_axis(const Shape& own) const {
  PerAxis dims{};
  std::ranges::copy(own, dims.begin());
  return per_axis(dims);
}

std::string NodeLowering::part(std::string_view part) const {
  const std::string_view name = node_.name.empty() ? name_of(node_.op) : std::string_view(node_.name);
  return part.empty() ? std::string(name) : format("{}/{}", name, part);
}

Wire NodeLowering::add(std::string_view type, std::vector<Wire> inputs, Attributes attributes, std::string_view part) {
  return to_.add(type, node_.name.empty() ? std::string() : this->part(part), std::move(inputs), std::move(attributes));
}

void NodeLowering::give(int output, Wire wire) {
  to_.give(node_.outputs[static_cast<std::size_t>(output)], order_, wire);
}

void NodeLowering::give_all(std::string_view type, std::vector<Wire> inputs, Attributes attributes) {
  const std::vector<Wire> wires =
      to_.add_all(type, node_.name, std::move(inputs), std::move(attributes), static_cast<int>(node_.outputs.size()));
  for (std::size_t i = 0; i < wires.size(); ++i) give(static_cast<int>(i), wires[i]);
}

Wire NodeLowering::scalar(double value, DataType type, std::string_view part) {
  Tensor tensor(type, Shape{});
  visit_type(type, [&]<typename T>() {
    T& element = tensor.values<T>()[0];
    if constexpr (std::is_integral_v<T>) {
      // The largest i64 is no double.
      const auto most = std::numeric_limits<T>::max();
      element = value >= static_cast<double>(most) ? most : static_cast<T>(value);
    } else {
      element = T(static_cast<float>(value));
    }
  });
  return to_.constant(std::move(tensor), this->part(part));
}

Attributes NodeLowering::windowed(const Window& window) const {
  const auto& [top, left, bottom, right] = window.padding;
  return Attributes()
      .integers("dilations", {window.dilation.h, window.dilation.w})
      .integers("kernel_shape", {window.kernel.h, window.kernel.w})
      .integers("pads", {top, left, bottom, right})
      .integers("strides", {window.stride.h, window.stride.w});
}

void NodeLowering::write(const Conv2d& op) {
  std::vector<Wire> inputs = {ordered(0), ordered(1)};
  if (input_count() > 2) inputs.push_back(own(2));
  const Wire sum = add("Conv", std::move(inputs), windowed(op.window).integer("group", op.groups));
  // An activation that the optimiser absorbed is a node again.
  if (op.activation.kind == UnaryKind::kIdentity) return give(sum);
  give(apply(op.activation, sum, element(0), name_of(op.activation.kind)));
}

void NodeLowering::write(const ConvTranspose2d& op) {
  std::vector<Wire> inputs = {ordered(0), ordered(1)};
  if (input_count() > 2) inputs.push_back(own(2));
  give_all("ConvTranspose", std::move(inputs),
           windowed(op.window)
               .integer("group", op.groups)
               .integers("output_padding", {op.output_padding.h, op.output_padding.w}));
}

void NodeLowering::write(const IntegerConv2d& op) {
  give_all("ConvInteger", {ordered(0), ordered(1), own(2), own(3)}, windowed(op.window).integer("group", op.groups));
}

void NodeLowering::write(const QuantizedConv2d& op) {
  std::vector<Wire> inputs;
  for (int i = 0; i < input_count(); ++i) inputs.push_back(i == 0 || i == 3 ? ordered(i) : own(i));
  give_all("QLinearConv", std::move(inputs), windowed(op.window).integer("group", op.groups));
}

void NodeLowering::write(const Pool& op) {
  const bool average = op.kind == PoolKind::kAverage;
  const auto& [top, left, bottom, right] = op.window.padding;
  Attributes attributes = Attributes()
                              .integers("kernel_shape", {op.window.kernel.h, op.window.kernel.w})
                              .integers("pads", {top, left, bottom, right})
                              .integers("strides", {op.window.stride.h, op.window.stride.w});
  // Average pooling has had dilations since opset 19 only.
  if (op.window.dilation != Extent{1, 1}) {
    attributes = std::move(attributes).integers("dilations", {op.window.dilation.h, op.window.dilation.w});
  }
  if (op.ceil) attributes = std::move(attributes).integer("ceil_mode", 1);
  if (average && op.count_padding) attributes = std::move(attributes).integer("count_include_pad", 1);
  if (op.column_major) attributes = std::move(attributes).integer("storage_order", 1);
  give_all(average ? "AveragePool" : "MaxPool", {ordered(0)}, std::move(attributes));
}

void NodeLowering::write(const BatchNorm& op) {
  give_all("BatchNormalization", {ordered(0), own(1), own(2), own(3), own(4)},
           Attributes().real("epsilon", op.epsilon));
}

void NodeLowering::write(const GroupNorm& op) {
  std::vector<Wire> inputs = {ordered(0), own(1), own(2)};
  if (is_instance_norm(op, shape(0))) {
    return give_all("InstanceNormalization", std::move(inputs), Attributes().real("epsilon", op.epsilon));
  }
  give_all("GroupNormalization", std::move(inputs),
           Attributes().real("epsilon", op.epsilon).integer("num_groups", op.groups));
}

void NodeLowering::write(const LocalResponseNorm& op) {
  give_all("LRN", {ordered(0)},
           Attributes().real("alpha", op.alpha).real("beta", op.beta).real("bias", op.bias).integer("size", op.size));
}

void NodeLowering::write(const LayerNorm& op) {
  give_own("LayerNormalization", Attributes().integer("axis", op.axis).real("epsilon", op.epsilon));
}

void NodeLowering::write(const MatMul&) { give_own("MatMul"); }
void NodeLowering::write(const IntegerMatMul&) { give_own("MatMulInteger"); }
void NodeLowering::write(const QuantizedMatMul&) { give_own("QLinearMatMul"); }

void NodeLowering::write(const Gemm& op) {
  give_own("Gemm", Attributes()
                       .real("alpha", op.alpha)
                       .real("beta", op.beta)
                       .integer("transA", op.transpose_a ? 1 : 0)
                       .integer("transB", op.transpose_b ? 1 : 0));
}

}  // namespace sepal::onnx
