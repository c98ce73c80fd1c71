#include "sepal/optimize/optimize.h"

#include <array>

#include "sepal/base/text.h"
#include "sepal/optimize/passes.h"

namespace sepal {
namespace {

// In this order. Constants are folded again after the transposes have moved into them.
constexpr std::array kPasses = {
    Pass{"widen", "half-precision arithmetic in f32, between casts", widen},
    Pass{"fold_constants", "nodes over constants alone become constants", fold_constants},
    Pass{"simplify", "nodes that do nothing vanish", simplify},
    Pass{"cancel_transposes", "transposes move down, meet and cancel", cancel_transposes},
    Pass{"fold_moved_constants", "what transposes have moved onto constants becomes constant", fold_moved_constants},
    Pass{"simplify", "nodes that do nothing vanish", simplify},
    Pass{"absorb_padding", "padding nodes join their convolution's window", absorb_padding},
    Pass{"fold_batch_norm", "scales and shifts per channel go into filters", fold_batch_norm},
    Pass{"recognize_activations", "functions written out in steps become one", recognize_activations},
    Pass{"absorb_activations", "functions after a convolution become its activation", absorb_activations},
    Pass{"simplify", "nodes that do nothing vanish", simplify},
};

void verify(const Pass& pass, const Graph& before, const Graph& after) {
  const auto check = [&](std::span<const Port> was, std::span<const Port> is) {
    bool same = was.size() == is.size();
    for (std::size_t i = 0; same && i < was.size(); ++i) {
      same = was[i].name == is[i].name && before.type(was[i].value) == after.type(is[i].value);
    }
    if (!same) fail(ErrorKind::kInternal, "the pass {} changed the ends of the graph", pass.name);
  };
  check(before.inputs(), after.inputs());
  check(before.outputs(), after.outputs());
}

}  // namespace

std::span<const Pass> passes() { return kPasses; }

Graph optimize(const Graph& graph, const Observer& observe) {
  Graph current = graph;
  for (const Pass& pass : kPasses) {
    Graph next = pass.apply(current);
    verify(pass, current, next);
    if (observe) observe(pass, current, next);
    current = std::move(next);
  }
  return current;
}

Graph without_layout(const Graph& graph) { return simplify(cancel_transposes(simplify(graph))); }

}  // namespace sepal
