// Convolutions and products with constant weights. Every row packs its weights once, when the plan is made.

#include <algorithm>
#include <array>
#include <cstring>

#include "sepal/kernels/depthwise.h"
#include "sepal/kernels/direct.h"
#include "sepal/kernels/pointwise.h"
#include "sepal/plan/conv_site.h"
#include "sepal/plan/frame.h"

namespace sepal {
namespace {

bool accepts_pointwise(const Site& site) {
  const Conv2d* conv = constant_conv(site);
  return conv != nullptr && is_pointwise(*conv, filter_of(site)) && conv->window.stride == Extent{1, 1};
}

void prepare_pointwise(const Site& site, Step& step) {
  const Shape& filter = filter_of(site);
  const auto memory = packed_memory(packed_floats(filter.n(), filter.c()));
  pack_panels({.data = site.weights(1), .co = filter.n(), .k = filter.c(), .co_stride = filter.c(), .k_stride = 1},
              bias_of(site), floats_of(memory));
  step.packed = memory;
}

/// What is added to the step's result, or null.
const float* addend(const Step& step, const Frame& frame) {
  return step.adds ? frame.view<float>(step.inputs.back()).data : nullptr;
}

/// Rows, or panels of output channels where there are few rows, divided among threads.
void share_pointwise(const PointwiseArgs& args, std::int64_t rows, const Step& step, const Frame& frame) noexcept {
  const bool by_rows = divides_rows(rows, args.co, frame.threads);
  share_indexed(frame, step.work, {0, by_rows ? rows : panels(args.co)}, [&](Range range, int thread) {
    PointwiseArgs mine = args;
    mine.gate.room = frame.room(step, thread);
    if (by_rows) return pointwise(mine, range);
    pointwise(mine, {0, rows}, range);
  });
}

void run_pointwise(const Step& step, const Frame& frame) noexcept {
  const Shape& input = step.inputs[0].type.shape;
  const std::int64_t co = step.outputs[0].type.shape.c();
  const PointwiseArgs args{.input = frame.view<float>(step.inputs[0]).data,
                           .input_pitch = input.c(),
                           .ci = input.c(),
                           .co = co,
                           .packed = packed_floats_of(step),
                           .activation = std::get<Conv2d>(step.op).activation,
                           .output = frame.output<float>(step.outputs[0]).data,
                           .output_pitch = co,
                           .addend = addend(step, frame),
                           .ahead = step.ahead,
                           .gate = gate_of(step, frame)};
  share_pointwise(args, input.elements(0, 3), step, frame);
}

bool accepts_depthwise(const Site& site) {
  const Conv2d* conv = constant_conv(site);
  return conv != nullptr && is_depthwise(*conv, filter_of(site));
}

void prepare_depthwise(const Site& site, Step& step) {
  const Shape& filter = filter_of(site);
  // The filter, then the bias.
  const auto memory = packed_memory(filter.elements() + filter.n());
  pack_depthwise(site.weights(1), filter.n(), filter.h() * filter.w(), floats_of(memory));
  if (const float* bias = bias_of(site)) std::copy_n(bias, filter.n(), floats_of(memory) + filter.elements());
  step.packed = memory;
}

void run_depthwise(const Step& step, const Frame& frame) noexcept {
  const auto& conv = std::get<Conv2d>(step.op);
  const DepthwiseArgs args{.input = frame.view<float>(step.inputs[0]),
                           .filter = packed_floats_of(step),
                           .bias = packed_floats_of(step) + step.inputs[1].type.shape.elements(),
                           .window = conv.window,
                           .activation = conv.activation,
                           .output = frame.output<float>(step.outputs[0])};
  const Shape& output = step.outputs[0].type.shape;
  share(frame, step.work, {0, output.n() * output.h()}, [&](Range rows) { depthwise(args, rows); });
}

bool accepts_grouped(const Site& site) {
  const Conv2d* conv = constant_conv(site);
  return conv != nullptr && has_small_groups(*conv, filter_of(site));
}

void prepare_grouped(const Site& site, Step& step) {
  const Shape& filter = filter_of(site);
  const std::int64_t taps = filter.h() * filter.w();
  const auto memory = packed_memory(packed_grouped_floats(filter.n(), taps, filter.c()));
  pack_grouped(site.weights(1), bias_of(site), filter.n(), taps, filter.c(), floats_of(memory));
  step.packed = memory;
}

void run_grouped(const Step& step, const Frame& frame) noexcept {
  const auto& conv = std::get<Conv2d>(step.op);
  const GroupedArgs args{.input = frame.view<float>(step.inputs[0]),
                         .packed = packed_floats_of(step),
                         .window = conv.window,
                         .group = step.inputs[1].type.shape.c(),
                         .activation = conv.activation,
                         .output = frame.output<float>(step.outputs[0]),
                         .addend = addend(step, frame)};
  const Shape& output = step.outputs[0].type.shape;
  share(frame, step.work, {0, output.n() * output.h()}, [&](Range rows) { grouped(args, rows); });
}

bool accepts_direct(const Site& site) { return constant_conv(site) != nullptr; }

void prepare_direct(const Site& site, Step& step) {
  const auto& conv = std::get<Conv2d>(step.op);
  const Shape& filter = filter_of(site);
  const std::int64_t k = filter.elements(1, 4);
  const std::int64_t size = packed_direct_floats(conv.groups, filter.n(), k);
  // The panels, then the zeros that a tap in the padding reads.
  const auto memory = packed_memory(size + filter.c());
  pack_direct(site.weights(1), bias_of(site), conv.groups, filter.n(), k, floats_of(memory));
  step.packed = memory;
}

void run_direct(const Step& step, const Frame& frame) noexcept {
  const auto& conv = std::get<Conv2d>(step.op);
  const Shape& filter = step.inputs[1].type.shape;
  const DirectArgs args{
      .input = frame.view<float>(step.inputs[0]),
      .packed = packed_floats_of(step),
      .zeros = packed_floats_of(step) + packed_direct_floats(conv.groups, filter.n(), filter.elements(1, 4)),
      .window = conv.window,
      .groups = conv.groups,
      .activation = conv.activation,
      .output = frame.output<float>(step.outputs[0]),
      .addend = addend(step, frame),
      .ahead = step.ahead};
  const Shape& output = step.outputs[0].type.shape;
  share(frame, step.work, {0, output.n() * output.h()}, [&](Range rows) { direct(args, rows); });
}

// --- gemm and matmul with a constant right operand: a pointwise convolution whose pixels are rows ---

bool accepts_gemm(const Site& site) {
  const auto* gemm = std::get_if<Gemm>(&site.node.op);
  if (gemm == nullptr || !site.f32() || gemm->transpose_a || site.constant(1) == nullptr) return false;
  if (site.inputs() < 3) return true;
  const std::int64_t n = site.output().shape[1];
  return site.constant(2) != nullptr &&
         (site.input(2).shape == Shape{n} || site.input(2).shape == Shape{1, n} || site.input(2).shape.elements() == 1);
}

void prepare_gemm(const Site& site, Step& step) {
  const auto& gemm = std::get<Gemm>(step.op);
  const std::int64_t n = site.output().shape[1];
  const std::int64_t k = site.input(0).shape[1];
  std::vector<float> scaled;
  if (gemm.alpha != 1) {
    scaled.assign(site.weights(1), site.weights(1) + n * k);
    for (float& weight : scaled) weight *= gemm.alpha;
  }
  std::vector<float> bias(static_cast<std::size_t>(n));
  for (std::size_t i = 0; site.inputs() == 3 && i < bias.size(); ++i) {
    bias[i] = gemm.beta * site.weights(2)[site.input(2).shape.elements() == 1 ? 0 : i];
  }
  const auto memory = packed_memory(packed_floats(n, k));
  pack_panels({.data = scaled.empty() ? site.weights(1) : scaled.data(),
               .co = n,
               .k = k,
               .co_stride = gemm.transpose_b ? k : 1,
               .k_stride = gemm.transpose_b ? 1 : n},
              bias.data(), floats_of(memory));
  step.packed = memory;
}

bool accepts_matmul(const Site& site) {
  return std::holds_alternative<MatMul>(site.node.op) && site.f32() && site.constant(1) != nullptr &&
         site.input(1).shape.rank() == 2 && site.input(0).shape.rank() >= 2;
}

void prepare_matmul(const Site& site, Step& step) {
  const std::int64_t k = site.input(1).shape[0];
  const std::int64_t n = site.input(1).shape[1];
  const auto memory = packed_memory(packed_floats(n, k));
  pack_panels({.data = site.weights(1), .co = n, .k = k, .co_stride = 1, .k_stride = n}, nullptr, floats_of(memory));
  step.packed = memory;
}

void run_dense(const Step& step, const Frame& frame) noexcept {
  const Shape& input = step.inputs[0].type.shape;
  const Shape& output = step.outputs[0].type.shape;
  const std::int64_t ci = input[input.rank() - 1];
  const std::int64_t co = output[output.rank() - 1];
  const PointwiseArgs args{.input = frame.view<float>(step.inputs[0]).data,
                           .input_pitch = ci,
                           .ci = ci,
                           .co = co,
                           .packed = packed_floats_of(step),
                           .activation = {},
                           .output = frame.output<float>(step.outputs[0]).data,
                           .output_pitch = co,
                           .ahead = step.ahead};
  share_pointwise(args, output.elements(0, output.rank() - 1), step, frame);
}

constexpr std::array kConvolutions = {
    Candidate{"pointwise f32", accepts_pointwise, prepare_pointwise, run_pointwise, nullptr, true, true},
    Candidate{"depthwise f32", accepts_depthwise, prepare_depthwise, run_depthwise},
    Candidate{"grouped f32", accepts_grouped, prepare_grouped, run_grouped, nullptr, true},
    Candidate{"direct f32", accepts_direct, prepare_direct, run_direct, nullptr, true},
    Candidate{"dense f32", accepts_gemm, prepare_gemm, run_dense},
    Candidate{"dense f32", accepts_matmul, prepare_matmul, run_dense},
};

}  // namespace

std::span<const Candidate> convolution_candidates() { return kConvolutions; }

}  // namespace sepal
