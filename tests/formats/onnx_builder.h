#pragma once

// ONNX models made by hand, for tests that want a particular one, sound or not. Written with protozero's
// writer, so nothing here shares code with the reader that is tested.

#include <cstddef>
#include <cstdint>
#include <protozero/pbf_writer.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace sepal::onnx {

// TensorProto.DataType.
inline constexpr int kFloat = 1, kUint8 = 2, kInt8 = 3, kInt32 = 6, kInt64 = 7, kString = 8, kBool = 9, kFloat16 = 10,
                     kDouble = 11, kUint32 = 12, kBfloat16 = 16;

/// A protobuf message under construction.
class Message {
 public:
  Message& text(unsigned tag, const std::string& value) { return writer().add_string(tag, value), *this; }
  Message& number(unsigned tag, std::int64_t value) { return writer().add_int64(tag, value), *this; }
  Message& real(unsigned tag, float value) { return writer().add_float(tag, value), *this; }
  Message& numbers(unsigned tag, const std::vector<std::int64_t>& values) {
    return writer().add_packed_int64(tag, values.begin(), values.end()), *this;
  }
  Message& reals(unsigned tag, const std::vector<float>& values) {
    return writer().add_packed_float(tag, values.begin(), values.end()), *this;
  }
  Message& add(unsigned tag, const Message& message) { return writer().add_message(tag, message.bytes_), *this; }
  const std::string& string() const { return bytes_; }
  std::vector<std::byte> bytes() const {
    const auto view = std::as_bytes(std::span(bytes_));
    return {view.begin(), view.end()};
  }

 private:
  protozero::pbf_writer writer() { return protozero::pbf_writer(bytes_); }
  std::string bytes_;
};

inline Message attribute(const std::string& name, std::int64_t value) {
  return Message().text(1, name).number(3, value).number(20, 2);
}
inline Message attribute(const std::string& name, int value) { return attribute(name, std::int64_t{value}); }
inline Message attribute(const std::string& name, float value) {
  return Message().text(1, name).real(2, value).number(20, 1);
}
inline Message attribute(const std::string& name, const char* value) {
  return Message().text(1, name).text(4, value).number(20, 3);
}
inline Message attribute(const std::string& name, const std::vector<std::int64_t>& values) {
  return Message().text(1, name).numbers(8, values).number(20, 7);
}
inline Message reals_attribute(const std::string& name, const std::vector<float>& values) {
  return Message().text(1, name).reals(7, values).number(20, 6);
}
inline Message tensor_attribute(const std::string& name, const Message& tensor) {
  return Message().text(1, name).add(5, tensor).number(20, 4);
}

/// A tensor without elements yet.
inline Message tensor(const std::string& name, int type, const std::vector<std::int64_t>& dims) {
  return Message().text(8, name).number(2, type).numbers(1, dims);
}
inline Message floats(const std::string& name, const std::vector<std::int64_t>& dims,
                      const std::vector<float>& values) {
  return tensor(name, kFloat, dims).reals(4, values);
}
inline Message integers(const std::string& name, const std::vector<std::int64_t>& dims,
                        const std::vector<std::int64_t>& values) {
  return tensor(name, kInt64, dims).numbers(7, values);
}
/// A list of integers.
inline Message list(const std::string& name, const std::vector<std::int64_t>& values) {
  return integers(name, {static_cast<std::int64_t>(values.size())}, values);
}

inline Message node(const std::string& type, const std::vector<std::string>& inputs,
                    const std::vector<std::string>& outputs, const std::vector<Message>& attributes = {},
                    const std::string& name = {}) {
  Message message;
  for (const std::string& input : inputs) message.text(1, input);
  for (const std::string& output : outputs) message.text(2, output);
  if (!name.empty()) message.text(3, name);
  message.text(4, type);
  for (const Message& attribute : attributes) message.add(5, attribute);
  return message;
}

/// A dimension: a number, or a name in quotes.
struct Dim {
  Dim(int number) : message(Message().number(1, number)) {}           // NOLINT(google-explicit-constructor)
  Dim(std::int64_t number) : message(Message().number(1, number)) {}  // NOLINT(google-explicit-constructor)
  Dim(const char* name) : message(Message().text(2, name)) {}         // NOLINT(google-explicit-constructor)
  Message message;
};

inline Message value_info(const std::string& name, const std::vector<Dim>& dims, int type = kFloat) {
  Message shape;
  for (const Dim& dim : dims) shape.add(1, dim.message);
  return Message().text(1, name).add(2, Message().add(1, Message().number(1, type).add(2, shape)));
}

/// An output whose type and shape the file leaves to its nodes.
inline Message untyped(const std::string& name) { return Message().text(1, name); }

/// A model: graph parts in the order given, then what surrounds the graph.
struct Model {
  std::vector<Message> nodes;
  std::vector<Message> inputs = {value_info("x", {1, 2, 3, 4})};
  std::vector<Message> initializers = {};
  std::vector<Message> outputs = {untyped("y")};
  std::int64_t opset = 21;
  std::int64_t ir = 8;
  std::vector<Message> between = {};  ///< value_info

  Message graph() const {
    Message graph;
    graph.text(2, "made by hand");
    for (const Message& node : nodes) graph.add(1, node);
    for (const Message& tensor : initializers) graph.add(5, tensor);
    for (const Message& input : inputs) graph.add(11, input);
    for (const Message& output : outputs) graph.add(12, output);
    for (const Message& value : between) graph.add(13, value);
    return graph;
  }
  std::vector<std::byte> bytes() const {
    return Message().number(1, ir).add(7, graph()).add(8, Message().number(2, opset)).bytes();
  }
};

}  // namespace sepal::onnx
