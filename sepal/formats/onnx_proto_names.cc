// What ONNX's documents call its types, for error messages.

#include <array>

#include "sepal/base/text.h"
#include "sepal/formats/onnx_proto.h"

namespace sepal::onnx {

std::string name_of(ElementType type) {
  constexpr std::array<std::string_view, 25> kNames = {
      "no type",   "float32",    "uint8",      "int8",         "uint16",         "int16",      "int32",
      "int64",     "string",     "bool",       "float16",      "float64",        "uint32",     "uint64",
      "complex64", "complex128", "bfloat16",   "float8e4m3fn", "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz",
      "uint4",     "int4",       "float4e2m1", "float8e8m0"};
  const auto index = static_cast<std::size_t>(type);
  return index < kNames.size() ? std::string(kNames[index]) : format("type {}", static_cast<std::int32_t>(type));
}

std::string_view name_of(AttributeType type) {
  switch (type) {
    case AttributeType::kFloat:
      return "a float";
    case AttributeType::kInt:
      return "an integer";
    case AttributeType::kString:
      return "a string";
    case AttributeType::kTensor:
      return "a tensor";
    case AttributeType::kGraph:
      return "a subgraph";
    case AttributeType::kFloats:
      return "a list of floats";
    case AttributeType::kInts:
      return "a list of integers";
    case AttributeType::kStrings:
      return "a list of strings";
    case AttributeType::kTensors:
      return "a list of tensors";
    case AttributeType::kGraphs:
      return "a list of subgraphs";
    case AttributeType::kSparseTensor:
    case AttributeType::kSparseTensors:
      return "a sparse tensor";
    case AttributeType::kTypeProto:
    case AttributeType::kTypeProtos:
      return "a type";
    case AttributeType::kUndefined:
      break;
  }
  return "of no known type";
}

}  // namespace sepal::onnx
