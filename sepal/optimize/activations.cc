// Finds the functions that exporters write out in small steps, and lets a convolution apply them to its
// results while those are still in registers. Swish is x sigmoid(x) (Ramachandran et al. 2017); hard swish is
// x relu6(x + 3) / 6 and hard sigmoid relu6(x + 3) / 6 (Howard et al. 2019, section 5.2), and frameworks
// place the division in any of three places.

#include <array>
#include <cmath>
#include <limits>

#include "sepal/optimize/passes.h"
#include "sepal/optimize/rewrite.h"

namespace sepal {
namespace {

const Unary* unary(const Graph& graph, ValueId value, UnaryKind kind) {
  const Node* node = graph.producer(value);
  const Unary* op = node == nullptr ? nullptr : std::get_if<Unary>(&node->op);
  return op != nullptr && op->kind == kind ? op : nullptr;
}

bool near(float a, float b) { return std::abs(a - b) <= 1e-6f; }

/// A binary node over a value and a constant that is the same throughout.
struct WithConstant {
  ValueId value;
  float constant;
};

std::optional<WithConstant> with_constant(const Graph& graph, BinaryKind kind, std::span<const ValueId> inputs,
                                          BinaryKind wanted) {
  if (kind != wanted) return std::nullopt;
  const bool commutes = kind == BinaryKind::kAdd || kind == BinaryKind::kMultiply || kind == BinaryKind::kMaximum ||
                        kind == BinaryKind::kMinimum;
  for (const std::size_t at : {1u, 0u}) {
    if (at == 0 && !commutes) break;
    const auto constant = uniform_value(graph.constant(inputs[at]));
    // A constant of more dimensions would widen the result.
    if (constant && broadcast(graph.shape(inputs[at]), graph.shape(inputs[1 - at])) == graph.shape(inputs[1 - at])) {
      return WithConstant{inputs[1 - at], *constant};
    }
  }
  return std::nullopt;
}

std::optional<WithConstant> with_constant(const Graph& graph, ValueId value, BinaryKind wanted) {
  const Node* node = graph.producer(value);
  const Binary* op = node == nullptr ? nullptr : std::get_if<Binary>(&node->op);
  if (op == nullptr) return std::nullopt;
  return with_constant(graph, op->kind, node->inputs, wanted);
}

/// x if the value is clip(x + 3, 0, 6), else nothing.
std::optional<ValueId> shifted_relu6(const Graph& graph, ValueId value) {
  const Unary* clip = unary(graph, value, UnaryKind::kClip);
  if (clip == nullptr || clip->alpha != 0 || clip->beta != 6) return std::nullopt;
  const auto sum = with_constant(graph, graph.producer(value)->inputs[0], BinaryKind::kAdd);
  if (!sum || sum->constant != 3) return std::nullopt;
  return sum->value;
}

/// The value without a division by `divisor` (or a multiplication by its inverse), or nothing.
std::optional<ValueId> divided(const Graph& graph, BinaryKind kind, std::span<const ValueId> inputs, float divisor) {
  if (const auto quotient = with_constant(graph, kind, inputs, BinaryKind::kDivide)) {
    if (quotient->constant == divisor) return quotient->value;
  }
  if (const auto product = with_constant(graph, kind, inputs, BinaryKind::kMultiply)) {
    if (near(product->constant, 1 / divisor)) return product->value;
  }
  return std::nullopt;
}

constexpr Unary kHardSixth{UnaryKind::kHardSigmoid, 1.0f / 6, 0.5f};

struct Found {
  Unary function;
  ValueId input;
};

/// f(x) if the product of these two is x times a function of x.
std::optional<Found> gated(const Graph& graph, ValueId x, ValueId gate) {
  if (const Node* node = graph.producer(gate);
      node != nullptr && std::holds_alternative<Unary>(node->op) && node->inputs[0] == x) {
    const auto& function = std::get<Unary>(node->op);
    if (function.kind == UnaryKind::kSigmoid) return Found{{UnaryKind::kSwish, 1, 0}, x};
    if (function.kind == UnaryKind::kHardSigmoid && near(function.alpha, 1.0f / 6) && near(function.beta, 0.5f)) {
      return Found{{UnaryKind::kHardSwish}, x};
    }
  }
  return std::nullopt;
}

std::optional<Found> recognize(const Graph& graph, const Binary& op, std::span<const ValueId> inputs) {
  if (op.kind == BinaryKind::kMultiply) {
    for (const std::size_t at : {0u, 1u}) {
      if (auto found = gated(graph, inputs[at], inputs[1 - at])) return found;
    }
  }
  if (const auto whole = divided(graph, op.kind, inputs, 6)) {
    if (const auto x = shifted_relu6(graph, *whole)) return Found{kHardSixth, *x};
    // x * clip(x + 3, 0, 6), divided afterwards.
    const Node* product = graph.producer(*whole);
    const Binary* times = product == nullptr ? nullptr : std::get_if<Binary>(&product->op);
    for (const std::size_t at : {0u, 1u}) {
      if (times == nullptr || times->kind != BinaryKind::kMultiply) break;
      if (shifted_relu6(graph, product->inputs[1 - at]) == product->inputs[at])
        return Found{{UnaryKind::kHardSwish}, product->inputs[at]};
    }
  }
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  if (const auto least = with_constant(graph, op.kind, inputs, BinaryKind::kMaximum)) {
    if (least->constant == 0) return Found{{UnaryKind::kRelu}, least->value};
    if (!std::isnan(least->constant)) return Found{{UnaryKind::kClip, least->constant, kInfinity}, least->value};
  }
  if (const auto most = with_constant(graph, op.kind, inputs, BinaryKind::kMinimum)) {
    if (!std::isnan(most->constant)) return Found{{UnaryKind::kClip, -kInfinity, most->constant}, most->value};
  }
  if (const auto slope = with_constant(graph, op.kind, inputs, BinaryKind::kPRelu)) {
    return Found{{UnaryKind::kLeakyRelu, slope->constant}, slope->value};
  }
  return std::nullopt;
}

/// One function for two that only limit, or nothing.
std::optional<Unary> limits(const Unary& first, const Unary& second) {
  const auto bounds = [](const Unary& function) -> std::optional<std::array<float, 2>> {
    if (function.kind == UnaryKind::kRelu) return std::array{0.0f, std::numeric_limits<float>::infinity()};
    if (function.kind == UnaryKind::kClip && function.alpha <= function.beta)
      return std::array{function.alpha, function.beta};
    return std::nullopt;
  };
  const auto a = bounds(first);
  const auto b = bounds(second);
  if (!a || !b) return std::nullopt;
  const float low = std::max((*a)[0], (*b)[0]);
  const float high = std::min((*a)[1], (*b)[1]);
  if (low > high) return std::nullopt;
  if (low == 0 && std::isinf(high)) return Unary{UnaryKind::kRelu};
  return Unary{UnaryKind::kClip, low, high};
}

}  // namespace

Graph recognize_activations(const Graph& graph) {
  return rewrite(graph, [](Rewriter& rewriter, const Node& node) {
    if (rewriter.old().type(node.outputs[0]).type != DataType::kF32) return false;
    const std::vector<ValueId> inputs = rewriter(node.inputs);
    std::optional<Found> found;
    if (const auto* op = std::get_if<Binary>(&node.op)) found = recognize(rewriter.graph(), *op, inputs);
    const auto* own = std::get_if<Unary>(&node.op);
    if (found || own != nullptr) {
      const Found second = found ? *found : Found{*own, inputs[0]};
      const Node* before = rewriter.graph().producer(second.input);
      const Unary* first = before == nullptr ? nullptr : std::get_if<Unary>(&before->op);
      if (first != nullptr) {
        if (const auto both = limits(*first, second.function)) found = Found{*both, before->inputs[0]};
      }
    }
    if (!found) return false;
    rewriter.replace(node.outputs[0], rewriter.graph().add(found->function, {found->input}, node.name));
    return true;
  });
}

Graph absorb_activations(const Graph& graph) {
  return rewrite(graph, [](Rewriter& rewriter, const Node& node) {
    const auto* function = std::get_if<Unary>(&node.op);
    if (function == nullptr || rewriter.uses(node.inputs[0]) != 1) return false;
    const Node* before = rewriter.graph().producer(rewriter(node.inputs[0]));
    const Conv2d* conv = before == nullptr ? nullptr : std::get_if<Conv2d>(&before->op);
    if (conv == nullptr || conv->activation.kind != UnaryKind::kIdentity) return false;
    Conv2d active = *conv;
    active.activation = *function;
    rewriter.replace(node.outputs[0], rewriter.graph().add(active, before->inputs, before->name));
    return true;
  });
}

}  // namespace sepal
