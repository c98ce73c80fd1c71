// What can be checked before any shape is known: that there is a graph, in versions that are handled; that
// every value is given once, and before it is used (so there are no cycles); that every node fits its row of
// the operator table. Names become slots here, and tensors constants; of the file's bytes nothing is kept.
// What is not handled is gathered for one refusal, or, if the caller wants so, marked to be left out.

#include <algorithm>
#include <set>

#include "sepal/base/text.h"
#include "sepal/formats/onnx_import.h"
#include "sepal/formats/onnx_tensor.h"

namespace sepal::onnx {
namespace {

constexpr std::int64_t kOldestIr = 3;
constexpr std::int64_t kNewestIr = 13;

bool is_default(std::string_view domain) { return domain.empty() || domain == "ai.onnx"; }

/// 0 if nodes of other domains are all that there is and those need not be handled.
std::int64_t default_opset(const ModelProto& proto, bool leaves_out) {
  std::optional<std::int64_t> version;
  for (const OperatorSetProto& set : proto.opsets) {
    if (!is_default(set.domain)) continue;
    if (version && *version != set.version) invalid("two opsets, {} and {}", *version, set.version);
    version = set.version;
  }
  const auto needs_one = [](const NodeProto& node) { return is_default(node.domain); };
  if (!version && leaves_out && std::ranges::none_of(proto.graph->nodes, needs_one)) return 0;
  if (!version) invalid("no opset for the operators of ONNX");
  if (!leaves_out && (*version < 1 || *version > kNewestOpset)) {
    fail(ErrorKind::kUnsupported, "opset {} is not handled; those from 1 to {} are", *version, kNewestOpset);
  }
  return *version;
}

Declaration declare(const ValueInfoProto& info) {
  if (!info.is_tensor) fail(ErrorKind::kUnsupported, "a value that is no tensor is not handled");
  Declaration declaration{info.name, element_type(info.type), {}, info.has_shape, info.type == ElementType::kDouble};
  for (const DimensionProto& dim : info.dims) {
    // Some exporters write -1 for a free dimension.
    const bool free = !dim.value || *dim.value < 0;
    declaration.dimensions.push_back({free ? std::nullopt : dim.value, free ? dim.name : std::string()});
  }
  if (info.dims.size() > Shape::kMaxRank) {
    invalid("{} dimensions, but at most {} are handled", info.dims.size(), Shape::kMaxRank);
  }
  return declaration;
}

class Loader {
 public:
  Loader(ModelProto proto, const std::filesystem::path& folder, Unhandled unhandled)
      : proto_(std::move(proto)), files_(folder), leaves_out_(unhandled == Unhandled::kLeaveOut) {}

  SourceModel load(std::size_t bytes) {
    if (!proto_.graph) invalid("not an ONNX model: it has no graph");
    if (proto_.ir_version < kOldestIr || proto_.ir_version > kNewestIr) {
      fail(ErrorKind::kUnsupported, "IR version {} is not handled; those from {} to {} are", proto_.ir_version,
           kOldestIr, kNewestIr);
    }
    model_.opset = default_opset(proto_, leaves_out_);
    model_.bytes = bytes;
    GraphProto& graph = *proto_.graph;
    if (graph.has_sparse_initializers && !leaves_out_) {
      fail(ErrorKind::kUnsupported, "sparse initialisers are not handled");
    }
    if (graph.inputs.size() > kMostEnds || graph.outputs.size() > kMostEnds) {
      invalid("{} inputs and {} outputs, but at most {} are handled", graph.inputs.size(), graph.outputs.size(),
              kMostEnds);
    }
    load_about(graph);
    load_inputs(graph);
    load_initialisers(graph);
    load_nodes(graph);
    declare_outputs(graph);
    if (!problems_.empty()) refuse(problems_);
    load_outputs();
    load_declarations(graph);
    find_value_inputs();
    return std::move(model_);
  }

 private:
  void load_about(GraphProto& graph) {
    About& about = model_.about;
    about.name = std::move(graph.name);
    about.documentation = std::move(proto_.documentation.empty() ? graph.documentation : proto_.documentation);
    about.producer = std::move(proto_.producer_name);
    about.producer_version = std::move(proto_.producer_version);
    about.domain = std::move(proto_.domain);
    about.version = proto_.model_version;
    for (auto& [key, value] : proto_.metadata) about.properties.insert_or_assign(std::move(key), std::move(value));
  }

  /// Runs `work` on the part of the file that has this name. What it says is not handled goes to `leave`, or joins
  /// the list that is refused in the end, so that one error tells all of it.
  template <std::invocable Work, std::invocable<std::string> Leave>
  void gather(const std::string& name, Work&& work, Leave&& leave) {
    const std::string place = printable(name);
    try {
      work();
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kUnsupported) throw error.in(place);
      leaves_out_ ? leave(error.what()) : problems_.push_back(format("{} ({})", place, error.what()));
    }
  }

  /// A new slot of that name.
  Slot give(const std::string& name) {
    const auto slot = static_cast<Slot>(model_.slots.size());
    if (!slots_.emplace(name, slot).second) invalid("\"{}\" is given twice", printable(name));
    model_.slots.push_back(name);
    return slot;
  }

  void load_inputs(const GraphProto& graph) {
    std::set<std::string_view> initialised(graph.sparse_initializers.begin(), graph.sparse_initializers.end());
    for (const TensorProto& tensor : graph.initializers) initialised.insert(tensor.name);
    for (const ValueInfoProto& input : graph.inputs) {
      if (initialised.contains(input.name)) continue;
      Declaration declaration;
      std::string problem;
      gather(input.name, [&] { declaration = declare(input); }, [&](std::string why) { problem = std::move(why); });
      if (problem.empty()) {
        give(input.name);
        model_.inputs.push_back(std::move(declaration));
      } else {
        unhandled_inputs_.emplace_back(input.name, std::move(problem));
      }
    }
  }

  void load_initialisers(GraphProto& graph) {
    for (TensorProto& tensor : graph.initializers) {
      const Slot slot = give(tensor.name);
      Constant& value = model_.initialisers.emplace_back();
      gather(
          tensor.name, [&] { value = constant(tensor); },
          [&](std::string why) { model_.unhandled.emplace(slot, std::move(why)); });
      tensor = {};  // the typed fields may be as large as the tensor
    }
    // After all that has a place by its number.
    for (auto& [name, why] : unhandled_inputs_) model_.unhandled.emplace(give(name), std::move(why));
    for (const std::string& name : graph.sparse_initializers) {
      model_.unhandled.emplace(give(name), "sparse initialisers are not handled");
    }
  }

  Constant constant(const TensorProto& tensor) {
    auto result = std::make_shared<const Tensor>(to_tensor(tensor, files_));
    if (tensor.has_external) model_.bytes += result->bytes();
    return result;
  }

  void load_nodes(GraphProto& graph) {
    for (NodeProto& node : graph.nodes) {
      if (node.name.empty()) {
        for (const std::string& output : node.outputs) {
          if (node.name.empty()) node.name = output;
        }
        if (node.name.empty()) node.name = node.op_type;
      }
      SourceNode& loaded = model_.nodes.emplace_back();
      const auto load = [&] { connect(node, loaded), fit(node, loaded); };
      gather(node.name, load, [&](std::string why) { leave_out(loaded, std::move(why)); });
      node = {};
    }
  }

  /// The node between its slots. It has its outputs before anything is said to be not handled: others read them.
  void connect(const NodeProto& proto, SourceNode& node) {
    node.name = proto.name;
    node.type = is_default(proto.domain) ? proto.op_type : format("{}.{}", proto.domain, proto.op_type);
    for (const std::string& input : proto.inputs) {
      const auto slot = slots_.find(input);
      if (!input.empty() && slot == slots_.end()) invalid("uses \"{}\" before anything gives it", printable(input));
      node.inputs.push_back(input.empty() ? kNoSlot : slot->second);
    }
    for (const std::string& output : proto.outputs) node.outputs.push_back(output.empty() ? kNoSlot : give(output));
  }

  /// What is left is one line of the list: the type need not be told again, and attributes are of no more use.
  void leave_out(SourceNode& node, std::string why) const {
    if (node.op == nullptr) {
      const bool other_opset = knows_operator(node.type);
      node.why = other_opset ? format("not handled in opset {}", model_.opset) : "its operator is not handled";
    } else {
      const std::string type = format("{}: ", node.op->type);
      node.why = why.starts_with(type) ? why.substr(type.size()) : std::move(why);
    }
    node.op = nullptr;
    node.attributes = {};
  }

  /// Checks the node against its row of the table.
  void fit(NodeProto& proto, SourceNode& node) {
    const std::string type = printable(proto.op_type);
    if (!is_default(proto.domain)) fail(ErrorKind::kUnsupported, "{} of {}", type, printable(proto.domain));
    node.op = find_operator(proto.op_type, model_.opset);
    if (node.op == nullptr && knows_operator(proto.op_type)) {
      fail(ErrorKind::kUnsupported, "{} of opset {}", type, model_.opset);
    }
    if (node.op == nullptr) fail(ErrorKind::kUnsupported, "{}", type);
    check_count(*node.op, node.op->inputs, node.inputs.size(), "inputs");
    check_count(*node.op, node.op->outputs, node.outputs.size(), "outputs");
    if (node.outputs.front() == kNoSlot && std::ranges::count(node.outputs, kNoSlot) == std::ssize(node.outputs)) {
      invalid("{} without an output", type);
    }
    for (AttributeProto& attribute : proto.attributes) {
      const AttributeType wanted = attribute_type(*node.op, attribute.name);
      const std::string name = printable(attribute.name);
      if (wanted == AttributeType::kUndefined) fail(ErrorKind::kUnsupported, "{}: attribute \"{}\"", type, name);
      // A list without elements and without a type, as files of IR 1 and 2 could have.
      const bool empty_list = attribute.type == AttributeType::kUndefined &&
                              (wanted == AttributeType::kInts || wanted == AttributeType::kFloats);
      if (attribute.type != wanted && !empty_list) {
        invalid("attribute \"{}\" is {} instead of {}", name, name_of(attribute.type), name_of(wanted));
      }
      if (std::ranges::find(node.attributes, attribute.name, &Attribute::name) != node.attributes.end()) {
        invalid("attribute \"{}\" is given twice", name);
      }
      if (wanted == AttributeType::kTensor && !attribute.t) invalid("attribute \"{}\" has no tensor", name);
      node.attributes.push_back({.name = std::move(attribute.name),
                                 .type = wanted,
                                 .f = attribute.f,
                                 .i = attribute.i,
                                 .s = std::move(attribute.s),
                                 .tensor = attribute.t ? attribute_tensor(*attribute.t) : nullptr,
                                 .floats = std::move(attribute.floats),
                                 .ints = std::move(attribute.ints)});
    }
    check_axes(node);
  }

  Constant attribute_tensor(const TensorProto& tensor) {
    return in_place(printable(tensor.name.empty() ? "a constant" : tensor.name), [&] { return constant(tensor); });
  }

  /// Three spatial axes are found here where the kernel tells of them; elsewhere the input's shape will.
  void check_axes(const SourceNode& node) const {
    const std::string_view type = node.op->type;
    const bool pooling = type == "MaxPool" || type == "AveragePool";
    if (!pooling && type.find("Conv") == std::string_view::npos) return;
    const auto kernel = std::ranges::find(node.attributes, "kernel_shape", &Attribute::name);
    bool deep = kernel != node.attributes.end() && kernel->ints.size() == 3;
    if (!pooling) {
      // Slots of initialisers follow those of the inputs.
      const auto filter = static_cast<std::size_t>(node.inputs[type == "QLinearConv" ? 3 : 1]);
      const std::size_t place = filter - model_.inputs.size();
      const bool known = filter >= model_.inputs.size() && place < model_.initialisers.size();
      const Constant value = known ? model_.initialisers[place] : nullptr;
      deep = deep || (value != nullptr && value->shape().rank() == 5);
    }
    if (deep) fail(ErrorKind::kUnsupported, "{}: a 3-D {}", type, pooling ? "pooling" : "convolution");
  }

  static void check_count(const Operator& row, Count allowed, std::size_t found, const char* what) {
    const auto least = static_cast<std::size_t>(allowed.least);
    const auto most = static_cast<std::size_t>(allowed.most);
    if (found >= least && found <= most) return;
    if (least == most) invalid("{} with {} {} instead of {}", row.type, found, what, least);
    if (allowed.most == Count::kAny) invalid("{} with {} {}, but at least {} are needed", row.type, found, what, least);
    invalid("{} with {} {} instead of {} to {}", row.type, found, what, least, most);
  }

  void declare_outputs(const GraphProto& graph) {
    for (const ValueInfoProto& output : graph.outputs) {
      // Its type follows from the nodes, so a file that leaves it out does no harm.
      const bool typed = output.is_tensor && output.type != ElementType::kUndefined;
      Declaration& declaration = model_.outputs.emplace_back(Declaration{output.name, DataType::kF32, {}, false});
      bool handled = typed;
      if (typed)
        gather(output.name, [&] { declaration = declare(output); }, [&](const std::string&) { handled = false; });
      model_.typed_outputs.push_back(handled);
    }
  }

  /// What the file says of values that nodes give, its outputs included; the first word counts.
  void load_declarations(const GraphProto& graph) {
    if (!leaves_out_) return;
    const std::size_t given = model_.inputs.size() + model_.initialisers.size();
    const auto note = [&](const Declaration& declaration) {
      const auto slot = slots_.find(declaration.name);
      if (slot == slots_.end() || static_cast<std::size_t>(slot->second) < given) return;
      if (!model_.unhandled.contains(slot->second)) model_.declarations.try_emplace(slot->second, declaration);
    };
    for (const ValueInfoProto& value : graph.values) {
      try {
        note(declare(value));
      } catch (const Error&) {  // a type, or a number of dimensions, that could not stand in for anything
      }
    }
    for (std::size_t i = 0; i < model_.outputs.size(); ++i) {
      if (model_.typed_outputs[i]) note(model_.outputs[i]);
    }
  }

  void load_outputs() {
    if (model_.outputs.empty()) invalid("the graph has no outputs");
    std::set<std::string_view> seen;
    for (const Declaration& output : model_.outputs) {
      const auto slot = slots_.find(output.name);
      if (slot == slots_.end()) invalid("nothing gives the output \"{}\"", printable(output.name));
      if (!seen.insert(output.name).second) invalid("two outputs are called \"{}\"", printable(output.name));
      model_.output_slots.push_back(slot->second);
    }
  }

  /// Walks back from the inputs of nodes whose values decide shapes to the inputs of the graph; a Shape or
  /// a Size ends the way, since it looks at no value.
  void find_value_inputs() {
    std::vector<const SourceNode*> giver(model_.slots.size());
    for (const SourceNode& node : model_.nodes) {
      for (const Slot output : node.outputs) {
        if (output != kNoSlot) giver[static_cast<std::size_t>(output)] = &node;
      }
    }
    std::vector<bool> seen(model_.slots.size());
    std::vector<Slot> open;
    const auto visit = [&](Slot slot) {
      if (slot == kNoSlot || seen[static_cast<std::size_t>(slot)]) return;
      seen[static_cast<std::size_t>(slot)] = true;
      open.push_back(slot);
    };
    for (const SourceNode& node : model_.nodes) {
      for (std::size_t i = 0; node.op != nullptr && i < node.inputs.size() && i < 32; ++i) {
        if ((node.op->value_inputs >> i & 1) != 0) visit(node.inputs[i]);
      }
    }
    while (!open.empty()) {
      const SourceNode* node = giver[static_cast<std::size_t>(open.back())];
      open.pop_back();
      if (node == nullptr || node->op == nullptr || node->op->type == "Shape" || node->op->type == "Size") continue;
      for (const Slot input : node->inputs) visit(input);
    }
    for (std::size_t i = 0; i < model_.inputs.size(); ++i) {
      if (seen[i]) model_.value_inputs.push_back(model_.inputs[i].name);
    }
  }

  ModelProto proto_;
  ExternalFiles files_;
  bool leaves_out_;
  SourceModel model_;
  std::unordered_map<std::string, Slot> slots_;
  std::vector<std::string> problems_;                                  ///< what is not handled: "name (what)"
  std::vector<std::pair<std::string, std::string>> unhandled_inputs_;  ///< name, what
};

}  // namespace

void refuse(const std::vector<std::string>& problems) {
  // A line that can still be read, whatever the file.
  constexpr std::size_t kMost = 200;
  const std::span shown = std::span(problems).first(std::min(problems.size(), kMost));
  const std::string more = problems.size() > kMost ? format(" and {} more", problems.size() - kMost) : "";
  fail(ErrorKind::kUnsupported, "not handled: {}{}", join(shown, ", "), more);
}

SourceModel load_model(Bytes bytes, const std::filesystem::path& folder, Unhandled unhandled) {
  if (bytes.empty()) invalid("not an ONNX model: the file is empty");
  ModelProto proto = parse_model(bytes, unhandled == Unhandled::kLeaveOut);
  return Loader(std::move(proto), folder, unhandled).load(bytes.size());
}

}  // namespace sepal::onnx
