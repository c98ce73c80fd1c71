// Resize against worked examples, most of them those of ONNX's documentation, and against straight lines, which
// linear and cubic interpolation must continue.

#include <gtest/gtest.h>

#include <numeric>

#include "sepal/kernels/reference/resize.h"
#include "tests/kernels/reference_random.h"

namespace sepal::reference {
namespace {

using enum ResizeMode;
using enum ResizeCoordinate;
using enum ResizeNearest;

struct Case {
  const char* why;
  Resample how;  ///< the scales are filled in from `scale`
  Shape from;    ///< counting 1, 2, 3 ...
  Shape to;
  std::array<float, 2> scale;  ///< 0: output / input
  std::vector<float> expected;
};

Resample smooth(ResizeMode mode, ResizeCoordinate coordinate = kHalfPixel, float a = -0.75f, bool exclude = false,
                bool antialias = false) {
  return {.mode = mode, .coordinate = coordinate, .cubic_a = a, .exclude_outside = exclude, .antialias = antialias};
}
Resample nearest(ResizeCoordinate coordinate, ResizeNearest rule) {
  return {.coordinate = coordinate, .nearest = rule};
}

const std::vector<Case>& cases() {
  static const std::vector<Case> table = {
      {"nearest, enlarged", nearest(kHalfPixel, kRoundPreferFloor), {2, 2}, {4, 6}, {2, 3}, {1, 1, 1, 2, 2, 2, 1, 1,
                                                                                             1, 2, 2, 2, 3, 3, 3, 4,
                                                                                             4, 4, 3, 3, 3, 4, 4, 4}},
      {"nearest, shrunk", nearest(kHalfPixel, kRoundPreferFloor), {2, 4}, {1, 2}, {0.6f, 0.6f}, {1, 3}},
      {"nearest, shrunk to a size", nearest(kHalfPixel, kRoundPreferFloor), {2, 4}, {1, 3}, {0, 0}, {1, 2, 4}},
      {"a tie goes to the floor", nearest(kAsymmetric, kRoundPreferFloor), {1, 3}, {1, 6}, {1, 2}, {1, 1, 2, 2, 3, 3}},
      {"a tie goes to the ceiling", nearest(kAsymmetric, kRoundPreferCeil), {1, 3}, {1, 6}, {1, 2}, {1, 2, 2, 3, 3, 3}},
      {"always the floor", nearest(kAlignCorners, kFloor), {1, 4}, {1, 8}, {0, 0}, {1, 1, 1, 2, 2, 3, 3, 4}},
      {"always the ceiling", nearest(kHalfPixel, kCeil), {1, 4}, {1, 8}, {0, 0}, {1, 2, 2, 3, 3, 4, 4, 4}},
      {"half pixel of TensorFlow",
       nearest(kTfHalfPixelForNearest, kRoundPreferFloor),
       {4, 4},
       {3, 2},
       {0, 0},
       {6, 8, 10, 12, 14, 16}},
      {"a tie in float that is none in double",
       nearest(kAsymmetric, kFloor),
       {1, 10},
       {1, 6},
       {1, 0.6f},
       {1, 2, 4, 6, 7, 9}},
      {"linear, enlarged",
       smooth(kLinear),
       {2, 2},
       {4, 4},
       {2, 2},
       {1, 1.25f, 1.75f, 2, 1.5f, 1.75f, 2.25f, 2.5f, 2.5f, 2.75f, 3.25f, 3.5f, 3, 3.25f, 3.75f, 4}},
      {"linear between aligned corners",
       smooth(kLinear, kAlignCorners),
       {2, 2},
       {4, 4},
       {2, 2},
       {1, 1.3333333f, 1.6666667f, 2, 1.6666667f, 2, 2.3333333f, 2.6666667f, 2.3333333f, 2.6666667f, 3, 3.3333333f, 3,
        3.3333333f, 3.6666667f, 4}},
      {"linear, shrunk", smooth(kLinear), {2, 4}, {1, 2}, {0.6f, 0.6f}, {2.6666665f, 4.333333f}},
      {"one element by PyTorch's half pixel",
       smooth(kLinear, kPytorchHalfPixel),
       {4, 4},
       {3, 1},
       {0, 0},
       {1.6666666f, 7, 12.333333f}},
      {"one element between aligned corners", smooth(kLinear, kAlignCorners), {1, 4}, {1, 1}, {0, 0}, {1}},
      {"about the centre, shrunk",
       smooth(kLinear, kHalfPixelSymmetric),
       {1, 4},
       {1, 2},
       {1, 0.6f},
       {1.6666667f, 3.3333333f}},
      {"linear with antialias",
       smooth(kLinear, kHalfPixel, -0.75f, false, true),
       {4, 4},
       {2, 2},
       {0.6f, 0.6f},
       {2.875f, 4.5f, 9.375f, 11}},
      {"linear with antialias to a size",
       smooth(kLinear, kHalfPixel, -0.75f, false, true),
       {4, 4},
       {3, 3},
       {0, 0},
       {2.3636363f, 3.590909f, 4.818182f, 7.2727275f, 8.5f, 9.727273f, 12.181818f, 13.409091f, 14.636364f}},
      {"linear with antialias, by hand",
       smooth(kLinear, kHalfPixel, -0.75f, false, true),
       {1, 4},
       {1, 2},
       {0, 0},
       {1.625f, 3.375f}},
      {"linear with antialias, without the outside",
       smooth(kLinear, kHalfPixel, -0.75f, true, true),
       {1, 4},
       {1, 2},
       {0, 0},
       {1.7142857f, 3.2857143f}},
      {"antialias does nothing to an enlargement",
       smooth(kLinear, kHalfPixel, -0.75f, false, true),
       {1, 2},
       {1, 4},
       {0, 0},
       {1, 1.25f, 1.75f, 2}},
      {"cubic, shrunk",
       smooth(kCubic),
       {4, 4},
       {3, 3},
       {0.8f, 0.8f},
       {1.4711914f, 2.78125f, 4.0825195f, 6.711426f, 8.021484f, 9.322754f, 11.916504f, 13.2265625f, 14.527832f}},
      {"cubic, shrunk to a size",
       smooth(kCubic),
       {4, 4},
       {3, 3},
       {0, 0},
       {1.630787f, 3.0046296f, 4.3784723f, 7.1261573f, 8.5f, 9.873842f, 12.621528f, 13.99537f, 15.369213f}},
      {"cubic without the outside",
       smooth(kCubic, kHalfPixel, -0.5f, true),
       {4, 4},
       {3, 3},
       {0.8f, 0.8f},
       {1.3681267f, 2.6695013f, 4.0133367f, 6.573625f, 7.875f, 9.218835f, 11.948966f, 13.250341f, 14.594176f}},
      {"cubic with antialias",
       smooth(kCubic, kHalfPixel, -0.75f, false, true),
       {4, 4},
       {2, 2},
       {0.6f, 0.6f},
       {2.5180721f, 4.2858863f, 9.589329f, 11.357142f}},
      {"taken over as it is", smooth(kCubic), {2, 2}, {2, 2}, {1, 1}, {1, 2, 3, 4}},
  };
  return table;
}

template <typename T>
std::vector<T> resized(const Case& test) {
  ResizeArgs<T> args{.how = test.how};
  for (int axis = 0; axis < 2; ++axis) {
    const auto k = static_cast<std::size_t>(axis);
    const float given = test.scale[k];
    args.how.scales[k] = given != 0 ? given : static_cast<float>(test.to[axis]) / static_cast<float>(test.from[axis]);
  }
  auto input = filled<T>(test.from);
  std::iota(input.begin(), input.end(), T(1));
  auto output = filled<T>(test.to);
  args.input = view_of(input, test.from);
  args.output = view_of(output, test.to);
  if (test.how.mode == kNearest) {
    resize_nearest(args);
  } else if constexpr (std::floating_point<T>) {
    resize_smooth(args);
  }
  return output;
}

TEST(ReferenceResize, WorkedExamples) {
  for (const Case& test : cases()) {
    SCOPED_TRACE(test.why);
    const auto floats = resized<float>(test);
    const auto doubles = resized<double>(test);
    ASSERT_EQ(floats.size(), test.expected.size());
    for (std::size_t i = 0; i < floats.size(); ++i) {
      EXPECT_NEAR(floats[i], test.expected[i], 2e-6 * 16);
      EXPECT_NEAR(doubles[i], static_cast<double>(test.expected[i]), 2e-6 * 16);
    }
    if (test.how.mode != kNearest) continue;
    const auto bytes = resized<std::uint8_t>(test);
    EXPECT_EQ(std::vector<float>(bytes.begin(), bytes.end()), test.expected);
  }
}

TEST(ReferenceResize, ARegionOfInterestLeavesTheImage) {
  Resample how{.mode = kLinear, .coordinate = kTfCropAndResize, .extrapolation = 10};
  how.scales = {0.75f, 0.75f};
  how.roi_start = {0.4f, 0.6f};
  how.roi_end = {1.2f, 1.7f};
  std::vector<float> input(16);
  std::iota(input.begin(), input.end(), 1.0f);
  std::vector<float> output(9);
  resize_smooth(ResizeArgs<float>{.input = view_of(input, {4, 4}), .how = how, .output = view_of(output, {3, 3})});
  const std::vector<float> expected = {7.6000004f, 10, 10, 12.400001f, 10, 10, 10, 10, 10};
  for (std::size_t i = 0; i < output.size(); ++i) EXPECT_NEAR(output[i], expected[i], 1e-5);

  how.mode = kNearest;
  resize_nearest(ResizeArgs<float>{.input = view_of(input, {4, 4}), .how = how, .output = view_of(output, {3, 3})});
  EXPECT_EQ(output, (std::vector<float>{7, 10, 10, 11, 10, 10, 10, 10, 10}));

  // One output element stands at the region's middle; the same size is a crop all the same.
  how = {.mode = kLinear, .coordinate = kTfCropAndResize};
  how.roi_start = {0, 0.5f};
  std::vector<float> one(1);
  resize_smooth(ResizeArgs<float>{.input = view_of(input, {1, 5}), .how = how, .output = view_of(one, {1, 1})});
  EXPECT_EQ(one[0], 4);
  std::vector<float> same(5);
  resize_smooth(ResizeArgs<float>{.input = view_of(input, {1, 5}), .how = how, .output = view_of(same, {1, 5})});
  EXPECT_EQ(same, (std::vector<float>{3, 3.5f, 4, 4.5f, 5}));
}

/// NHWC with more channels than are summed at once, against the same image one channel at a time.
TEST(ReferenceResize, ChannelsAreIndependent) {
  Random random(61);
  for (const ResizeMode mode : {kNearest, kLinear, kCubic}) {
    const Shape from{2, 3, 4, 37};
    const Shape to{2, 5, 3, 37};
    const auto input = random.values<double>(from.elements());
    Resample how{.mode = mode, .antialias = mode == kLinear};
    how.scales = {1, 5.0f / 3, 0.75f, 1};
    auto output = filled<double>(to);
    const ResizeArgs<double> args{.input = view_of(input, from), .how = how, .output = view_of(output, to)};
    mode == kNearest ? resize_nearest(args) : resize_smooth(args);
    for (std::size_t c = 0; c < 37; ++c) {
      std::vector<double> plane;
      for (std::size_t k = c; k < input.size(); k += 37) plane.push_back(input[k]);
      const Shape plane_shape{2, 3, 4};
      const Shape result_shape{2, 5, 3};
      auto result = filled<double>(result_shape);
      const ResizeArgs<double> one{
          .input = view_of(plane, plane_shape), .how = how, .output = view_of(result, result_shape)};
      mode == kNearest ? resize_nearest(one) : resize_smooth(one);
      for (std::size_t k = 0; k < result.size(); ++k) ASSERT_NEAR(result[k], output[k * 37 + c], 1e-14);
    }
  }
}

TEST(ReferenceResize, LinesStayLinesAndConstantsConstant) {
  Random random(62);
  for (int c = 0; c < 300; ++c) {
    const std::int64_t from = random.whole(1, 20);
    const std::int64_t to = random.whole(1, 20);
    Resample how = smooth(random.coin() ? kLinear : kCubic, static_cast<ResizeCoordinate>(random.whole(0, 4)), -0.5f,
                          random.coin(), random.coin());
    how.scales = {static_cast<float>(to) / static_cast<float>(from)};
    std::vector<double> line;
    for (std::int64_t i = 0; i < from; ++i) line.push_back(3 + 2 * static_cast<double>(i));
    const std::vector<double> constant(line.size(), 5);
    auto of_line = filled<double>(Shape{to});
    auto of_constant = of_line;
    resize_smooth(ResizeArgs<double>{.input = view_of(line, {from}), .how = how, .output = view_of(of_line, {to})});
    resize_smooth(
        ResizeArgs<double>{.input = view_of(constant, {from}), .how = how, .output = view_of(of_constant, {to})});
    for (std::int64_t i = 0; i < to; ++i) {
      ASSERT_NEAR(of_constant[static_cast<std::size_t>(i)], 5, 1e-12);
      if (how.antialias) continue;
      const double place = input_place<double>(how, 0, i, from, to);
      if (place < 1 || place > static_cast<double>(from) - 2) continue;  // the edge bends the line
      // Keys' cubic with a = -1/2 reproduces lines exactly.
      ASSERT_NEAR(of_line[static_cast<std::size_t>(i)], 3 + 2 * place, 1e-9);
    }
  }
}

TEST(ReferenceResize, ScalesThatDoNotFitTheirShapesDoNoHarm) {
  const std::vector<float> input = {1, 2};
  std::vector<float> output(3);
  for (const float scale : {1e-38f, 1e38f}) {
    for (const bool antialias : {false, true}) {
      Resample how = smooth(kCubic, kHalfPixel, -0.75f, false, antialias);
      how.scales = {scale};
      resize_smooth(ResizeArgs<float>{.input = view_of(input, {2}), .how = how, .output = view_of(output, {3})});
      for (const float value : output) EXPECT_TRUE(value >= 0 && value <= 3) << value;
      resize_nearest(ResizeArgs<float>{.input = view_of(input, {2}), .how = how, .output = view_of(output, {3})});
      for (const float value : output) EXPECT_TRUE(value == 1 || value == 2) << value;
    }
  }
}

}  // namespace
}  // namespace sepal::reference
