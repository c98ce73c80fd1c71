#include "sepal/base/text.h"
#include "sepal/zoo/blocks.h"
#include "sepal/zoo/networks.h"

// DS-CNN for keyword spotting ("Hello Edge", Zhang et al. 2017, arXiv 1711.07128, appendix; strides as in the
// authors' published training commands): 49 frames of 10 MFCC features, a 10x4 stem, and separable layers. The
// small one is the keyword spotter of MLPerf Tiny, which adds a bias before each batch norm.

namespace sepal {

void ds_cnn(NetworkBuilder& net, const ZooOptions& options, const KeywordShape& shape) {
  FeatureMap x = net.input({options.batch, 49, 10, 1});
  x = net.conv("stem", x, {.out = shape.channels, .kernel = {10, 4}, .stride = shape.stem_stride, .activation = kRelu});
  for (int number = 1; number <= shape.layers; ++number) {
    const std::int64_t stride = number == 1 ? shape.first_stride : 1;
    x = separable(net, format("block{}", number), x, shape.channels, {stride, stride}, kRelu);
  }
  classifier(net, x, options);
}

}  // namespace sepal
