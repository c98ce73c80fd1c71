// Drops nodes that do nothing, and lets reshapes that follow each other become one.

#include <algorithm>

#include "sepal/base/visit.h"
#include "sepal/optimize/passes.h"
#include "sepal/optimize/rewrite.h"

namespace sepal {
namespace {

/// True if the node's output is its first input, bit by bit.
bool does_nothing(const Graph& graph, const Node& node) {
  const TensorType& input = graph.type(node.inputs[0]);
  const bool same_shape = input.shape == graph.shape(node.outputs[0]);
  return std::visit(
      Overload{[](const Unary& op) { return op.kind == UnaryKind::kIdentity; },
               [&](const Reshape&) { return same_shape; },
               [](const Transpose& op) { return op.permutation.is_identity(); },
               [&](const Cast& op) { return op.to == input.type; }, [&](const Expand&) { return same_shape; },
               [&](const Tile&) { return same_shape; }, [&](const Concat&) { return node.inputs.size() == 1; },
               [&](const Slice& op) {
                 return same_shape && std::ranges::all_of(op.step, [](std::int64_t step) { return step > 0; });
               },
               [](const Pad& op) { return op.before == PerAxis{} && op.after == PerAxis{}; },
               [&](const Reduce& op) {
                 // Over axes of length 1 that stay: sum, mean, largest and smallest of one value.
                 return same_shape && op.keep_dims &&
                        (op.kind == ReduceKind::kSum || op.kind == ReduceKind::kMean || op.kind == ReduceKind::kMax ||
                         op.kind == ReduceKind::kMin || op.kind == ReduceKind::kProduct) &&
                        std::ranges::all_of(op.axes, [&](int axis) { return input.shape[axis] == 1; });
               },
               [&](const Pool& op) { return op.window == Window{} && !op.indices; }, [](const auto&) { return false; }},
      node.op);
}

}  // namespace

Graph simplify(const Graph& graph) {
  return rewrite(graph, [](Rewriter& rewriter, const Node& node) {
    if (does_nothing(rewriter.old(), node)) {
      rewriter.replace(node.outputs[0], rewriter(node.inputs[0]));
      return true;
    }
    if (const auto* reshape = std::get_if<Reshape>(&node.op)) {
      const ValueId input = rewriter(node.inputs[0]);
      const Node* before = rewriter.graph().producer(input);
      if (before != nullptr && std::holds_alternative<Reshape>(before->op)) {
        const ValueId source = before->inputs[0];
        const bool undone = rewriter.graph().shape(source) == reshape->shape;
        rewriter.replace(node.outputs[0], undone ? source : rewriter.graph().add(*reshape, {source}, node.name));
        return true;
      }
    }
    return false;
  });
}

}  // namespace sepal
