// From a checked file and shapes to a Graph. Nodes come in the file's order, each through its row of the
// operator table. What all constants decide is computed on the way, because shapes hang on it (Shape, Gather,
// Concat ... Reshape). Two things are left for later: arithmetic that is no shape's (weights through
// DequantizeLinear must stay recognisable, and a convolution of constants is work), and whatever exceeds a
// budget in proportion to the file: a hostile Expand of a few bytes would otherwise fill the memory here.

#include "sepal/formats/onnx_import.h"

#include <algorithm>

#include "sepal/base/checked.h"
#include "sepal/base/text.h"
#include "sepal/base/visit.h"
#include "sepal/evaluate/evaluate.h"
#include "sepal/formats/onnx_left_out.h"

namespace sepal::onnx {
namespace {

// Elements that folding may compute: this many, and so many for each byte of the file. The first covers the
// grids of anchors that detectors build from Range and Expand; the second, filters and tables moved about.
constexpr std::int64_t kFreeWork = std::int64_t{4} << 20;
constexpr std::int64_t kWorkPerByte = 4;
// As large as a shape or two: always folded, whatever else the file does, since more depends on it than it costs.
constexpr std::int64_t kSmallWork = 64;

std::int64_t elements(std::span<const TensorType> types) {
  std::int64_t sum = 0;
  for (const TensorType& type : types) sum = checked_add(sum, type.shape.elements()).value_or(INT64_MAX);
  return sum;
}

/// Elements computed or read by folding the operator, or nothing if it is not to be folded here.
std::optional<std::int64_t> folding_work(const Op& op, std::span<const TensorType> inputs,
                                         std::span<const TensorType> outputs) {
  const std::int64_t moved = std::max(elements(inputs), elements(outputs));
  return std::visit(Overload{[&](const auto&) -> std::optional<std::int64_t> { return moved; },
                             [&](const MatMul&) -> std::optional<std::int64_t> {
                               return checked_multiply(moved, inputs[0].shape[inputs[0].shape.rank() - 1]);
                             },
                             [](const Conv2d&) -> std::optional<std::int64_t> { return std::nullopt; },
                             [](const ConvTranspose2d&) -> std::optional<std::int64_t> { return std::nullopt; },
                             [](const IntegerConv2d&) -> std::optional<std::int64_t> { return std::nullopt; },
                             [](const QuantizedConv2d&) -> std::optional<std::int64_t> { return std::nullopt; },
                             [](const Gemm&) -> std::optional<std::int64_t> { return std::nullopt; },
                             [](const IntegerMatMul&) -> std::optional<std::int64_t> { return std::nullopt; },
                             [](const QuantizedMatMul&) -> std::optional<std::int64_t> { return std::nullopt; },
                             [](const Pool&) -> std::optional<std::int64_t> { return std::nullopt; },
                             [](const LocalResponseNorm&) -> std::optional<std::int64_t> { return std::nullopt; },
                             [](const Resize&) -> std::optional<std::int64_t> { return std::nullopt; },
                             [](const Quantize&) -> std::optional<std::int64_t> { return std::nullopt; },
                             [](const Dequantize&) -> std::optional<std::int64_t> { return std::nullopt; },
                             [](const DynamicQuantize&) -> std::optional<std::int64_t> { return std::nullopt; }},
                    op);
}

/// The shape bound to an input, after comparison with what the file declares.
Shape bind(const Declaration& input, const Shape& shape) {
  bool fits = !input.ranked || static_cast<std::size_t>(shape.rank()) == input.dimensions.size();
  for (int axis = 0; fits && input.ranked && axis < shape.rank(); ++axis) {
    const Dimension& dimension = input.dimensions[static_cast<std::size_t>(axis)];
    fits = !dimension.size || *dimension.size == shape[axis];
  }
  if (!fits)
    invalid("the input \"{}\" is {} in the file, not {}", printable(input.name), to_string(input), to_string(shape));
  return shape;
}

/// Notes the sizes that `shape` gives to the named dimensions of the input, which hold for all inputs.
void note_sizes(const Declaration& input, const Shape& shape, Sizes& sizes) {
  for (std::size_t axis = 0; axis < input.dimensions.size(); ++axis) {
    const Dimension& dimension = input.dimensions[axis];
    if (dimension.size || dimension.name.empty()) continue;
    const std::int64_t size = shape[static_cast<int>(axis)];
    const auto& [known, where] = sizes.try_emplace(dimension.name, size, input.name).first->second;
    if (known != size) {
      invalid("the dimension {} is {} in \"{}\", but {} in \"{}\"", printable(dimension.name), known, printable(where),
              size, printable(input.name));
    }
  }
}

}  // namespace

std::optional<std::vector<std::int64_t>> resolve(const Declaration& declaration, const Sizes& sizes) {
  if (!declaration.ranked) return std::nullopt;
  std::vector<std::int64_t> dims;
  for (const Dimension& dimension : declaration.dimensions) {
    const auto size = sizes.find(dimension.name);
    if (!dimension.size && size == sizes.end()) return std::nullopt;
    dims.push_back(dimension.size ? *dimension.size : size->second.first);
  }
  return dims;
}

BoundInputs bind_inputs(const SourceModel& model, const Bindings& bindings) {
  for (const auto& [name, binding] : bindings) {
    if (std::ranges::find(model.inputs, name, &Declaration::name) != model.inputs.end()) continue;
    std::vector<std::string> names;
    for (const Declaration& input : model.inputs) names.push_back(format("\"{}\"", printable(input.name)));
    invalid("no input \"{}\"; the model has {}", printable(name),
            names.empty() ? "none" : format("{}", join(names, ", ")));
  }
  BoundInputs bound;
  auto& [types, sizes] = bound;
  for (const Declaration& input : model.inputs) {
    const auto binding = bindings.find(input.name);
    if (binding != bindings.end()) note_sizes(input, bind(input, binding->second.shape), sizes);
  }
  for (const Declaration& input : model.inputs) {
    const auto binding = bindings.find(input.name);
    if (binding != bindings.end()) {
      types.push_back({input.type, binding->second.shape});
      continue;
    }
    const auto dims = resolve(input, sizes);
    if (!dims)
      invalid("the input \"{}\" is {} in the file; its shape must be given", printable(input.name), to_string(input));
    types.push_back({input.type, in_place(printable(input.name), [&] { return Shape(*dims); })});
  }
  return bound;
}

Countable import_graph(const SourceModel& model, const Bindings& bindings, Unhandled unhandled) {
  const bool leaves_out = unhandled == Unhandled::kLeaveOut;
  Importing state{.model = model, .graph = {}, .values = {}, .last = {}};
  state.work_left = kFreeWork + kWorkPerByte * static_cast<std::int64_t>(model.bytes);
  state.values.resize(model.slots.size());
  state.graph.about = model.about;

  const auto [types, sizes] = bind_inputs(model, bindings);
  for (std::size_t i = 0; i < model.inputs.size(); ++i) {
    const std::string& name = model.inputs[i].name;
    state.values[i] = state.graph.add_input(name, types[i]);
    if (std::ranges::find(model.value_inputs, name) == model.value_inputs.end()) continue;
    const auto binding = bindings.find(name);
    if (binding == bindings.end() || binding->second.value == nullptr) {
      if (leaves_out) continue;
      invalid("shapes depend on the values of the input \"{}\", which must be given", printable(name));
    }
    const Tensor& value = *binding->second.value;
    if (value.type() != types[i].type || value.shape() != types[i].shape) {
      invalid("the values of the input \"{}\" are {}, not {}", printable(name),
              to_string(TensorType{value.type(), value.shape()}), to_string(types[i]));
    }
    state.values[i] = state.graph.add_constant(value.copy());
  }
  for (std::size_t i = 0; i < model.initialisers.size(); ++i) {
    if (model.initialisers[i] == nullptr) continue;
    state.values[model.inputs.size() + i] = state.graph.add_constant(model.initialisers[i]);
  }

  // A node that is not handled leaves its outputs without a value, unless something stands in for them; those
  // after it are passed over, so that one pass finds all that can be known to be unhandled.
  LeftOut left_out(state, sizes);
  for (const SourceNode& source : model.nodes) {
    const std::size_t first = state.graph.nodes().size();
    if (source.op == nullptr) {
      left_out.leave(source, source.why, first);
      continue;
    }
    if (!left_out.supply(source)) continue;
    NodeImport node(state, source);
    try {
      source.op->import(node);
      for (const Slot output : source.outputs) expect(state.has(output), "a node gives all outputs that are wanted");
    } catch (const Error& error) {
      left_out.leave(source, error, first);
    }
  }
  if (!leaves_out) left_out.refuse_any();

  for (std::size_t i = 0; i < model.outputs.size(); ++i) {
    const Declaration& output = model.outputs[i];
    const Slot slot = model.output_slots[i];
    if (!left_out.supply(slot)) continue;
    const ValueId value = state.values[static_cast<std::size_t>(slot)].value();
    const DataType type = state.graph.type(value).type;
    // Declared shapes are not looked at: exporters get them wrong.
    if (model.typed_outputs[i] && output.type != type && !left_out.doubtful(slot)) {
      invalid("the output \"{}\" is {} in the file, but its nodes give {}", printable(output.name),
              name_of(output.type), name_of(type));
    }
    state.graph.add_output(output.name, value);
  }
  return left_out.take();
}

std::vector<ValueId> NodeImport::add_named(Op op, std::vector<ValueId> inputs, std::string name) {
  Graph& graph = state_.graph;
  std::vector<TensorType> types;
  std::vector<const Tensor*> constants;
  for (const ValueId input : inputs) {
    types.push_back(graph.type(input));
    if (graph.is_constant(input)) constants.push_back(graph.constant(input).get());
  }
  // Here rather than in add_node, which would name the node a second time.
  const std::vector<TensorType> results = infer(op, types);
  if (constants.size() == inputs.size()) {
    const std::optional<std::int64_t> work = folding_work(op, types, results);
    if (work && *work <= std::max(state_.work_left, kSmallWork) && can_evaluate(op, types)) {
      if (*work > kSmallWork) state_.work_left -= *work;
      std::vector<ValueId> outputs;
      for (Tensor& tensor : evaluate(op, constants)) outputs.push_back(graph.add_constant(std::move(tensor)));
      return outputs;
    }
  }
  const std::span<const ValueId> outputs = graph.add_node(std::move(op), std::move(inputs), std::move(name));
  return {outputs.begin(), outputs.end()};
}

std::vector<ValueId> NodeImport::add_all(Op op, std::vector<ValueId> inputs, std::string_view suffix) {
  return add_named(std::move(op), std::move(inputs), suffix.empty() ? node_.name : format("{}/{}", node_.name, suffix));
}

void NodeImport::charge(std::int64_t elements) {
  if (elements > state_.work_left) {
    invalid("{} of {} elements, more than a file of {} bytes justifies", type(), elements, state_.model.bytes);
  }
  state_.work_left -= elements;
}

ValueId NodeImport::reshape(ValueId value, const Shape& shape, std::string_view suffix) {
  return add(Reshape{shape}, {value}, suffix);
}

ValueId NodeImport::cast(ValueId value, DataType type, std::string_view suffix) {
  return graph().type(value).type == type ? value : add(Cast{type}, {value}, suffix);
}

ValueId NodeImport::channels_last(ValueId value) {
  const int rank = graph().shape(value).rank();
  if (rank <= 2) return value;
  const auto known = state_.last.find(static_cast<std::uint32_t>(value));
  if (known != state_.last.end()) return known->second;
  const ValueId last = add_named(Transpose{sepal::channels_last(rank)}, {value}, {}).front();
  state_.last.emplace(static_cast<std::uint32_t>(value), last);
  return last;
}

ValueId NodeImport::channels_first(ValueId value) {
  const int rank = graph().shape(value).rank();
  return rank <= 2 ? value : add_named(Transpose{sepal::channels_first(rank)}, {value}, {}).front();
}

}  // namespace sepal::onnx
