#include <algorithm>
#include <span>

#include "sepal/base/text.h"
#include "sepal/zoo/blocks.h"
#include "sepal/zoo/networks.h"

// MobileNetV3 (Howard et al. 2019, arXiv 1905.02244). Squeeze and excitation goes to a quarter of the expanded
// channels, rounded to a multiple of 8, with a hard sigmoid for its gate. The paper publishes no layer table for
// other widths; here every layer scales, but for the last before the classifier, which never gets narrower.

namespace sepal {
namespace {

/// A row of tables 1 and 2: kernel, exp size, #out, SE, NL, s.
struct Row {
  std::int64_t kernel;
  std::int64_t expanded;
  std::int64_t out;
  bool squeeze;
  Unary activation;
  std::int64_t stride;
};

constexpr Unary kRe = kRelu;
constexpr Unary kHs = kHardSwish;

constexpr Row kLarge[] = {{3, 16, 16, false, kRe, 1},  {3, 64, 24, false, kRe, 2},  {3, 72, 24, false, kRe, 1},
                          {5, 72, 40, true, kRe, 2},   {5, 120, 40, true, kRe, 1},  {5, 120, 40, true, kRe, 1},
                          {3, 240, 80, false, kHs, 2}, {3, 200, 80, false, kHs, 1}, {3, 184, 80, false, kHs, 1},
                          {3, 184, 80, false, kHs, 1}, {3, 480, 112, true, kHs, 1}, {3, 672, 112, true, kHs, 1},
                          {5, 672, 160, true, kHs, 2}, {5, 960, 160, true, kHs, 1}, {5, 960, 160, true, kHs, 1}};

constexpr Row kSmall[] = {{3, 16, 16, true, kRe, 2},  {3, 72, 24, false, kRe, 2}, {3, 88, 24, false, kRe, 1},
                          {5, 96, 40, true, kHs, 2},  {5, 240, 40, true, kHs, 1}, {5, 240, 40, true, kHs, 1},
                          {5, 120, 48, true, kHs, 1}, {5, 144, 48, true, kHs, 1}, {5, 288, 96, true, kHs, 2},
                          {5, 576, 96, true, kHs, 1}, {5, 576, 96, true, kHs, 1}};

void mobilenet_v3(NetworkBuilder& net, const ZooOptions& options, std::span<const Row> rows, std::int64_t hidden) {
  FeatureMap x = stem(net, options, scaled_to_8(16, options.width), kHs);
  Strides strides(options);
  int number = 0;
  for (const Row& row : rows) {
    const std::int64_t expanded = scaled_to_8(row.expanded, options.width);
    x = inverted_residual(net, format("block{}", ++number), x,
                          {.expanded = expanded,
                           .out = scaled_to_8(row.out, options.width),
                           .kernel = row.kernel,
                           .stride = strides(row.stride),
                           .squeeze = {row.squeeze ? scaled_to_8(expanded, 0.25) : 0, kHardSigmoid},
                           .activation = row.activation});
  }
  x = net.conv("head", x, {.out = 6 * net.channels(x), .activation = kHs});
  x = net.flatten("flatten", net.mean("mean", x));
  x = net.dense("hidden", x, scaled_to_8(hidden, std::max(1.0, options.width)), kHs);
  net.output(net.dense("classifier", x, options.classes));
}

}  // namespace

void mobilenet_v3_large(NetworkBuilder& net, const ZooOptions& options) { mobilenet_v3(net, options, kLarge, 1280); }

void mobilenet_v3_small(NetworkBuilder& net, const ZooOptions& options) { mobilenet_v3(net, options, kSmall, 1024); }

}  // namespace sepal
