// The structs of onnx_proto.h into protobuf's wire format: the twin of onnx_proto.cc. Only what the writer
// fills in is written: tensors have raw elements, attributes are numbers, lists of them, or text.

#include "sepal/formats/onnx_write_proto.h"

#include <protozero/pbf_writer.hpp>

#include "sepal/base/text.h"

namespace sepal::onnx {
namespace {

using Writer = protozero::pbf_writer;

void write_text(Writer& to, protozero::pbf_tag_type tag, const std::string& text) {
  if (!text.empty()) to.add_string(tag, text);
}

void write_pair(Writer& to, protozero::pbf_tag_type tag, const std::pair<std::string, std::string>& pair) {
  Writer message(to, tag);
  message.add_string(1, pair.first);
  message.add_string(2, pair.second);
}

void write_attribute(Writer& to, const AttributeProto& attribute) {
  Writer message(to, 5);
  message.add_string(1, attribute.name);
  switch (attribute.type) {
    case AttributeType::kFloat:
      message.add_float(2, attribute.f);
      break;
    case AttributeType::kInt:
      message.add_int64(3, attribute.i);
      break;
    case AttributeType::kString:
      message.add_bytes(4, attribute.s);
      break;
    case AttributeType::kInts:
      message.add_packed_int64(8, attribute.ints.begin(), attribute.ints.end());
      break;
    default:
      expect(false, "the writer gives attributes of no other type");
  }
  message.add_enum(20, static_cast<std::int32_t>(attribute.type));
}

void write_node(Writer& to, const NodeProto& node) {
  Writer message(to, 1);
  // An empty name keeps its place: an input left out.
  for (const std::string& input : node.inputs) message.add_string(1, input);
  for (const std::string& output : node.outputs) message.add_string(2, output);
  write_text(message, 3, node.name);
  message.add_string(4, node.op_type);
  for (const AttributeProto& attribute : node.attributes) write_attribute(message, attribute);
}

void write_tensor(Writer& to, const TensorProto& tensor) {
  Writer message(to, 5);
  message.add_packed_int64(1, tensor.dims.begin(), tensor.dims.end());
  message.add_int32(2, static_cast<std::int32_t>(tensor.type));
  message.add_string(8, tensor.name);
  expect(tensor.raw.has_value(), "the writer gives raw elements");
  message.add_bytes(9, reinterpret_cast<const char*>(tensor.raw->data()), tensor.raw->size());
}

void write_value_info(Writer& to, protozero::pbf_tag_type tag, const ValueInfoProto& info) {
  Writer message(to, tag);
  message.add_string(1, info.name);
  Writer type(message, 2);
  Writer tensor(type, 1);
  tensor.add_int32(1, static_cast<std::int32_t>(info.type));
  if (info.dims.empty()) {
    tensor.add_message(2, "", 0);  // a scalar; an empty submessage would be left out
    return;
  }
  Writer shape(tensor, 2);
  for (const DimensionProto& dimension : info.dims) {
    Writer dim(shape, 1);
    dim.add_int64(1, dimension.value.value());
  }
}

void write_graph(Writer& to, const GraphProto& graph) {
  Writer message(to, 7);
  for (const NodeProto& node : graph.nodes) write_node(message, node);
  write_text(message, 2, graph.name);
  for (const TensorProto& tensor : graph.initializers) write_tensor(message, tensor);
  for (const ValueInfoProto& input : graph.inputs) write_value_info(message, 11, input);
  for (const ValueInfoProto& output : graph.outputs) write_value_info(message, 12, output);
}

}  // namespace

std::string serialise(const ModelProto& model, std::size_t limit) {
  const GraphProto& graph = model.graph.value();
  const auto check = [&](std::size_t bytes) {
    if (bytes > limit) invalid("{} bytes, but an ONNX file has at most {}", bytes, limit);
  };
  std::size_t elements = 0;
  for (const TensorProto& tensor : graph.initializers) elements += tensor.raw.value().size();
  check(elements);

  std::string bytes;
  bytes.reserve(elements);
  Writer message(bytes);
  message.add_int64(1, model.ir_version);
  write_text(message, 2, model.producer_name);
  write_text(message, 3, model.producer_version);
  write_text(message, 4, model.domain);
  if (model.model_version != 0) message.add_int64(5, model.model_version);
  write_text(message, 6, model.documentation);
  write_graph(message, graph);
  for (const OperatorSetProto& set : model.opsets) {
    Writer opset(message, 8);
    opset.add_string(1, set.domain);
    opset.add_int64(2, set.version);
  }
  for (const auto& pair : model.metadata) write_pair(message, 14, pair);
  check(bytes.size());
  return bytes;
}

}  // namespace sepal::onnx
