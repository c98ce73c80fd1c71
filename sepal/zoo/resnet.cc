#include "sepal/base/text.h"
#include "sepal/zoo/blocks.h"
#include "sepal/zoo/networks.h"

// ResNet-18 (He et al. 2016, arXiv 1512.03385, table 1), with projection shortcuts (option B). With stem=1 the stem
// is a 3x3 convolution without the pooling, as is usual for images of 32x32.

namespace sepal {
namespace {

struct Row {
  std::int64_t out;
  std::int64_t stride;
};

constexpr Row kBlocks[] = {{64, 1}, {64, 1}, {128, 2}, {128, 1}, {256, 2}, {256, 1}, {512, 2}, {512, 1}};

FeatureMap basic_block(NetworkBuilder& net, const std::string& name, const FeatureMap& x, std::int64_t out,
                       std::int64_t stride) {
  const Convolution half{.out = out, .kernel = {3, 3}, .border = Border::kEven};
  Convolution first = half;
  first.stride = {stride, stride};
  first.activation = kRelu;
  const FeatureMap y = net.conv(name + "/conv2", net.conv(name + "/conv1", x, first), half);
  const bool projects = stride != 1 || out != net.channels(x);
  const FeatureMap shortcut = projects ? net.conv(name + "/shortcut", x, {.out = out, .stride = {stride, stride}}) : x;
  return net.activation(name + "/activation", net.add(name + "/add", y, shortcut), kRelu);
}

}  // namespace

void resnet18(NetworkBuilder& net, const ZooOptions& options) {
  const bool small = options.stem_stride == 1;
  FeatureMap x = net.input({options.batch, options.size, options.size, options.channels});
  x = net.conv("stem", x,
               {.out = scaled(64, options.width),
                .kernel = small ? Extent{3, 3} : Extent{7, 7},
                .stride = {options.stem_stride, options.stem_stride},
                .activation = kRelu,
                .border = Border::kEven});
  if (!small) x = net.max_pool("pool", x, 3, 2, Border::kEven);
  int number = 0;
  for (const Row& row : kBlocks) {
    x = basic_block(net, format("block{}", ++number), x, scaled(row.out, options.width), row.stride);
  }
  classifier(net, x, options);
}

}  // namespace sepal
