#include "sepal/train/gradient.h"

#include "sepal/base/text.h"
#include "sepal/train/gradient_sums.h"

// The walk: from the loss backwards, each node hands the gradients of its outputs on to its inputs (gradient_rules.cc,
// gradient_conv.cc). Nodes stand in an order in which they can run, so all readers of a value come after it and its
// gradient is complete when the walk reaches the node that makes it.

namespace sepal {

GradientSums::GradientSums(Graph& graph, std::span<const ValueId> variables)
    : graph_(graph), needed_(graph.value_count()) {
  for (const ValueId variable : variables) needed_[Graph::index(variable)] = true;
  for (const Node& node : graph.nodes()) {
    bool depends = false;
    for (const ValueId input : node.inputs) depends = depends || needed_[Graph::index(input)];
    if (!depends) continue;
    for (const ValueId output : node.outputs) {
      if (graph.type(output).type == DataType::kF32) needed_[Graph::index(output)] = true;
    }
  }
}

std::optional<ValueId> GradientSums::of(ValueId value) const {
  const auto found = sums_.find(value);
  return found == sums_.end() ? std::nullopt : std::optional(found->second);
}

void GradientSums::add(ValueId value, ValueId gradient) {
  if (!needed(value)) return;
  const auto [place, fresh] = sums_.emplace(value, gradient);
  if (!fresh) place->second = binary(BinaryKind::kAdd, place->second, gradient);
}

void GradientSums::add(const NormSums& sums) {
  const auto [place, fresh] = norms_.emplace(sums.mean, sums);
  if (fresh) return;
  NormSums& whole = place->second;
  // Two batch norms over the same moments are one only where their parameters are the same.
  expect(whole.scale == sums.scale && whole.bias == sums.bias && whole.epsilon == sums.epsilon,
         "moments belong to one batch norm");
  whole.g = binary(BinaryKind::kAdd, whole.g, sums.g);
  whole.scale_gradient = binary(BinaryKind::kAdd, whole.scale_gradient, sums.scale_gradient);
  whole.bias_gradient = binary(BinaryKind::kAdd, whole.bias_gradient, sums.bias_gradient);
}

std::optional<NormSums> GradientSums::norm_of(ValueId mean) const {
  const auto found = norms_.find(mean);
  return found == norms_.end() ? std::nullopt : std::optional(found->second);
}

void GradientSums::give_parameters(const NormSums& sums) {
  add(sums.scale, sums.scale_gradient);
  add(sums.bias, sums.bias_gradient);
}

ValueId GradientSums::leave(const NormSums& sums) {
  give_parameters(sums);
  return graph_.add(BatchNormInputGradient{sums.epsilon}, {sums.g, sums.input, sums.scale, sums.mean, sums.variance,
                                                           sums.scale_gradient, sums.bias_gradient});
}

ValueId GradientSums::number(float value) {
  Tensor tensor(DataType::kF32, Shape{});
  tensor.values<float>()[0] = value;
  return graph_.add_constant(std::move(tensor));
}

ValueId GradientSums::reduce_to(ValueId value, const Shape& shape) {
  const Shape from = graph_.shape(value);
  if (from == shape) return value;
  std::vector<int> axes;
  const int more = from.rank() - shape.rank();
  for (int axis = 0; axis < from.rank(); ++axis) {
    if (axis < more || (shape[axis - more] == 1 && from[axis] != 1)) axes.push_back(axis);
  }
  if (!axes.empty()) value = graph_.add(Reduce{.kind = ReduceKind::kSum, .axes = axes}, {value});
  return graph_.shape(value) == shape ? value : graph_.add(Reshape{shape}, {value});
}

std::vector<std::optional<ValueId>> add_gradients(Graph& graph, ValueId loss, std::span<const ValueId> variables) {
  const TensorType& type = graph.type(loss);
  if (type.type != DataType::kF32 || type.shape.elements() != 1) {
    invalid("a loss of {}; give a single f32 number", to_string(type));
  }
  GradientSums sums(graph, variables);
  Tensor one(DataType::kF32, type.shape);
  one.values<float>()[0] = 1;
  sums.add(loss, graph.add_constant(std::move(one)));
  for (std::size_t i = graph.nodes().size(); i-- > 0;) {
    const Node node = graph.nodes()[i];  // by value: rules append to the list
    in_place(node.name.empty() ? name_of(node.op) : printable(node.name), [&] { add_input_gradients(sums, node); });
  }
  std::vector<std::optional<ValueId>> gradients;
  for (const ValueId variable : variables) gradients.push_back(sums.of(variable));
  return gradients;
}

}  // namespace sepal
