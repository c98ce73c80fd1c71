// Costs over a graph: the formulas of op_cost.cc, and what only a graph knows: which inputs are constants, which
// constants were counted before, how values are stored, what is alive at once.

#include "sepal/graph/cost.h"

#include <algorithm>
#include <array>
#include <set>

#include "sepal/base/text.h"
#include "sepal/base/visit.h"
#include "sepal/graph/count.h"
#include "sepal/graph/op_cost.h"
#include "sepal/graph/op_kind.h"

namespace sepal {
namespace {

Parameters sum(const Parameters& a, const Parameters& b) {
  return {Count(a.weights) + b.weights,    Count(a.biases) + b.biases,         Count(a.normalization) + b.normalization,
          Count(a.slopes) + b.slopes,      Count(a.statistics) + b.statistics, Count(a.quantization) + b.quantization,
          Count(a.constants) + b.constants};
}

void add(Parameters& parameters, ParameterRole role, Count count) {
  const auto to = [&](std::uint64_t& field) { field = Count(field) + count; };
  switch (role) {
    case ParameterRole::kWeights:
      return to(parameters.weights);
    case ParameterRole::kBias:
      return to(parameters.biases);
    case ParameterRole::kNormalization:
      return to(parameters.normalization);
    case ParameterRole::kSlope:
      return to(parameters.slopes);
    case ParameterRole::kStatistics:
      return to(parameters.statistics);
    case ParameterRole::kQuantization:
      return to(parameters.quantization);
    case ParameterRole::kConstant:
      return to(parameters.constants);
  }
}

Count bytes_of(const TensorType& type) { return Count(type.shape.elements()) * std::uint64_t{size_of(type.type)}; }

Count bits_of(DataType type) { return std::uint64_t{size_of(type)} * 8; }

/// macs * bits * bits of the two inputs whose products a linear operator sums; type_of(k) is how input k is stored.
template <typename TypeOf>
Count bit_operations_of(const Op& op, std::uint64_t macs, const TypeOf& type_of) {
  const Factors factors = factors_of(op);
  if (factors.activations < 0) return 0;
  return Count(macs) * bits_of(type_of(static_cast<std::size_t>(factors.activations))) *
         bits_of(type_of(static_cast<std::size_t>(factors.weights)));
}

/// Nothing moves: the result is another view of the same memory.
bool is_view(const Op& op) { return std::holds_alternative<Reshape>(op); }

/// Values keep the type in which they are stored through these.
bool only_moves(const Op& op) {
  return std::visit(
      Overload{[](const Reshape&) { return true; }, [](const Transpose&) { return true; },
               [](const Concat&) { return true; }, [](const Slice&) { return true; }, [](const Pad&) { return true; },
               [](const Gather&) { return true; }, [](const Expand&) { return true; }, [](const Tile&) { return true; },
               [](const auto&) { return false; }},
      op);
}

class Accountant {
 public:
  explicit Accountant(const Graph& graph)
      : graph_(graph), stored_(graph.value_count()), roots_(graph.value_count()), owner_(graph.value_count()) {
    for (std::size_t i = 0; i < graph.value_count(); ++i) {
      const auto value = static_cast<ValueId>(i);
      stored_[i] = graph.type(value).type;
      owner_[i] = value;
      if (graph.is_constant(value)) roots_[i] = {value};
    }
  }

  NetworkCost count() {
    NetworkCost network;
    for (std::size_t i = 0; i < graph_.nodes().size(); ++i) {
      const Node& node = graph_.nodes()[i];
      std::string name = node.name.empty() ? format("{} {}", name_of(node.op), i) : node.name;
      in_place(printable(name), [&] {
        LayerCost layer{.node = i, .op = name_of(node.op), .output = graph_.type(node.outputs.front())};
        charge(node, layer);
        network.total = network.total + layer.cost;
        network.layers.push_back(std::move(layer));
      });
      network.layers.back().name = std::move(name);
    }
    network.stored_bytes = stored_bytes_;
    measure_lifetimes(network);
    return network;
  }

 private:
  static std::size_t at(ValueId value) { return Graph::index(value); }
  bool is_constant(ValueId value) const { return !roots_[at(value)].empty(); }

  void charge(const Node& node, LayerCost& layer) {
    std::vector<TensorType> inputs;
    std::vector<TensorType> outputs;
    std::vector<bool> constant;
    for (const ValueId input : node.inputs) {
      inputs.push_back(graph_.type(input));
      constant.push_back(is_constant(input));
    }
    for (const ValueId output : node.outputs) outputs.push_back(graph_.type(output));
    layer.kind = kind_of(node.op, inputs, constant);
    follow_storage(node);
    if (layer.kind == LayerKind::kConstant) return charge_constant(node, layer.cost);

    layer.cost = arithmetic_of(node.op, inputs, outputs);
    layer.cost.bit_operations =
        bit_operations_of(node.op, layer.cost.macs, [&](std::size_t k) { return stored_[at(node.inputs[k])]; });
    std::set<ValueId> read;
    for (std::size_t k = 0; k < node.inputs.size(); ++k) {
      const ValueId input = node.inputs[k];
      if (constant[k]) {
        const ParameterRole role = is_added_to_product(node, k) ? ParameterRole::kBias : role_of(node.op, k);
        for (const ValueId root : roots_[at(input)]) own(root, role, layer.cost);
      }
      if (is_view(node.op) || !read.insert(input).second) continue;
      if (constant[k]) {
        for (const ValueId root : roots_[at(input)])
          layer.cost.weight_bytes = Count(layer.cost.weight_bytes) + bytes_of(graph_.type(root));
      } else {
        layer.cost.read_bytes = Count(layer.cost.read_bytes) + bytes_of(graph_.type(input));
      }
    }
    if (is_view(node.op)) {
      owner_[at(node.outputs.front())] = owner_[at(node.inputs.front())];
    } else {
      for (const TensorType& output : outputs)
        layer.cost.written_bytes = Count(layer.cost.written_bytes) + bytes_of(output);
    }
  }

  /// What a node over constants computes is computed once, when the model is loaded: what it makes of its first
  /// input (of all, where it joins them) stands for that, the others are parameters of its own.
  void charge_constant(const Node& node, Cost& cost) {
    const bool joins = std::holds_alternative<Concat>(node.op);
    std::vector<ValueId> roots = roots_[at(node.inputs.front())];
    for (std::size_t k = 1; k < node.inputs.size(); ++k) {
      const std::vector<ValueId>& more = roots_[at(node.inputs[k])];
      if (joins) roots.insert(roots.end(), more.begin(), more.end());
      if (!joins) {
        for (const ValueId root : more) own(root, role_of(node.op, k), cost);
      }
    }
    for (const ValueId output : node.outputs) roots_[at(output)] = roots;
  }

  /// How the node's results are stored: integers behind a dequantisation stay what they are in the file.
  void follow_storage(const Node& node) {
    if (std::holds_alternative<Dequantize>(node.op) || only_moves(node.op))
      stored_[at(node.outputs.front())] = stored_[at(node.inputs.front())];
  }

  /// Counts the constant as a parameter, once for the whole graph.
  void own(ValueId root, ParameterRole role, Cost& cost) {
    const Constant& tensor = graph_.constant(root);
    if (!counted_.insert(tensor.get()).second) return;
    add(cost.parameters, role, tensor->elements());
    stored_bytes_ += bytes_of(graph_.type(root));
  }

  /// A vector added to a matrix product is its bias, as exporters of fully connected layers write it.
  bool is_added_to_product(const Node& node, std::size_t constant) const {
    const auto* binary = std::get_if<Binary>(&node.op);
    if (binary == nullptr || binary->kind != BinaryKind::kAdd) return false;
    const Node* producer = graph_.producer(node.inputs[1 - constant]);
    const Shape& shape = graph_.shape(node.inputs[constant]);
    return producer != nullptr && std::holds_alternative<MatMul>(producer->op) && shape.rank() >= 1 &&
           shape.elements() > 1 && shape.elements() == shape[shape.rank() - 1];
  }

  void measure_lifetimes(NetworkCost& network) const {
    const std::size_t steps = graph_.nodes().size();
    // The last step that wants each value; inputs and outputs of the graph are there from the start and to the end.
    std::vector<std::size_t> last(graph_.value_count(), 0);
    for (std::size_t i = 0; i < steps; ++i) {
      for (const ValueId input : graph_.nodes()[i].inputs) last[at(owner_[at(input)])] = i;
    }
    for (const Port& port : graph_.outputs()) last[at(owner_[at(port.value)])] = steps;
    std::vector<Count> freed(steps + 1);
    Count live;
    const auto begin = [&](ValueId value, std::size_t step) {
      if (is_constant(value) || owner_[at(value)] != value) return;
      const Count bytes = bytes_of(graph_.type(value));
      live += bytes;
      network.activation_bytes = Count(network.activation_bytes) + bytes;
      freed[std::max(last[at(value)], step)] += bytes;
    };
    for (const Port& port : graph_.inputs()) begin(port.value, 0);
    network.peak_bytes = live;
    for (std::size_t i = 0; i < steps; ++i) {
      for (const ValueId output : graph_.nodes()[i].outputs) begin(output, i);
      network.layers[i].live_bytes = live;
      network.peak_bytes = std::max(network.peak_bytes, std::uint64_t{live});
      live = excess(live, freed[i]);
    }
  }

  const Graph& graph_;
  std::vector<DataType> stored_;             ///< of each value, as the file stores it
  std::vector<std::vector<ValueId>> roots_;  ///< of each value over constants alone: the constants that it is
  std::vector<ValueId> owner_;               ///< of each value: whose memory it is a view of
  std::set<const Tensor*> counted_;
  Count stored_bytes_;
};

}  // namespace

std::uint64_t Arithmetic::flops() const { return Count(multiplications) + additions; }

std::uint64_t Parameters::trained() const { return Count(weights) + biases + normalization + slopes; }

std::uint64_t Parameters::stored() const { return Count(trained()) + statistics + quantization + constants; }

std::uint64_t Cost::traffic() const { return Count(weight_bytes) + read_bytes + written_bytes; }

double Cost::intensity() const {
  const std::uint64_t bytes = traffic();
  return bytes == 0 ? 0 : static_cast<double>(nominal.flops()) / static_cast<double>(bytes);
}

Arithmetic operator+(const Arithmetic& a, const Arithmetic& b) {
  return {Count(a.multiplications) + b.multiplications, Count(a.additions) + b.additions,
          Count(a.divisions) + b.divisions, Count(a.comparisons) + b.comparisons, Count(a.functions) + b.functions};
}

Cost operator+(const Cost& a, const Cost& b) {
  return {.macs = Count(a.macs) + b.macs,
          .effective_macs = Count(a.effective_macs) + b.effective_macs,
          .nominal = a.nominal + b.nominal,
          .effective = a.effective + b.effective,
          .bit_operations = Count(a.bit_operations) + b.bit_operations,
          .parameters = sum(a.parameters, b.parameters),
          .weight_bytes = Count(a.weight_bytes) + b.weight_bytes,
          .read_bytes = Count(a.read_bytes) + b.read_bytes,
          .written_bytes = Count(a.written_bytes) + b.written_bytes};
}

std::string_view name_of(LayerKind kind) {
  switch (kind) {
    case LayerKind::kConvolution:
      return "convolution";
    case LayerKind::kDepthwise:
      return "depthwise";
    case LayerKind::kPointwise:
      return "pointwise";
    case LayerKind::kFullyConnected:
      return "fully connected";
    case LayerKind::kMatrixProduct:
      return "matrix product";
    case LayerKind::kNormalization:
      return "normalisation";
    case LayerKind::kActivation:
      return "activation";
    case LayerKind::kElementwise:
      return "elementwise";
    case LayerKind::kPooling:
      return "pooling";
    case LayerKind::kMovement:
      return "movement";
    case LayerKind::kResize:
      return "resize";
    case LayerKind::kConstant:
      return "constant";
  }
  return "?";
}

Cost cost_of(const Op& op, std::span<const TensorType> inputs, std::span<const TensorType> outputs,
             const std::vector<bool>& constant) {
  Cost cost = arithmetic_of(op, inputs, outputs);
  cost.bit_operations = bit_operations_of(op, cost.macs, [&](std::size_t k) { return inputs[k].type; });
  if (is_view(op)) return cost;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    if (!constant[k]) {
      cost.read_bytes = Count(cost.read_bytes) + bytes_of(inputs[k]);
      continue;
    }
    cost.weight_bytes = Count(cost.weight_bytes) + bytes_of(inputs[k]);
    add(cost.parameters, role_of(op, k), inputs[k].shape.elements());
  }
  for (const TensorType& output : outputs) cost.written_bytes = Count(cost.written_bytes) + bytes_of(output);
  return cost;
}

NetworkCost cost_of(const Graph& graph) { return Accountant(graph).count(); }

}  // namespace sepal
