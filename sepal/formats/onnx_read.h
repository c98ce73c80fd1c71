#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sepal/graph/graph.h"

namespace sepal::onnx {

/// One dimension of an input as the file declares it: a number, or free, perhaps with a name.
struct Dimension {
  std::optional<std::int64_t> size;
  std::string name;  ///< of a free dimension; may be empty
};

/// An input or output as the file declares it, before any shape is bound.
struct Declaration {
  std::string name;
  DataType type = DataType::kF32;  ///< as computed here: double precision is f32
  std::vector<Dimension> dimensions;
  bool ranked = true;      ///< false: the file does not even tell the rank
  bool is_double = false;  ///< declared in double precision
  bool is_free() const;    ///< not every dimension is a number
};

/// "1x3x?x?", with names of free dimensions where there are any: "Nx3xHxW".
std::string to_string(const Declaration& declaration);

/// What a free input becomes: its shape and, where shapes depend on its very values, those.
struct Binding {
  Shape shape;
  const Tensor* value = nullptr;
};
using Bindings = std::map<std::string, Binding, std::less<>>;

/// What to do about operators, versions, attributes and types that are not handled.
enum class Unhandled {
  kRefuse,    ///< the file is refused
  kLeaveOut,  ///< nodes that need them are left out of what is counted
};

/// A node that is left out of a graph. All texts but `why` are the file's own, whatever they hold.
struct Uncounted {
  std::string name;
  std::string type;  ///< "Einsum"; with its domain where that is not the default one: "com.microsoft.FusedGemm"
  std::string why;   ///< a clause fit for one line: what is not handled, or which input is not known
};

/// A graph to be counted, not to be run, and the nodes that it leaves out, in the file's order.
struct Countable {
  /// Its inputs are first those of the file that are handled, then values of nodes left out, under their names.
  Graph graph;
  std::vector<Uncounted> left_out;
};

/// A parsed and checked model file, from which graphs of given shapes are made. Immutable; graphs share its
/// constants. Every error names the file (if one was given), the node and the numbers.
class Source {
 public:
  /// Throws Error(kIo) if the file cannot be read, Error(kInvalid) if it is not a sound ONNX model,
  /// Error(kUnsupported) that lists every node whose operator, version or attribute is not handled.
  /// External data must lie under the model's folder.
  ///
  /// With kLeaveOut nothing is refused that `countable` can leave out: nodes of any operator, domain, opset and
  /// attribute (`If`, `Loop`, `Scan` and functions of the file among them); inputs, initialisers and outputs that
  /// are sparse, no tensors, or of element types that are not handled (`inputs` passes over them). Still refused
  /// as unsupported: IR versions that are not handled. What is not sound is refused in either case, and what has more
  /// than 6 dimensions.
  static Source open(const std::filesystem::path& path, Unhandled unhandled = Unhandled::kRefuse);
  /// The same from memory, which is copied; `name` stands in errors. External data is refused unless
  /// `folder` is given.
  static Source from_bytes(std::span<const std::byte> bytes, std::string name = "model",
                           const std::filesystem::path& folder = {}, Unhandled unhandled = Unhandled::kRefuse);

  const std::string& name() const;
  std::span<const Declaration> inputs() const;  ///< without those that have an initialiser
  std::span<const Declaration> outputs() const;
  /// Inputs whose values decide shapes or attributes (a Reshape's target, a Slice's starts): a graph needs
  /// those values in its bindings.
  std::span<const std::string> value_inputs() const;
  const About& about() const;
  /// Opset of the default domain; 0 if the file has none, and no node that needs one.
  std::int64_t opset() const;

  /// The graph for these bindings; inputs that are not free need none. Images become [n, h, w, c] between
  /// transposes at each operator's border (optimize/layout moves and cancels them); arithmetic on shapes is
  /// folded away. Throws Error(kInvalid) if an input stays free, a bound shape contradicts the file, or a
  /// node does not suit its inputs; Error(kUnsupported) as `open`.
  Graph graph(const Bindings& bindings = {}) const;

  /// The graph for these bindings without the nodes that are not handled. Where the file says the shape of what
  /// such a node gives (value_info; names of free dimensions have the sizes that the bound inputs give them), an
  /// input of the graph stands in for it, so that what follows is counted; where it does not, the nodes that need
  /// it are left out too. Shapes that the file declares for any other value are not looked at. A node that does
  /// not suit shapes that rest on such a stand-in is left out, since the file's word may be wrong. Values of
  /// `value_inputs` may be absent: what needs them is left out. Outputs without a value are dropped, all of them
  /// if need be. Throws Error(kInvalid) as `graph`, and Error(kUnsupported) if stand-ins and inputs are more than
  /// 10,000. A source that was opened with kRefuse has read no value_info.
  Countable countable(const Bindings& bindings = {}) const;

  Source(Source&&) noexcept;
  Source& operator=(Source&&) noexcept;
  ~Source();

 private:
  struct State;
  explicit Source(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Source::open(path).graph().
Graph read(const std::filesystem::path& path);
/// Source::from_bytes(bytes).graph().
Graph read(std::span<const std::byte> bytes);

}  // namespace sepal::onnx
