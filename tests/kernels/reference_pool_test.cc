// Pooling against a brute force over an explicitly padded copy.

#include <gtest/gtest.h>

#include <limits>

#include "sepal/kernels/reference/pool.h"
#include "tests/kernels/reference_window_cases.h"

namespace sepal::reference {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// The case with its output rounded up in half of the cases.
Shape pooled_shape(const WindowCase& test, bool ceil) {
  const Extent image{test.image.h(), test.image.w()};
  const Extent out = ceil ? output_extent_ceil(image, test.window) : output_extent(image, test.window);
  return {test.image.n(), out.h, out.w, test.image.c()};
}

TEST(ReferencePool, MaximumIsThatOfThePaddedCopy) {
  Random random(11);
  for (int i = 0; i < 500; ++i) {
    const WindowCase test = random_window_case(random);
    const bool ceil = random.coin();
    SCOPED_TRACE(test.describe() + (ceil ? ", ceil" : ""));
    const Shape shape = pooled_shape(test, ceil);
    const std::int64_t channels = test.image.c();
    // Few different values, so that equals occur and the first must be told from the others.
    std::vector<double> image;
    for (std::int64_t k = 0; k < test.image.elements(); ++k) image.push_back(static_cast<double>(random.whole(-2, 2)));
    auto output = filled<double>(shape);
    auto indices = filled<std::int64_t>(shape);
    const bool column_major = random.coin();
    max_pool(MaxPoolArgs<double>{.input = view_of(image, test.image),
                                 .window = test.window,
                                 .output = view_of(output, shape),
                                 .indices = indices.data(),
                                 .column_major = column_major});

    Padding wide = test.window.padding;  // room for what rounding up adds
    wide.bottom += test.window.stride.h;
    wide.right += test.window.stride.w;
    const auto [padded_shape, copy] = padded<double>(test.image, image, wide, -kInfinity);
    const auto rows = unroll(padded_shape, copy, test.window, shape);
    for (std::size_t k = 0; k < output.size(); ++k) {
      const auto at = coordinates(shape, static_cast<std::int64_t>(k));
      const auto& row = rows[k / static_cast<std::size_t>(channels)];
      double best = -kInfinity;
      for (auto c = static_cast<std::size_t>(at[3]); c < row.size(); c += static_cast<std::size_t>(channels)) {
        best = std::max(best, row[c]);
      }
      if (best == -kInfinity) {  // all padding
        ASSERT_EQ(output[k], std::numeric_limits<double>::lowest());
        ASSERT_EQ(indices[k], 0);
        continue;
      }
      ASSERT_EQ(output[k], best);
      // The index leads to the first element of the image within the window that has the value.
      std::int64_t expected = -1;
      for (std::int64_t y = 0; y < test.window.kernel.h && expected < 0; ++y) {
        for (std::int64_t x = 0; x < test.window.kernel.w && expected < 0; ++x) {
          const std::int64_t row_at =
              at[1] * test.window.stride.h - test.window.padding.top + y * test.window.dilation.h;
          const std::int64_t column_at =
              at[2] * test.window.stride.w - test.window.padding.left + x * test.window.dilation.w;
          if (row_at < 0 || row_at >= test.image.h() || column_at < 0 || column_at >= test.image.w()) continue;
          const std::int64_t place =
              ((at[0] * test.image.h() + row_at) * test.image.w() + column_at) * channels + at[3];
          if (image[static_cast<std::size_t>(place)] != best) continue;
          expected = (at[0] * channels + at[3]) * test.image.h() * test.image.w() +
                     (column_major ? column_at * test.image.h() + row_at : row_at * test.image.w() + column_at);
        }
      }
      ASSERT_EQ(indices[k], expected);
    }
  }
}

TEST(ReferencePool, AverageIsThatOfThePaddedCopy) {
  Random random(12);
  for (int i = 0; i < 500; ++i) {
    const WindowCase test = random_window_case(random);
    const bool ceil = random.coin();
    const bool count_padding = random.coin();
    SCOPED_TRACE(test.describe() + (ceil ? ", ceil" : "") + (count_padding ? ", counting padding" : ""));
    const Shape shape = pooled_shape(test, ceil);
    const auto channels = static_cast<std::size_t>(test.image.c());
    const auto image = random.values<float>(test.image.elements());
    auto output = filled<float>(shape);
    average_pool(AveragePoolArgs<float>{.input = view_of(image, test.image),
                                        .window = test.window,
                                        .count_padding = count_padding,
                                        .output = view_of(output, shape)});

    // A second copy holds 1 where an element counts: on the image, or on it and its padding, never beyond.
    Padding rest{.bottom = test.window.stride.h, .right = test.window.stride.w};
    Padding wide = test.window.padding;
    wide.bottom += rest.bottom;
    wide.right += rest.right;
    const auto [shape_of_values, values] = padded<double>(test.image, image, wide, 0.0);
    const std::vector<double> ones(image.size(), 1.0);
    const auto [inner_shape, inner] = padded<double>(test.image, ones, test.window.padding, count_padding ? 1.0 : 0.0);
    const auto [shape_of_counts, counts] = padded<double>(inner_shape, inner, rest, 0.0);
    const auto value_rows = unroll(shape_of_values, values, test.window, shape);
    const auto count_rows = unroll(shape_of_counts, counts, test.window, shape);
    for (std::size_t k = 0; k < output.size(); ++k) {
      double sum = 0;
      double count = 0;
      for (std::size_t c = k % channels; c < value_rows[k / channels].size(); c += channels) {
        sum += value_rows[k / channels][c];
        count += count_rows[k / channels][c];
      }
      ASSERT_NEAR(output[k], count == 0 ? 0 : sum / count, 1e-6);
    }
  }
}

TEST(ReferencePool, ANanIsTheMaximum) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> image = {1, nan, 3, 4};
  std::vector<float> output(2);
  std::vector<std::int64_t> indices(2);
  max_pool(MaxPoolArgs<float>{.input = view_of(image, {1, 1, 4, 1}),
                              .window = {.kernel = {1, 2}, .stride = {1, 2}},
                              .output = view_of(output, {1, 1, 2, 1}),
                              .indices = indices.data()});
  EXPECT_TRUE(std::isnan(output[0]));
  EXPECT_EQ(output[1], 4);
  EXPECT_EQ(indices, (std::vector<std::int64_t>{1, 3}));
}

TEST(ReferencePool, AWindowThatIsNearlyAllPaddingCostsNothing) {
  const std::vector<std::uint8_t> image = {7};
  std::vector<std::uint8_t> output(1);
  const std::int64_t huge = std::int64_t{1} << 30;
  max_pool(
      MaxPoolArgs<std::uint8_t>{.input = view_of(image, {1, 1, 1, 1}),
                                .window = {.kernel = {2 * huge + 1, 2 * huge + 1}, .padding = {huge, huge, huge, huge}},
                                .output = view_of(output, {1, 1, 1, 1})});
  EXPECT_EQ(output[0], 7);
}

}  // namespace
}  // namespace sepal::reference
