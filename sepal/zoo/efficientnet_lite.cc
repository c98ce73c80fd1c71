#include <algorithm>
#include <array>

#include "sepal/zoo/blocks.h"
#include "sepal/zoo/networks.h"

// EfficientNet-Lite (Tan and Le 2019, arXiv 1905.11946, table 1, in the variant that the authors published for
// phones in 2020): ReLU6 for swish, no squeeze and excitation, and stem, head and the first and the last stage of
// the first member for all.

namespace sepal {
namespace {

constexpr std::array<Stage, 7> kTable1 = {{{1, 3, 16, 1, 1},
                                           {6, 3, 24, 2, 2},
                                           {6, 5, 40, 2, 2},
                                           {6, 3, 80, 3, 2},
                                           {6, 5, 112, 3, 1},
                                           {6, 5, 192, 4, 2},
                                           {6, 3, 320, 1, 1}}};

}  // namespace

void efficientnet_lite(NetworkBuilder& net, const ZooOptions& options, const CompoundScale& scale) {
  std::array<Stage, 7> rows = kTable1;
  for (std::size_t i = 1; i + 1 < rows.size(); ++i) rows[i].repeats = (rows[i].repeats * scale.tenths_deeper + 9) / 10;
  FeatureMap x = stem(net, options, 32, kRelu6);
  x = stages(net, x, rows, scale.width, Strides(options), kRelu6);
  x = net.conv("head", x, {.out = 1280, .activation = kRelu6});
  classifier(net, x, options);
}

}  // namespace sepal
