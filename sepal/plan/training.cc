// The rows for training: batch norm by its batch, derivatives, updates. Convolutions stand in training_conv*.cc.

#include <array>

#include "sepal/kernels/update.h"
#include "sepal/plan/training_room.h"

namespace sepal {
namespace {

template <typename Op>
bool accepts(const Site& site) {
  return std::holds_alternative<Op>(site.node.op) && site.output().shape.elements() > 0;
}

/// Calls body(rows) for every block of the division, blocks shared among threads.
template <typename Body>
void share_blocks(const Frame& frame, const Step& step, const RowDivision& division, const Body& body) noexcept {
  share(frame, step.work, {0, division.blocks}, [&](Range blocks) {
    for (std::int64_t index = blocks.begin; index < blocks.end; ++index) body(index, division.of(index));
  });
}

// --- batch norm whose vectors are no constants: as a convolution of training reads ---

bool accepts_batch_norm(const Site& site) {
  return accepts<BatchNorm>(site) && site.f32() && site.constant(3) == nullptr;
}

void size_batch_norm(const Site& site, Step& step) {
  Room room;
  for (int i = 0; i < 2; ++i) room.take(site.input(1).shape.elements());
  step.shared_room = room.bytes();
}

void run_batch_norm(const Step& step, const Frame& frame) noexcept {
  const RowDivision division(step.outputs[0].type.shape);
  Room room(frame.shared);
  float* const factor = room.take(division.channels);
  float* const shift = room.take(division.channels);
  const BatchNormArgs norm = batch_norm_args(frame, step, 1, std::get<BatchNorm>(step.op).epsilon);
  read_coefficients(norm, division.channels, factor, shift);
  const float* const x = values(frame, step, 0);
  float* const y = results(frame, step, 0);
  share_blocks(frame, step, division, [&](std::int64_t, Range rows) {
    const std::int64_t first = rows.begin * division.channels;
    read_rows({.factor = factor, .shift = shift, .mean = nullptr, .activation = {}}, x + first, rows.size(),
              division.channels, y + first);
  });
}

// --- moments of a batch ---

void size_moments(const Site& site, Step& step) {
  const RowDivision division(site.input(0).shape);
  Room room;
  room.take(division.blocks * moment_floats(division.channels));
  step.shared_room = room.bytes();
}

void run_moments(const Step& step, const Frame& frame) noexcept {
  const RowDivision division(step.inputs[0].type.shape);
  float* const moments = Room(frame.shared).take(division.blocks * moment_floats(division.channels));
  const float* const x = values(frame, step, 0);
  share_blocks(frame, step, division, [&](std::int64_t index, Range rows) {
    const float* first = x + rows.begin * division.channels;
    measure_rows(first, rows.size(), division.channels, moments + index * moment_floats(division.channels));
  });
  join_moments(moments, division.blocks, division.block, division.rows, division.channels, results(frame, step, 0),
               results(frame, step, 1));
}

// --- the sums behind a batch norm's gradient ---

void size_sums(const Site& site, Step& step) {
  const RowDivision division(site.input(0).shape);
  Room room;
  room.take(division.blocks * 2 * division.channels);
  step.shared_room = room.bytes();
}

void run_sums(const Step& step, const Frame& frame) noexcept {
  const RowDivision division(step.inputs[0].type.shape);
  float* const sums = Room(frame.shared).take(division.blocks * 2 * division.channels);
  const float* const g = values(frame, step, 0);
  const float* const x = values(frame, step, 1);
  const float* const mean = values(frame, step, 2);
  share_blocks(frame, step, division, [&](std::int64_t index, Range rows) {
    const std::int64_t first = rows.begin * division.channels;
    gradient_sums(g + first, x + first, mean, rows.size(), division.channels, sums + index * 2 * division.channels);
  });
  const BatchNormArgs norm = {.scale = nullptr,
                              .bias = nullptr,
                              .mean = mean,
                              .variance = values(frame, step, 3),
                              .epsilon = std::get<BatchNormSums>(step.op).epsilon};
  join_sums(sums, division.blocks, norm, division.channels, results(frame, step, 0), results(frame, step, 1));
}

// --- from the gradient of a batch norm to that of its input ---

void size_norm_gradient(const Site& site, Step& step) {
  Room room;
  for (int i = 0; i < 3; ++i) room.take(site.input(2).shape.elements());
  step.shared_room = room.bytes();
}

void run_norm_gradient(const Step& step, const Frame& frame) noexcept {
  const RowDivision division(step.outputs[0].type.shape);
  Room room(frame.shared);
  GradientReadArgs read{.g = values(frame, step, 0), .y = values(frame, step, 1)};
  float* const a = room.take(division.channels);
  float* const b = room.take(division.channels);
  float* const c = room.take(division.channels);
  const BatchNormArgs norm = {.scale = values(frame, step, 2),
                              .bias = nullptr,
                              .mean = values(frame, step, 3),
                              .variance = values(frame, step, 4),
                              .epsilon = std::get<BatchNormInputGradient>(step.op).epsilon};
  gradient_coefficients(norm, values(frame, step, 5), values(frame, step, 6), division.rows, division.channels, a, b,
                        c);
  read.a = a;
  read.b = b;
  read.c = c;
  float* const dx = results(frame, step, 0);
  share_blocks(frame, step, division, [&](std::int64_t, Range rows) {
    const std::int64_t first = rows.begin * division.channels;
    read_gradient_rows(read, first, rows.size(), division.channels, dx + first);
  });
}

// --- derivatives and updates ---

void run_unary_gradient(const Step& step, const Frame& frame) noexcept {
  const Unary& function = std::get<UnaryGradient>(step.op).function;
  share(frame, step.work, {0, step.outputs[0].type.shape.elements()}, [&](Range range) {
    unary_gradient(function, values(frame, step, 0), values(frame, step, 1), results(frame, step, 0), range);
  });
}

bool over_gradient(const Site&, std::size_t input) { return input == 1; }

void run_update(const Step& step, const Frame& frame) noexcept {
  const LearningRule& rule = std::get<Update>(step.op).rule;
  const float* rates = values(frame, step, 2);
  const bool squares = states_of(rule.rule) > 1;
  const UpdateArgs args = {.rule = rule,
                           .weights = values(frame, step, 0),
                           .gradient = values(frame, step, 1),
                           .rate = rates[0],
                           .first_correction = rates[1],
                           .second_correction = rates[2],
                           .factor = *values(frame, step, 3),
                           .momentum = values(frame, step, 4),
                           .square = squares ? values(frame, step, 5) : nullptr,
                           .new_weights = results(frame, step, 0),
                           .new_momentum = results(frame, step, 1),
                           .new_square = squares ? results(frame, step, 2) : nullptr};
  share(frame, step.work, {0, step.outputs[0].type.shape.elements()}, [&](Range range) { update(args, range); });
}

/// A row that packs nothing beforehand.
constexpr Candidate row(std::string_view name, bool (*accepts)(const Site&),
                        void (*run)(const Step&, const Frame&) noexcept, void (*size)(const Site&, Step&) = nullptr,
                        bool (*in_place)(const Site&, std::size_t) = nullptr) {
  Candidate candidate{name, accepts, nullptr, run, in_place};
  candidate.size = size;
  return candidate;
}

constexpr std::array kTraining = {
    row("training convolution f32", accepts<TrainingConv2d>, run_training_conv, size_training_conv),
    row("convolution gradient f32", accepts<Conv2dGradient>, run_conv_gradient, size_conv_gradient),
    row("batch norm f32", accepts_batch_norm, run_batch_norm, size_batch_norm),
    row("batch moments f32", accepts<BatchMoments>, run_moments, size_moments),
    row("batch norm sums f32", accepts<BatchNormSums>, run_sums, size_sums),
    row("batch norm gradient f32", accepts<BatchNormInputGradient>, run_norm_gradient, size_norm_gradient),
    row("activation gradient f32", accepts<UnaryGradient>, run_unary_gradient, nullptr, over_gradient),
    row("update f32", accepts<Update>, run_update),
};

}  // namespace

std::span<const Candidate> training_candidates() { return kTraining; }

}  // namespace sepal
