// The same network in other proportions. Nodes are added again one by one, so every shape rule is asked anew.

#include "sepal/train/reshape.h"

#include <map>
#include <optional>
#include <vector>

#include "sepal/base/text.h"
#include "sepal/graph/op_kind.h"
#include "sepal/optimize/rewrite.h"
#include "sepal/zoo/weights.h"

namespace sepal {
namespace {

/// The node's operator, with literal shapes that begin or end with `from` changed at `axis` (-1: the last).
Op with_dimension(const Op& op, int axis, std::int64_t from, std::int64_t to) {
  const auto changed = [&](const Shape& shape) {
    const int at = axis < 0 ? shape.rank() - 1 : axis;
    return shape.rank() > 0 && shape[at] == from ? shape.with(at, to) : shape;
  };
  if (const auto* reshape = std::get_if<Reshape>(&op)) return Reshape{changed(reshape->shape)};
  if (const auto* expand = std::get_if<Expand>(&op)) return Expand{changed(expand->shape)};
  return op;
}

/// The last node whose weights are a constant.
const Node* last_layer(const Graph& network, int& weights) {
  const Node* last = nullptr;
  for (const Node& node : network.nodes()) {
    const int at = factors_of(node.op).weights;
    if (at < 0 || !network.is_constant(node.inputs[static_cast<std::size_t>(at)])) continue;
    last = &node;
    weights = at;
  }
  return last;
}

}  // namespace

Shape image_shape(const Graph& network) {
  if (network.inputs().size() != 1 || network.outputs().size() != 1) {
    invalid("{} inputs and {} outputs; images want a network with one of each", network.inputs().size(),
            network.outputs().size());
  }
  const TensorType& type = network.type(network.inputs()[0].value);
  const bool takes_images = type.shape.rank() == 4 && (type.shape.c() == 1 || type.shape.c() == 3);
  if (type.type != DataType::kF32 || !takes_images) {
    invalid("input \"{}\" is {} {}: not images of 1 or 3 channels in f32", printable(network.inputs()[0].name),
            name_of(type.type), to_string(type.shape));
  }
  class_count(network);
  return type.shape;
}

std::int64_t class_count(const Graph& network) {
  const Shape& shape = network.shape(network.outputs()[0].value);
  if (shape.rank() != 2) invalid("the network gives {}, not scores [n, classes]", to_string(shape));
  return shape[1];
}

Graph with_batch(const Graph& network, std::int64_t batch) {
  Graph result;
  result.about = network.about;
  const std::int64_t old = image_shape(network).n();
  std::map<ValueId, const Port*> inputs;
  for (const Port& port : network.inputs()) inputs[port.value] = &port;
  std::size_t next = 0;  // node
  for (std::size_t i = 0; i < network.value_count();) {
    const ValueId value{static_cast<std::uint32_t>(i)};
    if (const auto port = inputs.find(value); port != inputs.end()) {
      const TensorType& type = network.type(value);
      result.add_input(port->second->name, {type.type, type.shape.with(0, batch)});
      ++i;
    } else if (network.is_constant(value)) {
      result.add_constant(network.constant(value));
      ++i;
    } else {
      const Node& node = network.nodes()[next++];
      const Shape& input = result.shape(node.inputs[0]);
      const bool carries = input.rank() > 0 && input[0] == batch && network.shape(node.inputs[0])[0] == old;
      result.add_node(carries ? with_dimension(node.op, 0, old, batch) : node.op, node.inputs, node.name);
      i += node.outputs.size();
    }
  }
  for (const Port& port : network.outputs()) {
    const Shape& shape = result.shape(port.value);
    if (shape.rank() == 0 || shape[0] != batch) {
      invalid("output \"{}\" is {} with a batch of {}", printable(port.name), to_string(shape), batch);
    }
    result.add_output(port.name, port.value);
  }
  return result;
}

Graph with_classes(const Graph& network, std::int64_t classes, std::uint64_t seed) {
  int at = -1;
  const Node* const last = last_layer(network, at);
  if (last == nullptr) invalid("no layer has weights, so none can get {} classes", classes);
  const auto* const gemm = std::get_if<Gemm>(&last->op);
  const bool is_conv = std::holds_alternative<Conv2d>(last->op);
  const bool is_matrix = gemm != nullptr || std::holds_alternative<MatMul>(last->op);
  if ((!is_conv && !is_matrix) || at != 1) {
    fail(ErrorKind::kUnsupported, "{}: the last layer is {}, which gets no other number of classes",
         printable(last->name), name_of(last->op));
  }
  const Shape& filter = network.shape(last->inputs[1]);
  const int axis = is_conv || (gemm != nullptr && gemm->transpose_b) ? 0 : filter.rank() - 1;
  const std::int64_t old = filter[axis];
  WeightSource weights(seed);
  return rewrite(network, [&](Rewriter& to, const Node& node) {
    if (&node == last) {
      std::vector<ValueId> inputs = to(node.inputs);
      inputs[1] = to.graph().add_constant(weights.normal(filter.with(axis, classes), filter.elements() / old));
      if (inputs.size() > 2) inputs[2] = to.graph().add_constant(Tensor(DataType::kF32, {classes}));
      to.replace(node.outputs[0], to.graph().add(node.op, std::move(inputs), node.name));
      return true;
    }
    if (&node < last) return false;
    std::vector<ValueId> inputs = to(node.inputs);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      // What is added to each class begins anew; nothing else that has a value for each can follow the classes.
      const auto& [type, shape] = network.type(node.inputs[i]);
      if (!network.is_constant(node.inputs[i]) || shape.rank() == 0 || shape[shape.rank() - 1] != old) continue;
      const auto* binary = std::get_if<Binary>(&node.op);
      if (binary == nullptr || binary->kind != BinaryKind::kAdd || type != DataType::kF32) {
        fail(ErrorKind::kUnsupported,
             "{}: {} with {} behind the last layer has a value for each class, which gets no other number of classes",
             printable(node.name), name_of(node.op), to_string(network.type(node.inputs[i])));
      }
      inputs[i] = to.graph().add_constant(Tensor(DataType::kF32, shape.with(shape.rank() - 1, classes)));
    }
    const auto outputs = to.graph().add_node(with_dimension(node.op, -1, old, classes), std::move(inputs), node.name);
    for (std::size_t i = 0; i < node.outputs.size(); ++i) to.replace(node.outputs[i], outputs[i]);
    return true;
  });
}

Graph without_softmax(const Graph& network) {
  if (network.outputs().size() != 1) return network;
  const Node* const last = network.producer(network.outputs()[0].value);
  if (last == nullptr || !std::holds_alternative<Softmax>(last->op)) return network;
  return rewrite(network, [&](Rewriter& to, const Node& node) {
    if (&node != last) return false;
    to.replace(node.outputs[0], to(node.inputs[0]));
    return true;
  });
}

}  // namespace sepal
