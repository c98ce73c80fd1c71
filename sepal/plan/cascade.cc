// Several convolutions as one step (kernels/cascade.h): packs their weights one after another, says how much room the
// rings take, and hands it all over.

#include "sepal/kernels/cascade.h"

#include <algorithm>

#include "sepal/kernels/packed.h"
#include "sepal/kernels/tile.h"
#include "sepal/plan/conv_site.h"
#include "sepal/plan/frame.h"
#include "sepal/plan/fusion.h"

namespace sepal {
namespace {

constexpr std::int64_t kFloatBytes = sizeof(float);

/// Floats to a whole line.
constexpr std::int64_t to_line(std::int64_t floats) { return (floats + kLineFloats - 1) / kLineFloats * kLineFloats; }
constexpr std::int64_t with_slack(std::int64_t floats) {
  return to_line(floats + static_cast<std::int64_t>(kSlack) / kFloatBytes);
}

std::int64_t direct_floats(const Stage& stage) {
  return packed_direct_floats(stage.conv.groups, stage.filter.n(), stage.filter.elements(1, 4));
}

/// Floats of a stage's packed weights: panels; filter and bias of a depthwise one; panels and zeros of a direct one.
std::int64_t packed_floats_of(const Stage& stage) {
  const Shape& filter = stage.filter;
  switch (kind_of(stage.conv, stage.filter)) {
    case StageKind::kDepthwise:
      return to_line(filter.elements() + filter.n());
    case StageKind::kPointwise:
      return packed_floats(filter.n(), filter.c());
    case StageKind::kDirect:
      break;
  }
  return to_line(direct_floats(stage) + filter.c());
}

void pack(const Stage& stage, const float* filter, const float* bias, float* to) {
  const Shape& shape = stage.filter;
  switch (kind_of(stage.conv, stage.filter)) {
    case StageKind::kDepthwise:
      pack_depthwise(filter, shape.n(), shape.h() * shape.w(), to);
      if (bias != nullptr) std::copy_n(bias, shape.n(), to + shape.elements());
      break;
    case StageKind::kPointwise:
      pack_panels({.data = filter, .co = shape.n(), .k = shape.c(), .co_stride = shape.c(), .k_stride = 1}, bias, to);
      break;
    case StageKind::kDirect:
      pack_direct(filter, bias, stage.conv.groups, shape.n(), shape.elements(1, 4), to);
      break;
  }
}

/// The stage's arguments; `input` is of the first stage's.
CascadeStage bind(const Stage& stage, const Step& step, TensorView<const float> input) {
  // Without weights only shapes are asked for.
  const float* packed = step.packed == nullptr ? nullptr : sepal::packed_floats_of(step) + stage.packed;
  CascadeStage bound;
  bound.output = stage.output;
  bound.ring_rows = stage.ring_rows;
  bound.ring = stage.ring;
  const Conv2d& conv = stage.conv;
  switch (kind_of(stage.conv, stage.filter)) {
    case StageKind::kDepthwise:
      bound.args = DepthwiseArgs{.input = input,
                                 .filter = packed,
                                 .bias = packed == nullptr ? nullptr : packed + stage.filter.elements(),
                                 .window = conv.window,
                                 .activation = conv.activation,
                                 .output = {nullptr, stage.output}};
      break;
    case StageKind::kPointwise:
      bound.args = PointwiseArgs{.input = input.data,
                                 .input_pitch = stage.filter.c(),
                                 .ci = stage.filter.c(),
                                 .co = stage.filter.n(),
                                 .packed = packed,
                                 .activation = conv.activation,
                                 .output_pitch = stage.filter.n()};
      break;
    case StageKind::kDirect:
      bound.args = DirectArgs{.input = input,
                              .packed = packed,
                              .zeros = packed == nullptr ? nullptr : packed + direct_floats(stage),
                              .window = conv.window,
                              .groups = conv.groups,
                              .activation = conv.activation,
                              .output = {nullptr, stage.output}};
      break;
  }
  return bound;
}

}  // namespace

StageKind kind_of(const Conv2d& conv, const Shape& filter) {
  if (is_depthwise(conv, filter)) return StageKind::kDepthwise;
  const bool product = is_pointwise(conv, filter) && conv.window.stride == Extent{1, 1};
  return product ? StageKind::kPointwise : StageKind::kDirect;
}

std::string_view name_of_cascade(const Step& step) {
  const auto is = [&](std::size_t i, StageKind kind) {
    return kind_of(step.stages[i].conv, step.stages[i].filter) == kind;
  };
  const std::size_t count = step.stages.size();
  if (count == 2 && is(0, StageKind::kDepthwise) && is(1, StageKind::kPointwise)) {
    return "separable f32";
  }
  if (count == 3 && is(0, StageKind::kPointwise) && is(1, StageKind::kDepthwise) && is(2, StageKind::kPointwise)) {
    return "inverted residual f32";
  }
  return "cascade f32";
}

void prepare_cascade(const Graph& graph, std::span<const std::size_t> nodes, bool with_weights, Step& step) {
  std::int64_t size = 0;
  for (const std::size_t at : nodes) {
    const Site site{graph, graph.nodes()[at]};
    Stage stage{.conv = std::get<Conv2d>(site.node.op),
                .filter = filter_of(site),
                .output = site.output().shape,
                .packed = size};
    size += packed_floats_of(stage);
    step.stages.push_back(stage);
  }
  // After an addition: of the sum.
  step.stages.back().conv.activation = std::get<Conv2d>(step.op).activation;
  // Rings, from the last stage backwards.
  std::int64_t rows = step.rows_at_once;
  std::int64_t room = 0;
  for (std::size_t i = step.stages.size() - 1; i-- > 0;) {
    Stage& stage = step.stages[i];
    rows = std::min(ring_rows_for(bind(step.stages[i + 1], step, {}), rows), stage.output.h());
    stage.ring_rows = rows;
    stage.ring = room;
    room += with_slack(ring_floats(bind(stage, step, {})));
  }
  step.room = static_cast<std::size_t>(room * kFloatBytes + 63) / 64 * 64;
  if (!with_weights) return;
  const auto memory = packed_memory(size);  // zeros where nothing is packed
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const Site site{graph, graph.nodes()[nodes[i]]};
    pack(step.stages[i], site.weights(1), bias_of(site), floats_of(memory) + step.stages[i].packed);
  }
  step.packed = memory;
}

void run_cascade(const Step& step, const Frame& frame) noexcept {
  std::array<CascadeStage, kMostStages> stages;
  const std::size_t count = step.stages.size();
  for (std::size_t i = 0; i < count; ++i) stages[i] = bind(step.stages[i], step, frame.view<float>(step.inputs[0]));
  const TensorView<float> output = frame.output<float>(step.outputs[0]);
  if (auto* last = std::get_if<PointwiseArgs>(&stages[count - 1].args)) {
    last->output = output.data;
    last->addend = step.adds ? frame.view<float>(step.inputs.back()).data : nullptr;
  } else {
    std::get<DepthwiseArgs>(stages[count - 1].args).output = output;
  }
  const Shape& shape = step.outputs[0].type.shape;
  share_indexed(frame, step.work, {0, shape.n() * shape.h()}, [&](Range rows, int thread) {
    cascade({.stages = {stages.data(), count},
             .rows_at_once = step.rows_at_once,
             .room = frame.room(step, thread),
             .ahead = step.ahead},
            rows);
  });
}

}  // namespace sepal
