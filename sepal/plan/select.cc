// Which kernel runs a node: an ordered table, not a registry. A new kernel is one row in its family's file
// and may be as narrow as it likes; what no row accepts, the reference takes.

#include "sepal/plan/select.h"

#include <new>

#include "sepal/evaluate/evaluate.h"
#include "sepal/plan/frame.h"

namespace sepal {
namespace {

bool accepts_reference(const Site& site) {
  std::vector<TensorType> types;
  for (const ValueId input : site.node.inputs) types.push_back(site.graph.type(input));
  return can_evaluate(site.node.op, types);
}

void run_reference(const Step& step, const Frame& frame) noexcept {
  std::array<Buffer, 4> outputs;  // no operator has more
  for (std::size_t i = 0; i < step.inputs.size(); ++i) {
    const Operand& operand = step.inputs[i];
    ::new (frame.scratch + i) ConstBuffer{frame.read(operand), operand.type.type, operand.type.shape};
  }
  for (std::size_t i = 0; i < step.outputs.size(); ++i) {
    const Operand& operand = step.outputs[i];
    outputs[i] = {frame.write(operand), operand.type.type, operand.type.shape};
  }
  evaluate(step.op, {frame.scratch, step.inputs.size()}, std::span(outputs).first(step.outputs.size()));
}

constexpr Candidate kLast = {kReference, accepts_reference, nullptr, run_reference};

}  // namespace

const Candidate* select(const Site& site, bool reference_only) {
  if (!reference_only) {
    for (const std::span<const Candidate> family :
         {convolution_candidates(), elementwise_candidates(), shape_candidates(), move_candidates(),
          resize_candidates(), transposed_candidates(), training_candidates(), product_candidates()}) {
      for (const Candidate& candidate : family) {
        if (candidate.accepts(site)) return &candidate;
      }
    }
  }
  return kLast.accepts(site) ? &kLast : nullptr;
}

}  // namespace sepal
