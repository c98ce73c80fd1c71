#pragma once

#include <map>
#include <optional>
#include <vector>

#include "sepal/plan/select.h"

namespace sepal {

/// What the step of a convolution computes besides: the depthwise stage before it, the addition that is its result's
/// only reader, and the function after that.
struct Fusion {
  std::optional<std::size_t> depthwise = {};  ///< index of the node whose result only this convolution reads
  std::optional<ValueId> addend = {};
  Unary activation = {};                ///< after the addition
  ValueId output{};                     ///< of the whole step
  std::vector<std::size_t> nodes = {};  ///< all nodes taken along
};

/// Fusions by the convolution (index in Graph::nodes()) that takes others along.
using Fusions = std::map<std::size_t, Fusion>;

/// Shortcuts: the addition behind a convolution and the function behind that, so that neither costs a pass over memory
/// of its own. The convolution is the later of the two that feed the addition, so that the other value is there; both
/// have one shape.
void find_additions(const Graph& graph, Fusions& fusions);

/// Separable convolutions whose map between the stages is too large to stay in the second cache (kSeparableFrom).
void find_separable(const Graph& graph, Fusions& fusions);

/// Packs both stages: the depthwise filter and bias, then the panels. `step` has op and more.
void prepare_separable(const Site& depthwise, const Site& pointwise, Step& step);
/// Bytes that each thread needs for a piece of the map between the stages.
std::size_t separable_room(const Step& step);
void run_separable(const Step& step, const Frame& frame) noexcept;

}  // namespace sepal
