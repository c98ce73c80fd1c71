#include "sepal/kernels/resize.h"

#include "tests/kernels/kernel_test.h"

namespace sepal {
namespace {

struct Case {
  const char* why;
  Shape input;
  std::int64_t h, w;
};

/// One axis' tables, at random: any position of the input, any shares.
struct Table {
  std::vector<std::int32_t> first, second;
  std::vector<float> first_share, second_share;

  Table(std::int64_t length, std::int64_t input, Random& random) {
    for (std::int64_t i = 0; i < length; ++i) {
      first.push_back(static_cast<std::int32_t>(random.whole(0, input - 1)));
      second.push_back(static_cast<std::int32_t>(random.whole(0, input - 1)));
      first_share.push_back(static_cast<float>(random.real()));
      second_share.push_back(static_cast<float>(random.real()));
    }
  }
  /// Positions as floats of a row, of every pixel or of every float.
  Table along_row(std::int64_t channels) const {
    Table result = *this;
    const bool pixelwise = resize_pixelwise(channels);
    const std::int64_t each = pixelwise ? 1 : channels;
    const auto count = first.size() * static_cast<std::size_t>(each) + (pixelwise ? 0 : kResizePadding);
    for (auto* places : {&result.first, &result.second}) places->assign(count, 0);
    for (auto* shares : {&result.first_share, &result.second_share}) shares->assign(count, 0);
    for (std::size_t x = 0; x < first.size(); ++x) {
      for (std::int64_t c = 0; c < each; ++c) {
        const std::size_t i = x * static_cast<std::size_t>(each) + static_cast<std::size_t>(c);
        result.first[i] = static_cast<std::int32_t>(first[x] * channels + c);
        result.second[i] = static_cast<std::int32_t>(second[x] * channels + c);
        result.first_share[i] = first_share[x];
        result.second_share[i] = second_share[x];
      }
    }
    return result;
  }
  ResizeAxis axis(bool nearest) const {
    if (nearest) return {.first = first.data()};
    return {first.data(), second.data(), first_share.data(), second_share.data()};
  }
};

TEST(Resize, TakesFromTheTables) {
  constexpr std::int64_t kChannels[] = {1, 2, 3, 4, 5, 16, 19, 70};
  const Case cases[] = {
      {"larger", {1, 4, 5, 0}, 9, 13},
      {"smaller, two images", {2, 7, 9, 0}, 3, 4},
      {"from one pixel", {1, 1, 1, 0}, 5, 6},
      {"a row of many vectors", {1, 2, 40, 0}, 2, 81},
  };
  Random random(50);
  for (const Case& test : cases) {
    for (const std::int64_t c : kChannels) {
      SCOPED_TRACE(format("{}, {} channels", test.why, c));
      const Shape in = test.input.with(3, c);
      const Shape out = {in.n(), test.h, test.w, c};
      const std::vector<float> input = random.values<float>(in.elements());
      const Table rows(test.h, in.h(), random);
      const Table columns(test.w, in.w(), random);
      const Table along_row = columns.along_row(c);
      for (const bool nearest : {true, false}) {
        SCOPED_TRACE(nearest ? "nearest" : "linear");
        std::vector<Exact> exact;
        for (std::int64_t i = 0; i < out.elements(); ++i) {
          const auto at = coordinates(out, i);
          const auto y = static_cast<std::size_t>(at[1]);
          const auto x = static_cast<std::size_t>(at[2]);
          const auto value = [&](std::int64_t row, std::int64_t column) {
            return static_cast<double>(
                input[static_cast<std::size_t>(((at[0] * in.h() + row) * in.w() + column) * c + at[3])]);
          };
          const auto along = [&](std::int64_t row) {
            return value(row, columns.first[x]) * static_cast<double>(columns.first_share[x]) +
                   value(row, columns.second[x]) * static_cast<double>(columns.second_share[x]);
          };
          const double linear = along(rows.first[y]) * static_cast<double>(rows.first_share[y]) +
                                along(rows.second[y]) * static_cast<double>(rows.second_share[y]);
          exact.push_back({nearest ? value(rows.first[y], columns.first[x]) : linear, nearest ? 0.0 : 4.0});
        }
        on_every_target([&] {
          const auto kernel = [&](float* output, Range range) {
            resize({{input.data(), in}, rows.axis(nearest), along_row.axis(nearest), {output, out}}, range);
          };
          expect_near(run_divided(out.n() * out.h(), out.elements(), random, kernel), exact);
        });
      }
    }
  }
}

}  // namespace
}  // namespace sepal
