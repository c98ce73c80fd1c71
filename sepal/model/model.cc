// The front door: a parsed file, and for each combination of input shapes that was asked for an optimised
// graph with its plan. The last four are kept, so that a caller who alternates between a few sizes plans
// each once. Plans are immutable and shared; every run borrows a workspace from its plan's stock.

#include "sepal/model/model.h"

#include <algorithm>
#include <exception>
#include <future>
#include <list>
#include <mutex>
#include <optional>
#include <sstream>

#include "sepal/base/memory.h"
#include "sepal/base/text.h"
#include "sepal/base/thread_pool.h"
#include "sepal/formats/onnx_read.h"
#include "sepal/formats/onnx_write.h"
#include "sepal/model/image_input.h"
#include "sepal/model/value_info.h"
#include "sepal/model/zoo_name.h"
#include "sepal/optimize/optimize.h"
#include "sepal/optimize/rewrite.h"
#include "sepal/plan/plan.h"
#include "sepal/plan/tuned.h"

namespace sepal {
namespace {

constexpr std::size_t kPlansKept = 4;
constexpr std::size_t kWorkspacesKept = 8;  ///< of each plan: as many callers at once find one ready

/// A plan and the workspaces that its runs have left behind.
class Ready {
 public:
  Ready(Model::Prepared prepared, std::vector<DataType> types)
      : prepared_(std::move(prepared)), types_(std::move(types)) {}

  const Model::Prepared& prepared() const { return prepared_; }

  std::vector<Tensor> run(std::span<const Tensor* const> inputs) {
    std::vector<ConstBuffer> from;
    std::vector<Tensor> outputs;
    std::vector<Buffer> to;
    for (const Tensor* input : inputs) from.push_back(input->buffer());
    for (std::size_t i = 0; i < types_.size(); ++i) {
      outputs.emplace_back(types_[i], prepared_.output_shapes[i]);
      to.push_back(outputs.back().buffer());
    }
    std::unique_ptr<Workspace> workspace = borrow();
    prepared_.plan->run(*workspace, from, to);
    const std::lock_guard lock(mutex_);
    if (stock_.size() < kWorkspacesKept) stock_.push_back(std::move(workspace));
    return outputs;
  }

 private:
  std::unique_ptr<Workspace> borrow() {
    {
      const std::lock_guard lock(mutex_);
      if (!stock_.empty()) {
        std::unique_ptr<Workspace> workspace = std::move(stock_.back());
        stock_.pop_back();
        return workspace;
      }
    }
    return std::make_unique<Workspace>(prepared_.plan->workspace_bytes());
  }

  Model::Prepared prepared_;
  std::vector<DataType> types_;  ///< of the outputs
  std::mutex mutex_;
  std::vector<std::unique_ptr<Workspace>> stock_;
};

}  // namespace

bool ValueInfo::is_free() const {
  return std::ranges::any_of(dimensions, [](std::int64_t dimension) { return dimension < 0; });
}

struct Model::State {
  std::string model;                            ///< its path, or the name given
  std::vector<onnx::Declaration> declarations;  ///< of the inputs
  std::vector<std::string> value_inputs;
  std::map<std::string, std::string> properties;
  std::optional<onnx::Source> source;  ///< nothing once there can be no further plan, where graphs are not kept
  LoadOptions options;
  std::vector<ValueInfo> inputs;
  std::vector<ValueInfo> outputs;
  std::mutex mutex;
  /// By shapes, the latest used first; a future, so that planning holds no lock.
  std::list<std::pair<std::string, std::shared_future<std::shared_ptr<Ready>>>> ready;

  State(onnx::Source parsed, LoadOptions given)
      : model(parsed.name()),
        declarations(parsed.inputs().begin(), parsed.inputs().end()),
        value_inputs(parsed.value_inputs().begin(), parsed.value_inputs().end()),
        properties(parsed.about().properties),
        source(std::move(parsed)),
        options(std::move(given)) {
    if (options.threads <= 0) options.threads = available_cores();
    if (options.memory_limit == 0) options.memory_limit = machine_memory();
    for (const onnx::Declaration& input : declarations) inputs.push_back(value_info(input));
    for (const onnx::Declaration& output : source->outputs()) outputs.push_back(value_info(output));
    for (const auto& [name, shape] : options.shapes) check_name(name);
    if (needs_nothing()) ready_for(bindings({}));
  }

  void check_name(const std::string& name) const {
    std::vector<std::string_view> names;
    for (const ValueInfo& input : inputs) names.push_back(input.name);
    if (std::ranges::find(names, name) != names.end()) return;
    const std::string_view near = nearest(name, names);
    invalid("{}: a shape is given for \"{}\", but the inputs are {}{}", printable(model), printable(name),
            join(quoted(names), ", "), near.empty() ? "" : format("; did you mean \"{}\"?", printable(near)));
  }

  static std::vector<std::string> quoted(std::span<const std::string_view> names) {
    std::vector<std::string> result;
    for (const std::string_view name : names) result.push_back(format("\"{}\"", printable(name)));
    return result;
  }

  /// Whether a graph can be made from the file and the options alone.
  bool needs_nothing() const {
    return value_inputs.empty() && std::ranges::all_of(declarations, [&](const onnx::Declaration& input) {
             return (input.ranked && !input.is_free()) || options.shapes.contains(input.name);
           });
  }

  bool needs_value(std::string_view name) const { return std::ranges::find(value_inputs, name) != value_inputs.end(); }

  /// Shapes (and values, where shapes depend on them) of the tensors given, or of the options where none are.
  onnx::Bindings bindings(std::span<const Tensor* const> tensors) const {
    onnx::Bindings result;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (!declarations[i].ranked || inputs[i].is_free()) continue;
      const Shape shape = in_place(printable(model), [&] { return Shape(inputs[i].dimensions); });
      result[inputs[i].name] = {shape, nullptr};
    }
    for (const auto& [name, shape] : options.shapes) result[name] = {shape, nullptr};
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      const ValueInfo& input = inputs[i];
      const Tensor& tensor = *tensors[i];
      const auto given = options.shapes.find(input.name);
      const bool fits = fits_declaration(declarations[i], tensor.shape()) &&
                        (given == options.shapes.end() || given->second == tensor.shape());
      if (tensor.type() != input.type || !fits) {
        const std::string wanted = given == options.shapes.end() ? input.text : to_string(given->second);
        invalid("{}: input \"{}\" is {} {}, but the tensor given is {} {}", printable(model), printable(input.name),
                name_of(input.type), wanted, name_of(tensor.type()), to_string(tensor.shape()));
      }
      result[input.name] = {tensor.shape(), needs_value(input.name) ? &tensor : nullptr};
    }
    return result;
  }

  static bool fits_declaration(const onnx::Declaration& declaration, const Shape& shape) {
    if (!declaration.ranked) return true;
    if (static_cast<int>(declaration.dimensions.size()) != shape.rank()) return false;
    for (int axis = 0; axis < shape.rank(); ++axis) {
      if (declaration.dimensions[static_cast<std::size_t>(axis)].size.value_or(shape[axis]) != shape[axis])
        return false;
    }
    return true;
  }

  static std::string key_of(const onnx::Bindings& bindings) {
    std::string key;
    for (const auto& [name, binding] : bindings) {
      key += format("{}\n{}\n", name, to_string(binding.shape));
      if (binding.value != nullptr)
        key.append(reinterpret_cast<const char*>(binding.value->data()), binding.value->bytes());
    }
    return key;
  }

  /// The plan for these bindings: found, or made by the first who asks, while others who want the same wait and
  /// those who want another do not.
  std::shared_ptr<Ready> ready_for(const onnx::Bindings& bound) {
    const std::string key = key_of(bound);
    std::promise<std::shared_ptr<Ready>> promise;
    std::shared_future<std::shared_ptr<Ready>> wanted;
    bool mine = false;
    {
      const std::lock_guard lock(mutex);
      const auto found = find(key);
      mine = found == ready.end();
      if (mine) {
        ready.emplace_front(key, promise.get_future().share());
        if (ready.size() > kPlansKept) ready.pop_back();
      } else {
        ready.splice(ready.begin(), ready, found);
      }
      wanted = ready.front().second;
    }
    if (mine) {
      try {
        promise.set_value(make(bound));
      } catch (...) {
        // Nobody shall find the failure later; those who wait for it now share it.
        promise.set_exception(std::current_exception());
        const std::lock_guard lock(mutex);
        if (const auto failed = find(key); failed != ready.end()) ready.erase(failed);
      }
    }
    return wanted.get();
  }

  auto find(const std::string& key) -> decltype(ready)::iterator {
    return std::ranges::find(ready, key, [](const auto& entry) -> const std::string& { return entry.first; });
  }

  std::shared_ptr<Ready> make(const onnx::Bindings& bound) {
    auto imported = std::make_shared<const Graph>(source->graph(bound));
    if (!options.keep_graphs) {
      // The reader's graph still has the constants that were turned around for it.
      imported = std::make_shared<const Graph>(rewrite(*imported, [](Rewriter&, const Node&) { return false; }));
      if (needs_nothing()) source.reset();
    }
    return in_place(printable(model), [&] {
      auto optimized = std::make_shared<const Graph>(optimize(*imported));
      // What is packed next is then in memory twice at most.
      if (!options.keep_graphs) imported = nullptr;
      auto plan = std::make_shared<const Plan>(
          *optimized,
          with_kept({.threads = options.threads, .memory_limit = options.memory_limit, .fuse = options.fuse},
                    *optimized));
      std::vector<DataType> types;
      std::vector<Shape> shapes;
      for (const Port& port : optimized->outputs()) {
        types.push_back(optimized->type(port.value).type);
        shapes.push_back(optimized->shape(port.value));
      }
      if (!options.keep_graphs) optimized = nullptr;
      return std::make_shared<Ready>(
          Prepared{std::move(imported), std::move(optimized), std::move(plan), std::move(shapes)}, std::move(types));
    });
  }
};

Model Model::load(const std::filesystem::path& path, const LoadOptions& options) {
  // A network of the zoo is its ONNX file, made on the spot.
  if (const std::optional<ZooSpec> spec = zoo_spec_of(path))
    return from_bytes(onnx::write(build(*spec)), options, to_string(*spec));
  return Model(std::make_shared<State>(onnx::Source::open(path), options));
}

Model Model::from_bytes(std::span<const std::byte> bytes, const LoadOptions& options, std::string name) {
  return Model(std::make_shared<State>(onnx::Source::from_bytes(bytes, std::move(name)), options));
}

const std::string& Model::name() const { return state_->model; }
std::span<const ValueInfo> Model::inputs() const { return state_->inputs; }
std::span<const ValueInfo> Model::outputs() const { return state_->outputs; }
int Model::threads() const { return state_->options.threads; }
const std::map<std::string, std::string>& Model::properties() const { return state_->properties; }

std::vector<std::string> Model::labels() const {
  std::vector<std::string> result;
  const auto found = properties().find("sepal.labels");
  if (found == properties().end()) return result;
  std::istringstream lines(found->second);
  for (std::string line; std::getline(lines, line);) {
    if (line.ends_with('\r')) line.pop_back();
    result.push_back(line);
  }
  return result;
}

ImageFormat Model::image_format(std::string_view input) const {
  return in_place(printable(name()),
                  [&] { return image_input_format(inputs(), input, state_->options.shapes, properties()); });
}

Tensor Model::run(const Tensor& input) const {
  const Tensor* const only = &input;
  std::vector<Tensor> outputs = run(std::span(&only, 1));
  expect(!outputs.empty(), "a model that was read has an output");
  return std::move(outputs.front());
}

std::vector<Tensor> Model::run(std::span<const Tensor* const> inputs) const {
  if (inputs.size() != state_->inputs.size()) {
    invalid("{}: {} tensors for {} inputs", printable(name()), inputs.size(), state_->inputs.size());
  }
  return state_->ready_for(state_->bindings(inputs))->run(inputs);
}

void Model::save(const std::filesystem::path& path, Form form) const {
  const Prepared now = prepared();
  if (now.imported == nullptr)
    invalid("{}: cannot be saved, since it was loaded without keeping its graphs", printable(name()));
  onnx::write(path, form == Form::kAsRead ? *now.imported : *now.optimized);
}

Model::Prepared Model::prepared() const { return state_->ready_for(state_->bindings({}))->prepared(); }

}  // namespace sepal
