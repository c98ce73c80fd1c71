// Pooling over a window, and over everything.

#include <numeric>

#include "sepal/base/text.h"
#include "sepal/formats/onnx_import_window.h"

namespace sepal::onnx {
namespace {

void import_pool(NodeImport& node, PoolKind kind) {
  const Shape x = node.shape(0);
  const int axes = spatial_axes(node, x, "pooling");
  if (node.integers("kernel_shape") == nullptr) invalid("{} without kernel_shape", node.type());
  Extent kernel = read_extent(node, "kernel_shape", axes, 1);
  Pool op{.kind = kind,
          .window = read_window(node, axes, kernel),
          .ceil = node.flag("ceil_mode", false),
          .count_padding = node.flag("count_include_pad", false),
          .indices = kind == PoolKind::kMax && node.wants(1),
          .column_major = false};
  op.column_major = op.indices && node.flag("storage_order", false);
  resolve_auto_pad(node, axes == 1 ? Extent{1, x[2]} : Extent{x[2], x[3]}, op.window);
  std::vector<ValueId> results = node.add_all(op, {node.channels_last(image_in(node, node.input(0), axes))});
  for (ValueId& result : results) result = node.channels_first(result);
  node.give(0, image_out(node, results[0], axes));
  if (op.indices) node.give(1, image_out(node, results[1], axes, "indices"));
}

void import_global_pool(NodeImport& node, ReduceKind kind) {
  const int rank = node.shape(0).rank();
  if (rank < 3) invalid("{} of {}, which has no spatial axes", node.type(), to_string(node.shape(0)));
  Reduce op{.kind = kind, .axes = std::vector<int>(static_cast<std::size_t>(rank - 2)), .keep_dims = true};
  std::iota(op.axes.begin(), op.axes.end(), 2);
  node.give(node.add(std::move(op), {node.input(0)}));
}

}  // namespace

void import_max_pool(NodeImport& node) { import_pool(node, PoolKind::kMax); }
void import_average_pool(NodeImport& node) { import_pool(node, PoolKind::kAverage); }
void import_global_average_pool(NodeImport& node) { import_global_pool(node, ReduceKind::kMean); }
void import_global_max_pool(NodeImport& node) { import_global_pool(node, ReduceKind::kMax); }

}  // namespace sepal::onnx
