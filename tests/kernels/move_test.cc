#include "sepal/kernels/move.h"

#include "tests/kernels/kernel_test.h"

namespace sepal {
namespace {

/// Element by element, for elements of four bytes.
void moved(const MoveArgs& box, int axis, const float* input, float* output) {
  if (axis == box.rank) {
    *output = *input;
    return;
  }
  const MoveAxis& along = box.axes[static_cast<std::size_t>(axis)];
  for (std::int64_t i = 0; i < along.length; ++i) moved(box, axis + 1, input + i * along.from, output + i * along.to);
}

struct Case {
  const char* why;
  std::vector<MoveAxis> axes;
  std::int64_t first = 0;  ///< where the box begins to read
};

TEST(Move, MatchesElementByElement) {
  const std::vector<Case> cases = {
      {"no axes: one element", {}},
      {"a copy", {{100, 1, 1}}},
      {"a copy of several axes that are one", {{3, 100, 100}, {10, 10, 10}, {10, 1, 1}}},
      {"runs into a wider array", {{40, 24, 48}, {24, 1, 1}}},
      {"runs of a pixel of three", {{5, 300, 150}, {50, 6, 3}, {3, 1, 1}}},
      {"runs of one, two, four, eight and sixteen elements", {{4, 20, 20}, {3, 4, 3}, {1, 1, 1}}},
      {"of two", {{9, 4, 2}, {2, 1, 1}}},
      {"of four", {{9, 8, 4}, {4, 1, 1}}},
      {"of eight", {{9, 16, 8}, {8, 1, 1}}},
      {"of sixteen", {{9, 32, 16}, {16, 1, 1}}},
      {"every other element", {{50, 2, 1}}},
      {"backwards", {{50, -1, 1}}, 49},
      {"backwards in rows", {{5, -10, 10}, {10, 1, 1}}, 40},
      {"a matrix turned", {{70, 1, 130}, {130, 70, 1}}},
      {"a channel shuffle", {{2, 1, 960}, {24, 2, 40}, {40, 48, 1}}},
      {"axes inside out, in blocks", {{7, 1, 300}, {2, 7, 150}, {150, 14, 1}}},
      {"a fill", {{100, 0, 1}}},
      {"a fill of a few channels", {{30, 0, 7}, {4, 0, 1}}},
      {"a fill of many channels", {{30, 0, 70}, {40, 0, 1}}},
      {"a fill of every third", {{30, 0, 3}}},
      {"a row again and again", {{9, 0, 20}, {20, 1, 1}}},
      {"a value again and again, row by row", {{9, 1, 20}, {20, 0, 1}}},
      {"an empty axis", {{3, 0, 1}, {0, 1, 1}}},
      {"nothing at all", {{0, 1, 1}}},
  };
  Random random(40);
  const std::vector<float> input = random.values<float>(70 * 130);
  for (const Case& test : cases) {
    SCOPED_TRACE(test.why);
    MoveArgs box = {.input = input.data() + test.first, .rank = static_cast<int>(test.axes.size())};
    std::copy(test.axes.begin(), test.axes.end(), box.axes.begin());
    std::int64_t size = 1;
    for (const MoveAxis& axis : test.axes) size += (axis.length - 1) * axis.to;
    size = std::max<std::int64_t>(size, 0);
    Guarded expected(size);
    if (size > 0) moved(box, 0, input.data() + test.first, expected.data());
    const std::int64_t length = simplified(box).axes[0].length;
    const auto kernel = [&](float* output, Range range) {
      MoveArgs mine = simplified(box);
      mine.output = output;
      move(mine, range);
    };
    const std::vector<float> actual = run_divided(length, size, random, kernel);
    ASSERT_EQ(actual.size(), expected.values().size());
    EXPECT_TRUE(actual.empty() || std::memcmp(actual.data(), expected.values().data(), actual.size() * 4) == 0);
  }
}

TEST(Move, TakesElementsOfEverySize) {
  std::vector<std::uint8_t> input(8 * 60);
  for (std::size_t i = 0; i < input.size(); ++i) input[i] = static_cast<std::uint8_t>(i * 7);
  for (const std::int64_t bytes : {1, 2, 4, 8}) {
    SCOPED_TRACE(bytes);
    std::vector<std::uint8_t> output(input.size());
    // A matrix [5][12], turned.
    const MoveArgs box = simplified({.input = input.data(),
                                     .output = output.data(),
                                     .element_bytes = bytes,
                                     .rank = 2,
                                     .axes = {MoveAxis{12, 1, 5}, MoveAxis{5, 12, 1}}});
    move(box, {0, 12});
    for (std::int64_t i = 0; i < 60; ++i) {
      for (std::int64_t byte = 0; byte < bytes; ++byte) {
        ASSERT_EQ(output[static_cast<std::size_t>((i % 12 * 5 + i / 12) * bytes + byte)],
                  input[static_cast<std::size_t>(i * bytes + byte)]);
      }
    }
  }
}

TEST(Move, MakesAxesFewer) {
  const auto rank = [](std::initializer_list<MoveAxis> axes) {
    MoveArgs box = {.rank = static_cast<int>(axes.size())};
    std::copy(axes.begin(), axes.end(), box.axes.begin());
    return simplified(box).rank;
  };
  EXPECT_EQ(rank({}), 1);
  EXPECT_EQ(rank({{1, 9, 9}, {1, 3, 3}}), 1);
  EXPECT_EQ(rank({{2, 12, 12}, {3, 4, 4}, {4, 1, 1}}), 1);
  EXPECT_EQ(rank({{2, 12, 24}, {3, 4, 4}, {4, 1, 1}}), 2) << "the output is wider";
  EXPECT_EQ(rank({{2, 24, 12}, {1, 0, 0}, {3, 4, 4}, {4, 1, 1}}), 2) << "the input is wider";
  EXPECT_EQ(rank({{3, 0, 4}, {4, 0, 1}}), 1) << "a fill";
}

}  // namespace
}  // namespace sepal
