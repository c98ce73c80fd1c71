// Transposed convolutions with constant weights.

#include "sepal/kernels/transposed.h"

#include <algorithm>

#include "sepal/plan/conv_site.h"
#include "sepal/plan/frame.h"

namespace sepal {
namespace {

/// Phases, each a convolution, up to which the work is worth dividing so; real strides are 2, 4 and 8.
constexpr std::int64_t kMostPhases = 256;

bool accepts_transposed(const Site& site) {
  const auto* op = std::get_if<ConvTranspose2d>(&site.node.op);
  if (op == nullptr || !site.f32() || site.constant(1) == nullptr) return false;
  const Extent& stride = op->window.stride;
  return stride.h <= kMostPhases && stride.w <= kMostPhases / stride.h && site.output().shape.elements() > 0 &&
         site.input(0).shape.elements() > 0 && (site.inputs() < 3 || site.constant(2) != nullptr);
}

/// What can be said before a run.
TransposedArgs args_of(const ConvTranspose2d& op, const Shape& input, const Shape& output) {
  return {.input = {nullptr, input}, .window = op.window, .groups = op.groups, .output = {nullptr, output}};
}

void prepare_transposed(const Site& site, Step& step) {
  const auto& op = std::get<ConvTranspose2d>(site.node.op);
  const TransposedArgs args = args_of(op, site.input(0).shape, site.output().shape);
  const std::int64_t size = packed_transposed_floats(args);
  // The panels, then the zeros that a tap in the padding reads.
  const std::int64_t zeros = site.input(0).shape.c() / op.groups;
  const auto memory = packed_memory(size + zeros);
  pack_transposed(args, site.weights(1), bias_of(site), floats_of(memory));
  std::fill_n(floats_of(memory) + size, zeros, 0.0f);
  step.packed = memory;
}

void run_transposed(const Step& step, const Frame& frame) noexcept {
  const Shape& output = step.outputs[0].type.shape;
  TransposedArgs args = args_of(std::get<ConvTranspose2d>(step.op), step.inputs[0].type.shape, output);
  args.input = frame.view<float>(step.inputs[0]);
  args.output = frame.output<float>(step.outputs[0]);
  args.packed = packed_floats_of(step);
  args.zeros = args.packed + packed_transposed_floats(args);
  share(frame, step.work, {0, output.n() * transposed_row_groups(args.window, output.h())},
        [&](Range groups) { transposed(args, groups); });
}

constexpr std::array kTransposed = {
    Candidate{"transposed f32", accepts_transposed, prepare_transposed, run_transposed},
};

}  // namespace

std::span<const Candidate> transposed_candidates() { return kTransposed; }

}  // namespace sepal
