#include "sepal/formats/onnx_write_lowering.h"

#include <algorithm>

#include "sepal/base/text.h"
#include "sepal/evaluate/evaluate.h"
#include "sepal/formats/onnx_write_node.h"

namespace sepal::onnx {
namespace {

std::size_t at(Wire wire) { return static_cast<std::size_t>(wire); }
std::size_t at(Order order) { return static_cast<std::size_t>(order); }

/// The IR version that came with the opset.
std::int64_t ir_version(std::int64_t opset) { return opset < 19 ? 8 : opset < 21 ? 9 : 10; }

std::vector<std::int64_t> axes_of(const Permutation& permutation) {
  return {permutation.axes.begin(), permutation.axes.begin() + permutation.rank};
}

ValueInfoProto describe(const std::string& name, const TensorType& type) {
  ValueInfoProto info{.name = name, .is_tensor = true, .type = element_type(type.type), .has_shape = true, .dims = {}};
  for (const std::int64_t dim : type.shape) info.dims.push_back({.value = dim, .name = {}});
  return info;
}

/// The tensor with `rank` axes, its channels (the last one) second.
Tensor channels_first(const Tensor& tensor, int rank) {
  std::vector<std::int64_t> dims(static_cast<std::size_t>(rank - tensor.shape().rank()), 1);
  dims.insert(dims.end(), tensor.shape().begin(), tensor.shape().end());
  const Tensor whole = tensor.copy().reshaped(Shape(dims));
  const Tensor* input = &whole;
  return std::move(evaluate(Transpose{sepal::channels_first(rank)}, {&input, 1}).front());
}

}  // namespace

ElementType element_type(DataType type) {
  switch (type) {
    case DataType::kF32:
      return ElementType::kFloat;
    case DataType::kF16:
      return ElementType::kFloat16;
    case DataType::kBF16:
      return ElementType::kBfloat16;
    case DataType::kI8:
      return ElementType::kInt8;
    case DataType::kU8:
      return ElementType::kUint8;
    case DataType::kI16:
      return ElementType::kInt16;
    case DataType::kU16:
      return ElementType::kUint16;
    case DataType::kI32:
      return ElementType::kInt32;
    case DataType::kI64:
      return ElementType::kInt64;
    case DataType::kBool:
      break;
  }
  return ElementType::kBool;
}

AttributeProto& Attributes::add(std::string_view name, AttributeType type) {
  AttributeProto& attribute = list_.emplace_back();
  attribute.name = name;
  attribute.type = type;
  return attribute;
}

Attributes Attributes::integer(std::string_view name, std::int64_t value) && {
  add(name, AttributeType::kInt).i = value;
  return std::move(*this);
}

Attributes Attributes::real(std::string_view name, float value) && {
  add(name, AttributeType::kFloat).f = value;
  return std::move(*this);
}

Attributes Attributes::text(std::string_view name, std::string_view value) && {
  add(name, AttributeType::kString).s = value;
  return std::move(*this);
}

Attributes Attributes::integers(std::string_view name, std::vector<std::int64_t> values) && {
  add(name, AttributeType::kInts).ints = std::move(values);
  return std::move(*this);
}

Lowering::Lowering(const Graph& graph)
    : graph_(graph),
      opset_(lowest_opset(graph)),
      wires_of_(graph.value_count(), {kNoWire, kNoWire}),
      readers_(graph.value_count()) {
  for (const Node& node : graph.nodes()) {
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      Readers& readers = readers_[Graph::index(node.inputs[i])];
      const bool image = i < 32 && (image_inputs(node.op) >> i & 1) != 0;
      (image ? readers.images : readers.others) = true;
    }
  }
  for (const Port& port : graph.outputs()) readers_[Graph::index(port.value)].others = true;
  ModelProto& model = result_.model;
  const About& about = graph.about;
  model.ir_version = ir_version(opset_);
  model.producer_name = about.producer;
  model.producer_version = about.producer_version;
  model.domain = about.domain;
  model.model_version = about.version;
  model.documentation = about.documentation;
  model.opsets.push_back({.domain = {}, .version = opset_});
  model.metadata.assign(about.properties.begin(), about.properties.end());
  GraphProto& file = model.graph.emplace();
  file.name = about.name;
  for (const auto& [name, value] : graph.inputs()) {
    const Wire wire = new_wire(Source::kInput, name);
    wires_[at(wire)].named = true;
    value_names_.taken.insert(name);
    give(value, Order::kOwn, wire);
    file.inputs.push_back(describe(name, graph.type(value)));
  }
  for (const auto& [name, value] : graph.outputs()) {
    // In ONNX one name is one value.
    const auto input = std::ranges::find(graph.inputs(), name, &Port::name);
    if (input != graph.inputs().end() && input->value != value) {
      invalid("\"{}\" is the name of an input and of an output that differs from it", printable(name));
    }
    value_names_.taken.insert(name);
    file.outputs.push_back(describe(name, graph.type(value)));
  }
}

Wire Lowering::new_wire(Source source, std::string name) {
  wires_.push_back({.source = source, .name = std::move(name)});
  return static_cast<Wire>(wires_.size() - 1);
}

bool Lowering::has(ValueId value, Order order) const {
  return graph_.is_constant(value) || wires_of_[Graph::index(value)][at(order)] != kNoWire;
}

void Lowering::give(ValueId value, Order order, Wire wire) { wires_of_[Graph::index(value)][at(order)] = wire; }

Wire Lowering::wire(ValueId value, Order order, const std::string& name) {
  const int rank = graph_.shape(value).rank();
  const Constant& tensor = graph_.constant(value);
  if (tensor != nullptr) return constant(tensor, order == Order::kFirst ? rank : 0, name);
  const Wire known = wires_of_[Graph::index(value)][at(order)];
  if (known != kNoWire) return known;
  const Wire other = wires_of_[Graph::index(value)][1 - at(order)];
  expect(other != kNoWire, "a value is there in one order before it is read");
  const bool first = order == Order::kFirst;
  const Permutation permutation = first ? sepal::channels_first(rank) : channels_last(rank);
  const Wire made = add("Transpose", {}, {other}, Attributes().integers("perm", axes_of(permutation)));
  wires_[at(made)].name = wires_[at(other)].name + (first ? "/first" : "/last");
  give(value, order, made);
  return made;
}

Wire Lowering::constant(const Constant& tensor, int first_rank, const std::string& name) {
  const int rank = std::max(first_rank, tensor->shape().rank()) <= 2 ? 0 : first_rank;  // the two orders are one
  const auto [place, is_new] = constants_.try_emplace({tensor.get(), rank}, kNoWire);
  if (is_new) {
    const Constant written = rank == 0 ? tensor : std::make_shared<const Tensor>(channels_first(*tensor, rank));
    TensorProto& proto = result_.model.graph->initializers.emplace_back();
    proto.type = element_type(written->type());
    proto.dims.assign(written->shape().begin(), written->shape().end());
    proto.raw = Bytes(written->data(), written->bytes());
    result_.constants.push_back(written);
    place->second = new_wire(Source::kInitialiser, name);
    initialisers_.push_back(place->second);
  }
  return place->second;
}

Wire Lowering::constant(Tensor tensor, const std::string& name) {
  return constant(std::make_shared<const Tensor>(std::move(tensor)), 0, name);
}

Wire Lowering::integers(const std::vector<std::int64_t>& values, const std::string& name) {
  return constant(Tensor::of<std::int64_t>({std::ssize(values)}, values), name);
}

std::vector<Wire> Lowering::add_all(std::string_view type, const std::string& name, std::vector<Wire> inputs,
                                    Attributes attributes, int outputs) {
  NodeProto& node = result_.model.graph->nodes.emplace_back();
  node.name = name.empty() ? name : unique(name, node_names_);
  node.op_type = type;
  node.attributes = std::move(attributes).take();
  std::vector<Wire> results;
  for (int i = 0; i < outputs; ++i) results.push_back(new_wire(Source::kNode, name));
  node_wires_.push_back({std::move(inputs), results});
  return results;
}

/// The final producer writes the output's name itself; where it cannot, an Identity does.
void Lowering::declare_output(const Port& port) {
  const Wire wire = this->wire(port.value, Order::kOwn, port.name);
  WireInfo& info = wires_[at(wire)];
  if (info.named && info.name == port.name) return;
  const Wire named = info.source == Source::kNode && !info.named ? wire : add("Identity", {}, {wire});
  wires_[at(named)] = {.source = Source::kNode, .name = port.name, .named = true};
}

std::string Lowering::unique(const std::string& name, Names& names) {
  std::string result = name;
  for (int& repeat = names.repeats[name]; !names.taken.insert(result).second;) result = format("{}.{}", name, ++repeat);
  return result;
}

void Lowering::name_wires() {
  for (WireInfo& wire : wires_) {
    if (wire.named) continue;
    wire.name = unique(wire.name.empty() ? "value" : wire.name, value_names_);
    wire.named = true;
  }
}

Lowered Lowering::finish() && {
  for (const Port& port : graph_.outputs()) declare_output(port);
  name_wires();
  GraphProto& file = *result_.model.graph;
  const auto names = [&](const std::vector<Wire>& wires) {
    std::vector<std::string> result;
    for (const Wire wire : wires) result.push_back(wire == kNoWire ? std::string() : wires_[at(wire)].name);
    return result;
  };
  for (std::size_t i = 0; i < file.nodes.size(); ++i) {
    file.nodes[i].inputs = names(node_wires_[i].inputs);
    file.nodes[i].outputs = names(node_wires_[i].outputs);
  }
  for (std::size_t i = 0; i < file.initializers.size(); ++i)
    file.initializers[i].name = wires_[at(initialisers_[i])].name;
  return std::move(result_);
}

Lowered lower(const Graph& graph) {
  Lowering lowering(graph);
  for (const Node& node : graph.nodes()) {
    in_place(node.name.empty() ? name_of(node.op) : printable(node.name), [&] { NodeLowering(lowering, node).run(); });
  }
  return std::move(lowering).finish();
}

}  // namespace sepal::onnx
