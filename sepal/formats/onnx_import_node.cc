// A node's attributes, inputs and outputs, as the functions of the operator table ask for them.

#include <algorithm>

#include "sepal/base/text.h"
#include "sepal/formats/onnx_import.h"

namespace sepal::onnx {

const Attribute* NodeImport::find(std::string_view attribute) const {
  const auto found = std::ranges::find(node_.attributes, attribute, &Attribute::name);
  return found == node_.attributes.end() ? nullptr : &*found;
}

std::int64_t NodeImport::integer(std::string_view attribute, std::int64_t otherwise) const {
  const Attribute* found = find(attribute);
  return found == nullptr ? otherwise : found->i;
}

float NodeImport::real(std::string_view attribute, float otherwise) const {
  const Attribute* found = find(attribute);
  return found == nullptr ? otherwise : found->f;
}

std::string_view NodeImport::text(std::string_view attribute, std::string_view otherwise) const {
  const Attribute* found = find(attribute);
  return found == nullptr ? otherwise : found->s;
}

const std::vector<std::int64_t>* NodeImport::integers(std::string_view attribute) const {
  const Attribute* found = find(attribute);
  return found == nullptr ? nullptr : &found->ints;
}

const std::vector<float>* NodeImport::reals(std::string_view attribute) const {
  const Attribute* found = find(attribute);
  return found == nullptr ? nullptr : &found->floats;
}

Constant NodeImport::tensor(std::string_view attribute) const {
  const Attribute* found = find(attribute);
  return found == nullptr ? nullptr : found->tensor;
}

bool NodeImport::has(int input) const {
  return input < input_count() && node_.inputs[static_cast<std::size_t>(input)] != kNoSlot;
}

ValueId NodeImport::input(int input) const {
  if (!has(input)) invalid("{} without its input {}", type(), input);
  return *state_.values[static_cast<std::size_t>(node_.inputs[static_cast<std::size_t>(input)])];
}

const Tensor& NodeImport::constant(int input) const {
  const Constant& constant = graph().constant(this->input(input));
  if (constant == nullptr) {
    const std::string& name =
        state_.model.slots[static_cast<std::size_t>(node_.inputs[static_cast<std::size_t>(input)])];
    fail(ErrorKind::kUnsupported, "its input \"{}\" is computed while running", printable(name));
  }
  return *constant;
}

std::vector<std::int64_t> NodeImport::integers(int input) const {
  const Tensor& tensor = constant(input);
  if (tensor.shape().rank() > 1) invalid("input {} of {} is {}, not a list", input, type(), to_string(tensor.shape()));
  if (tensor.type() == DataType::kI64) {
    const auto values = tensor.values<std::int64_t>();
    return {values.begin(), values.end()};
  }
  if (tensor.type() == DataType::kI32) {
    const auto values = tensor.values<std::int32_t>();
    return {values.begin(), values.end()};
  }
  invalid("input {} of {} is {}, neither i32 nor i64", input, type(), name_of(tensor.type()));
}

bool NodeImport::wants(int output) const {
  return output < output_count() && node_.outputs[static_cast<std::size_t>(output)] != kNoSlot;
}

void NodeImport::give(int output, ValueId value) {
  if (wants(output)) state_.values[static_cast<std::size_t>(node_.outputs[static_cast<std::size_t>(output)])] = value;
}

}  // namespace sepal::onnx
