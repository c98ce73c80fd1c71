#include <algorithm>
#include <span>

#include "sepal/base/text.h"
#include "sepal/zoo/blocks.h"
#include "sepal/zoo/networks.h"

// MobileNetV1 (Howard et al. 2017, arXiv 1704.04861), with its standard-convolution twin (table 4) and the shallow
// one (table 5), and MobileNetV2 (Sandler et al. 2018, arXiv 1801.04381). ReLU6, as in the code of both.

namespace sepal {
namespace {

/// A row of table 1 after the stem: what was `Conv dw` and `Conv` there is one row here.
struct Separable {
  std::int64_t out;
  std::int64_t stride;
};

constexpr Separable kTable1[] = {{64, 1},  {128, 2}, {128, 1}, {256, 2}, {256, 1},  {512, 2}, {512, 1},
                                 {512, 1}, {512, 1}, {512, 1}, {512, 1}, {1024, 2}, {1024, 1}};
// The printed table gives the last depthwise layer stride 2, which its own sizes, 7x7 and 7x7, contradict.

constexpr Separable kShallow[] = {{64, 1}, {128, 2}, {128, 1}, {256, 2}, {256, 1}, {512, 2}, {1024, 2}, {1024, 1}};

enum class Form : std::uint8_t { kSeparable, kStandard };

void mobilenet_v1(NetworkBuilder& net, const ZooOptions& options, std::span<const Separable> rows, Form form) {
  FeatureMap x = stem(net, options, scaled(32, options.width), kRelu6);
  Strides strides(options);
  int number = 0;
  for (const Separable& row : rows) {
    const std::string name = format("block{}", ++number);
    const std::int64_t out = scaled(row.out, options.width);
    const std::int64_t side = strides(row.stride);
    const Extent stride{side, side};
    x = form == Form::kSeparable
            ? separable(net, name, x, out, stride, kRelu6)
            : net.conv(name, x, {.out = out, .kernel = {3, 3}, .stride = stride, .activation = kRelu6});
  }
  classifier(net, x, options);
}

/// Table 2 of MobileNetV2: t, kernel, c, n, s.
constexpr Stage kInverted[] = {{1, 3, 16, 1, 1}, {6, 3, 24, 2, 2},  {6, 3, 32, 3, 2}, {6, 3, 64, 4, 2},
                               {6, 3, 96, 3, 1}, {6, 3, 160, 3, 2}, {6, 3, 320, 1, 1}};

}  // namespace

void mobilenet_v1(NetworkBuilder& net, const ZooOptions& options) {
  mobilenet_v1(net, options, kTable1, Form::kSeparable);
}

void mobilenet_v1_standard(NetworkBuilder& net, const ZooOptions& options) {
  mobilenet_v1(net, options, kTable1, Form::kStandard);
}

void mobilenet_v1_shallow(NetworkBuilder& net, const ZooOptions& options) {
  mobilenet_v1(net, options, kShallow, Form::kSeparable);
}

void mobilenet_v2(NetworkBuilder& net, const ZooOptions& options) {
  FeatureMap x = stem(net, options, scaled_to_8(32, options.width), kRelu6);
  x = stages(net, x, kInverted, options.width, Strides(options), kRelu6);
  // The last layer never gets narrower (section 6.1).
  x = net.conv("head", x, {.out = scaled_to_8(1280, std::max(1.0, options.width)), .activation = kRelu6});
  classifier(net, x, options);
}

}  // namespace sepal
