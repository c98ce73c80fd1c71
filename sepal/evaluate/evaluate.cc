// The visitor over the closed list of operators; the work is in compute_*.cc, by family. An operator without
// its two overloads there does not compile here.

#include "sepal/evaluate/evaluate.h"

#include "sepal/base/text.h"
#include "sepal/evaluate/compute.h"

namespace sepal {

bool can_evaluate(const Op& op, std::span<const TensorType> inputs) {
  return std::visit([&](const auto& alternative) { return reference::computes(alternative, inputs); }, op);
}

void evaluate(const Op& op, std::span<const ConstBuffer> inputs, std::span<const Buffer> outputs) noexcept {
  std::visit([&](const auto& alternative) { reference::compute(alternative, inputs, outputs); }, op);
}

std::vector<Tensor> evaluate(const Op& op, std::span<const Tensor* const> inputs) {
  std::vector<TensorType> types;
  std::vector<ConstBuffer> buffers;
  for (const Tensor* input : inputs) {
    types.push_back({input->type(), input->shape()});
    buffers.push_back(input->buffer());
  }
  const std::vector<TensorType> results = infer(op, types);
  if (!can_evaluate(op, types)) {
    std::vector<std::string> names;
    for (const TensorType& type : types) names.push_back(to_string(type));
    fail(ErrorKind::kUnsupported, "{} of {} cannot be computed", name_of(op), join(names, ", "));
  }
  std::vector<Tensor> tensors;
  for (const TensorType& result : results) tensors.emplace_back(result.type, result.shape);
  std::vector<Buffer> outputs;
  for (Tensor& tensor : tensors) outputs.push_back(tensor.buffer());
  evaluate(op, buffers, outputs);
  return tensors;
}

}  // namespace sepal
