// Evaluates what depends on constants alone. A file of a few bytes may describe a constant of terabytes
// (Expand, Tile), or hours of work on one (a convolution of constants), so folding has budgets in proportion
// to the constants that are there; what exceeds them stays a node, and the plan judges it like any other.

#include <vector>

#include "sepal/base/checked.h"
#include "sepal/evaluate/evaluate.h"
#include "sepal/graph/work.h"
#include "sepal/optimize/passes.h"
#include "sepal/optimize/rewrite.h"

namespace sepal {
namespace {

/// Folds while the results stay within kFoldingLeast + `share` times the bytes of the graph's constants.
Graph fold(const Graph& graph, std::int64_t share) {
  const std::int64_t constants = constant_bytes(graph);
  std::int64_t bytes_left = kFoldingLeast + share * constants;
  std::int64_t work_left = 4 * kFoldingLeast + 16 * constants;
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
    std::vector<TensorType> outputs;
    std::int64_t bytes = 0;
    for (const ValueId output : node.outputs) {
      outputs.push_back(graph.type(output));
      bytes += outputs.back().shape.elements() * static_cast<std::int64_t>(size_of(outputs.back().type));
    }
    const std::int64_t work = work_of(node.op, types, outputs);
    if (bytes > bytes_left || work > work_left) return false;
    bytes_left -= bytes;
    work_left -= work;
    std::vector<Tensor> results = evaluate(node.op, inputs);
    for (std::size_t i = 0; i < results.size(); ++i) {
      rewriter.replace(node.outputs[i], rewriter.graph().add_constant(std::move(results[i])));
    }
    return true;
  });
}

}  // namespace

// An i8 weight becomes f32, and may be permuted: eight times its bytes.
Graph fold_constants(const Graph& graph) { return fold(graph, 8); }

Graph fold_moved_constants(const Graph& graph) { return fold(graph, 1); }

}  // namespace sepal
