// Operators that only move elements, of any type: each is one box (kernels/move.h) or a few of them.

#include <algorithm>
#include <cstring>

#include "sepal/kernels/move.h"
#include "sepal/kernels/reference/number.h"
#include "sepal/plan/frame.h"
#include "sepal/plan/select.h"

namespace sepal {
namespace {

using Strides = std::array<std::int64_t, Shape::kMaxRank>;

std::int64_t at(const Strides& strides, int axis) { return strides[static_cast<std::size_t>(axis)]; }

const Shape& shape_of(const Operand& operand) { return operand.type.shape; }
std::int64_t bytes_of(const Operand& operand) { return static_cast<std::int64_t>(size_of(operand.type.type)); }

/// A box of elements of the output, all of it so far, read from `input`; axes[i].from is left to be filled in.
MoveArgs box_over(const Step& step, const Frame& frame, const void* input) {
  const Operand& output = step.outputs[0];
  MoveArgs box = {.input = input,
                  .output = frame.write(output),
                  .element_bytes = bytes_of(output),
                  .rank = shape_of(output).rank()};
  const Strides strides = strides_of(shape_of(output));
  for (int axis = 0; axis < box.rank; ++axis) {
    box.axes[static_cast<std::size_t>(axis)] = {shape_of(output)[axis], 0, at(strides, axis)};
  }
  return box;
}

template <typename T>
T* moved_on(T* data, std::int64_t elements, const MoveArgs& box) {
  using Byte = std::conditional_t<std::is_const_v<T>, const std::byte, std::byte>;
  return static_cast<Byte*>(data) + elements * box.element_bytes;
}

void share_box(const MoveArgs& whole, const Step& step, const Frame& frame) noexcept {
  const MoveArgs box = simplified(whole);
  share(frame, step.work, {0, box.axes[0].length}, [&](Range range) { move(box, range); });
}

/// Boxes that are disjoint in the output: the k-th parts of all of them together, so that what they write side by side
/// is still in the cache.
constexpr std::int64_t kPartBytes = 64 * 1024;

template <typename BoxOf>
void share_boxes(std::size_t count, const Step& step, const Frame& frame, const BoxOf& box_of) noexcept {
  const Operand& output = step.outputs[0];
  const std::int64_t parts =
      std::max<std::int64_t>(frame.threads, shape_of(output).elements() * bytes_of(output) / kPartBytes);
  share(frame, step.work, {0, parts}, [&](Range mine) {
    for (std::int64_t i = mine.begin; i < mine.end; ++i) {
      for (std::size_t k = 0; k < count; ++k) {
        const MoveArgs box = simplified(box_of(k));
        move(box, part({0, box.axes[0].length}, i, parts));
      }
    }
  });
}

bool accepts_concat(const Site& site) { return std::holds_alternative<Concat>(site.node.op); }

void run_concat(const Step& step, const Frame& frame) noexcept {
  const int axis = std::get<Concat>(step.op).axis;
  const Shape& whole = shape_of(step.outputs[0]);
  const std::int64_t below = whole.elements(axis + 1, whole.rank());
  // All inputs have the same axes before this one, so each is [before][run].
  share_boxes(step.inputs.size(), step, frame, [&](std::size_t k) {
    std::int64_t start = 0;
    for (std::size_t i = 0; i < k; ++i) start += shape_of(step.inputs[i])[axis] * below;
    const std::int64_t run = shape_of(step.inputs[k])[axis] * below;
    MoveArgs box = box_over(step, frame, frame.read(step.inputs[k]));
    box.output = moved_on(box.output, start, box);
    box.rank = 2;
    box.axes[0] = {whole.elements(0, axis), run, whole[axis] * below};
    box.axes[1] = {run, 1, 1};
    return box;
  });
}

bool accepts_slice(const Site& site) { return std::holds_alternative<Slice>(site.node.op); }

void run_slice(const Step& step, const Frame& frame) noexcept {
  const auto& op = std::get<Slice>(step.op);
  const Strides strides = strides_of(shape_of(step.inputs[0]));
  MoveArgs box = box_over(step, frame, frame.read(step.inputs[0]));
  std::int64_t first = 0;
  for (int axis = 0; axis < box.rank; ++axis) {
    box.axes[static_cast<std::size_t>(axis)].from = at(strides, axis) * at(op.step, axis);
    first += at(strides, axis) * at(op.start, axis);
  }
  box.input = moved_on(box.input, first, box);
  if (shape_of(step.outputs[0]).elements() > 0) share_box(box, step, frame);
}

/// Elements of the input that a padding keeps along an axis.
std::int64_t kept(const Pad& op, const Shape& input, int axis) {
  return input[axis] + std::min<std::int64_t>(at(op.before, axis), 0) + std::min<std::int64_t>(at(op.after, axis), 0);
}

bool accepts_pad(const Site& site) {
  const auto* op = std::get_if<Pad>(&site.node.op);
  if (op == nullptr || op->mode != PadMode::kConstant) return false;
  const Shape& input = site.input(0).shape;
  for (int axis = 0; axis < input.rank(); ++axis) {
    if (kept(*op, input, axis) <= 0) return false;
  }
  return true;
}

/// The filling, as an element of the output's type.
void prepare_pad(const Site& site, Step& step) {
  const auto memory = std::make_shared<AlignedBytes>(sizeof(std::int64_t));
  visit_type(site.output().type, [&]<typename T>() {
    const T value = reference::convert<T>(std::get<Pad>(site.node.op).value);
    std::memcpy(memory->data(), &value, sizeof(T));
  });
  step.packed = memory;
}

/// Box 0 is the input; 1 + 2 i and 2 + 2 i are what lies before and after it along axis i, as wide as the input along
/// the axes before i and as the output along those after.
void run_pad(const Step& step, const Frame& frame) noexcept {
  const auto& op = std::get<Pad>(step.op);
  const Shape& input = shape_of(step.inputs[0]);
  const Strides strides = strides_of(input);
  const auto box_of = [&](std::size_t k) {
    const int side = k == 0 ? input.rank() : static_cast<int>(k - 1) / 2;
    MoveArgs box = box_over(step, frame, k == 0 ? frame.read(step.inputs[0]) : step.packed->data());
    std::int64_t from = 0;
    std::int64_t to = 0;
    for (int axis = 0; axis < box.rank && axis <= side; ++axis) {
      MoveAxis& along = box.axes[static_cast<std::size_t>(axis)];
      const std::int64_t before = std::max<std::int64_t>(at(op.before, axis), 0);
      const std::int64_t inside = kept(op, input, axis);
      const bool after = k % 2 == 0;
      if (axis == side) {
        if (after) to += (before + inside) * along.to;
        along.length = after ? along.length - before - inside : before;
        continue;
      }
      to += before * along.to;
      along.length = inside;
      if (k == 0) {
        along.from = at(strides, axis);
        from += std::max<std::int64_t>(-at(op.before, axis), 0) * along.from;
      }
    }
    box.input = moved_on(box.input, from, box);
    box.output = moved_on(box.output, to, box);
    return box;
  };
  share_boxes(1 + 2 * static_cast<std::size_t>(input.rank()), step, frame, box_of);
}

bool accepts_transpose(const Site& site) { return std::holds_alternative<Transpose>(site.node.op); }

void run_transpose(const Step& step, const Frame& frame) noexcept {
  const Strides strides = strides_of(shape_of(step.inputs[0]));
  MoveArgs box = box_over(step, frame, frame.read(step.inputs[0]));
  for (int axis = 0; axis < box.rank; ++axis) {
    box.axes[static_cast<std::size_t>(axis)].from = at(strides, std::get<Transpose>(step.op).permutation[axis]);
  }
  share_box(box, step, frame);
}

bool accepts_expand(const Site& site) { return std::holds_alternative<Expand>(site.node.op); }

void run_expand(const Step& step, const Frame& frame) noexcept {
  const Shape& input = shape_of(step.inputs[0]);
  const Strides strides = strides_of(input);
  MoveArgs box = box_over(step, frame, frame.read(step.inputs[0]));
  const int missing = box.rank - input.rank();
  for (int axis = missing; axis < box.rank; ++axis) {
    if (input[axis - missing] != 1) box.axes[static_cast<std::size_t>(axis)].from = at(strides, axis - missing);
  }
  share_box(box, step, frame);
}

/// One index, which picks a slice; a channel shuffle as ONNX files spell it is made of these.
bool accepts_gather(const Site& site) {
  return std::holds_alternative<Gather>(site.node.op) && site.input(1).shape.elements() == 1 &&
         site.input(0).shape.elements() > 0;
}

void run_gather(const Step& step, const Frame& frame) noexcept {
  const int axis = std::get<Gather>(step.op).axis;
  const Shape& data = shape_of(step.inputs[0]);
  const void* indices = frame.read(step.inputs[1]);
  const bool narrow = step.inputs[1].type.type == DataType::kI32;
  const std::int64_t index =
      narrow ? *static_cast<const std::int32_t*>(indices) : *static_cast<const std::int64_t*>(indices);
  // One outside reads the nearest, as in the reference: a plan that runs cannot throw.
  const std::int64_t place = std::clamp<std::int64_t>(index < 0 ? index + data[axis] : index, 0, data[axis] - 1);
  const std::int64_t run = data.elements(axis + 1, data.rank());
  MoveArgs box = box_over(step, frame, frame.read(step.inputs[0]));
  box.input = moved_on(box.input, place * run, box);
  box.rank = 2;
  box.axes[0] = {data.elements(0, axis), data[axis] * run, run};
  box.axes[1] = {run, 1, 1};
  share_box(box, step, frame);
}

constexpr std::array kMoves = {
    Candidate{"concat", accepts_concat, nullptr, run_concat},
    Candidate{"slice", accepts_slice, nullptr, run_slice},
    Candidate{"pad", accepts_pad, prepare_pad, run_pad},
    Candidate{"transpose", accepts_transpose, nullptr, run_transpose},
    Candidate{"expand", accepts_expand, nullptr, run_expand},
    Candidate{"gather", accepts_gather, nullptr, run_gather},
};

}  // namespace

std::span<const Candidate> move_candidates() { return kMoves; }

}  // namespace sepal
