// Operators that give the same elements another shape or order.

#include <algorithm>
#include <numeric>

#include "sepal/base/text.h"
#include "sepal/formats/onnx_import.h"

namespace sepal::onnx {
namespace {

/// Numbers that are an attribute in early opsets and an input in later ones; nothing if neither is there.
std::optional<std::vector<std::int64_t>> attribute_or_input(const NodeImport& node, std::string_view attribute,
                                                            int input) {
  if (const auto* given = node.integers(attribute)) return *given;
  if (node.has(input)) return node.integers(input);
  return std::nullopt;
}

/// Which of `rank` axes are named, each at most once.
std::vector<bool> named_axes(const std::vector<std::int64_t>& axes, int rank) {
  std::vector<bool> named(static_cast<std::size_t>(rank));
  for (const std::int64_t axis : axes) {
    const auto index = static_cast<std::size_t>(checked_axis(axis, rank));
    if (named[index]) invalid("axes [{}] name one twice", join(axes, ", "));
    named[index] = true;
  }
  return named;
}

/// An image of which both sides are split or joined in blocks.
struct Blocks {
  std::int64_t n, c, h, w, block;
};

Blocks read_blocks(const NodeImport& node) {
  const Shape x = node.shape(0);
  const std::int64_t block = node.integer("blocksize", 0);
  if (x.rank() != 4) invalid("{} of {}, but an input of 4 dimensions is needed", node.type(), to_string(x));
  if (block < 1 || block > (1 << 20)) invalid("a blocksize of {}", block);
  return {x[0], x[1], x[2], x[3], block};
}

}  // namespace

// A dimension of 0 is copied from the input (unless allowzero), one of -1 is what remains.
void import_reshape(NodeImport& node) {
  const Shape x = node.shape(0);
  const auto given = attribute_or_input(node, "shape", 1);
  if (!given) invalid("Reshape without a shape");
  const bool zero = node.flag("allowzero", false);
  std::vector<std::int64_t> dims = *given;
  std::optional<std::size_t> rest;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] == -1) {
      if (rest) invalid("two dimensions of -1 in [{}]", join(*given, ", "));
      rest = i;
      dims[i] = 1;
    } else if (dims[i] == 0 && !zero) {
      if (i >= static_cast<std::size_t>(x.rank()))
        invalid("dimension {} of {} is copied, but is not there", i, to_string(x));
      dims[i] = x[static_cast<int>(i)];
    }
  }
  Shape shape(dims);
  if (rest) {
    const std::int64_t known = shape.elements();
    if (known == 0 || x.elements() % known != 0)
      invalid("{} cannot be reshaped to [{}]", to_string(x), join(*given, ", "));
    shape = shape.with(static_cast<int>(*rest), x.elements() / known);
  }
  node.give(node.add(Reshape{shape}, {node.input(0)}));
}

void import_flatten(NodeImport& node) {
  const Shape x = node.shape(0);
  std::int64_t axis = node.integer("axis", 1);
  if (axis < -x.rank() || axis > x.rank()) invalid("axis {} of a tensor with {} dimensions", axis, x.rank());
  if (axis < 0) axis += x.rank();
  const int first = static_cast<int>(axis);
  node.give(node.add(Reshape{{x.elements(0, first), x.elements(first, x.rank())}}, {node.input(0)}));
}

void import_squeeze(NodeImport& node) {
  const Shape x = node.shape(0);
  const auto axes = attribute_or_input(node, "axes", 1);
  const std::vector<bool> named = named_axes(axes.value_or(std::vector<std::int64_t>()), x.rank());
  std::vector<std::int64_t> dims;
  for (int axis = 0; axis < x.rank(); ++axis) {
    const bool drop = axes ? named[static_cast<std::size_t>(axis)] : x[axis] == 1;
    if (drop && x[axis] != 1) invalid("axis {} of {} cannot be left out", axis, to_string(x));
    if (!drop) dims.push_back(x[axis]);
  }
  node.give(node.add(Reshape{Shape(dims)}, {node.input(0)}));
}

void import_unsqueeze(NodeImport& node) {
  const Shape x = node.shape(0);
  const auto axes = attribute_or_input(node, "axes", 1);
  if (!axes) invalid("Unsqueeze without axes");
  const std::size_t rank = static_cast<std::size_t>(x.rank()) + axes->size();
  if (rank > Shape::kMaxRank) invalid("{} dimensions, but at most {} are handled", rank, Shape::kMaxRank);
  const std::vector<bool> named = named_axes(*axes, static_cast<int>(rank));
  std::vector<std::int64_t> dims;
  for (int axis = 0, next = 0; axis < static_cast<int>(rank); ++axis) {
    dims.push_back(named[static_cast<std::size_t>(axis)] ? 1 : x[next++]);
  }
  node.give(node.add(Reshape{Shape(dims)}, {node.input(0)}));
}

void import_transpose(NodeImport& node) {
  const int rank = node.shape(0).rank();
  std::vector<int> axes(static_cast<std::size_t>(rank));
  std::iota(axes.rbegin(), axes.rend(), 0);
  if (const auto* given = node.integers("perm")) {
    axes.clear();
    for (const std::int64_t axis : *given) axes.push_back(checked_axis(axis, rank));
  }
  node.give(node.add(Transpose{Permutation::of(axes)}, {node.input(0)}));
}

void import_depth_to_space(NodeImport& node) {
  const auto [n, c, h, w, block] = read_blocks(node);
  const std::string_view mode = node.text("mode", "DCR");
  if (mode != "DCR" && mode != "CRD") invalid("a mode of \"{}\"", printable(mode));
  const std::int64_t channels = c / (block * block);
  if (c % (block * block) != 0) invalid("{} channels are not blocks of {}x{}", c, block, block);
  const bool blocks_first = mode == "DCR";
  const Shape split = blocks_first ? Shape{n, block, block, channels, h, w} : Shape{n, channels, block, block, h, w};
  const Permutation order = blocks_first ? Permutation::of({0, 3, 4, 1, 5, 2}) : Permutation::of({0, 1, 4, 2, 5, 3});
  const ValueId moved = node.add(Transpose{order}, {node.reshape(node.input(0), split, "in")});
  const Shape shape = node.graph().shape(moved);
  node.give(node.reshape(moved, {n, channels, shape[2] * shape[3], shape[4] * shape[5]}, "out"));
}

void import_space_to_depth(NodeImport& node) {
  const auto [n, c, h, w, block] = read_blocks(node);
  if (h % block != 0 || w % block != 0) invalid("{}x{} is not made of blocks of {}x{}", h, w, block, block);
  const Shape split{n, c, h / block, block, w / block, block};
  const ValueId moved =
      node.add(Transpose{Permutation::of({0, 3, 5, 1, 2, 4})}, {node.reshape(node.input(0), split, "in")});
  const Shape shape = node.graph().shape(moved);
  node.give(node.reshape(moved, {n, shape[1] * shape[2] * shape[3], shape[4], shape[5]}, "out"));
}

}  // namespace sepal::onnx
