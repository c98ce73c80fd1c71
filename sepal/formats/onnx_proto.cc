// Protobuf's wire format into the structs of onnx_proto.h. This file and the writer's twin are the only ones
// that know protozero, whose reader checks every length against the bytes left. What it asserts rather than
// checks is that a field has the wire type asked for, so each accessor here looks first. Nesting is as deep as
// the schema parts that are read (subgraphs are not), so no input can exhaust the stack.

#include "sepal/formats/onnx_proto.h"

#include <protozero/pbf_reader.hpp>

#include "sepal/base/text.h"

namespace sepal::onnx {
namespace {

using Reader = protozero::pbf_reader;
using Wire = protozero::pbf_wire_type;

void need(const Reader& field, Wire wire) {
  if (field.wire_type() != wire) {
    invalid("not an ONNX model: field {} is written as wire type {} instead of {}", field.tag(),
            static_cast<unsigned>(field.wire_type()), static_cast<unsigned>(wire));
  }
}

std::string text(Reader& field) {
  need(field, Wire::length_delimited);
  return field.get_string();
}

std::int64_t integer(Reader& field) {
  need(field, Wire::varint);
  return field.get_int64();
}

Reader message(Reader& field) {
  need(field, Wire::length_delimited);
  return field.get_message();
}

/// The values of a repeated number, written one by one (`one`) or packed (`many`); both may occur.
template <typename T, typename One, typename Many>
void append(Reader& field, std::vector<T>& values, Wire wire, One one, Many many) {
  if (field.wire_type() == Wire::length_delimited) {
    for (const auto value : (field.*many)()) values.push_back(value);
  } else {
    need(field, wire);
    values.push_back((field.*one)());
  }
}

void append(Reader& field, std::vector<std::int64_t>& values) {
  append(field, values, Wire::varint, &Reader::get_int64, &Reader::get_packed_int64);
}
void append(Reader& field, std::vector<std::int32_t>& values) {
  append(field, values, Wire::varint, &Reader::get_int32, &Reader::get_packed_int32);
}
void append(Reader& field, std::vector<std::uint64_t>& values) {
  append(field, values, Wire::varint, &Reader::get_uint64, &Reader::get_packed_uint64);
}
void append(Reader& field, std::vector<float>& values) {
  append(field, values, Wire::fixed32, &Reader::get_float, &Reader::get_packed_float);
}
void append(Reader& field, std::vector<double>& values) {
  append(field, values, Wire::fixed64, &Reader::get_double, &Reader::get_packed_double);
}

/// An enumeration; what does not fit becomes 0, which every enumeration here calls undefined.
template <typename Enum>
Enum enumeration(Reader& field) {
  const std::int64_t value = integer(field);
  return static_cast<Enum>(value < 0 || value > 0x7FFFFFFF ? 0 : static_cast<std::int32_t>(value));
}

std::pair<std::string, std::string> parse_pair(Reader reader) {
  std::pair<std::string, std::string> pair;
  while (reader.next()) {
    switch (reader.tag()) {
      case 1:
        pair.first = text(reader);
        break;
      case 2:
        pair.second = text(reader);
        break;
      default:
        reader.skip();
    }
  }
  return pair;
}

TensorProto parse_tensor(Reader reader) {
  TensorProto tensor;
  while (reader.next()) {
    switch (reader.tag()) {
      case 1:
        append(reader, tensor.dims);
        break;
      case 2:
        tensor.type = enumeration<ElementType>(reader);
        break;
      case 4:
        append(reader, tensor.floats);
        break;
      case 5:
        append(reader, tensor.int32s);
        break;
      case 7:
        append(reader, tensor.int64s);
        break;
      case 8:
        tensor.name = text(reader);
        break;
      case 9: {
        need(reader, Wire::length_delimited);
        const protozero::data_view view = reader.get_view();
        tensor.raw = std::as_bytes(std::span(view.data(), view.size()));
        break;
      }
      case 10:
        append(reader, tensor.doubles);
        break;
      case 11:
        append(reader, tensor.uint64s);
        break;
      case 13:
        tensor.external.push_back(parse_pair(message(reader)));
        break;
      case 14:
        tensor.has_external = integer(reader) == 1;
        break;
      default:
        reader.skip();  // 6, string_data: a tensor of strings is refused by its type
    }
  }
  return tensor;
}

/// Files older than IR 2 leave out the type; then the field that is there tells it.
AttributeProto parse_attribute(Reader reader) {
  AttributeProto attribute;
  AttributeType seen = AttributeType::kUndefined;
  while (reader.next()) {
    const auto saw = [&](AttributeType type) { seen = type; };
    switch (reader.tag()) {
      case 1:
        attribute.name = text(reader);
        break;
      case 2:
        need(reader, Wire::fixed32);
        attribute.f = reader.get_float();
        saw(AttributeType::kFloat);
        break;
      case 3:
        attribute.i = integer(reader), saw(AttributeType::kInt);
        break;
      case 4:
        attribute.s = text(reader), saw(AttributeType::kString);
        break;
      case 5:
        attribute.t = parse_tensor(message(reader)), saw(AttributeType::kTensor);
        break;
      case 6:
        reader.skip(), saw(AttributeType::kGraph);
        break;
      case 7:
        append(reader, attribute.floats), saw(AttributeType::kFloats);
        break;
      case 8:
        append(reader, attribute.ints), saw(AttributeType::kInts);
        break;
      case 9:
        attribute.strings.push_back(text(reader)), saw(AttributeType::kStrings);
        break;
      case 20:
        attribute.type = enumeration<AttributeType>(reader);
        break;
      default:
        reader.skip();
    }
  }
  if (attribute.name.empty()) invalid("an attribute without a name");
  if (attribute.type == AttributeType::kUndefined) attribute.type = seen;
  return attribute;
}

NodeProto parse_node(Reader reader) {
  NodeProto node;
  while (reader.next()) {
    switch (reader.tag()) {
      case 1:
        node.inputs.push_back(text(reader));
        break;
      case 2:
        node.outputs.push_back(text(reader));
        break;
      case 3:
        node.name = text(reader);
        break;
      case 4:
        node.op_type = text(reader);
        break;
      case 5:
        node.attributes.push_back(parse_attribute(message(reader)));
        break;
      case 7:
        node.domain = text(reader);
        break;
      default:
        reader.skip();
    }
  }
  if (node.op_type.empty()) invalid("a node \"{}\" without an operator", printable(node.name));
  return node;
}

DimensionProto parse_dimension(Reader reader) {
  DimensionProto dimension;
  while (reader.next()) {
    switch (reader.tag()) {
      case 1:
        dimension.value = integer(reader);
        break;
      case 2:
        dimension.name = text(reader);
        break;
      default:
        reader.skip();
    }
  }
  return dimension;
}

/// TypeProto.Tensor.
void parse_tensor_type(Reader reader, ValueInfoProto& info) {
  info.is_tensor = true;
  while (reader.next()) {
    switch (reader.tag()) {
      case 1:
        info.type = enumeration<ElementType>(reader);
        break;
      case 2: {
        info.has_shape = true;
        info.dims.clear();
        Reader shape = message(reader);
        while (shape.next()) {
          if (shape.tag() != 1) {
            shape.skip();
            continue;
          }
          // Far beyond any rank that is handled, so that a file of empty dimensions takes no memory.
          if (info.dims.size() >= 64) invalid("\"{}\" has more than 64 dimensions", printable(info.name));
          info.dims.push_back(parse_dimension(message(shape)));
        }
        break;
      }
      default:
        reader.skip();
    }
  }
}

ValueInfoProto parse_value_info(Reader reader) {
  ValueInfoProto info;
  while (reader.next()) {
    switch (reader.tag()) {
      case 1:
        info.name = text(reader);
        break;
      case 2: {
        Reader type = message(reader);
        while (type.next()) {
          if (type.tag() == 1) {
            parse_tensor_type(message(type), info);
          } else {
            type.skip();
          }
        }
        break;
      }
      default:
        reader.skip();
    }
  }
  if (info.name.empty()) invalid("an input or output without a name");
  return info;
}

/// value_info is a note in the margin: what is wrong with it is no fault of the model.
void note_value(Reader reader, std::vector<ValueInfoProto>& values) {
  try {
    values.push_back(parse_value_info(reader));
  } catch (const Error&) {
  } catch (const protozero::exception&) {
  }
}

/// SparseTensorProto: the tensor of its values has its name.
std::string parse_sparse_name(Reader reader) {
  std::string name;
  while (reader.next()) {
    if (reader.tag() != 1) {
      reader.skip();
      continue;
    }
    Reader tensor = message(reader);
    while (tensor.next()) tensor.tag() == 8 ? void(name = text(tensor)) : tensor.skip();
  }
  if (name.empty()) invalid("an initialiser without a name");
  return name;
}

GraphProto parse_graph(Reader reader, bool values) {
  GraphProto graph;
  while (reader.next()) {
    switch (reader.tag()) {
      case 1:
        graph.nodes.push_back(parse_node(message(reader)));
        break;
      case 2:
        graph.name = text(reader);
        break;
      case 5:
        graph.initializers.push_back(parse_tensor(message(reader)));
        if (graph.initializers.back().name.empty()) invalid("an initialiser without a name");
        break;
      case 10:
        graph.documentation = text(reader);
        break;
      case 11:
        graph.inputs.push_back(parse_value_info(message(reader)));
        break;
      case 12:
        graph.outputs.push_back(parse_value_info(message(reader)));
        break;
      case 13:
        values ? note_value(message(reader), graph.values) : reader.skip();
        break;
      case 15:
        graph.has_sparse_initializers = true;
        values ? graph.sparse_initializers.push_back(parse_sparse_name(message(reader))) : reader.skip();
        break;
      default:
        reader.skip();
    }
  }
  return graph;
}

OperatorSetProto parse_operator_set(Reader reader) {
  OperatorSetProto set;
  while (reader.next()) {
    switch (reader.tag()) {
      case 1:
        set.domain = text(reader);
        break;
      case 2:
        set.version = integer(reader);
        break;
      default:
        reader.skip();
    }
  }
  return set;
}

ModelProto parse_model(Reader reader, bool values) {
  ModelProto model;
  while (reader.next()) {
    switch (reader.tag()) {
      case 1:
        model.ir_version = integer(reader);
        break;
      case 2:
        model.producer_name = text(reader);
        break;
      case 3:
        model.producer_version = text(reader);
        break;
      case 4:
        model.domain = text(reader);
        break;
      case 5:
        model.model_version = integer(reader);
        break;
      case 6:
        model.documentation = text(reader);
        break;
      case 7:
        model.graph = parse_graph(message(reader), values);
        break;
      case 8:
        model.opsets.push_back(parse_operator_set(message(reader)));
        break;
      case 14:
        model.metadata.push_back(parse_pair(message(reader)));
        break;
      default:
        reader.skip();
    }
  }
  return model;
}

template <typename Parse>
auto guarded(Bytes bytes, const char* what, Parse parse) {
  try {
    return parse(Reader(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  } catch (const protozero::exception& error) {
    invalid("not an ONNX {}: {} within {} bytes of protobuf", what, error.what(), bytes.size());
  }
}

}  // namespace

ModelProto parse_model(Bytes bytes, bool values) {
  return guarded(bytes, "model", [&](Reader reader) { return parse_model(reader, values); });
}

TensorProto parse_tensor(Bytes bytes) {
  return guarded(bytes, "tensor", [](Reader reader) { return parse_tensor(reader); });
}

}  // namespace sepal::onnx
