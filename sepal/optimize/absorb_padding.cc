// A Pad node of zeros in front of a convolution is the window's own padding, written apart. (Not so for
// pooling: a maximum ignores its padding, a mean may.)

#include "sepal/optimize/passes.h"
#include "sepal/optimize/rewrite.h"

namespace sepal {

Graph absorb_padding(const Graph& graph) {
  return rewrite(graph, [](Rewriter& rewriter, const Node& node) {
    const auto* conv = std::get_if<Conv2d>(&node.op);
    if (conv == nullptr) return false;
    std::vector<ValueId> inputs = rewriter(node.inputs);
    const Node* before = rewriter.graph().producer(inputs[0]);
    const Pad* pad = before == nullptr ? nullptr : std::get_if<Pad>(&before->op);
    if (pad == nullptr || pad->mode != PadMode::kConstant || pad->value != 0) return false;
    const auto& [first, top, left, last, r4, r5] = pad->before;
    const auto& [first_after, bottom, right, last_after, a4, a5] = pad->after;
    if (first != 0 || first_after != 0 || last != 0 || last_after != 0) return false;
    if (top < 0 || left < 0 || bottom < 0 || right < 0) return false;
    Conv2d wider = *conv;
    Padding& padding = wider.window.padding;
    padding = {padding.top + top, padding.left + left, padding.bottom + bottom, padding.right + right};
    inputs[0] = before->inputs[0];
    rewriter.replace(node.outputs[0], rewriter.graph().add(wider, std::move(inputs), node.name));
    return true;
  });
}

}  // namespace sepal
