// Shape rules of convolutions and pooling. A filter [co, kh, kw, ci / groups] tells the kernel's extent and
// both channel counts; the window must agree with it, so that neither can contradict the other later.

#include "sepal/graph/shape_rule_image.h"

#include <algorithm>

#include "sepal/base/text.h"

namespace sepal {
namespace {

Extent extent_of(const Shape& image) { return {image.h(), image.w()}; }

/// No filter of a network is empty, and one that declares many channels and no element must not count for them.
void check_not_empty(const Shape& filter) {
  if (filter.elements() == 0) invalid("the filter is {}, which holds nothing", to_string(filter));
}

void check_kernel(const Window& window, const Shape& filter) {
  if (window.kernel != Extent{filter.h(), filter.w()}) {
    invalid("the window's kernel is {}x{}, but the filter's is {}x{}", window.kernel.h, window.kernel.w, filter.h(),
            filter.w());
  }
}

/// The output's shape of a convolution of image [n, h, w, ci] with filter [co, kh, kw, ci / groups].
Shape convolve(const TensorType& input, const TensorType& filter, const Window& window, std::int64_t groups) {
  check_rank(input, 4, "the input");
  check_rank(filter, 4, "the filter");
  const Shape& x = input.shape;
  const Shape& f = filter.shape;
  if (groups < 1 || x.c() % groups != 0 || f.n() % groups != 0) {
    invalid("{} groups do not divide {} input and {} output channels", groups, x.c(), f.n());
  }
  if (f.c() != x.c() / groups) {
    invalid("the filter {} takes {} channels in each of {} group{}, but the input has {}", to_string(f), f.c(), groups,
            groups == 1 ? "" : "s", x.c());
  }
  check_not_empty(f);
  check_kernel(window, f);
  const Extent out = output_extent(extent_of(x), window);
  return {x.n(), out.h, out.w, f.n()};
}

}  // namespace

std::vector<TensorType> infer_image(const Conv2d& op, Inputs inputs) {
  check_count(inputs, 2, 3);
  check_float(inputs[0], "the input");
  check_same_type(inputs[0], inputs[1]);
  const Shape output = convolve(inputs[0], inputs[1], op.window, op.groups);
  if (inputs.size() == 3) {
    check_same_type(inputs[0], inputs[2]);
    check_vector(inputs[2], output.c(), "the bias");
  }
  return {{inputs[0].type, output}};
}

std::vector<TensorType> infer_image(const ConvTranspose2d& op, Inputs inputs) {
  check_count(inputs, 2, 3);
  check_float(inputs[0], "the input");
  check_same_type(inputs[0], inputs[1]);
  check_rank(inputs[0], 4, "the input");
  check_rank(inputs[1], 4, "the filter");
  const Shape& x = inputs[0].shape;
  const Shape& filter = inputs[1].shape;
  check_window(op.window);
  check_kernel(op.window, filter);
  if (op.groups < 1 || x.c() % op.groups != 0) invalid("{} groups do not divide {} input channels", op.groups, x.c());
  if (filter.n() != x.c()) invalid("the filter takes {} channels, but the input has {}", filter.n(), x.c());
  check_not_empty(filter);
  const auto length = [](const char* name, std::int64_t input, std::int64_t stride, std::int64_t extra,
                         std::int64_t span, std::int64_t padding) {
    constexpr std::int64_t kLimit = std::int64_t{1} << 31;
    if (extra < 0 || extra >= kLimit) invalid("an output padding of {} {}", extra, name);
    if (input >= kLimit) invalid("{} {} of input", input, name);
    const std::int64_t result = stride * (input - 1) + extra + span - padding;
    if (input < 1 || result < 1) invalid("{} {} of input give {} of output", input, name, result);
    return result;
  };
  const Window& w = op.window;
  const Extent span = span_of(w);
  const std::int64_t h =
      length("rows", x.h(), w.stride.h, op.output_padding.h, span.h, w.padding.top + w.padding.bottom);
  const std::int64_t wide =
      length("columns", x.w(), w.stride.w, op.output_padding.w, span.w, w.padding.left + w.padding.right);
  const Shape output{x.n(), h, wide, Shape{filter.c(), op.groups}.elements()};
  if (inputs.size() == 3) {
    check_same_type(inputs[0], inputs[2]);
    check_vector(inputs[2], output.c(), "the bias");
  }
  return {{inputs[0].type, output}};
}

std::vector<TensorType> infer_image(const IntegerConv2d& op, Inputs inputs) {
  check_count(inputs, 4, 4);
  check_byte(inputs[0], "the input");
  check_byte(inputs[1], "the filter");
  check_same_type(inputs[0], inputs[2]);
  check_same_type(inputs[1], inputs[3]);
  const Shape output = convolve(inputs[0], inputs[1], op.window, op.groups);
  check_vector(inputs[2], 1, "the input's zero point", true);
  check_vector(inputs[3], output.c(), "the filter's zero point", true);
  return {{DataType::kI32, output}};
}

std::vector<TensorType> infer_image(const QuantizedConv2d& op, Inputs inputs) {
  check_count(inputs, 8, 9);
  check_byte(inputs[0], "the input");
  check_byte(inputs[3], "the filter");
  check_same_type(inputs[0], inputs[2]);
  check_same_type(inputs[3], inputs[5]);
  const Shape output = convolve(inputs[0], inputs[3], op.window, op.groups);
  for (const std::size_t scale : {1u, 4u, 6u}) {
    if (inputs[scale].type != DataType::kF32) invalid("a scale of type {}", name_of(inputs[scale].type));
  }
  check_vector(inputs[1], 1, "the input's scale", true);
  check_vector(inputs[2], 1, "the input's zero point", true);
  check_vector(inputs[4], output.c(), "the filter's scale", true);
  check_vector(inputs[5], output.c(), "the filter's zero point", true);
  check_vector(inputs[6], 1, "the output's scale", true);
  check_vector(inputs[7], 1, "the output's zero point", true);
  check_byte(inputs[7], "the output's zero point");
  if (inputs.size() == 9) {
    if (inputs[8].type != DataType::kI32) invalid("a bias of type {}, not i32", name_of(inputs[8].type));
    check_vector(inputs[8], output.c(), "the bias");
  }
  return {{inputs[7].type, output}};
}

std::vector<TensorType> infer_image(const Pool& op, Inputs inputs) {
  check_count(inputs, 1, 1);
  check_rank(inputs[0], 4, "the input");
  const Shape& x = inputs[0].shape;
  if (op.kind == PoolKind::kAverage) {
    check_float(inputs[0], "the input");
    if (op.indices) invalid("an average has no index");
  }
  const Extent out = op.ceil ? output_extent_ceil(extent_of(x), op.window) : output_extent(extent_of(x), op.window);
  const Shape output{x.n(), out.h, out.w, x.c()};
  std::vector<TensorType> result = {{inputs[0].type, output}};
  if (op.indices) result.push_back({DataType::kI64, output});
  return result;
}

}  // namespace sepal
