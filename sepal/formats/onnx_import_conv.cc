// Convolutions: channels first becomes channels last, filters [co, ci / groups, kh, kw] become
// [co, kh, kw, ci / groups], and 1-D becomes one row. Padding is always explicit afterwards.

#include <algorithm>

#include "sepal/base/checked.h"
#include "sepal/base/text.h"
#include "sepal/formats/onnx_import_window.h"

namespace sepal::onnx {
namespace {

Extent image_extent(const Shape& input, int axes) {
  return axes == 1 ? Extent{1, input[2]} : Extent{input[2], input[3]};
}

/// A convolution's common part: window and groups, with its input and filter as the operators want them.
struct Site {
  int axes;
  Window window;
  std::int64_t groups;
  ValueId input;
  ValueId filter;
};

Site read_site(NodeImport& node, int input, int filter) {
  const Shape x = node.shape(input);
  const Shape f = node.shape(filter);
  const int axes = spatial_axes(node, x, "convolution");
  Site site{.axes = axes,
            .window = read_window(node, axes, filter_extent(node, f, axes)),
            .groups = node.integer("group", 1),
            .input = {},
            .filter = {}};
  resolve_auto_pad(node, image_extent(x, axes), site.window);
  const ValueId image = image_in(node, node.input(input), axes);
  const ValueId taps = image_in(node, node.input(filter), axes, "filter");
  site.input = node.channels_last(image);
  site.filter = node.channels_last(taps);
  return site;
}

/// That input, or a zero of `type` where it is left out.
ValueId zero_point(NodeImport& node, int input, DataType type) {
  return node.has(input) ? node.input(input) : node.add_constant(Tensor(type, Shape{}));
}

/// The padding that ConvTranspose takes away, and what it adds after, for an axis of that input.
struct Cut {
  std::int64_t before, after, extra;
};

}  // namespace

void import_convolution(NodeImport& node) {
  const Site site = read_site(node, 0, 1);
  std::vector<ValueId> inputs = {site.input, site.filter};
  if (node.has(2)) inputs.push_back(node.input(2));
  const ValueId result =
      node.add(Conv2d{.window = site.window, .groups = site.groups, .activation = {}}, std::move(inputs));
  node.give(image_out(node, node.channels_first(result), site.axes));
}

void import_integer_convolution(NodeImport& node) {
  const Site site = read_site(node, 0, 1);
  const ValueId x_zero = zero_point(node, 2, node.element(0));
  const ValueId filter_zero = zero_point(node, 3, node.element(1));
  const ValueId result = node.add(IntegerConv2d{.window = site.window, .groups = site.groups},
                                  {site.input, site.filter, x_zero, filter_zero});
  node.give(image_out(node, node.channels_first(result), site.axes));
}

void import_quantized_convolution(NodeImport& node) {
  const Site site = read_site(node, 0, 3);
  std::vector<ValueId> inputs = {site.input,    node.input(1), node.input(2), site.filter,
                                 node.input(4), node.input(5), node.input(6), node.input(7)};
  if (node.has(8)) inputs.push_back(node.input(8));
  const ValueId result = node.add(QuantizedConv2d{.window = site.window, .groups = site.groups}, std::move(inputs));
  node.give(image_out(node, node.channels_first(result), site.axes));
}

void import_transposed_convolution(NodeImport& node) {
  const Shape x = node.shape(0);
  const int axes = spatial_axes(node, x, "convolution");
  const Extent extent = image_extent(x, axes);
  ConvTranspose2d op{.window = read_window(node, axes, filter_extent(node, node.shape(1), axes)),
                     .groups = node.integer("group", 1),
                     .output_padding = read_extent(node, "output_padding", axes, 0)};
  const AutoPad mode = read_auto_pad(node);
  const bool same = mode == AutoPad::kSameUpper || mode == AutoPad::kSameLower;
  const auto* wanted = node.integers("output_shape");
  if (wanted != nullptr && wanted->empty()) wanted = nullptr;
  // Exporters wrote the whole shape [n, c, h, w] at times; the spatial part counts.
  if (wanted != nullptr && wanted->size() != static_cast<std::size_t>(axes) &&
      wanted->size() != static_cast<std::size_t>(axes) + 2) {
    invalid("attribute \"output_shape\" has {} numbers instead of {}", wanted->size(), axes);
  }
  if (wanted != nullptr || same) {
    // The padding is what makes the output as large as asked for; where even none is too little, rows and
    // columns are added after.
    const auto cut = [&](std::int64_t input, std::int64_t stride, std::int64_t span, std::int64_t extra,
                         std::int64_t output) {
      constexpr std::int64_t kLimit = std::int64_t{1} << 31;
      if (extra < 0) invalid("an output padding of {}", extra);
      if (std::max({input, output, extra}) >= kLimit || output < 1)
        invalid("an output of {} for an input of {}", output, input);
      const std::int64_t total = stride * (input - 1) + extra + span - output;
      Cut result{0, 0, total < 0 ? extra - total : extra};
      if (total > 0) share_padding(total, mode == AutoPad::kSameUpper, result.before, result.after);
      return result;
    };
    const Window& w = op.window;
    const Extent span = span_of(w);
    const std::size_t rank = wanted != nullptr ? wanted->size() : 0;
    const auto scaled = [](std::int64_t length, std::int64_t stride) {
      return checked_multiply(length, stride).value_or(INT64_MAX);
    };
    const std::int64_t high = axes == 1 ? 1 : wanted != nullptr ? (*wanted)[rank - 2] : scaled(extent.h, w.stride.h);
    const std::int64_t wide = wanted != nullptr ? (*wanted)[rank - 1] : scaled(extent.w, w.stride.w);
    const Cut rows = cut(extent.h, w.stride.h, span.h, op.output_padding.h, high);
    const Cut columns = cut(extent.w, w.stride.w, span.w, op.output_padding.w, wide);
    op.window.padding = {rows.before, columns.before, rows.after, columns.after};
    op.output_padding = {rows.extra, columns.extra};
  }
  const ValueId image = image_in(node, node.input(0), axes);
  const ValueId taps = image_in(node, node.input(1), axes, "filter");
  std::vector<ValueId> inputs = {node.channels_last(image), node.channels_last(taps)};
  if (node.has(2)) inputs.push_back(node.input(2));
  node.give(image_out(node, node.channels_first(node.add(op, std::move(inputs))), axes));
}

}  // namespace sepal::onnx
