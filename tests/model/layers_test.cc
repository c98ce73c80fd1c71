#include "sepal/model/layers.h"

#include <gtest/gtest.h>

#include "tests/optimize/same.h"
#include "tests/raises.h"

namespace sepal {
namespace {

TEST(Layers, SeparableIsDepthwiseThenPointwise) {
  const Tensor image = noise({2, 9, 8, 6}, 1);
  const Tensor depthwise = noise({12, 3, 3, 1}, 2);
  const Tensor pointwise = noise({5, 12}, 3);
  const Tensor bias = noise({5}, 4);
  const LayerOptions window{.stride = {2, 1}, .padding = {1, 0, 1, 2}};
  const LayerOptions active{.stride = {2, 1}, .padding = {1, 0, 1, 2}, .activation = {UnaryKind::kRelu}};
  const Tensor stages = pointwise_conv2d(depthwise_conv2d(image, depthwise, nullptr, window), pointwise, &bias,
                                         {.activation = {UnaryKind::kRelu}});
  const Tensor whole = separable_conv2d(image, depthwise, pointwise, &bias, active);
  EXPECT_EQ(whole.shape(), (Shape{2, 5, 8, 5}));
  EXPECT_LE(distance(stages, whole), 1e-6);

  // The composition is one dense convolution: W[o, y, x, c] = sum over j of P[o, c m + j] D[c m + j, y, x].
  Tensor dense(DataType::kF32, {5, 3, 3, 6});
  for (std::size_t o = 0; o < 5; ++o) {
    for (std::size_t tap = 0; tap < 9; ++tap) {
      for (std::size_t c = 0; c < 12; ++c) {
        dense.values<float>()[(o * 9 + tap) * 6 + c / 2] +=
            pointwise.values<float>()[o * 12 + c] * depthwise.values<float>()[c * 9 + tap];
      }
    }
  }
  EXPECT_LE(distance(conv2d(image, dense, &bias, active), whole), 1e-5);
}

TEST(Layers, GroupsAndThreads) {
  const Tensor image = noise({1, 30, 30, 8}, 1);
  const Tensor filter = noise({8, 3, 3, 1}, 2);
  const Tensor grouped = conv2d(image, filter, nullptr, {.dilation = {2, 2}, .groups = 8});
  EXPECT_TRUE(identical(grouped, depthwise_conv2d(image, filter, nullptr, {.dilation = {2, 2}, .threads = 2})));
}

TEST(Layers, SayWhatDoesNotFit) {
  const Tensor image = noise({1, 4, 4, 6}, 1);
  EXPECT_TRUE(raises([&] { conv2d(image, noise({5, 3, 3, 4}, 2)); },
                     "conv2d: the filter 5x3x3x4 takes 4 channels in each of 1 group, but the input has 6",
                     ErrorKind::kInvalid));
  EXPECT_TRUE(raises([&] { depthwise_conv2d(image, noise({7, 3, 3, 1}, 2)); },
                     "a depthwise filter of 7x3x3x1 for 6 channels, but it must be [c * m, kh, kw, 1]",
                     ErrorKind::kInvalid));
  EXPECT_TRUE(raises([&] { depthwise_conv2d(noise({4, 4, 6}, 1), noise({6, 3, 3, 1}, 2)); },
                     "an image of 4x4x6, but it must be [n, h, w, c]", ErrorKind::kInvalid));
  EXPECT_TRUE(raises([&] { pointwise_conv2d(image, noise({5, 3, 3, 6}, 2)); },
                     "a pointwise filter of 5x3x3x6, but it must be [co, ci] or [co, 1, 1, ci]", ErrorKind::kInvalid));
  EXPECT_TRUE(raises([&] { conv2d(image, noise({5, 6}, 2)); }, "conv2d: the filter is 5x6, but must have 4 dimensions",
                     ErrorKind::kInvalid));
}

}  // namespace
}  // namespace sepal
