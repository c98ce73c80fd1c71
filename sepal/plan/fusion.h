#pragma once

#include <map>
#include <optional>
#include <vector>

#include "sepal/plan/select.h"

namespace sepal {

/// What the step of a convolution computes besides: the stages before it, the addition that is its result's only
/// reader, and the function after that.
struct Fusion {
  std::vector<std::size_t> before = {};  ///< convolutions of the same step, each read by the next alone
  std::int64_t rows_at_once = 0;         ///< of a step of several convolutions
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

/// Which kernel computes a convolution that is a stage of a step.
enum class StageKind : std::uint8_t { kDirect, kDepthwise, kPointwise };
StageKind kind_of(const Conv2d& conv, const Shape& filter);

/// Gives the step its stages, the convolutions `nodes`, and packs their weights if they are wanted. The step has op,
/// adds and rows_at_once.
void prepare_cascade(const Graph& graph, std::span<const std::size_t> nodes, bool with_weights, Step& step);
/// "separable f32", "inverted residual f32, add", "cascade f32": by its stages.
std::string_view name_of_cascade(const Step& step);
void run_cascade(const Step& step, const Frame& frame) noexcept;

}  // namespace sepal
