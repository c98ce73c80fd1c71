// Convolutions against the matrix product of the unrolled image, and transposed ones against scattering into a
// padded canvas.

#include <gtest/gtest.h>

#include "sepal/kernels/reference/conv.h"
#include "sepal/kernels/reference/integer.h"
#include "tests/kernels/reference_window_cases.h"

namespace sepal::reference {
namespace {

constexpr int kCases = 500;

template <typename T>
void expect_near(const std::vector<T>& actual, const std::vector<double>& expected, double tolerance) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    ASSERT_NEAR(static_cast<double>(actual[i]), expected[i], tolerance) << "at " << i;
  }
}

template <typename T>
class ReferenceConv2d : public testing::Test {
 public:
  static constexpr double kTolerance = std::same_as<T, float> ? 5e-6 : 1e-12;
};
using Reals = testing::Types<float, double>;
TYPED_TEST_SUITE(ReferenceConv2d, Reals);

TYPED_TEST(ReferenceConv2d, IsTheProductOfTheUnrolledImage) {
  using T = TypeParam;
  Random random(1);
  for (int i = 0; i < kCases; ++i) {
    const WindowCase test = random_window_case(random);
    SCOPED_TRACE(test.describe());
    const auto image = random.values<T>(test.image.elements());
    const auto filter = random.values<T>(test.filter.elements());
    const auto bias = random.values<T>(random.coin() ? test.filter.n() : 0);
    auto output = filled<T>(test.output);
    conv2d(Conv2dArgs<T>{.input = view_of(image, test.image),
                         .filter = view_of(filter, test.filter),
                         .bias = bias.empty() ? nullptr : bias.data(),
                         .window = test.window,
                         .groups = test.groups,
                         .output = view_of(output, test.output)});
    const auto expected =
        convolve_by_matrix<double>(test, image, filter, std::vector<double>(bias.begin(), bias.end()));
    expect_near(output, expected, this->kTolerance);
    if (this->HasFatalFailure()) return;
  }
}

TYPED_TEST(ReferenceConv2d, AppliesTheActivation) {
  using T = TypeParam;
  const std::vector<T> image = {-2, 3};
  const std::vector<T> filter = {1};
  std::vector<T> output(2);
  conv2d(Conv2dArgs<T>{.input = view_of(image, {1, 1, 2, 1}),
                       .filter = view_of(filter, {1, 1, 1, 1}),
                       .activation = {UnaryKind::kClip, -1, 2},
                       .output = view_of(output, {1, 1, 2, 1})});
  EXPECT_EQ(output, (std::vector<T>{-1, 2}));
}

/// Filter of the transpose: the same memory, read as [ci, kh, kw, co / groups] with ci and co exchanged.
TYPED_TEST(ReferenceConv2d, TransposeScatters) {
  using T = TypeParam;
  Random random(2);
  for (int i = 0; i < kCases; ++i) {
    const WindowCase test = random_window_case(random);
    SCOPED_TRACE(test.describe());
    const Shape& from = test.output;
    const Shape& to = test.image;
    const auto input = random.values<T>(from.elements());
    const auto filter = random.values<T>(test.filter.elements());
    const auto bias = random.values<T>(random.coin() ? to.c() : 0);
    auto output = filled<T>(to);
    conv_transpose2d(ConvTranspose2dArgs<T>{.input = view_of(input, from),
                                            .filter = view_of(filter, test.filter),
                                            .bias = bias.empty() ? nullptr : bias.data(),
                                            .window = test.window,
                                            .groups = test.groups,
                                            .output = view_of(output, to)});

    // Every input pixel throws its filter, times its value, onto a canvas as large as the padded image.
    const Padding& by = test.window.padding;
    const Shape canvas{to.n(), to.h() + by.top + by.bottom, to.w() + by.left + by.right, to.c()};
    auto scattered = filled<double>(canvas);
    const std::int64_t depth = test.filter.c();
    for (std::int64_t k = 0; k < from.elements(); ++k) {
      const auto at = coordinates(from, k);
      const std::int64_t group = at[3] * test.groups / from.c();
      for (std::int64_t f = 0; f < test.filter.elements() / test.filter.n(); ++f) {
        const auto tap = coordinates(Shape{test.filter.h(), test.filter.w(), depth}, f);
        const std::int64_t y = at[1] * test.window.stride.h + tap[0] * test.window.dilation.h;
        const std::int64_t x = at[2] * test.window.stride.w + tap[1] * test.window.dilation.w;
        const std::int64_t place = ((at[0] * canvas.h() + y) * canvas.w() + x) * canvas.c() + group * depth + tap[2];
        const std::int64_t weight = at[3] * (test.filter.elements() / test.filter.n()) + f;
        scattered[static_cast<std::size_t>(place)] += static_cast<double>(input[static_cast<std::size_t>(k)]) *
                                                      static_cast<double>(filter[static_cast<std::size_t>(weight)]);
      }
    }
    std::vector<double> expected;
    for (std::int64_t k = 0; k < to.elements(); ++k) {
      const auto at = coordinates(to, k);
      const std::int64_t pixel = (at[0] * canvas.h() + at[1] + by.top) * canvas.w() + at[2] + by.left;
      const auto c = static_cast<std::size_t>(at[3]);
      expected.push_back(scattered[static_cast<std::size_t>(pixel * canvas.c() + at[3])] +
                         (bias.empty() ? 0.0 : static_cast<double>(bias[c])));
    }
    expect_near(output, expected, this->kTolerance);
    if (this->HasFatalFailure()) return;
  }
}

TEST(ReferenceConvTranspose2d, IsTheAdjointOfConv2d) {
  Random random(3);
  for (int i = 0; i < kCases; ++i) {
    const WindowCase test = random_window_case(random);
    SCOPED_TRACE(test.describe());
    const auto x = random.values<double>(test.image.elements());
    const auto y = random.values<double>(test.output.elements());
    const auto filter = random.values<double>(test.filter.elements());
    auto forward = filled<double>(test.output);
    auto backward = filled<double>(test.image);
    conv2d(Conv2dArgs<double>{.input = view_of(x, test.image),
                              .filter = view_of(filter, test.filter),
                              .window = test.window,
                              .groups = test.groups,
                              .output = view_of(forward, test.output)});
    conv_transpose2d(ConvTranspose2dArgs<double>{.input = view_of(y, test.output),
                                                 .filter = view_of(filter, test.filter),
                                                 .window = test.window,
                                                 .groups = test.groups,
                                                 .output = view_of(backward, test.image)});
    double left = 0;
    double right = 0;
    for (std::size_t k = 0; k < y.size(); ++k) left += forward[k] * y[k];
    for (std::size_t k = 0; k < x.size(); ++k) right += backward[k] * x[k];
    ASSERT_NEAR(left, right, 1e-10);
  }
}

/// Integer convolutions of one pair of types.
template <typename X, typename F>
void check_integer_convolutions(std::uint32_t seed) {
  Random random(seed);
  for (int i = 0; i < kCases / 2; ++i) {
    const WindowCase test = random_window_case(random);
    SCOPED_TRACE(test.describe());
    const auto image = random.values<X>(test.image.elements());
    const auto filter = random.values<F>(test.filter.elements());
    const X x_zero = random.values<X>(1)[0];
    const auto zeros = random.values<F>(random.coin() ? 1 : test.filter.n());
    const PerChannel<F> filter_zero{zeros.data(), static_cast<std::int64_t>(zeros.size())};
    const IntegerConvSite<X, F> site{.input = view_of(image, test.image),
                                     .filter = view_of(filter, test.filter),
                                     .x_zero = x_zero,
                                     .filter_zero = filter_zero,
                                     .window = test.window,
                                     .groups = test.groups};
    std::vector<std::int64_t> centred_image;
    for (const X value : image) centred_image.push_back(std::int64_t{value} - std::int64_t{x_zero});
    std::vector<std::int64_t> centred_filter;
    const std::size_t per_output = filter.size() / static_cast<std::size_t>(test.filter.n());
    for (std::size_t k = 0; k < filter.size(); ++k) {
      const std::int64_t zero = zeros[zeros.size() == 1 ? 0 : k / per_output];
      centred_filter.push_back(std::int64_t{filter[k]} - zero);
    }
    auto sums = filled<std::int32_t>(test.output);
    integer_conv2d(IntegerConv2dArgs<X, F>{.site = site, .output = view_of(sums, test.output)});
    const auto expected = convolve_by_matrix<std::int64_t>(test, centred_image, centred_filter, {});
    ASSERT_EQ(std::vector<std::int64_t>(sums.begin(), sums.end()), expected);

    // Scales are powers of two: float arithmetic is exact, and ties really occur.
    std::vector<float> scales(random.coin() ? 1 : static_cast<std::size_t>(test.filter.n()));
    for (float& scale : scales) scale = static_cast<float>(std::exp2(random.whole(-4, 0)));
    std::vector<std::int32_t> bias;
    for (std::int64_t o = 0; o < test.filter.n(); ++o)
      bias.push_back(static_cast<std::int32_t>(random.whole(-9999, 9999)));
    const auto y_scale = static_cast<float>(std::exp2(random.whole(0, 10)));
    auto output = filled<std::int8_t>(test.output);
    quantized_conv2d(QuantizedConv2dArgs<X, F, std::int8_t>{
        .site = site,
        .x_scale = 0.5f,
        .filter_scale = {scales.data(), static_cast<std::int64_t>(scales.size())},
        .bias = bias.data(),
        .y_scale = y_scale,
        .y_zero = -3,
        .output = view_of(output, test.output)});
    for (std::size_t k = 0; k < output.size(); ++k) {
      const std::size_t o = k % static_cast<std::size_t>(test.filter.n());
      const double total = static_cast<double>(expected[k] + bias[o]);
      const double exact =
          total * 0.5 * static_cast<double>(scales[scales.size() == 1 ? 0 : o]) / static_cast<double>(y_scale);
      // Half to even without the library's help.
      double rounded = std::floor(exact);
      if (exact - rounded > 0.5 || (exact - rounded == 0.5 && std::fmod(rounded, 2.0) != 0)) rounded += 1;
      ASSERT_EQ(static_cast<double>(output[k]), std::clamp(rounded - 3, -128.0, 127.0)) << exact;
    }
  }
}

TEST(ReferenceIntegerConv2d, IsTheProductOfTheUnrolledImage) {
  check_integer_convolutions<std::uint8_t, std::uint8_t>(4);
  check_integer_convolutions<std::uint8_t, std::int8_t>(5);
  check_integer_convolutions<std::int8_t, std::uint8_t>(6);
  check_integer_convolutions<std::int8_t, std::int8_t>(7);
}

TEST(ReferenceSlide, CountsTheTapsInsideWithoutSearching) {
  Random random(8);
  for (int i = 0; i < 5000; ++i) {
    const std::int64_t first = random.whole(-20, 20);
    const std::int64_t dilation = random.whole(1, 4);
    const std::int64_t kernel = random.whole(1, 8);
    const std::int64_t extent = random.whole(0, 10);
    const Range taps = taps_inside(first, dilation, kernel, extent);
    for (std::int64_t t = 0; t < kernel; ++t) {
      const std::int64_t at = first + t * dilation;
      ASSERT_EQ(taps.begin <= t && t < taps.end, at >= 0 && at < extent)
          << first << " " << dilation << " " << kernel << " " << extent;
    }
    ASSERT_LE(taps.begin, taps.end);
  }
}

}  // namespace
}  // namespace sepal::reference
