// Separable convolutions as one step. Fusing pays where the map between the stages would leave the second cache; the
// two kernels then work on a piece of a few rows in turn (kernels/separable.h).

#include "sepal/kernels/separable.h"

#include <algorithm>

#include "sepal/kernels/packed.h"
#include "sepal/kernels/tile.h"
#include "sepal/plan/conv_site.h"
#include "sepal/plan/frame.h"
#include "sepal/plan/fusion.h"

namespace sepal {
namespace {

/// Floats before the panels: filter and bias of the depthwise stage, to a whole line.
std::int64_t depthwise_floats(const Shape& filter) {
  return (filter.elements() + filter.n() + kLineFloats - 1) / kLineFloats * kLineFloats;
}

/// A piece: rows that come in pairs, as many as kSeparablePiece holds.
std::int64_t rows_at_once(const Shape& between) {
  const std::int64_t row_bytes = between.w() * between.c() * std::int64_t{sizeof(float)};
  return std::min(between.h(), std::max<std::int64_t>(2, kSeparablePiece / row_bytes / 2 * 2));
}

/// The map between the stages. `step` has op and more, and the input and filter first among its inputs.
Shape between_of(const Step& step) {
  const Shape& input = step.inputs[0].type.shape;
  const Extent extent = output_extent({input.h(), input.w()}, std::get<Conv2d>(step.op).window);
  return {input.n(), extent.h, extent.w, step.inputs[1].type.shape.n()};
}

}  // namespace

void find_separable(const Graph& graph, Fusions& fusions) {
  const std::vector<int> uses = count_uses(graph);
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = graph.nodes()[i];
    const Site pointwise{graph, node};
    const Conv2d* second = constant_conv(pointwise);
    if (second == nullptr || !is_pointwise(*second, filter_of(pointwise)) || second->window.stride != Extent{1, 1})
      continue;
    const Node* producer = graph.producer(node.inputs[0]);
    if (producer == nullptr || uses[Graph::index(node.inputs[0])] != 1) continue;
    const Site depthwise{graph, *producer};
    const Conv2d* first = constant_conv(depthwise);
    if (first == nullptr || !is_depthwise(*first, filter_of(depthwise))) continue;
    const Shape& between = graph.shape(node.inputs[0]);
    if (between.elements() * std::int64_t{sizeof(float)} < kSeparableFrom || between.elements() == 0) continue;
    const auto at = static_cast<std::size_t>(producer - graph.nodes().data());
    const auto [found, fresh] =
        fusions.try_emplace(i, Fusion{.activation = second->activation, .output = node.outputs[0]});
    found->second.depthwise = at;
    found->second.nodes.push_back(at);
  }
}

void prepare_separable(const Site& depthwise, const Site& pointwise, Step& step) {
  const Shape& first = filter_of(depthwise);
  const Shape& second = filter_of(pointwise);
  const auto memory = packed_memory(depthwise_floats(first) + packed_floats(second.n(), second.c()));
  float* to = floats_of(memory);
  pack_depthwise(depthwise.weights(1), first.n(), first.h() * first.w(), to);
  std::fill_n(to + first.elements(), first.n(), 0.0f);
  if (const float* bias = bias_of(depthwise)) std::copy_n(bias, first.n(), to + first.elements());
  pack_panels({.data = pointwise.weights(1), .co = second.n(), .k = second.c(), .co_stride = second.c(), .k_stride = 1},
              bias_of(pointwise), to + depthwise_floats(first));
  step.packed = memory;
}

void run_separable(const Step& step, const Frame& frame) noexcept {
  const auto& first = std::get<Conv2d>(step.op);
  const auto& second = std::get<Conv2d>(step.more.front());
  const Shape& filter = step.inputs[1].type.shape;
  const Shape between = between_of(step);
  const std::int64_t co = step.outputs[0].type.shape.c();
  const float* packed = packed_floats_of(step);
  const SeparableArgs args{.depthwise = {.input = frame.view<float>(step.inputs[0]),
                                         .filter = packed,
                                         .bias = packed + filter.elements(),
                                         .window = first.window,
                                         .activation = first.activation,
                                         .output = {nullptr, between}},
                           .pointwise = {.input = nullptr,
                                         .input_pitch = between.c(),
                                         .ci = between.c(),
                                         .co = co,
                                         .packed = packed + depthwise_floats(filter),
                                         .activation = second.activation,
                                         .output = frame.output<float>(step.outputs[0]).data,
                                         .output_pitch = co,
                                         .addend = step.adds ? frame.view<float>(step.inputs.back()).data : nullptr,
                                         .ahead = step.ahead},
                           .rows_at_once = rows_at_once(between)};
  share_indexed(frame, step.work, {0, between.n() * between.h()}, [&](Range rows, int thread) {
    SeparableArgs mine = args;
    mine.room = reinterpret_cast<float*>(frame.rooms + static_cast<std::size_t>(thread) * step.room);
    separable(mine, rows);
  });
}

std::size_t separable_room(const Step& step) {
  const Shape between = between_of(step);
  const auto floats = static_cast<std::size_t>(rows_at_once(between) * between.w() * between.c());
  return (floats * sizeof(float) + kSlack + 63) / 64 * 64;
}

}  // namespace sepal
