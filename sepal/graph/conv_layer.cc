#include "sepal/graph/conv_layer.h"

#include <array>
#include <string_view>

#include "sepal/base/text.h"
#include "sepal/graph/shape_rule.h"

namespace sepal {
namespace {

/// A convolution with a constant filter over [batch, size.h, size.w, ci]; `image` becomes its output.
Cost stage(const Window& window, std::int64_t groups, std::int64_t outputs, bool bias, Shape& image) {
  const Conv2d conv{.window = window, .groups = groups};
  std::vector<TensorType> inputs = {{DataType::kF32, image},
                                    {DataType::kF32, {outputs, window.kernel.h, window.kernel.w, image.c() / groups}}};
  if (bias) inputs.push_back({DataType::kF32, {outputs}});
  const std::vector<TensorType> outputs_types = infer(conv, inputs);
  image = outputs_types.front().shape;
  return cost_of(conv, inputs, outputs_types, {false, true, true});
}

double ratio(std::uint64_t a, std::uint64_t b) { return static_cast<double>(a) / static_cast<double>(b); }

std::string extent(const Extent& size) { return format("{}x{}", size.h, size.w); }

}  // namespace

std::string to_string(const ConvLayer& layer) {
  std::string text = format("{} {} -> {} at {}", extent(layer.window.kernel), layer.in, layer.out, extent(layer.size));
  if (layer.batch != 1) text += format(", batch {}", layer.batch);
  if (layer.window.stride != Extent{}) text += format(", stride {}", extent(layer.window.stride));
  if (layer.window.dilation != Extent{}) text += format(", dilation {}", extent(layer.window.dilation));
  if (layer.multiplier != 1) text += format(", multiplier {}", layer.multiplier);
  return text;
}

void check(const ConvLayer& layer) {
  const std::pair<std::string_view, std::int64_t> sizes[] = {
      {"the batch is", layer.batch}, {"the input channels are", layer.in}, {"the output channels are", layer.out},
      {"the size is", layer.size.h}, {"the size is", layer.size.w},        {"the multiplier is", layer.multiplier}};
  for (const auto& [what, value] : sizes) {
    if (value < 1 || value >= (std::int64_t{1} << 31))
      invalid("{} {}; at least 1 and less than 2^31 is wanted", what, value);
  }
  static_cast<void>(output_extent(layer.size, layer.window));
}

Comparison compare(const ConvLayer& layer) {
  return in_place(to_string(layer), [&] {
    check(layer);
    Comparison result{.layer = layer, .standard = {}, .depthwise = {}, .pointwise = {}};
    const Shape input{layer.batch, layer.size.h, layer.size.w, layer.in};
    Shape image = input;
    result.standard = stage(layer.window, 1, layer.out, layer.bias, image);
    image = input;
    result.depthwise = stage(layer.window, layer.in, layer.in * layer.multiplier, layer.bias, image);
    result.pointwise = stage(Window{}, 1, layer.out, layer.bias, image);
    return result;
  });
}

double Comparison::mac_ratio() const { return ratio(separable().macs, standard.macs); }

double Comparison::parameter_ratio() const {
  return ratio(separable().parameters.trained(), standard.parameters.trained());
}

double Comparison::traffic_ratio() const { return ratio(separable().traffic(), standard.traffic()); }

double Comparison::break_even_multiplier() const {
  const double area = static_cast<double>(layer.window.kernel.h) * static_cast<double>(layer.window.kernel.w);
  const auto out = static_cast<double>(layer.out);
  return out * area / (out + area);
}

}  // namespace sepal
