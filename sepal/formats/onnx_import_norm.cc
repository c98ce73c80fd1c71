// Normalisations and reductions.

#include <algorithm>
#include <array>
#include <numeric>

#include "sepal/base/text.h"
#include "sepal/formats/onnx_import.h"

namespace sepal::onnx {
namespace {

struct ReduceName {
  std::string_view type;
  ReduceKind kind;
};

constexpr ReduceName kReductions[] = {
    {"ReduceL1", ReduceKind::kL1},         {"ReduceL2", ReduceKind::kL2},
    {"ReduceLogSum", ReduceKind::kLogSum}, {"ReduceLogSumExp", ReduceKind::kLogSumExp},
    {"ReduceMax", ReduceKind::kMax},       {"ReduceMean", ReduceKind::kMean},
    {"ReduceMin", ReduceKind::kMin},       {"ReduceProd", ReduceKind::kProduct},
    {"ReduceSum", ReduceKind::kSum},       {"ReduceSumSquare", ReduceKind::kSumSquare},
};

/// The axes to reduce, ascending and from the front; nothing if the file names none.
std::optional<std::vector<int>> read_axes(const NodeImport& node, int rank) {
  std::vector<std::int64_t> given;
  if (const auto* attribute = node.integers("axes")) {
    given = *attribute;
  } else if (node.has(1)) {
    given = node.integers(1);
  }
  if (given.empty()) return std::nullopt;
  std::vector<int> axes;
  for (const std::int64_t axis : given) axes.push_back(checked_axis(axis, rank));
  std::ranges::sort(axes);
  if (std::ranges::adjacent_find(axes) != axes.end()) invalid("axes [{}] name one twice", join(given, ", "));
  return axes;
}

/// Scale or bias per group, repeated for each of the group's channels.
ValueId per_channel(NodeImport& node, int input, std::int64_t groups, std::int64_t channels, const std::string& what) {
  if (node.shape(input) != Shape{groups}) invalid("{} of {} for {} groups", what, to_string(node.shape(input)), groups);
  const ValueId column = node.reshape(node.input(input), {groups, 1}, what + "_column");
  const ValueId wide = node.add(Expand{{groups, channels / groups}}, {column}, what + "_wide");
  return node.reshape(wide, {channels}, what);
}

}  // namespace

void import_batch_norm(NodeImport& node) {
  if (node.flag("training_mode", false)) fail(ErrorKind::kUnsupported, "training_mode");
  if (!node.flag("spatial", true)) fail(ErrorKind::kUnsupported, "spatial = 0");
  for (int output = 1; output < node.output_count(); ++output) {
    if (node.wants(output)) fail(ErrorKind::kUnsupported, "outputs of training");
  }
  const ValueId x = node.channels_last(node.input(0));
  const ValueId result = node.add(BatchNorm{.epsilon = node.real("epsilon", 1e-5f)},
                                  {x, node.input(1), node.input(2), node.input(3), node.input(4)});
  node.give(node.channels_first(result));
}

void import_instance_norm(NodeImport& node) {
  const Shape x = node.shape(0);
  if (x.rank() < 3) invalid("InstanceNormalization of {}, which has no spatial axes", to_string(x));
  const ValueId last = node.channels_last(node.input(0));
  const ValueId result =
      node.add(GroupNorm{.groups = x[1], .epsilon = node.real("epsilon", 1e-5f)}, {last, node.input(1), node.input(2)});
  node.give(node.channels_first(result));
}

void import_group_norm(NodeImport& node) {
  const Shape x = node.shape(0);
  const std::int64_t groups = node.integer("num_groups", 0);
  if (x.rank() < 2) invalid("GroupNormalization of {}", to_string(x));
  if (groups < 1 || x[1] % groups != 0) invalid("{} groups do not divide {} channels", groups, x[1]);
  ValueId scale = node.input(1);
  ValueId bias = node.input(2);
  if (node.opset() < 21) {
    scale = per_channel(node, 1, groups, x[1], "scale");
    bias = per_channel(node, 2, groups, x[1], "bias");
  }
  const ValueId last = node.channels_last(node.input(0));
  const ValueId result =
      node.add(GroupNorm{.groups = groups, .epsilon = node.real("epsilon", 1e-5f)}, {last, scale, bias});
  node.give(node.channels_first(result));
}

// The type of the statistics (stash_type) is f32, which is what they are computed in here whatever it says.
void import_layer_norm(NodeImport& node) {
  const int axis = checked_axis(node.integer("axis", -1), node.shape(0).rank());
  std::vector<ValueId> inputs = {node.input(0), node.input(1)};
  if (node.has(2)) inputs.push_back(node.input(2));
  const bool statistics = node.wants(1) || node.wants(2);
  const std::vector<ValueId> results = node.add_all(
      LayerNorm{.axis = axis, .epsilon = node.real("epsilon", 1e-5f), .statistics = statistics}, std::move(inputs));
  for (std::size_t i = 0; i < results.size(); ++i) node.give(static_cast<int>(i), results[i]);
}

void import_local_response_norm(NodeImport& node) {
  const ValueId result = node.add(LocalResponseNorm{.size = node.integer("size", 0),
                                                    .alpha = node.real("alpha", 1e-4f),
                                                    .beta = node.real("beta", 0.75f),
                                                    .bias = node.real("bias", 1)},
                                  {node.channels_last(node.input(0))});
  node.give(node.channels_first(result));
}

void import_reduce(NodeImport& node) {
  const auto* row = std::ranges::find(kReductions, node.type(), &ReduceName::type);
  expect(row != std::end(kReductions), "every reduction of the operator table has a kind");
  Reduce op{.kind = row->kind, .axes = {}, .keep_dims = node.flag("keepdims", true)};
  ValueId x = node.input(0);
  const Shape shape = node.shape(0);
  const bool boolean = node.element(0) == DataType::kBool;
  if (boolean && (op.kind == ReduceKind::kMax || op.kind == ReduceKind::kMin)) {
    x = node.cast(x, DataType::kU8, "in");  // a maximum of bits is an or
  }
  const auto axes = read_axes(node, shape.rank());
  if (axes) {
    op.axes = *axes;
  } else if (shape.rank() == 0 || node.flag("noop_with_empty_axes", false)) {
    // Every value by itself: along a new axis of one.
    std::vector<std::int64_t> dims(shape.begin(), shape.end());
    dims.push_back(1);
    x = node.reshape(x, Shape(dims), "axis");
    op.axes = {shape.rank()};
    op.keep_dims = false;
  } else {
    op.axes.resize(static_cast<std::size_t>(shape.rank()));
    std::iota(op.axes.begin(), op.axes.end(), 0);
  }
  const ValueId result = node.add(std::move(op), {x});
  node.give(boolean ? node.cast(result, DataType::kBool, "out") : result);
}

void import_arg_reduce(NodeImport& node) {
  const int axis = checked_axis(node.integer("axis", 0), node.shape(0).rank());
  node.give(node.add(ArgReduce{.minimum = node.type() == "ArgMin",
                               .axis = axis,
                               .keep_dims = node.flag("keepdims", true),
                               .last = node.flag("select_last_index", false)},
                     {node.input(0)}));
}

}  // namespace sepal::onnx
