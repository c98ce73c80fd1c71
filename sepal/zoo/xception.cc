#include "sepal/base/text.h"
#include "sepal/zoo/blocks.h"
#include "sepal/zoo/networks.h"

// Xception (Chollet 2017, arXiv 1610.02357, figure 5). Its separable convolutions have no activation between their
// two halves, and batch norm after the second alone.

namespace sepal {
namespace {

FeatureMap separable(NetworkBuilder& net, const std::string& name, const FeatureMap& x, std::int64_t out,
                     const Unary& activation = {}) {
  const FeatureMap filtered = depthwise(net, name + "/depthwise", x, {.shift = Shift::kNone});
  return net.conv(name + "/pointwise", filtered, {.out = out, .activation = activation});
}

/// Two separable convolutions with ReLU before them, the first one's perhaps left out, and a pooling with stride 2,
/// beside a pointwise convolution with stride 2.
FeatureMap halving(NetworkBuilder& net, const std::string& name, const FeatureMap& x, std::int64_t first,
                   std::int64_t out, bool activate = true) {
  const FeatureMap shortcut = net.conv(name + "/shortcut", x, {.out = out, .stride = {2, 2}});
  FeatureMap y = activate ? net.activation(name + "/activation", x, kRelu) : x;
  y = separable(net, name + "/separable1", y, first, kRelu);
  y = separable(net, name + "/separable2", y, out);
  return net.add(name + "/add", net.max_pool(name + "/pool", y, 3, 2, Border::kSame), shortcut);
}

}  // namespace

void xception(NetworkBuilder& net, const ZooOptions& options) {
  const auto wide = [&](std::int64_t channels) { return scaled(channels, options.width); };
  // Entry flow.
  const Extent stem{options.stem_stride, options.stem_stride};
  FeatureMap x = net.input({options.batch, options.size, options.size, options.channels});
  x = net.conv("stem", x,
               {.out = wide(32), .kernel = {3, 3}, .stride = stem, .activation = kRelu, .border = Border::kNone});
  x = net.conv("stem2", x, {.out = wide(64), .kernel = {3, 3}, .activation = kRelu, .border = Border::kNone});
  x = halving(net, "block1", x, wide(128), wide(128), false);
  x = halving(net, "block2", x, wide(256), wide(256));
  x = halving(net, "block3", x, wide(728), wide(728));
  // Middle flow.
  for (int number = 4; number <= 11; ++number) {
    FeatureMap y = x;
    for (int i = 1; i <= 3; ++i) {
      y = net.activation(format("block{}/activation{}", number, i), y, kRelu);
      y = separable(net, format("block{}/separable{}", number, i), y, wide(728));
    }
    x = net.add(format("block{}/add", number), y, x);
  }
  // Exit flow.
  x = halving(net, "block12", x, wide(728), wide(1024));
  x = separable(net, "block13", x, wide(1536), kRelu);
  x = separable(net, "block14", x, wide(2048), kRelu);
  classifier(net, x, options);
}

}  // namespace sepal
