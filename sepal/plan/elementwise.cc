// Functions of one and two values, in place where the input is not read again.

#include "sepal/kernels/elementwise.h"

#include <array>
#include <optional>

#include "sepal/plan/frame.h"
#include "sepal/plan/select.h"

namespace sepal {
namespace {

std::int64_t last(const Shape& shape) { return shape.rank() == 0 ? 1 : shape[shape.rank() - 1]; }

bool accepts_unary(const Site& site) { return std::holds_alternative<Unary>(site.node.op) && site.f32(); }

void run_unary(const Step& step, const Frame& frame) noexcept {
  const float* input = frame.view<float>(step.inputs[0]).data;
  float* output = frame.output<float>(step.outputs[0]).data;
  share(frame, step.work, {0, step.outputs[0].type.shape.elements()},
        [&](Range range) { unary(std::get<Unary>(step.op), input, output, range); });
}

bool unary_in_place(const Site&, std::size_t) { return true; }

/// How an operand of shape `b` meets a result of shape `whole` in rows of its last axis, data left out; nothing if its
/// repetition is no single run of axes.
std::optional<Broadcast> broadcast_of(const Shape& b, const Shape& whole) {
  if (b.elements() == 1) return Broadcast{.rows = 1, .repeat = 1, .one_value = true};
  Broadcast result;
  result.one_value = last(b) == 1 && last(whole) != 1;
  // Leading axes, from the inside out: repeated ones (length 1), then those that follow the result, then
  // repeated ones again.
  const int offset = whole.rank() - b.rank();
  int axis = whole.rank() - 2;
  const auto length = [&](int i) { return i < offset ? 1 : b[i - offset]; };
  for (; axis >= 0 && length(axis) == 1; --axis) result.repeat *= whole[axis];
  for (; axis >= 0 && length(axis) == whole[axis]; --axis) result.rows *= whole[axis];
  for (; axis >= 0; --axis) {
    if (length(axis) != 1) return std::nullopt;
  }
  return result;
}

/// Which operand has the result's shape, and how the other meets it.
struct Meeting {
  bool swapped = false;
  Broadcast other;
};

std::optional<Meeting> meeting(const Shape& a, const Shape& b, const Shape& whole) {
  if (whole.elements() == 0) return std::nullopt;
  if (a == whole) {
    if (const auto other = broadcast_of(b, whole)) return Meeting{false, *other};
  }
  if (b == whole) {
    if (const auto other = broadcast_of(a, whole)) return Meeting{true, *other};
  }
  return std::nullopt;
}

bool accepts_binary(const Site& site) {
  const auto* op = std::get_if<Binary>(&site.node.op);
  return op != nullptr && site.f32() && site.input(1).type == DataType::kF32 && binary_accepts(op->kind) &&
         meeting(site.input(0).shape, site.input(1).shape, site.output().shape).has_value();
}

void run_binary(const Step& step, const Frame& frame) noexcept {
  const Shape& whole = step.outputs[0].type.shape;
  const Meeting met = *meeting(step.inputs[0].type.shape, step.inputs[1].type.shape, whole);
  Broadcast other = met.other;
  other.data = frame.view<float>(step.inputs[met.swapped ? 0 : 1]).data;
  const BinaryArgs args{.kind = std::get<Binary>(step.op).kind,
                        .a = frame.view<float>(step.inputs[met.swapped ? 1 : 0]).data,
                        .b = other,
                        .columns = last(whole),
                        .swapped = met.swapped,
                        .activation = {},
                        .output = frame.output<float>(step.outputs[0]).data};
  share(frame, step.work, {0, whole.elements() / args.columns}, [&](Range rows) { binary(args, rows); });
}

bool binary_in_place(const Site& site, std::size_t i) { return site.input(i).shape == site.output().shape; }

constexpr std::array kElementwise = {
    Candidate{"unary f32", accepts_unary, nullptr, run_unary, unary_in_place},
    Candidate{"binary f32", accepts_binary, nullptr, run_binary, binary_in_place},
};

}  // namespace

std::span<const Candidate> elementwise_candidates() { return kElementwise; }

}  // namespace sepal
