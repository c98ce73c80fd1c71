#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

// ONNX files of one or two nodes, byte by byte: free dimensions and metadata as the tests of the tool want
// them, and independent of the library's own writer.

namespace sepal::cli::tiny {

/// A protobuf varint.
inline std::string varint(std::uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  return out + static_cast<char>(value);
}
inline std::string number(int field, std::int64_t value) {
  return varint(static_cast<std::uint64_t>(field) << 3) + varint(static_cast<std::uint64_t>(value));
}
inline std::string bytes(int field, const std::string& value) {
  return varint((static_cast<std::uint64_t>(field) << 3) | 2) + varint(value.size()) + value;
}

/// An input or output: dimensions are numbers ("3") or names of free ones ("N").
struct Value {
  std::string name;
  std::vector<std::string> dims;
  int type = 1;  ///< ONNX's number: 1 f32, 2 u8, 6 i32
};

struct Node {
  std::string op;
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  std::map<std::string, std::vector<std::int64_t>> ints = {};  ///< attributes: lists of numbers
  std::map<std::string, std::int64_t> numbers = {};            ///< attributes: one number
  std::string name = {};                                       ///< "the_Relu" of a Relu where it is left out
};

struct Model {
  std::vector<Value> inputs;
  std::vector<Value> outputs;
  std::vector<Node> nodes;
  std::map<std::string, std::string> properties = {};
};

inline std::string encode(const Value& value) {
  std::string shape;
  for (const std::string& dim : value.dims) {
    const bool is_number = dim.find_first_not_of("0123456789") == std::string::npos;
    shape += bytes(1, is_number ? number(1, std::stoll(dim)) : bytes(2, dim));
  }
  return bytes(1, value.name) + bytes(2, bytes(1, number(1, value.type) + bytes(2, shape)));
}

inline std::string encode(const Node& node) {
  std::string out;
  for (const std::string& input : node.inputs) out += bytes(1, input);
  for (const std::string& output : node.outputs) out += bytes(2, output);
  out += bytes(3, node.name.empty() ? "the_" + node.op : node.name) + bytes(4, node.op);
  for (const auto& [name, values] : node.ints) {
    std::string attribute = bytes(1, name);
    for (const std::int64_t value : values) attribute += number(8, value);
    out += bytes(5, attribute + number(20, 7));
  }
  for (const auto& [name, value] : node.numbers) out += bytes(5, bytes(1, name) + number(3, value) + number(20, 2));
  return out;
}

/// The file: IR 8, opset 17.
inline std::string encode(const Model& model) {
  std::string graph;
  for (const Node& node : model.nodes) graph += bytes(1, encode(node));
  graph += bytes(2, "tiny");
  for (const Value& value : model.inputs) graph += bytes(11, encode(value));
  for (const Value& value : model.outputs) graph += bytes(12, encode(value));
  std::string out = number(1, 8) + bytes(7, graph) + bytes(8, number(2, 17));
  for (const auto& [key, value] : model.properties) out += bytes(14, bytes(1, key) + bytes(2, value));
  return out;
}

/// y = x + x of shape [2, 3].
inline Model twice() { return {{{"x", {"2", "3"}}}, {{"y", {"2", "3"}}}, {{"Add", {"x", "x"}, {"y"}}}}; }

/// The mean of each of three channels of an image [1, 3, 4, 4]: a classifier of three classes.
inline Model colours() {
  return {{{"image", {"1", "3", "4", "4"}}},
          {{"scores", {"1", "3"}}},
          {{"ReduceMean", {"image"}, {"scores"}, {{"axes", {2, 3}}}, {{"keepdims", 0}}}}};
}

}  // namespace sepal::cli::tiny
