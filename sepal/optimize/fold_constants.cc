// Evaluates what depends on constants alone. A file of a few bytes may describe a constant of terabytes
// (Expand, Tile), so folding has a budget in proportion to the constants that are there; what exceeds it
// stays a node, and is computed at every run like any other.

#include <vector>

#include "sepal/evaluate/evaluate.h"
#include "sepal/optimize/passes.h"
#include "sepal/optimize/rewrite.h"

namespace sepal {
namespace {

/// Bytes that folding may add: eight times the constants (an i8 weight becomes f32, and may be permuted).
std::int64_t budget(const Graph& graph) {
  constexpr std::int64_t kLeast = std::int64_t{16} << 20;
  std::int64_t bytes = 0;
  for (std::size_t i = 0; i < graph.value_count(); ++i) {
    const Constant& constant = graph.constant(ValueId{static_cast<std::uint32_t>(i)});
    if (constant != nullptr) bytes += static_cast<std::int64_t>(constant->bytes());
  }
  return kLeast + 8 * bytes;
}

}  // namespace

Graph fold_constants(const Graph& graph) {
  std::int64_t left = budget(graph);
  return rewrite(graph, [&](Rewriter& rewriter, const Node& node) {
    std::vector<const Tensor*> inputs;
    std::vector<TensorType> types;
    for (const ValueId input : rewriter(node.inputs)) {
      const Constant& constant = rewriter.graph().constant(input);
      if (constant == nullptr) return false;
      inputs.push_back(constant.get());
      types.push_back({constant->type(), constant->shape()});
    }
    if (!can_evaluate(node.op, types)) return false;
    std::int64_t bytes = 0;
    for (const ValueId output : node.outputs) {
      const TensorType& type = graph.type(output);
      bytes += type.shape.elements() * static_cast<std::int64_t>(size_of(type.type));
    }
    if (bytes > left) return false;
    left -= bytes;
    std::vector<Tensor> results = evaluate(node.op, inputs);
    for (std::size_t i = 0; i < results.size(); ++i) {
      rewriter.replace(node.outputs[i], rewriter.graph().add_constant(std::move(results[i])));
    }
    return true;
  });
}

}  // namespace sepal
