// Resize and transposed convolution: which of them have kernels, and that these agree with the reference.

#include <gtest/gtest.h>

#include <limits>

#include "sepal/plan/plan.h"
#include "tests/optimize/same.h"
#include "tests/plan/net.h"

namespace sepal {
namespace {

using enum ResizeCoordinate;

/// A resize of x to h rows and w columns; scales as a file with sizes has them.
ValueId resized(Graph& graph, ValueId x, Resample how, std::int64_t h, std::int64_t w) {
  const Shape& input = graph.shape(x);
  const Shape size = {input.n(), h, w, input.c()};
  for (int axis = 0; axis < 4; ++axis) {
    how.scales[static_cast<std::size_t>(axis)] = static_cast<float>(size[axis]) / static_cast<float>(input[axis]);
  }
  return graph.add(Resize{.how = how, .size = size}, {x});
}

TEST(ResizeRow, AgreesWithTheReferenceInEveryConvention) {
  struct Size {
    const char* why;
    Shape input;
    std::int64_t h, w;
  };
  const Size sizes[] = {{"twice as large", {2, 5, 6, 19}, 10, 12}, {"few channels", {1, 9, 13, 2}, 21, 30},
                        {"smaller", {1, 20, 31, 7}, 9, 10},        {"from one pixel", {1, 1, 1, 40}, 7, 5},
                        {"to one pixel", {1, 7, 5, 3}, 1, 1},      {"columns alone", {1, 6, 5, 8}, 6, 15},
                        {"as it was", {1, 6, 5, 8}, 6, 5},         {"enough for threads", {1, 60, 61, 24}, 120, 122}};
  for (const Size& size : sizes) {
    SCOPED_TRACE(size.why);
    for (const ResizeMode mode : {ResizeMode::kNearest, ResizeMode::kLinear}) {
      for (const ResizeCoordinate coordinate :
           {kHalfPixel, kHalfPixelSymmetric, kPytorchHalfPixel, kAlignCorners, kAsymmetric, kTfHalfPixelForNearest}) {
        for (const ResizeNearest rule : {ResizeNearest::kRoundPreferFloor, ResizeNearest::kRoundPreferCeil,
                                         ResizeNearest::kFloor, ResizeNearest::kCeil}) {
          if (mode == ResizeMode::kLinear && rule != ResizeNearest::kFloor) continue;
          SCOPED_TRACE(static_cast<int>(mode) * 100 + static_cast<int>(coordinate) * 10 + static_cast<int>(rule));
          Net net;
          const ValueId x = net.input(size.input);
          net.graph.add_output(
              "y", resized(net.graph, x, {.mode = mode, .coordinate = coordinate, .nearest = rule}, size.h, size.w));
          EXPECT_EQ(Plan(net.graph, {}).steps()[0].kernel, "resize f32");
          const Tensor expected = std::move(outputs_of(net.graph)[0]);
          const Tensor one = std::move(outputs_of(net.graph, {})[0]);
          EXPECT_LE(distance(expected, one), mode == ResizeMode::kNearest ? 0 : 1e-6);
          EXPECT_TRUE(identical(one, outputs_of(net.graph, {.threads = 3})[0]));
        }
      }
    }
  }
}

TEST(ResizeRow, TakesAnyTwoNeighbouringAxes) {
  struct Case {
    const char* why;
    Shape input;
    Shape size;
  };
  const Case cases[] = {
      {"channels first", {2, 7, 5, 6}, {2, 7, 10, 13}},
      {"a line", {9}, {20}},
      {"rows of a matrix", {9, 4}, {20, 4}},
      {"columns of a matrix", {9, 4}, {9, 11}},
      {"in the middle of five axes", {2, 3, 4, 5, 6}, {2, 3, 8, 7, 6}},
      {"nothing at all", {2, 3, 4, 5, 6}, {2, 3, 4, 5, 6}},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.why);
    for (const ResizeMode mode : {ResizeMode::kNearest, ResizeMode::kLinear}) {
      Net net;
      Resize op = {.how = {.mode = mode}, .size = test.size};
      for (int axis = 0; axis < test.size.rank(); ++axis) {
        op.how.scales[static_cast<std::size_t>(axis)] =
            static_cast<float>(test.size[axis]) / static_cast<float>(test.input[axis]);
      }
      net.graph.add_output("y", net.graph.add(op, {net.input(test.input)}));
      EXPECT_EQ(Plan(net.graph, {}).steps()[0].kernel, "resize f32");
      EXPECT_LE(distance(outputs_of(net.graph)[0], outputs_of(net.graph, {})[0]), 1e-6);
    }
  }
}

TEST(ResizeRow, LeavesTheRestToTheReference) {
  struct Case {
    const char* why;
    Resample how;
  };
  const Case cases[] = {
      {"cubic", {.mode = ResizeMode::kCubic}},
      {"antialias", {.mode = ResizeMode::kLinear, .antialias = true}},
      {"without what lies outside", {.mode = ResizeMode::kLinear, .exclude_outside = true}},
      {"a region of interest", {.mode = ResizeMode::kLinear, .coordinate = kTfCropAndResize}},
  };
  {
    Net net;  // three axes at once
    net.graph.add_output(
        "y", net.graph.add(Resize{.how = {.mode = ResizeMode::kLinear, .scales = {2, 2, 2}}, .size = {4, 6, 8}},
                           {net.input({2, 3, 4})}));
    EXPECT_EQ(Plan(net.graph, {}).steps()[0].kernel, "reference");
  }
  for (const Case& test : cases) {
    SCOPED_TRACE(test.why);
    Net net;
    net.graph.add_output("y", resized(net.graph, net.input({1, 5, 6, 3}), test.how, 9, 8));
    EXPECT_EQ(Plan(net.graph, {}).steps()[0].kernel, "reference");
  }
}

TEST(ResizeRow, MakesNoNanOfAnInfinity) {
  // With corners aligned, every other output pixel is an input pixel, and its neighbours count nothing.
  Net net;
  const ValueId x = net.input({1, 3, 3, 5});
  const ValueId huge =
      net.graph.add(Binary{BinaryKind::kDivide}, {x, net.graph.add(Binary{BinaryKind::kSubtract}, {x, x})});
  net.graph.add_output("y", resized(net.graph, huge, {.mode = ResizeMode::kLinear, .coordinate = kAlignCorners}, 5, 5));
  const Tensor expected = std::move(outputs_of(net.graph)[0]);
  const Tensor actual = std::move(outputs_of(net.graph, {})[0]);
  for (std::size_t i = 0; i < expected.values<float>().size(); ++i) {
    const float a = expected.values<float>()[i];
    const float b = actual.values<float>()[i];
    EXPECT_TRUE(a == b || (std::isnan(a) && std::isnan(b))) << "element " << i << ": " << a << ", " << b;
  }
}

TEST(TransposedRow, AgreesWithTheReference) {
  struct Case {
    const char* why;
    const char* kernel;
    Shape input;
    ConvTranspose2d op;
    std::int64_t co;
    bool bias = true;
    bool constant = true;
  };
  const Window twice = {.kernel = {2, 2}, .stride = {2, 2}};
  const Window thrice = {.kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1, 1, 1}};
  const Case cases[] = {
      {"2 x 2 by 2", "transposed f32", {2, 9, 11, 24}, {.window = twice}, 24},
      {"to one channel", "transposed f32", {1, 9, 11, 24}, {.window = twice}, 1},
      {"enough for threads", "transposed f32", {1, 64, 65, 32}, {.window = thrice, .output_padding = {1, 1}}, 16},
      {"groups, no bias", "transposed f32", {1, 9, 11, 12}, {.window = thrice, .groups = 4}, 8, false},
      {"a filter given at run time", "reference", {1, 5, 6, 7}, {.window = twice}, 3, false, false},
      {"a stride beyond reason", "reference", {1, 2, 2, 3}, {.window = {.stride = {100, 100}}}, 2},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.why);
    Net net;
    const Extent& kernel = test.op.window.kernel;
    const Shape filter = {test.input.c(), kernel.h, kernel.w, test.co / test.op.groups};
    std::vector<ValueId> inputs = {net.input(test.input), test.constant ? net.constant(filter) : net.input(filter)};
    if (test.bias) inputs.push_back(net.constant({test.co}));
    net.graph.add_output("y", net.graph.add(test.op, inputs));
    EXPECT_EQ(Plan(net.graph, {}).steps()[0].kernel, test.kernel);
    const Tensor expected = std::move(outputs_of(net.graph)[0]);
    const Tensor one = std::move(outputs_of(net.graph, {})[0]);
    EXPECT_LE(distance(expected, one), 1e-5);
    EXPECT_TRUE(identical(one, outputs_of(net.graph, {.threads = 3})[0]));
  }
}

}  // namespace
}  // namespace sepal
