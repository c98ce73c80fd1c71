#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sepal/formats/image.h"
#include "sepal/tensor/tensor.h"

#pragma GCC visibility push(default)

namespace sepal {

class Graph;
class Plan;

/// How a model is loaded.
struct LoadOptions {
  /// Threads of one run; 0: as many as the cores that the process may use.
  int threads = 0;
  /// Shapes of inputs that the file leaves free, by name. Those not named here take, at each run, the shape of
  /// the tensor that they are given.
  std::map<std::string, Shape> shapes{};
  /// Most bytes that a plan's activations and outputs may take; 0: the memory of this machine (or of its container).
  std::size_t memory_limit = 0;
  /// Whether one step may compute several nodes. Without it every node runs by itself: slower, and the same but for
  /// rounding.
  bool fuse = true;
  /// Whether the graphs are kept that plans were made of. Without them prepared() has none and save() is refused, but
  /// weights are in memory once, as kernels want them.
  bool keep_graphs = true;
};

/// An input or output of a model, as its file declares it.
struct ValueInfo {
  std::string name;
  DataType type = DataType::kF32;
  std::vector<std::int64_t> dimensions;  ///< -1 where free
  std::string text;                      ///< "1x3x224x224", with the names of free dimensions: "Nx3xHxW"
  bool is_double = false;                ///< declared in double precision, which is computed in f32
  bool is_free() const;
};

/// A network ready to run: the front door of the library.
///
/// A model is cheap to copy (copies share everything) and may be run from several threads at once; each run
/// takes a workspace of its own from a small stock. Arrays have the model's own layout, as its file says.
class Model {
 public:
  /// Reads, checks and optimises an ONNX file; plans it too if no input is free. Where there is no such file, `path`
  /// may be a network of the zoo ("mobilenet_v2:width=0.5"), with seeded weights. Throws Error: kIo if the file cannot
  /// be read, kInvalid if it is not sound or asks for more memory than the limit or than its size justifies,
  /// kUnsupported if it needs what is not there. Every message begins with the file's name.
  static Model load(const std::filesystem::path& path, const LoadOptions& options = {});
  /// The same from memory; `name` stands in errors.
  static Model from_bytes(std::span<const std::byte> bytes, const LoadOptions& options = {},
                          std::string name = "model");

  const std::string& name() const;            ///< the file's path, or the name given
  std::span<const ValueInfo> inputs() const;  ///< in the file's order
  std::span<const ValueInfo> outputs() const;
  int threads() const;

  /// ONNX metadata of the file: labels, normalisation, anything.
  const std::map<std::string, std::string>& properties() const;
  /// Lines of the property `sepal.labels`; empty if there is none.
  std::vector<std::string> labels() const;
  /// What an image wants to be for the model's input called `input`, which may be left out where there is only one:
  /// size, channels and layout from the input's shape; normalisation and fit from the properties `sepal.mean`,
  /// `sepal.std` (three numbers, commas between them, or one; a std is not 0) and `sepal.resize`, else the defaults
  /// of ImageFormat. Throws Error(kInvalid) if the model has no such input, it takes no images, or a property does
  /// not parse.
  ImageFormat image_format(std::string_view input = {}) const;

  /// Runs a model with one input on `input` and returns its first output. Throws Error(kInvalid) that names
  /// input, shape and type if the tensor does not suit the model.
  Tensor run(const Tensor& input) const;
  /// Runs on one tensor an input, in the order of inputs(); returns one tensor an output. Inputs with free
  /// dimensions take the shapes given; plans of the last four combinations of shapes are kept.
  std::vector<Tensor> run(std::span<const Tensor* const> inputs) const;

  /// Writes the model as ONNX for the shapes bound so far, weights inside and metadata kept: as it was read, or as it
  /// was optimised. The file is whole or not there. Throws Error as prepared() does, kIo, and kInvalid where graphs
  /// were not kept.
  enum class Form : std::uint8_t { kAsRead, kOptimized };
  void save(const std::filesystem::path& path, Form form = Form::kAsRead) const;

  /// The optimised graph and its plan for the shapes bound so far, for reports. Free inputs must have been bound by
  /// LoadOptions::shapes, else Error(kInvalid) that says which. The pointers stay valid after the model is gone.
  struct Prepared {
    std::shared_ptr<const Graph> imported;   ///< as read; null where graphs are not kept
    std::shared_ptr<const Graph> optimized;  ///< null likewise
    std::shared_ptr<const Plan> plan;
    std::vector<Shape> output_shapes;  ///< in the model's order
  };
  Prepared prepared() const;

 private:
  struct State;
  explicit Model(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;
};

}  // namespace sepal

#pragma GCC visibility pop
