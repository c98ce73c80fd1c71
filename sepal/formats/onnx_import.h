#pragma once

// From a parsed file to a Graph: what a Source keeps, and the view of one node that the functions of the
// operator table work with.

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sepal/formats/onnx_operator.h"
#include "sepal/formats/onnx_read.h"
#include "sepal/graph/graph.h"

namespace sepal::onnx {

struct Attribute {
  std::string name;
  AttributeType type = AttributeType::kUndefined;
  float f = 0;
  std::int64_t i = 0;
  std::string s;
  Constant tensor;
  std::vector<float> floats;
  std::vector<std::int64_t> ints;
};

/// A value of the file: an input, an initialiser or the output of a node.
using Slot = std::int32_t;
inline constexpr Slot kNoSlot = -1;  ///< an input left out, an output not wanted

// More ends than any network has; Graph compares them pair by pair.
inline constexpr std::size_t kMostEnds = 10'000;

/// A node whose operator, attributes and counts fit its row of the table, or one that is left out.
struct SourceNode {
  std::string name;              ///< never empty: the first output's where the file has none
  std::string type;              ///< with its domain, as in Uncounted
  const Operator* op = nullptr;  ///< null: left out
  std::string why;               ///< if it is left out
  std::vector<Slot> inputs;
  std::vector<Slot> outputs;
  std::vector<Attribute> attributes;
};

/// A model file, checked: every slot is given by one thing, and before it is read.
struct SourceModel {
  About about;
  std::int64_t opset = 0;
  std::size_t bytes = 0;           ///< of the file, external data included
  std::vector<std::string> slots;  ///< names; first the inputs, then the initialisers, then outputs of nodes
  std::vector<Declaration> inputs;
  std::vector<Constant> initialisers;  ///< slot inputs.size() + i; null: not handled
  std::vector<SourceNode> nodes;
  std::vector<Declaration> outputs;
  std::vector<Slot> output_slots;
  std::vector<bool> typed_outputs;  ///< whether the file declares the output's type
  std::vector<std::string> value_inputs;
  std::map<Slot, std::string> unhandled;               ///< inputs and initialisers, and what of them is not handled
  std::unordered_map<Slot, Declaration> declarations;  ///< of what nodes give, if nodes may be left out
};

/// Parses and checks the bytes of a file. Throws as Source::open; the messages do not name the file.
SourceModel load_model(Bytes bytes, const std::filesystem::path& folder, Unhandled unhandled);

/// Sizes of named free dimensions, and the input that gave each.
using Sizes = std::map<std::string, std::pair<std::int64_t, std::string>, std::less<>>;

/// The dimensions with their names looked up, or nothing if one of them stays free.
std::optional<std::vector<std::int64_t>> resolve(const Declaration& declaration, const Sizes& sizes);

struct BoundInputs {
  std::vector<TensorType> types;
  Sizes sizes;
};

/// Types of the inputs under these bindings. Throws Error(kInvalid) if one stays free or contradicts the file.
BoundInputs bind_inputs(const SourceModel& model, const Bindings& bindings);

/// Source::graph (kRefuse, nothing left out) or Source::countable; the messages do not name the file.
Countable import_graph(const SourceModel& model, const Bindings& bindings, Unhandled unhandled);

/// Error(kUnsupported) that lists all of `problems` ("name (Operator: what)") in one line.
[[noreturn]] void refuse(const std::vector<std::string>& problems);

/// The graph as it grows.
struct Importing {
  const SourceModel& model;
  Graph graph;
  std::vector<std::optional<ValueId>> values;       ///< by slot
  std::unordered_map<std::uint32_t, ValueId> last;  ///< value -> the same with its channels last
  std::int64_t work_left = 0;                       ///< elements that folding may still compute

  /// True for what is left out of a list of inputs or outputs, too.
  bool has(Slot slot) const { return slot == kNoSlot || values[static_cast<std::size_t>(slot)].has_value(); }
};

/// One node on its way into the graph: its attributes, checked as they are asked for, its inputs, and the
/// place for its outputs. Errors leave without the node's name; the caller adds it.
class NodeImport {
 public:
  NodeImport(Importing& state, const SourceNode& node) : state_(state), node_(node) {}

  std::string_view type() const { return node_.op->type; }
  std::int64_t opset() const { return state_.model.opset; }
  const Graph& graph() const { return state_.graph; }

  // Attributes; the table has checked their types.
  bool has(std::string_view attribute) const { return find(attribute) != nullptr; }
  std::int64_t integer(std::string_view attribute, std::int64_t otherwise) const;
  bool flag(std::string_view attribute, bool otherwise) const { return integer(attribute, otherwise ? 1 : 0) != 0; }
  float real(std::string_view attribute, float otherwise) const;
  std::string_view text(std::string_view attribute, std::string_view otherwise) const;
  /// Null if the attribute is absent.
  const std::vector<std::int64_t>* integers(std::string_view attribute) const;
  const std::vector<float>* reals(std::string_view attribute) const;
  Constant tensor(std::string_view attribute) const;

  // Inputs.
  int input_count() const { return static_cast<int>(node_.inputs.size()); }
  bool has(int input) const;
  ValueId input(int input) const;
  Shape shape(int input) const { return graph().shape(this->input(input)); }
  DataType element(int input) const { return graph().type(this->input(input)).type; }
  /// The input's values. Throws Error(kUnsupported) if they are computed while running.
  const Tensor& constant(int input) const;
  /// The same for integers (i32 or i64), with rank 0 or 1.
  std::vector<std::int64_t> integers(int input) const;

  // Outputs.
  int output_count() const { return static_cast<int>(node_.outputs.size()); }
  bool wants(int output) const;
  void give(int output, ValueId value);
  void give(ValueId value) { give(0, value); }

  /// Adds an operator, or folds it where all its inputs are constants. Its name is the node's, with
  /// "/suffix" where one node becomes several operators.
  std::vector<ValueId> add_all(Op op, std::vector<ValueId> inputs, std::string_view suffix = {});
  ValueId add(Op op, std::vector<ValueId> inputs, std::string_view suffix = {}) {
    return add_all(std::move(op), std::move(inputs), suffix).front();
  }
  ValueId add_constant(Tensor tensor) { return state_.graph.add_constant(std::move(tensor)); }
  ValueId share_constant(Constant tensor) { return state_.graph.add_constant(std::move(tensor)); }
  /// Takes the elements that the node is about to fill by itself from what folding may compute. Throws
  /// Error(kInvalid) if they are more than the size of the file justifies.
  void charge(std::int64_t elements);

  ValueId reshape(ValueId value, const Shape& shape, std::string_view suffix);
  /// The value with its channels last, one transpose for all who ask; itself up to rank 2.
  ValueId channels_last(ValueId value);
  /// And back.
  ValueId channels_first(ValueId value);
  ValueId cast(ValueId value, DataType type, std::string_view suffix);

 private:
  const Attribute* find(std::string_view attribute) const;
  std::vector<ValueId> add_named(Op op, std::vector<ValueId> inputs, std::string name);

  Importing& state_;
  const SourceNode& node_;
};

}  // namespace sepal::onnx
