#include "sepal/formats/onnx_import_window.h"

#include <algorithm>

#include "sepal/base/text.h"

namespace sepal::onnx {
namespace {

/// That attribute, which must have `count` numbers, or null if it is absent (or empty, as some files say it).
const std::vector<std::int64_t>* read_list(const NodeImport& node, std::string_view attribute, std::size_t count) {
  const auto* values = node.integers(attribute);
  if (values == nullptr || values->empty()) return nullptr;
  if (values->size() != count)
    invalid("attribute \"{}\" has {} numbers instead of {}", attribute, values->size(), count);
  return values;
}

}  // namespace

int spatial_axes(const NodeImport& node, const Shape& input, std::string_view what) {
  if (input.rank() == 5) fail(ErrorKind::kUnsupported, "a 3-D {}", what);
  if (input.rank() != 3 && input.rank() != 4) {
    invalid("{} of {}, but an input of 3 or 4 dimensions is needed", node.type(), to_string(input));
  }
  return input.rank() - 2;
}

Extent read_extent(const NodeImport& node, std::string_view attribute, int axes, std::int64_t otherwise) {
  const auto* values = read_list(node, attribute, static_cast<std::size_t>(axes));
  if (values == nullptr) return {otherwise, otherwise};
  return axes == 1 ? Extent{otherwise, (*values)[0]} : Extent{(*values)[0], (*values)[1]};
}

AutoPad read_auto_pad(const NodeImport& node) {
  const std::string_view mode = node.text("auto_pad", "NOTSET");
  if (mode == "NOTSET" || mode.empty()) return AutoPad::kNone;
  if (mode == "VALID") return AutoPad::kValid;
  if (mode == "SAME_UPPER") return AutoPad::kSameUpper;
  if (mode == "SAME_LOWER") return AutoPad::kSameLower;
  invalid("an auto_pad of \"{}\"", printable(mode));
}

Window read_window(const NodeImport& node, int axes, Extent kernel) {
  Window window{kernel, read_extent(node, "strides", axes, 1), read_extent(node, "dilations", axes, 1), {}};
  const auto* pads = read_list(node, "pads", 2 * static_cast<std::size_t>(axes));
  if (pads != nullptr && read_auto_pad(node) == AutoPad::kNone) {
    const auto& p = *pads;
    window.padding = axes == 1 ? Padding{0, p[0], 0, p[1]} : Padding{p[0], p[1], p[2], p[3]};
  }
  check_window(window);
  return window;
}

Extent filter_extent(const NodeImport& node, const Shape& filter, int axes) {
  if (filter.rank() != axes + 2) invalid("a filter of {} for an input of {} dimensions", to_string(filter), axes + 2);
  const Extent extent = axes == 1 ? Extent{1, filter[2]} : Extent{filter[2], filter[3]};
  if (const auto* given = read_list(node, "kernel_shape", static_cast<std::size_t>(axes))) {
    const Extent stated = axes == 1 ? Extent{1, (*given)[0]} : Extent{(*given)[0], (*given)[1]};
    if (stated != extent) {
      invalid("kernel_shape is {}x{}, but the filter's kernel is {}x{}", stated.h, stated.w, extent.h, extent.w);
    }
  }
  return extent;
}

void share_padding(std::int64_t total, bool upper, std::int64_t& before, std::int64_t& after) {
  before = upper ? total / 2 : total - total / 2;
  after = total - before;
}

void resolve_auto_pad(const NodeImport& node, Extent input, Window& window) {
  const AutoPad mode = read_auto_pad(node);
  if (mode != AutoPad::kSameUpper && mode != AutoPad::kSameLower) return;
  const bool upper = mode == AutoPad::kSameUpper;
  const Extent span = span_of(window);
  const auto total = [](std::int64_t length, std::int64_t stride, std::int64_t reach) {
    const std::int64_t outputs = length / stride + (length % stride != 0 ? 1 : 0);
    return std::max<std::int64_t>(0, (outputs - 1) * stride + reach - length);
  };
  Padding& p = window.padding;
  share_padding(total(input.h, window.stride.h, span.h), upper, p.top, p.bottom);
  share_padding(total(input.w, window.stride.w, span.w), upper, p.left, p.right);
}

ValueId image_in(NodeImport& node, ValueId value, int axes, std::string_view suffix) {
  if (axes == 2) return value;
  const Shape shape = node.graph().shape(value);
  return node.reshape(value, {shape[0], shape[1], 1, shape[2]}, suffix);
}

ValueId image_out(NodeImport& node, ValueId value, int axes, std::string_view suffix) {
  if (axes == 2) return value;
  const Shape shape = node.graph().shape(value);
  return node.reshape(value, {shape[0], shape[1], shape[3]}, suffix);
}

}  // namespace sepal::onnx
