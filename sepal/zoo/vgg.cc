#include "sepal/base/text.h"
#include "sepal/zoo/blocks.h"
#include "sepal/zoo/networks.h"

// VGG-16 (Simonyan and Zisserman 2015, arXiv 1409.1556, table 1, column D): 3x3 convolutions with biases and no
// batch norm. The width scales the hidden fully connected layers too.

namespace sepal {
namespace {

struct Row {
  std::int64_t out;
  int convolutions;
};

constexpr Row kColumnD[] = {{64, 2}, {128, 2}, {256, 3}, {512, 3}, {512, 3}};

}  // namespace

void vgg16(NetworkBuilder& net, const ZooOptions& options) {
  FeatureMap x = net.input({options.batch, options.size, options.size, options.channels});
  int number = 0;
  for (const Row& row : kColumnD) {
    ++number;
    for (int i = 1; i <= row.convolutions; ++i) {
      x = net.conv(format("conv{}_{}", number, i), x,
                   {.out = scaled(row.out, options.width),
                    .kernel = {3, 3},
                    .activation = kRelu,
                    .border = Border::kEven,
                    .shift = Shift::kBias});
    }
    x = net.max_pool(format("pool{}", number), x, 2, 2, Border::kNone);
  }
  x = net.flatten("flatten", x);
  x = net.dense("hidden1", x, scaled(4096, options.width), kRelu);
  x = net.dense("hidden2", x, scaled(4096, options.width), kRelu);
  net.output(net.dense("classifier", x, options.classes));
}

}  // namespace sepal
