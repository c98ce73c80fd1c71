#pragma once

// A graph run node by node with the reference kernels: slow, without plan or optimiser, so that a test of
// either, or of a reader, has something obviously right to compare with.

#include <array>
#include <optional>
#include <span>
#include <vector>

#include "sepal/base/error.h"
#include "sepal/evaluate/evaluate.h"
#include "sepal/graph/graph.h"

namespace sepal {

/// The operator over these inputs; where half precision has no kernel, in f32 and rounded back.
inline std::vector<Tensor> interpret(const Op& op, std::span<const Tensor* const> inputs) {
  std::vector<TensorType> types;
  for (const Tensor* input : inputs) types.push_back({input->type(), input->shape()});
  if (can_evaluate(op, types)) return evaluate(op, inputs);

  const auto cast = [](const Tensor& tensor, DataType to) {
    const std::array<const Tensor*, 1> only = {&tensor};
    return std::move(evaluate(Cast{to}, only).front());
  };
  const auto half = [](DataType type) { return type == DataType::kF16 || type == DataType::kBF16; };
  std::vector<Tensor> wide;
  for (const Tensor* input : inputs) wide.push_back(half(input->type()) ? cast(*input, DataType::kF32) : input->copy());
  std::vector<const Tensor*> pointers;
  for (const Tensor& tensor : wide) pointers.push_back(&tensor);
  std::vector<Tensor> outputs = evaluate(op, pointers);
  const std::vector<TensorType> results = infer(op, types);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].type() != results[i].type) outputs[i] = cast(outputs[i], results[i].type);
  }
  return outputs;
}

/// The outputs of the graph over inputs in the order of graph.inputs().
inline std::vector<Tensor> interpret(const Graph& graph, std::span<const Tensor* const> inputs) {
  expect(inputs.size() == graph.inputs().size(), "one tensor an input");
  std::vector<const Tensor*> values(graph.value_count());
  std::vector<std::optional<Tensor>> made(graph.value_count());
  std::vector<int> uses = count_uses(graph);
  const auto place = [&](ValueId value) { return Graph::index(value); };
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const ValueId value = graph.inputs()[i].value;
    expect(graph.type(value) == TensorType{inputs[i]->type(), inputs[i]->shape()}, "an input is as the graph says");
    values[place(value)] = inputs[i];
  }
  const auto get = [&](ValueId value) {
    return graph.is_constant(value) ? graph.constant(value).get() : values[place(value)];
  };
  for (const Node& node : graph.nodes()) {
    std::vector<const Tensor*> arguments;
    for (const ValueId input : node.inputs) arguments.push_back(get(input));
    std::vector<Tensor> results = interpret(node.op, arguments);
    for (std::size_t i = 0; i < results.size(); ++i) {
      expect(graph.type(node.outputs[i]) == TensorType{results[i].type(), results[i].shape()},
             "a result is as the graph says");
      made[place(node.outputs[i])] = std::move(results[i]);
      values[place(node.outputs[i])] = &*made[place(node.outputs[i])];
    }
    for (const ValueId input : node.inputs) {
      if (--uses[place(input)] == 0) made[place(input)].reset();
    }
  }
  std::vector<Tensor> outputs;
  for (const Port& port : graph.outputs()) outputs.push_back(get(port.value)->copy());
  return outputs;
}

}  // namespace sepal
