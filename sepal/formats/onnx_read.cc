// The public face of reading: what a Source is made of, and the file's name in front of every error.

#include "sepal/formats/onnx_read.h"

#include <algorithm>

#include "sepal/base/mapped_file.h"
#include "sepal/base/text.h"
#include "sepal/formats/onnx_import.h"

namespace sepal::onnx {

bool Declaration::is_free() const {
  return !ranked || std::ranges::any_of(dimensions, [](const Dimension& dimension) { return !dimension.size; });
}

std::string to_string(const Declaration& declaration) {
  if (!declaration.ranked) return "any shape";
  if (declaration.dimensions.empty()) return "scalar";
  std::vector<std::string> parts;
  for (const Dimension& dimension : declaration.dimensions) {
    parts.push_back(dimension.size           ? format("{}", *dimension.size)
                    : dimension.name.empty() ? "?"
                                             : printable(dimension.name));
  }
  return format("{}", join(parts, "x"));
}

struct Source::State {
  std::string name;
  SourceModel model;
};

Source::Source(std::unique_ptr<State> state) : state_(std::move(state)) {}
Source::Source(Source&&) noexcept = default;
Source& Source::operator=(Source&&) noexcept = default;
Source::~Source() = default;

Source Source::open(const std::filesystem::path& path, Unhandled unhandled) {
  const MappedFile file(path);
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  return from_bytes(file.bytes(), path.string(), folder, unhandled);
}

Source Source::from_bytes(std::span<const std::byte> bytes, std::string name, const std::filesystem::path& folder,
                          Unhandled unhandled) {
  SourceModel model = in_place(printable(name, 1000), [&] { return load_model(bytes, folder, unhandled); });
  return Source(std::make_unique<State>(State{std::move(name), std::move(model)}));
}

const std::string& Source::name() const { return state_->name; }
std::span<const Declaration> Source::inputs() const { return state_->model.inputs; }
std::span<const Declaration> Source::outputs() const { return state_->model.outputs; }
std::span<const std::string> Source::value_inputs() const { return state_->model.value_inputs; }
const About& Source::about() const { return state_->model.about; }
std::int64_t Source::opset() const { return state_->model.opset; }

Graph Source::graph(const Bindings& bindings) const {
  const auto import = [&] { return import_graph(state_->model, bindings, Unhandled::kRefuse).graph; };
  return in_place(printable(state_->name, 1000), import);
}

Countable Source::countable(const Bindings& bindings) const {
  const auto import = [&] { return import_graph(state_->model, bindings, Unhandled::kLeaveOut); };
  return in_place(printable(state_->name, 1000), import);
}

Graph read(const std::filesystem::path& path) { return Source::open(path).graph(); }
Graph read(std::span<const std::byte> bytes) { return Source::from_bytes(bytes).graph(); }

}  // namespace sepal::onnx
