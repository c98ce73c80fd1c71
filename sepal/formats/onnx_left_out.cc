// A value that nothing computes gets a stand-in when the first node asks for it: an input of the graph, of the type
// and shape that the file tells. Strangers write those, so whatever rests on one is doubtful, and a doubtful node that
// does not fit is left out instead of condemning the file. A node may fail after it has put operators into the
// graph, which can only grow; so the graph is built again in the end, without them and without stand-ins that
// nobody reads.

#include "sepal/formats/onnx_left_out.h"

#include <algorithm>

#include "sepal/base/text.h"

namespace sepal::onnx {
namespace {

std::size_t index(Slot slot) { return static_cast<std::size_t>(slot); }

}  // namespace

LeftOut::LeftOut(Importing& state, const Sizes& sizes)
    : state_(state), sizes_(sizes), real_inputs_(state.graph.inputs().size()), doubtful_(state.model.slots.size()) {
  for (const auto& [slot, what] : state.model.unhandled) {
    problems_.push_back(format("{} ({})", printable(state.model.slots[index(slot)]), what));
  }
}

/// Type and shape of a stand-in. A dimension of 0 is how some exporters write that they do not know it.
std::optional<TensorType> LeftOut::declared(Slot slot) const {
  const auto found = state_.model.declarations.find(slot);
  if (found == state_.model.declarations.end()) return std::nullopt;
  const auto dims = resolve(found->second, sizes_);
  if (!dims || std::ranges::count(*dims, 0) != 0) return std::nullopt;
  try {
    return TensorType{found->second.type, Shape(*dims)};
  } catch (const Error&) {  // too many elements
    return std::nullopt;
  }
}

std::string LeftOut::why_without(Slot slot) const {
  const std::string name = printable(state_.model.slots[index(slot)]);
  const auto unhandled = state_.model.unhandled.find(slot);
  if (unhandled != state_.model.unhandled.end()) return format("its input \"{}\": {}", name, unhandled->second);
  const auto declaration = state_.model.declarations.find(slot);
  const bool told = declaration != state_.model.declarations.end() && declaration->second.ranked;
  const SourceNode& giver = *givers_.at(slot);
  return format("its input \"{}\" comes from \"{}\" ({}), and the file {}", name, printable(giver.name),
                printable(giver.type),
                told ? format("says its shape only as {}", to_string(declaration->second)) : "does not say its shape");
}

bool LeftOut::supply(const SourceNode& node) {
  for (const Slot input : node.inputs) {
    if (state_.has(input) || declared(input)) continue;
    left_out_.push_back({node.name, node.type, why_without(input)});
    for (const Slot output : node.outputs) givers_.emplace(output, &node);
    return false;
  }
  for (const Slot input : node.inputs) supply(input);
  if (std::ranges::any_of(node.inputs, [&](Slot input) { return doubtful(input); })) {
    for (const Slot output : node.outputs) {
      if (output != kNoSlot) doubtful_[index(output)] = true;
    }
  }
  return true;
}

bool LeftOut::supply(Slot slot) {
  if (state_.has(slot)) return true;
  const std::optional<TensorType> type = declared(slot);
  if (!type) return false;
  if (state_.graph.inputs().size() >= kMostEnds) {
    fail(ErrorKind::kUnsupported, "more than {} inputs and values of nodes that are not handled", kMostEnds);
  }
  state_.values[index(slot)] = state_.graph.add_input(state_.model.slots[index(slot)], *type);
  doubtful_[index(slot)] = true;
  return true;
}

void LeftOut::leave(const SourceNode& node, std::string why, std::size_t first) {
  problems_.push_back(format("{} ({}: {})", printable(node.name), printable(node.type), why));
  left_out_.push_back({node.name, node.type, std::move(why)});
  for (const Slot output : node.outputs) {
    if (output == kNoSlot) continue;
    givers_.emplace(output, &node);
    state_.values[index(output)].reset();
  }
  const auto nodes = state_.graph.nodes();
  if (first == nodes.size()) return;
  halves_.emplace_back(first, nodes.size());
  // Others must not share a transpose that goes.
  for (const Node& half : nodes.subspan(first)) {
    if (!std::holds_alternative<Transpose>(half.op)) continue;
    const auto last = state_.last.find(static_cast<std::uint32_t>(half.inputs.front()));
    if (last != state_.last.end() && last->second == half.outputs.front()) state_.last.erase(last);
  }
}

void LeftOut::leave(const SourceNode& node, const Error& error, std::size_t first) {
  if (error.kind() == ErrorKind::kUnsupported) return leave(node, error.what(), first);
  const bool rests_on_declared = std::ranges::any_of(node.inputs, [&](Slot input) { return doubtful(input); });
  if (error.kind() != ErrorKind::kInvalid || !rests_on_declared) throw error.in(printable(node.name));
  leave(node, format("{} (by the shapes that the file declares)", error.what()), first);
}

void LeftOut::refuse_any() const {
  if (!problems_.empty()) refuse(problems_);
}

Countable LeftOut::take() {
  const Graph& whole = state_.graph;
  if (halves_.empty() && whole.inputs().size() == real_inputs_) return {std::move(state_.graph), std::move(left_out_)};

  std::vector<bool> stays(whole.nodes().size(), true);
  for (const auto& [first, last] : halves_) std::fill_n(stays.begin() + std::ptrdiff_t(first), last - first, false);
  std::vector<bool> read(whole.value_count());
  for (std::size_t i = 0; i < whole.nodes().size(); ++i) {
    for (const ValueId input : whole.nodes()[i].inputs)
      read[Graph::index(input)] = read[Graph::index(input)] || stays[i];
  }
  for (const Port& output : whole.outputs()) read[Graph::index(output.value)] = true;

  Graph graph;
  graph.about = whole.about;
  std::vector<std::optional<ValueId>> twins(whole.value_count());
  const auto twin = [&](ValueId value) {
    std::optional<ValueId>& known = twins[Graph::index(value)];
    if (!known) known = graph.add_constant(whole.constant(value));
    return *known;
  };
  for (std::size_t i = 0; i < whole.inputs().size(); ++i) {
    const auto& [name, value] = whole.inputs()[i];
    if (i < real_inputs_ || read[Graph::index(value)])
      twins[Graph::index(value)] = graph.add_input(name, whole.type(value));
  }
  for (std::size_t i = 0; i < whole.nodes().size(); ++i) {
    if (!stays[i]) continue;
    const Node& node = whole.nodes()[i];
    std::vector<ValueId> inputs;
    for (const ValueId input : node.inputs) inputs.push_back(twin(input));
    const std::span<const ValueId> outputs = graph.add_node(node.op, std::move(inputs), node.name);
    for (std::size_t j = 0; j < outputs.size(); ++j) twins[Graph::index(node.outputs[j])] = outputs[j];
  }
  for (const auto& [name, value] : whole.outputs()) graph.add_output(name, twin(value));
  return {std::move(graph), std::move(left_out_)};
}

}  // namespace sepal::onnx
