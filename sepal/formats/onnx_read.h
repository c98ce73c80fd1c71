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

/// A parsed and checked model file, from which graphs of given shapes are made. Immutable; graphs share its
/// constants. Every error names the file (if one was given), the node and the numbers.
class Source {
 public:
  /// Throws Error(kIo) if the file cannot be read, Error(kInvalid) if it is not a sound ONNX model,
  /// Error(kUnsupported) that lists every node whose operator, version or attribute is not handled.
  /// External data must lie under the model's folder.
  static Source open(const std::filesystem::path& path);
  /// The same from memory, which is copied; `name` stands in errors. External data is refused unless
  /// `folder` is given.
  static Source from_bytes(std::span<const std::byte> bytes, std::string name = "model",
                           const std::filesystem::path& folder = {});

  const std::string& name() const;
  std::span<const Declaration> inputs() const;  ///< without those that have an initialiser
  std::span<const Declaration> outputs() const;
  /// Inputs whose values decide shapes or attributes (a Reshape's target, a Slice's starts): a graph needs
  /// those values in its bindings.
  std::span<const std::string> value_inputs() const;
  const About& about() const;
  /// Opset of the default domain.
  std::int64_t opset() const;

  /// The graph for these bindings; inputs that are not free need none. Images become [n, h, w, c] between
  /// transposes at each operator's border (optimize/layout moves and cancels them); arithmetic on shapes is
  /// folded away. Throws Error(kInvalid) if an input stays free, a bound shape contradicts the file, or a
  /// node does not suit its inputs; Error(kUnsupported) as `open`.
  Graph graph(const Bindings& bindings = {}) const;

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
