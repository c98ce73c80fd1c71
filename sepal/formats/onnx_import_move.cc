// Operators that copy, cut, join and repeat.

#include <algorithm>
#include <numeric>

#include "sepal/base/text.h"
#include "sepal/formats/onnx_import.h"

namespace sepal::onnx {
namespace {

std::size_t at(int axis) { return static_cast<std::size_t>(axis); }

/// A range along one axis: first element, step, count.
struct Cut {
  std::int64_t start = 0, step = 1, size = 0;
};

/// Starts and ends beyond the axis are brought back to it, as ONNX has it.
Cut cut(std::int64_t start, std::int64_t end, std::int64_t step, std::int64_t length) {
  if (step == 0) invalid("a step of 0");
  const bool forward = step > 0;
  const auto clamp = [&](std::int64_t place) {
    if (place < 0) place += length;
    return forward ? std::clamp<std::int64_t>(place, 0, length)
                   : std::clamp<std::int64_t>(place, -1, std::max<std::int64_t>(length - 1, -1));
  };
  const std::int64_t first = forward ? clamp(start) : std::max<std::int64_t>(clamp(start), length == 0 ? -1 : 0);
  const std::int64_t last = clamp(end);
  const std::int64_t way = forward ? last - first : first - last;
  if (way <= 0) return {};
  const std::int64_t stride = forward ? step : -std::max(step, -INT64_MAX);
  return {first, forward ? stride : -stride, (way - 1) / stride + 1};
}

/// A slice of the whole of `shape`.
Slice whole(const Shape& shape) { return {.start = {}, .step = {1, 1, 1, 1, 1, 1}, .size = shape}; }

void apply(Slice& slice, int axis, const Cut& cut) {
  slice.start[at(axis)] = cut.start;
  slice.step[at(axis)] = cut.step;
  slice.size = slice.size.with(axis, cut.size);
}

/// Axes 0, 1, 2 ...
std::vector<std::int64_t> first_axes(std::size_t count) {
  std::vector<std::int64_t> axes(count);
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

/// The lengths of the parts that Split makes.
std::vector<std::int64_t> parts(const NodeImport& node, std::int64_t length) {
  const std::int64_t count = node.output_count();
  if (const auto* given = node.integers("split"); given != nullptr && !given->empty()) return *given;
  if (node.has(1)) return node.integers(1);
  if (node.integer("num_outputs", count) != count) {
    invalid("num_outputs is {}, but there are {} outputs", node.integer("num_outputs", count), count);
  }
  // Since opset 18 the last part may be shorter.
  const std::int64_t each = length / count + (length % count != 0 ? 1 : 0);
  if (node.opset() < 18 && length % count != 0) invalid("{} elements are not {} equal parts", length, count);
  std::vector<std::int64_t> lengths(static_cast<std::size_t>(count), each);
  lengths.back() = length - each * (count - 1);
  return lengths;
}

}  // namespace

void import_expand(NodeImport& node) {
  const Shape wanted(node.integers(1));
  node.give(node.add(Expand{broadcast(node.shape(0), wanted)}, {node.input(0)}));
}

void import_tile(NodeImport& node) {
  const std::vector<std::int64_t> repeats = node.integers(1);
  const Shape x = node.shape(0);
  if (repeats.size() != at(x.rank())) invalid("{} repeats for {}", repeats.size(), to_string(x));
  Tile op;
  std::ranges::copy(repeats, op.repeats.begin());
  node.give(node.add(op, {node.input(0)}));
}

void import_concat(NodeImport& node) {
  if (node.opset() >= 4 && !node.has("axis")) invalid("Concat without an axis");
  const int axis = checked_axis(node.integer("axis", 1), node.shape(0).rank());
  std::vector<ValueId> inputs;
  for (int i = 0; i < node.input_count(); ++i) inputs.push_back(node.input(i));
  node.give(node.add(Concat{axis}, std::move(inputs)));
}

void import_slice(NodeImport& node) {
  const Shape x = node.shape(0);
  std::vector<std::int64_t> starts, ends, axes, steps;
  if (node.opset() < 10) {
    const auto* from = node.integers("starts");
    const auto* to = node.integers("ends");
    if (from == nullptr || to == nullptr) invalid("Slice without starts or ends");
    starts = *from;
    ends = *to;
    if (const auto* given = node.integers("axes")) axes = *given;
  } else {
    starts = node.integers(1);
    ends = node.integers(2);
    if (node.has(3)) axes = node.integers(3);
    if (node.has(4)) steps = node.integers(4);
  }
  if (axes.empty()) axes = first_axes(starts.size());
  if (steps.empty()) steps.assign(starts.size(), 1);
  if (ends.size() != starts.size() || axes.size() != starts.size() || steps.size() != starts.size()) {
    invalid("{} starts, {} ends, {} axes and {} steps", starts.size(), ends.size(), axes.size(), steps.size());
  }
  Slice op = whole(x);
  std::vector<bool> seen(at(x.rank()));
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const int axis = checked_axis(axes[i], x.rank());
    if (seen[at(axis)]) invalid("axes [{}] name one twice", join(axes, ", "));
    seen[at(axis)] = true;
    apply(op, axis, cut(starts[i], ends[i], steps[i], x[axis]));
  }
  node.give(node.add(op, {node.input(0)}));
}

void import_split(NodeImport& node) {
  const Shape x = node.shape(0);
  const int axis = checked_axis(node.integer("axis", 0), x.rank());
  const std::vector<std::int64_t> lengths = parts(node, x[axis]);
  if (lengths.size() != at(node.output_count()))
    invalid("{} parts for {} outputs", lengths.size(), node.output_count());
  std::int64_t start = 0;
  for (int i = 0; i < node.output_count(); ++i) {
    const std::int64_t length = lengths[at(i)];
    if (length < 0 || length > x[axis] - start) {
      invalid("parts of {} do not make up axis {} of {}", join(lengths, ", "), axis, to_string(x));
    }
    Slice op = whole(x);
    apply(op, axis, length == 0 ? Cut{} : Cut{start, 1, length});
    if (node.wants(i)) node.give(i, node.add(op, {node.input(0)}, format("{}", i)));
    start += length;
  }
  if (start != x[axis]) invalid("parts of {} do not make up axis {} of {}", join(lengths, ", "), axis, to_string(x));
}

void import_gather(NodeImport& node) {
  const Shape x = node.shape(0);
  const int axis = checked_axis(node.integer("axis", 0), x.rank());
  if (const Constant& indices = node.graph().constant(node.input(1))) {
    const auto check = [&](const auto& values) {
      for (const std::int64_t index : values) {
        if (index < -x[axis] || index >= x[axis]) invalid("index {} into axis {} of {}", index, axis, to_string(x));
      }
    };
    if (indices->type() == DataType::kI64) check(indices->values<std::int64_t>());
    if (indices->type() == DataType::kI32) check(indices->values<std::int32_t>());
  }
  node.give(node.add(Gather{axis}, {node.input(0), node.input(1)}));
}

void import_pad(NodeImport& node) {
  const Shape x = node.shape(0);
  Pad op;
  const std::string_view mode = node.text("mode", "constant");
  if (mode == "reflect") {
    op.mode = PadMode::kReflect;
  } else if (mode == "edge") {
    op.mode = PadMode::kEdge;
  } else if (mode == "wrap" && node.opset() >= 19) {
    op.mode = PadMode::kWrap;
  } else if (mode != "constant") {
    invalid("a mode of \"{}\"", printable(mode));
  }
  std::vector<std::int64_t> pads;
  std::vector<std::int64_t> axes = first_axes(at(x.rank()));
  if (node.opset() < 11) {
    const std::string_view attribute = node.opset() < 2 ? "paddings" : "pads";
    const auto* given = node.integers(attribute);
    if (given == nullptr) invalid("Pad without {}", attribute);
    pads = *given;
    op.value = static_cast<double>(node.real("value", 0));
  } else {
    pads = node.integers(1);
    if (node.has(2)) {
      const Tensor& value = node.constant(2);
      if (value.elements() != 1) invalid("a constant_value of {}, not a scalar", to_string(value.shape()));
      op.value = visit_type(value.type(), [&]<typename T>() {
        if constexpr (std::is_same_v<T, Float16> || std::is_same_v<T, BFloat16>) {
          return static_cast<double>(static_cast<float>(value.values<T>()[0]));
        } else {
          return static_cast<double>(value.values<T>()[0]);
        }
      });
    }
    if (node.has(3)) axes = node.integers(3);
  }
  if (pads.size() != 2 * axes.size()) invalid("{} pads for {} axes", pads.size(), axes.size());
  std::vector<bool> seen(at(x.rank()));
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const int axis = checked_axis(axes[i], x.rank());
    if (seen[at(axis)]) invalid("axes [{}] name one twice", join(axes, ", "));
    seen[at(axis)] = true;
    op.before[at(axis)] = pads[i];
    op.after[at(axis)] = pads[i + axes.size()];
  }
  node.give(node.add(op, {node.input(0)}));
}

}  // namespace sepal::onnx
