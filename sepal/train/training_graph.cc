#include "sepal/train/training_graph.h"

#include <algorithm>
#include <optional>
#include <set>

#include "sepal/base/text.h"
#include "sepal/graph/op_kind.h"

// One walk over the network's nodes. Normalised values are not computed where they come into being: a batch norm, and a
// function behind it, are only written down (Read), for a convolution to read them as they are wanted, or to be
// computed when anybody else asks.

namespace sepal {
namespace {

/// activation(batch norm of x), in values of the training graph.
struct Read {
  ValueId x;
  ValueId scale;
  ValueId bias;
  ValueId mean;
  ValueId variance;
  float epsilon = 1e-5f;
  Unary activation{};
};

bool is_weight(ParameterRole role) {
  return role == ParameterRole::kWeights || role == ParameterRole::kBias || role == ParameterRole::kNormalization ||
         role == ParameterRole::kSlope;
}

std::string_view word_of(const Op& op, std::size_t index, ParameterRole role) {
  if (role == ParameterRole::kBias) return "bias";
  if (role == ParameterRole::kSlope) return "slope";
  if (role == ParameterRole::kNormalization) return index == 1 ? "scale" : "shift";
  return std::holds_alternative<Conv2d>(op) || std::holds_alternative<ConvTranspose2d>(op) ? "filter" : "weights";
}

Constant filled(const Shape& shape, float value) {
  Tensor tensor(DataType::kF32, shape);
  std::ranges::fill(tensor.values<float>(), value);
  return std::make_shared<const Tensor>(std::move(tensor));
}

class Converter {
 public:
  Converter(const Graph& network, const TrainingGraphOptions& options)
      : network_(network), options_(options), values_(network.value_count()), last_(last_layer()) {}

  TrainingGraph run() {
    if (network_.inputs().size() != 1 || network_.outputs().size() != 1) {
      invalid("{} inputs and {} outputs; training takes a network with one of each", network_.inputs().size(),
              network_.outputs().size());
    }
    const Port& input = network_.inputs()[0];
    result_.input = result_.graph.add_input(input.name, network_.type(input.value));
    set(input.value, result_.input);
    result_.step = result_.graph.add_input("step", {DataType::kI64, Shape{}});
    // All parameters are inputs, and inputs come first.
    for (const Node& node : network_.nodes()) add_parameters(node);
    check_frozen();
    if (result_.parameters.empty()) invalid("nothing to learn: all weights are frozen, or there are none");
    for (const Node& node : network_.nodes()) visit(node);
    result_.output = value(network_.outputs()[0].value);
    return std::move(result_);
  }

 private:
  Graph& graph() { return result_.graph; }
  std::optional<ValueId>& slot(ValueId old) { return values_[Graph::index(old)]; }
  void set(ValueId old, ValueId now) { slot(old) = now; }

  bool is_frozen(const Node& node) const {
    return std::ranges::any_of(options_.frozen,
                               [&](const std::string& prefix) { return node.name.starts_with(prefix); });
  }

  /// Throws where a prefix begins no name of a node with weights: it would freeze nothing.
  void check_frozen() const {
    std::vector<std::string_view> names;
    for (const Node& node : network_.nodes()) {
      for (std::size_t i = 0; i < node.inputs.size(); ++i) {
        if (!network_.is_constant(node.inputs[i]) || !is_weight(role_of(node.op, i))) continue;
        names.push_back(node.name);
        break;
      }
    }
    for (const std::string& prefix : options_.frozen) {
      if (std::ranges::any_of(names, [&](std::string_view name) { return name.starts_with(prefix); })) continue;
      invalid("no layer with weights has a name that begins with \"{}\"; the first is called \"{}\"", printable(prefix),
              names.empty() ? std::string() : printable(names.front()));
    }
  }

  /// The last node that has weights to learn, in front of which dropout stands.
  const Node* last_layer() const {
    for (std::size_t i = network_.nodes().size(); i-- > 0;) {
      const Node& node = network_.nodes()[i];
      const Factors factors = factors_of(node.op);
      if (factors.weights >= 0 && network_.is_constant(node.inputs[static_cast<std::size_t>(factors.weights)]))
        return &node;
    }
    return nullptr;
  }

  void add_parameters(const Node& node) {
    if (is_frozen(node)) return;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const ValueId source = node.inputs[i];
      const Constant& constant = network_.constant(source);
      const ParameterRole role = role_of(node.op, i);
      if (constant == nullptr || constant->type() != DataType::kF32 || !is_weight(role) || slot(source)) continue;
      Parameter parameter{.name = unique(node, word_of(node.op, i, role)),
                          .kind = kind_of(node, role),
                          .initial = constant,
                          .source = source};
      if (role == ParameterRole::kNormalization && options_.fresh && std::holds_alternative<BatchNorm>(node.op)) {
        parameter.initial = filled(constant->shape(), i == 1 ? 1.0f : 0.0f);
      }
      parameter.value = graph().add_input(parameter.name, {DataType::kF32, constant->shape()});
      set(source, parameter.value);
      result_.parameters.push_back(std::move(parameter));
    }
  }

  ParameterKind kind_of(const Node& node, ParameterRole role) const {
    if (role == ParameterRole::kBias) return ParameterKind::kBias;
    if (role == ParameterRole::kSlope) return ParameterKind::kSlope;
    if (role == ParameterRole::kNormalization) return ParameterKind::kNorm;
    const auto* conv = std::get_if<Conv2d>(&node.op);
    const bool depthwise = conv != nullptr && is_depthwise(*conv, network_.shape(node.inputs[1]));
    return depthwise ? ParameterKind::kDepthwise : ParameterKind::kFilter;
  }

  std::string unique(const Node& node, std::string_view word) {
    const std::string base = format("{}/{}", node.name.empty() ? name_of(node.op) : node.name, word);
    std::string name = base;
    for (int i = 2; !names_.insert(name).second; ++i) name = format("{}_{}", base, i);
    return name;
  }

  /// The value in the training graph, computed if it was only written down.
  ValueId value(ValueId old) {
    if (slot(old)) return *slot(old);
    if (const auto read = reads_.find(old); read != reads_.end()) {
      const Read& r = read->second;
      Read plain = r;
      plain.activation = {};
      const auto key = std::pair(r.x, r.mean);
      auto normalised = normalised_.find(key);
      if (normalised == normalised_.end()) {
        const ValueId y = graph().add(BatchNorm{r.epsilon}, {r.x, r.scale, r.bias, r.mean, r.variance});
        normalised = normalised_.emplace(key, y).first;
      }
      set(old, r.activation == Unary{} ? normalised->second : graph().add(r.activation, {normalised->second}));
      return *slot(old);
    }
    expect(network_.is_constant(old), "values come into being before they are read");
    set(old, graph().add_constant(network_.constant(old)));
    return *slot(old);
  }

  void visit(const Node& node) {
    if (const auto* conv = std::get_if<Conv2d>(&node.op)) return visit(node, *conv);
    if (const auto* norm = std::get_if<BatchNorm>(&node.op)) return visit(node, *norm);
    if (const auto* function = std::get_if<Unary>(&node.op)) {
      const auto read = reads_.find(node.inputs[0]);
      if (read != reads_.end() && read->second.activation == Unary{}) {
        Read activated = read->second;
        activated.activation = *function;
        reads_.emplace(node.outputs[0], activated);
        return;
      }
    }
    std::vector<ValueId> inputs;
    for (const ValueId input : node.inputs) inputs.push_back(value(input));
    drop_out(node, inputs);
    const auto outputs = graph().add_node(node.op, std::move(inputs), node.name);
    for (std::size_t i = 0; i < node.outputs.size(); ++i) set(node.outputs[i], outputs[i]);
  }

  void drop_out(const Node& node, std::vector<ValueId>& inputs) {
    if (&node != last_ || options_.dropout <= 0) return;
    inputs[0] = graph().add(Dropout{options_.dropout, options_.seed}, {inputs[0], result_.step});
  }

  void visit(const Node& node, const Conv2d& conv) {
    TrainingConv2d op{.window = conv.window, .groups = conv.groups};
    std::vector<ValueId> inputs;
    const auto read = reads_.find(node.inputs[0]);
    if (read != reads_.end() && !(&node == last_ && options_.dropout > 0)) {
      const Read& r = read->second;
      op.read = {.on = true, .epsilon = r.epsilon, .activation = r.activation};
      inputs = {r.x, value(node.inputs[1]), r.scale, r.bias, r.mean, r.variance};
    } else {
      inputs = {value(node.inputs[0]), value(node.inputs[1])};
      drop_out(node, inputs);
    }
    const auto outputs = graph().add_node(op, std::move(inputs), node.name);
    ValueId y = outputs[0];
    moments_[y] = {outputs[1], outputs[2]};
    if (node.inputs.size() > 2) y = graph().add(Binary{BinaryKind::kAdd}, {y, value(node.inputs[2])});
    if (conv.activation != Unary{}) y = graph().add(conv.activation, {y});
    set(node.outputs[0], y);
  }

  void visit(const Node& node, const BatchNorm& norm) {
    Read read{.x = value(node.inputs[0]),
              .scale = value(node.inputs[1]),
              .bias = value(node.inputs[2]),
              .mean = {},
              .variance = {},
              .epsilon = norm.epsilon};
    if (is_frozen(node)) {
      read.mean = value(node.inputs[3]);
      read.variance = value(node.inputs[4]);
    } else {
      const auto found = moments_.find(read.x);
      // Moments belong to one batch norm.
      if (found != moments_.end() && !taken_.contains(read.x)) {
        std::tie(read.mean, read.variance) = found->second;
        taken_.insert(read.x);
      } else {
        const auto outputs = graph().add_node(BatchMoments{}, {read.x}, node.name + "/moments");
        read.mean = outputs[0];
        read.variance = outputs[1];
      }
      const Shape& shape = graph().shape(read.x);
      const std::int64_t count = shape.elements() / std::max<std::int64_t>(shape[shape.rank() - 1], 1);
      for (const bool variance : {false, true}) {
        const ValueId source = node.inputs[variance ? 4 : 3];
        const Constant& given = network_.constant(source);
        if (given == nullptr) invalid("{}: a batch norm whose statistics are no constants", printable(node.name));
        result_.moments.push_back({.name = unique(node, variance ? "variance" : "mean"),
                                   .initial = options_.fresh ? filled(given->shape(), variance ? 1.0f : 0.0f) : given,
                                   .batch = variance ? read.variance : read.mean,
                                   .source = source,
                                   .variance = variance,
                                   .count = count});
      }
    }
    reads_.emplace(node.outputs[0], read);
  }

  const Graph& network_;
  const TrainingGraphOptions& options_;
  TrainingGraph result_;
  std::vector<std::optional<ValueId>> values_;  ///< by value of the network
  const Node* last_;
  std::map<ValueId, Read> reads_;                              ///< by value of the network
  std::map<ValueId, std::pair<ValueId, ValueId>> moments_;     ///< by a convolution's result
  std::set<ValueId> taken_;                                    ///< those results whose moments have a batch norm
  std::map<std::pair<ValueId, ValueId>, ValueId> normalised_;  ///< batch norms that were computed, by x and mean
  std::set<std::string> names_;
};

}  // namespace

TrainingGraph training_graph(const Graph& network, const TrainingGraphOptions& options) {
  return Converter(network, options).run();
}

Graph with_values(const Graph& network, const std::map<ValueId, Constant>& values) {
  Graph result;
  result.about = network.about;
  std::vector<std::optional<ValueId>> map(network.value_count());
  for (const Port& port : network.inputs()) {
    map[Graph::index(port.value)] = result.add_input(port.name, network.type(port.value));
  }
  const auto value = [&](ValueId old) {
    std::optional<ValueId>& now = map[Graph::index(old)];
    if (!now) {
      const auto found = values.find(old);
      const Constant& constant = found == values.end() ? network.constant(old) : found->second;
      expect(constant != nullptr && constant->shape() == network.shape(old), "a constant keeps its shape");
      now = result.add_constant(constant);
    }
    return *now;
  };
  for (const Node& node : network.nodes()) {
    std::vector<ValueId> inputs;
    for (const ValueId input : node.inputs) inputs.push_back(value(input));
    const auto outputs = result.add_node(node.op, std::move(inputs), node.name);
    for (std::size_t i = 0; i < node.outputs.size(); ++i) map[Graph::index(node.outputs[i])] = outputs[i];
  }
  for (const Port& port : network.outputs()) result.add_output(port.name, value(port.value));
  return result;
}

}  // namespace sepal
