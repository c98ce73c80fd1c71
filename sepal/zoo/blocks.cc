#include "sepal/zoo/blocks.h"

#include <algorithm>

#include "sepal/base/text.h"

namespace sepal {

std::int64_t scaled(std::int64_t channels, double width) {
  return std::max<std::int64_t>(8, static_cast<std::int64_t>(static_cast<double>(channels) * width));
}

std::int64_t scaled_to_8(std::int64_t channels, double width) {
  const double exact = static_cast<double>(channels) * width;
  const std::int64_t near = std::max<std::int64_t>(8, static_cast<std::int64_t>(exact + 4) / 8 * 8);
  return static_cast<double>(near) < 0.9 * exact ? near + 8 : near;
}

FeatureMap stem(NetworkBuilder& net, const ZooOptions& options, std::int64_t out, const Unary& activation) {
  const FeatureMap image = net.input({options.batch, options.size, options.size, options.channels});
  const Extent stride{options.stem_stride, options.stem_stride};
  return net.conv("stem", image, {.out = out, .kernel = {3, 3}, .stride = stride, .activation = activation});
}

FeatureMap depthwise(NetworkBuilder& net, const std::string& name, const FeatureMap& x, const Depthwise& filter) {
  return net.conv(name, x,
                  {.out = net.channels(x),
                   .kernel = {filter.kernel, filter.kernel},
                   .stride = filter.stride,
                   .activation = filter.activation,
                   .groups = net.channels(x),
                   .shift = filter.shift});
}

FeatureMap separable(NetworkBuilder& net, const std::string& name, const FeatureMap& x, std::int64_t out, Extent stride,
                     const Unary& activation) {
  const FeatureMap filtered = depthwise(net, name + "/depthwise", x, {.stride = stride, .activation = activation});
  return net.conv(name + "/pointwise", filtered, {.out = out, .activation = activation});
}

FeatureMap squeeze_excite(NetworkBuilder& net, const std::string& name, const FeatureMap& x, const Squeeze& squeeze) {
  const FeatureMap means = net.mean(name + "/mean", x);
  const FeatureMap squeezed =
      net.conv(name + "/squeeze", means, {.out = squeeze.channels, .activation = kRelu, .shift = Shift::kBias});
  const FeatureMap gate =
      net.conv(name + "/excite", squeezed, {.out = net.channels(x), .activation = squeeze.gate, .shift = Shift::kBias});
  return net.gated(name + "/gated", x, gate);
}

FeatureMap inverted_residual(NetworkBuilder& net, const std::string& name, const FeatureMap& x,
                             const InvertedResidual& block) {
  const Extent stride{block.stride, block.stride};
  FeatureMap y = x;
  if (block.expanded != net.channels(x)) {
    y = net.conv(name + "/expand", y, {.out = block.expanded, .activation = block.activation});
  }
  y = depthwise(net, name + "/depthwise", y,
                {.kernel = block.kernel, .stride = stride, .activation = block.activation});
  if (block.squeeze.channels > 0) y = squeeze_excite(net, name, y, block.squeeze);
  y = net.conv(name + "/project", y, {.out = block.out});
  return block.stride == 1 && block.out == net.channels(x) ? net.add(name + "/add", x, y) : y;
}

FeatureMap stages(NetworkBuilder& net, FeatureMap x, std::span<const Stage> rows, double width, Strides strides,
                  const Unary& activation) {
  int number = 0;
  for (const Stage& row : rows) {
    for (std::int64_t i = 0; i < row.repeats; ++i) {
      const std::int64_t in = net.channels(x);
      x = inverted_residual(net, format("block{}", ++number), x,
                            {.expanded = in * row.expansion,
                             .out = scaled_to_8(row.out, width),
                             .kernel = row.kernel,
                             .stride = i == 0 ? strides(row.stride) : 1,
                             .squeeze = {.channels = row.squeeze ? in / 4 : 0},
                             .activation = activation});
    }
  }
  return x;
}

void classifier(NetworkBuilder& net, const FeatureMap& x, const ZooOptions& options) {
  net.output(net.dense("classifier", net.flatten("flatten", net.mean("mean", x)), options.classes));
}

}  // namespace sepal
