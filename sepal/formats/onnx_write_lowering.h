#pragma once

// From a Graph to the structs of a file. Inside, image operators take [n, ..., c]; in ONNX they take
// [n, c, ...]. Every value may have two wires in the file: one in its own order of axes, one with its channels
// first. An image operator asks for the second and gives the second, so a reader's transposes around it cost
// nothing: they only say which wire of one value is which wire of another. A transpose is written where a
// wire is asked for that is not there.

#include <array>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "sepal/formats/onnx_proto.h"
#include "sepal/graph/graph.h"

namespace sepal::onnx {

/// A value of the file that is being made.
using Wire = std::int32_t;
inline constexpr Wire kNoWire = -1;  ///< an input left out

/// The order of axes in which a value is wanted: its own, or [n, c, ...] where that is [n, ..., c].
enum class Order : std::uint8_t { kOwn, kFirst };

/// The lowest opset from 17 in which every operator of the graph can be said.
std::int64_t lowest_opset(const Graph& graph);

/// TensorProto's type for ours.
ElementType element_type(DataType type);

/// A file's structs, and the tensors that its raw bytes point into.
struct Lowered {
  ModelProto model;
  std::vector<Constant> constants;
};

/// The graph as a file says it. Throws Error(kUnsupported) if an operator has no ONNX form, Error(kInvalid) if an
/// input and another value that is an output share a name.
Lowered lower(const Graph& graph);

/// A list of attributes: Attributes().integer("axis", 1).real("epsilon", 1e-5f).
class Attributes {
 public:
  Attributes integer(std::string_view name, std::int64_t value) &&;
  Attributes real(std::string_view name, float value) &&;
  Attributes text(std::string_view name, std::string_view value) &&;
  Attributes integers(std::string_view name, std::vector<std::int64_t> values) &&;
  std::vector<AttributeProto> take() && { return std::move(list_); }

 private:
  AttributeProto& add(std::string_view name, AttributeType type);
  std::vector<AttributeProto> list_;
};

/// The file as it grows.
class Lowering {
 public:
  explicit Lowering(const Graph& graph);

  const Graph& graph() const { return graph_; }
  std::int64_t opset() const { return opset_; }

  /// Whether the value is there in that order, or costs nothing to give so.
  bool has(ValueId value, Order order) const;
  /// The value in that order; what is not there yet is made by a transpose, or from a constant. `name` is
  /// for a constant that nothing named before.
  Wire wire(ValueId value, Order order, const std::string& name);
  void give(ValueId value, Order order, Wire wire);
  /// Whether the value is read, and by image operators only.
  bool only_images_read(ValueId value) const {
    return readers_[Graph::index(value)].images && !readers_[Graph::index(value)].others;
  }

  /// The constant as an initialiser, once for all who ask. With a rank, it is first given that many axes
  /// (ones in front) and then its channels first.
  Wire constant(const Constant& tensor, int first_rank, const std::string& name);
  /// A constant of the writer's own.
  Wire constant(Tensor tensor, const std::string& name);
  Wire integers(const std::vector<std::int64_t>& values, const std::string& name);

  /// Appends a node; its outputs are named after it.
  std::vector<Wire> add_all(std::string_view type, const std::string& name, std::vector<Wire> inputs,
                            Attributes attributes, int outputs);
  Wire add(std::string_view type, const std::string& name, std::vector<Wire> inputs, Attributes attributes = {}) {
    return add_all(type, name, std::move(inputs), std::move(attributes), 1).front();
  }

  /// Declares the graph's outputs, names all wires, and gives the whole.
  Lowered finish() &&;

 private:
  enum class Source : std::uint8_t { kInput, kInitialiser, kNode };
  struct WireInfo {
    Source source;
    std::string name;    ///< final, or what the final one is made from
    bool named = false;  ///< final
  };
  struct Readers {
    bool images = false;  ///< operators that take it with its channels first
    bool others = false;
  };
  struct NodeWires {
    std::vector<Wire> inputs, outputs;
  };

  /// ONNX wants every value's name, and every node's, to be there once.
  struct Names {
    std::unordered_set<std::string> taken;
    std::unordered_map<std::string, int> repeats;
  };
  /// The name, or that with a number behind it where it is taken.
  static std::string unique(const std::string& name, Names& names);

  Wire new_wire(Source source, std::string name);
  void declare_output(const Port& port);
  void name_wires();

  const Graph& graph_;
  std::int64_t opset_;
  std::vector<std::array<Wire, 2>> wires_of_;  ///< by value and order
  std::vector<Readers> readers_;               ///< by value
  std::vector<WireInfo> wires_;
  std::vector<NodeWires> node_wires_;  ///< beside the file's nodes
  std::vector<Wire> initialisers_;     ///< beside the file's initialisers
  std::map<std::pair<const Tensor*, int>, Wire> constants_;
  Names value_names_;
  Names node_names_;
  Lowered result_;
};

}  // namespace sepal::onnx
