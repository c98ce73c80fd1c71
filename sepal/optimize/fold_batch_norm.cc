// What happens to each channel alone after a convolution happens in the convolution:
//   s (W x + b) + t  =  (s W) x + (s b + t),
// for batch norm (s = scale / sqrt(variance + epsilon), t = bias - s mean; Ioffe and Szegedy 2015, section 3.1)
// and for multiplications and additions of constants per channel. Computed in double precision, once.

#include <cmath>
#include <optional>
#include <vector>

#include "sepal/optimize/passes.h"
#include "sepal/optimize/rewrite.h"

namespace sepal {
namespace {

/// y = scale x + shift, per channel.
struct Affine {
  std::vector<double> scale;
  std::vector<double> shift;
};

/// The constant as one value a channel (the last axis of a tensor of `channels`), or nothing if it is none.
std::optional<std::vector<double>> per_channel(const Constant& constant, std::int64_t channels) {
  if (constant == nullptr || constant->type() != DataType::kF32) return std::nullopt;
  const std::span<const float> values = constant->values<float>();
  if (values.size() == 1) return std::vector<double>(static_cast<std::size_t>(channels), values[0]);
  const Shape& shape = constant->shape();
  if (constant->elements() != channels || shape[shape.rank() - 1] != channels) return std::nullopt;
  return std::vector<double>(values.begin(), values.end());
}

std::optional<Affine> batch_norm(const Graph& graph, const BatchNorm& op, std::span<const ValueId> inputs,
                                 std::int64_t channels) {
  std::array<std::vector<double>, 4> parameters;
  for (std::size_t i = 0; i < 4; ++i) {
    auto values = per_channel(graph.constant(inputs[i + 1]), channels);
    if (!values) return std::nullopt;
    parameters[i] = std::move(*values);
  }
  auto& [scale, bias, mean, variance] = parameters;
  for (std::size_t c = 0; c < scale.size(); ++c) {
    scale[c] /= std::sqrt(variance[c] + static_cast<double>(op.epsilon));
    bias[c] -= mean[c] * scale[c];
  }
  return Affine{std::move(scale), std::move(bias)};
}

/// What a node does to its input `at`, if that is affine per channel.
std::optional<Affine> affine(const Graph& graph, const Op& op, std::span<const ValueId> inputs, std::size_t at,
                             std::int64_t channels) {
  if (const auto* norm = std::get_if<BatchNorm>(&op))
    return at == 0 ? batch_norm(graph, *norm, inputs, channels) : std::nullopt;
  const auto* binary = std::get_if<Binary>(&op);
  if (binary == nullptr) return std::nullopt;
  auto other = per_channel(graph.constant(inputs[1 - at]), channels);
  if (!other) return std::nullopt;
  Affine result{std::vector<double>(other->size(), 1.0), std::vector<double>(other->size(), 0.0)};
  switch (binary->kind) {
    case BinaryKind::kAdd:
      result.shift = std::move(*other);
      return result;
    case BinaryKind::kMultiply:
      result.scale = std::move(*other);
      return result;
    case BinaryKind::kSubtract:
      for (std::size_t c = 0; c < other->size(); ++c) {
        result.scale[c] = at == 0 ? 1.0 : -1.0;
        result.shift[c] = at == 0 ? -(*other)[c] : (*other)[c];
      }
      return result;
    case BinaryKind::kDivide:
      if (at != 0) return std::nullopt;
      for (std::size_t c = 0; c < other->size(); ++c) result.scale[c] = 1.0 / (*other)[c];
      return result;
    default:
      return std::nullopt;
  }
}

Tensor vector_of(const std::vector<double>& values) {
  const std::vector<float> rounded(values.begin(), values.end());
  return Tensor::of<float>({static_cast<std::int64_t>(rounded.size())}, rounded);
}

/// The output channel that element `i` of a filter belongs to.
std::size_t output_channel(const Conv2d&, const Shape& filter, std::size_t i) {
  return i / static_cast<std::size_t>(filter.elements(1, 4));
}
std::size_t output_channel(const ConvTranspose2d& op, const Shape& filter, std::size_t i) {
  const auto columns = static_cast<std::size_t>(filter.c());
  const std::size_t row = i / static_cast<std::size_t>(filter.elements(1, 4));
  return row / static_cast<std::size_t>(filter.n() / op.groups) * columns + i % columns;
}

bool all_finite(std::span<const float> values) {
  return std::ranges::all_of(values, [](float value) { return std::isfinite(value); });
}

/// The convolution `before` with `change` after it, or nothing if a number of it would not be finite (infinity
/// times a sum is not the sum of infinities).
template <typename Conv>
std::optional<ValueId> folded(Graph& graph, const Node& before, const Conv& conv, const Affine& change,
                              const std::string& name) {
  const std::vector<ValueId> inputs = before.inputs;
  const std::string own_name = before.name.empty() ? name : before.name;
  const Constant& filter = graph.constant(inputs[1]);
  const Constant bias = inputs.size() == 3 ? graph.constant(inputs[2]) : nullptr;
  Tensor scaled = filter->copy();
  const std::span<float> weights = scaled.values<float>();
  for (std::size_t i = 0; i < weights.size(); ++i) {
    weights[i] = static_cast<float>(weights[i] * change.scale[output_channel(conv, filter->shape(), i)]);
  }
  std::vector<double> shift = change.shift;
  for (std::size_t c = 0; bias != nullptr && c < shift.size(); ++c)
    shift[c] += bias->values<float>()[c] * change.scale[c];
  Tensor shifted = vector_of(shift);
  if (!all_finite(weights) || !all_finite(shifted.values<float>())) return std::nullopt;
  const ValueId new_filter = graph.add_constant(std::move(scaled));
  const ValueId new_bias = graph.add_constant(std::move(shifted));
  return graph.add(Conv(conv), {inputs[0], new_filter, new_bias}, own_name);
}

/// Bytes of the filter that a change of `value` could go into: of the convolution that makes it, its filter and bias
/// constant, no activation between. Nothing if there is none.
std::optional<std::int64_t> foldable_bytes(const Graph& graph, ValueId value) {
  const Node* node = graph.producer(value);
  if (node == nullptr) return std::nullopt;
  const auto* conv = std::get_if<Conv2d>(&node->op);
  if (conv == nullptr && !std::holds_alternative<ConvTranspose2d>(node->op)) return std::nullopt;
  if (conv != nullptr && conv->activation.kind != UnaryKind::kIdentity) return std::nullopt;
  const Constant& filter = graph.constant(node->inputs[1]);
  if (filter == nullptr || filter->type() != DataType::kF32) return std::nullopt;
  if (node->inputs.size() == 3 && !graph.is_constant(node->inputs[2])) return std::nullopt;
  return static_cast<std::int64_t>(filter->bytes());
}

std::optional<ValueId> fold_into(Graph& graph, ValueId input, const Affine& change, const std::string& name) {
  const Node node = *graph.producer(input);  // a copy: the graph grows below
  if (const auto* conv = std::get_if<Conv2d>(&node.op)) return folded(graph, node, *conv, change, name);
  return folded(graph, node, std::get<ConvTranspose2d>(node.op), change, name);
}

}  // namespace

Graph fold_batch_norm(const Graph& graph) {
  // Each fold writes a filter anew, and a hostile file may have a hundred thousand of them behind one filter.
  std::int64_t left = kFoldingLeast + 8 * constant_bytes(graph);
  return rewrite(graph, [&](Rewriter& rewriter, const Node& node) {
    const Shape& output = rewriter.old().shape(node.outputs[0]);
    if (output.rank() == 0) return false;
    const std::int64_t channels = output[output.rank() - 1];
    const bool binary = std::holds_alternative<Binary>(node.op);
    if (!binary && !std::holds_alternative<BatchNorm>(node.op)) return false;
    const std::vector<ValueId> inputs = rewriter(node.inputs);
    Graph& next = rewriter.graph();
    for (const std::size_t at : {0u, 1u}) {
      // A constant that widens the result (image 1 x 1, constant per channel of more) is not per channel of the input.
      if (rewriter.old().shape(node.inputs[at]) != output) continue;
      const auto bytes = foldable_bytes(next, inputs[at]);
      const bool folds = bytes && *bytes <= left && rewriter.uses(node.inputs[at]) == 1;
      if (binary && !folds) continue;  // nothing is computed on a shape's word alone
      const auto change = affine(next, node.op, inputs, at, channels);
      if (!change) continue;
      if (folds) {
        left -= *bytes;
        if (const auto result = fold_into(next, inputs[at], *change, node.name)) {
          rewriter.replace(node.outputs[0], *result);
          return true;
        }
      }
      if (!binary) {
        const ValueId scaled = next.add(Binary{BinaryKind::kMultiply},
                                        {inputs[0], next.add_constant(vector_of(change->scale))}, node.name);
        rewriter.replace(node.outputs[0], next.add(Binary{BinaryKind::kAdd},
                                                   {scaled, next.add_constant(vector_of(change->shift))}, node.name));
        return true;
      }
    }
    return false;
  });
}

}  // namespace sepal
