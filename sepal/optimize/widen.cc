// Half-precision arithmetic in single precision: each node that has no code for f16 or bf16 gets casts
// around it. Its result is rounded as the file's type asks, so values agree with an engine that stores f16.

#include <algorithm>

#include "sepal/evaluate/evaluate.h"
#include "sepal/optimize/passes.h"
#include "sepal/optimize/rewrite.h"

namespace sepal {
namespace {

bool is_half(DataType type) { return type == DataType::kF16 || type == DataType::kBF16; }

}  // namespace

Graph widen(const Graph& graph) {
  return rewrite(graph, [&](Rewriter& rewriter, const Node& node) {
    std::vector<TensorType> types;
    for (const ValueId input : node.inputs) types.push_back(graph.type(input));
    if (std::ranges::none_of(types, [](const TensorType& type) { return is_half(type.type); })) return false;
    if (can_evaluate(node.op, types)) return false;
    std::vector<ValueId> inputs = rewriter(node.inputs);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (is_half(types[i].type)) inputs[i] = rewriter.graph().add(Cast{DataType::kF32}, {inputs[i]});
    }
    const auto wide = rewriter.graph().add_node(node.op, std::move(inputs), node.name);
    const std::vector<ValueId> outputs(wide.begin(), wide.end());
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const DataType wanted = graph.type(node.outputs[i]).type;
      const bool rounded = rewriter.graph().type(outputs[i]).type != wanted;
      rewriter.replace(node.outputs[i], rounded ? rewriter.graph().add(Cast{wanted}, {outputs[i]}) : outputs[i]);
    }
    return true;
  });
}

}  // namespace sepal
