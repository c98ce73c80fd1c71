#include <algorithm>
#include <span>

#include "sepal/zoo/blocks.h"
#include "sepal/zoo/networks.h"

// MnasNet (Tan et al. 2019, arXiv 1807.11626): A1, figure 7, with squeeze and excitation to a quarter of a block's
// input channels, and B1, found without it, whose table stands in the authors' code alone.

namespace sepal {
namespace {

constexpr Stage kA1[] = {{1, 3, 16, 1, 1, false}, {6, 3, 24, 2, 2, false}, {3, 5, 40, 3, 2, true},
                         {6, 3, 80, 4, 2, false}, {6, 3, 112, 2, 1, true}, {6, 5, 160, 3, 2, true},
                         {6, 3, 320, 1, 1, false}};

constexpr Stage kB1[] = {{1, 3, 16, 1, 1}, {3, 3, 24, 3, 2},  {3, 5, 40, 3, 2}, {6, 5, 80, 3, 2},
                         {6, 3, 96, 2, 1}, {6, 5, 192, 4, 2}, {6, 3, 320, 1, 1}};

void mnasnet(NetworkBuilder& net, const ZooOptions& options, std::span<const Stage> rows) {
  FeatureMap x = stem(net, options, scaled_to_8(32, options.width), kRelu);
  x = stages(net, x, rows, options.width, Strides(options), kRelu);
  x = net.conv("head", x, {.out = scaled_to_8(1280, std::max(1.0, options.width)), .activation = kRelu});
  classifier(net, x, options);
}

}  // namespace

void mnasnet_a1(NetworkBuilder& net, const ZooOptions& options) { mnasnet(net, options, kA1); }

void mnasnet_b1(NetworkBuilder& net, const ZooOptions& options) { mnasnet(net, options, kB1); }

}  // namespace sepal
