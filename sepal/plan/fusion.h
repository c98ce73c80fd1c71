#pragma once

#include <map>
#include <optional>
#include <vector>

#include "sepal/plan/select.h"

namespace sepal {

/// Squeeze-and-excite's multiplication, of which a product makes its own input.
struct Gated {
  ValueId map{};      ///< [n, h, w, c]
  ValueId factors{};  ///< [n, 1, 1, c]
};

/// What the step of a convolution computes besides: the stages before it or the gate, the addition that is its result's
/// only reader, and the function after that.
struct Fusion {
  std::vector<std::size_t> before = {};  ///< convolutions of the same step, each read by the next alone
  std::int64_t rows_at_once = 0;         ///< of a step of several convolutions
  std::optional<Gated> gated = {};       ///< in the place of a single convolution's image
  std::optional<ValueId> addend = {};
  Unary activation = {};                ///< after the addition
  ValueId output{};                     ///< of the whole step
  std::vector<std::size_t> nodes = {};  ///< all nodes taken along
};

/// Of a convolution that as yet takes nothing along.
Fusion alone(const Node& conv);

/// Fusions by the convolution (index in Graph::nodes()) that takes others along.
using Fusions = std::map<std::size_t, Fusion>;

/// Shortcuts: the addition behind a convolution and the function behind that, so that neither costs a pass over memory
/// of its own. The convolution is the later of the two that feed the addition, so that the other value is there; both
/// have one shape.
void find_additions(const Graph& graph, Fusions& fusions);

/// Squeeze-and-excite (Hu et al. 2018): the product behind the gate's multiplication takes it along, where the image
/// has at least twice as many pixels as there are columns in the product's panels. (28x28, 120 to 40 channels: 39 us
/// against 45.5 apart. With fewer pixels there is nothing to gain: 14x14, 480 to 112: 87.6 and 87.8; 672 to 112: 126
/// and 123.)
void find_gates(const Graph& graph, Fusions& fusions);

/// Which kernel computes a convolution that is a stage of a step.
enum class StageKind : std::uint8_t { kDirect, kDepthwise, kPointwise };
StageKind kind_of(const Conv2d& conv, const Shape& filter);

/// Gives the step its stages, the convolutions `nodes`, and packs their weights if they are wanted. The step has op,
/// adds and rows_at_once.
void prepare_cascade(const Graph& graph, std::span<const std::size_t> nodes, bool with_weights, Step& step);
/// "separable f32", "inverted residual f32", "cascade f32": by its stages.
std::string_view name_of_cascade(const Step& step);
void run_cascade(const Step& step, const Frame& frame) noexcept;

}  // namespace sepal
