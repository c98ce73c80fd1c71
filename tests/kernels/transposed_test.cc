#include "sepal/kernels/transposed.h"

#include "sepal/kernels/reference/conv.h"
#include "tests/kernels/kernel_test.h"

namespace sepal {
namespace {

struct Case {
  std::string why;
  Shape input;
  std::int64_t co;
  Window window;
  std::int64_t groups = 1;
  Extent extra{0, 0};  ///< of the output
  bool bias = true;
};

Shape output_of(const Case& test) {
  const Window& w = test.window;
  const auto length = [](std::int64_t input, std::int64_t stride, std::int64_t kernel, std::int64_t dilation) {
    return stride * (input - 1) + dilation * (kernel - 1) + 1;
  };
  return {
      test.input.n(),
      length(test.input.h(), w.stride.h, w.kernel.h, w.dilation.h) + test.extra.h - w.padding.top - w.padding.bottom,
      length(test.input.w(), w.stride.w, w.kernel.w, w.dilation.w) + test.extra.w - w.padding.left - w.padding.right,
      test.co};
}

void expect_right(const Case& test, Random& random) {
  const Window& w = test.window;
  const Shape out = output_of(test);
  SCOPED_TRACE(format("{}: {} to {}, kernel {}x{}, stride {}x{}, dilation {}x{}, padding {} {}, groups {}", test.why,
                      to_string(test.input), to_string(out), w.kernel.h, w.kernel.w, w.stride.h, w.stride.w,
                      w.dilation.h, w.dilation.w, w.padding.top, w.padding.left, test.groups));
  const Shape filter_shape = {test.input.c(), w.kernel.h, w.kernel.w, test.co / test.groups};
  const std::vector<float> input = random.values<float>(test.input.elements());
  const std::vector<float> filter = random.values<float>(filter_shape.elements());
  const std::vector<float> bias = random.values<float>(test.bias ? test.co : 0);
  // In double the reference's sums are exact enough; all terms are at most 1.
  const std::vector<double> wide_input(input.begin(), input.end());
  const std::vector<double> wide_filter(filter.begin(), filter.end());
  const std::vector<double> wide_bias(bias.begin(), bias.end());
  std::vector<double> expected(static_cast<std::size_t>(out.elements()));
  reference::conv_transpose2d<double>({.input = {wide_input.data(), test.input},
                                       .filter = {wide_filter.data(), filter_shape},
                                       .bias = test.bias ? wide_bias.data() : nullptr,
                                       .window = w,
                                       .groups = test.groups,
                                       .output = {expected.data(), out}});
  std::vector<Exact> exact;
  const auto terms = static_cast<double>(filter_shape.elements() / test.co);
  for (const double value : expected) exact.push_back({value, terms / 4});

  TransposedArgs args = {
      .input = {input.data(), test.input}, .window = w, .groups = test.groups, .output = {nullptr, out}};
  Guarded packed(packed_transposed_floats(args));
  pack_transposed(args, filter.data(), test.bias ? bias.data() : nullptr, packed.data());
  EXPECT_TRUE(packed.intact());
  const std::vector<float> zeros(static_cast<std::size_t>(test.input.c() / test.groups));
  args.packed = packed.data();
  args.zeros = zeros.data();
  on_every_target([&] {
    const auto kernel = [&](float* values, Range groups) {
      TransposedArgs mine = args;
      mine.output.data = values;
      transposed(mine, groups);
    };
    expect_near(run_divided(out.n() * transposed_row_groups(w, out.h()), out.elements(), random, kernel), exact);
  });
}

Window square(std::int64_t kernel, std::int64_t stride, std::int64_t padding = 0, std::int64_t dilation = 1) {
  return {{kernel, kernel}, {stride, stride}, {dilation, dilation}, {padding, padding, padding, padding}};
}

TEST(Transposed, MatchesTheReference) {
  const Case cases[] = {
      {"2 x 2 by 2: every tap by itself", {1, 5, 7, 24}, 24, square(2, 2)},
      {"one channel: the columns of a row at once", {2, 5, 7, 24}, 1, square(2, 2)},
      {"3 x 3 by 2", {1, 6, 9, 20}, 40, square(3, 2, 1), 1, {1, 1}},
      {"3 x 3 by 2, few channels", {1, 6, 9, 20}, 3, square(3, 2, 1), 1, {1, 1}},
      {"rows that end within a pixel", {1, 6, 9, 20}, 3, square(3, 2, 1)},
      {"4 x 4 by 2", {1, 6, 9, 32}, 8, square(4, 2, 1)},
      {"4 x 4 by 2, many channels", {1, 6, 9, 8}, 70, square(4, 2, 1)},
      {"stride 1", {1, 6, 9, 8}, 12, square(3, 1, 1)},
      {"a stride larger than the kernel: pixels that are the bias", {1, 4, 3, 5}, 6, square(1, 3)},
      {"the same without a bias", {1, 4, 3, 5}, 6, square(2, 3), 1, {2, 1}, false},
      {"dilation", {1, 5, 6, 7}, 9, square(3, 2, 1, 2)},
      {"dilation and stride without a common divisor", {1, 5, 6, 7}, 9, square(3, 2, 1, 3)},
      {"groups", {1, 5, 6, 12}, 18, square(3, 2, 1), 3},
      {"one channel to a group", {1, 5, 6, 8}, 8, square(4, 2, 1), 8},
      {"uneven in every way", {2, 3, 5, 6}, 10, {{2, 5}, {3, 2}, {1, 2}, {0, 2, 1, 1}}, 2, {2, 0}},
      {"padding that cuts off whole rows of input", {1, 6, 6, 3}, 5, square(3, 1, 4)},
      {"eight times as large", {1, 3, 4, 5}, 3, square(16, 8, 4)},
  };
  Random random(60);
  for (const Case& test : cases) expect_right(test, random);
}

TEST(Transposed, MatchesTheReferenceAtRandom) {
  Random random(61);
  for (int i = 0; i < 150; ++i) {
    Case test{.why = "random", .input = {}, .co = 1, .window = {}};
    Window& w = test.window;
    w.kernel = {random.whole(1, 5), random.whole(1, 5)};
    w.stride = {random.whole(1, 4), random.whole(1, 4)};
    w.dilation = {random.whole(1, 3), random.whole(1, 3)};
    test.groups = random.coin() ? 1 : random.whole(1, 3);
    test.input = {random.whole(1, 2), random.whole(1, 6), random.whole(1, 9), test.groups * random.whole(1, 20)};
    test.co = test.groups * random.whole(1, 40);
    test.extra = {random.whole(0, w.stride.h - 1), random.whole(0, w.stride.w - 1)};
    test.bias = random.coin();
    const Shape out = output_of(test);
    w.padding = {random.whole(0, out.h() - 1) / 2, random.whole(0, out.w() - 1) / 2, random.whole(0, out.h() - 1) / 2,
                 random.whole(0, out.w() - 1) / 2};
    expect_right(test, random);
  }
}

}  // namespace
}  // namespace sepal
