// Operators that move elements against arithmetic on coordinates, and conversions at the edges of their types.

#include <gtest/gtest.h>

#include <limits>
#include <numeric>

#include "sepal/kernels/reference/move.h"
#include "tests/kernels/reference_random.h"

namespace sepal::reference {
namespace {

std::vector<int> counting(const Shape& shape) {
  std::vector<int> values(static_cast<std::size_t>(shape.elements()));
  std::iota(values.begin(), values.end(), 1);
  return values;
}

Shape random_shape(Random& random, int least_rank) {
  std::vector<std::int64_t> dims;
  for (std::int64_t axis = random.whole(least_rank, 6); axis > 0; --axis) dims.push_back(random.whole(1, 4));
  return Shape(dims);
}

/// output[at] must be input[of(at)] where of(at) is inside, and `fill` elsewhere.
template <typename Of>
void expect_moved(const Shape& from, const std::vector<int>& input, const Shape& to, const std::vector<int>& output,
                  const Of& of, int fill = 0) {
  for (std::int64_t k = 0; k < to.elements(); ++k) {
    const std::vector<std::int64_t> source = of(coordinates(to, k));
    std::int64_t place = 0;
    bool inside = true;
    for (int axis = 0; axis < from.rank(); ++axis) {
      const std::int64_t at = source[static_cast<std::size_t>(axis)];
      inside = inside && at >= 0 && at < from[axis];
      place = place * from[axis] + at;
    }
    ASSERT_EQ(output[static_cast<std::size_t>(k)], inside ? input[static_cast<std::size_t>(place)] : fill)
        << "at " << k;
  }
}

TEST(ReferenceTranspose, PermutesCoordinates) {
  Random random(41);
  for (int c = 0; c < 300; ++c) {
    const Shape from = random_shape(random, 0);
    std::array<int, Shape::kMaxRank> axes{};
    std::iota(axes.begin(), axes.end(), 0);
    for (int i = from.rank() - 1; i > 0; --i) {
      std::swap(axes[static_cast<std::size_t>(i)], axes[static_cast<std::size_t>(random.whole(0, i))]);
    }
    std::vector<std::int64_t> dims;
    for (int i = 0; i < from.rank(); ++i) dims.push_back(from[axes[static_cast<std::size_t>(i)]]);
    const Shape to(dims);
    const auto input = counting(from);
    auto output = filled<int>(to);
    transpose(TransposeArgs<int>{.input = view_of(input, from), .axes = axes, .output = view_of(output, to)});
    expect_moved(from, input, to, output, [&](const std::vector<std::int64_t>& at) {
      std::vector<std::int64_t> source(at.size());
      for (std::size_t i = 0; i < at.size(); ++i) source[static_cast<std::size_t>(axes[i])] = at[i];
      return source;
    });
  }
}

TEST(ReferenceSlice, StepsBothWays) {
  Random random(42);
  for (int c = 0; c < 300; ++c) {
    const Shape from = random_shape(random, 0);
    SliceArgs<int> args;
    std::vector<std::int64_t> dims;
    for (int axis = 0; axis < from.rank(); ++axis) {
      const auto k = static_cast<std::size_t>(axis);
      const bool whole = random.coin();
      args.step[k] = whole ? 1 : random.whole(0, 1) == 0 ? random.whole(1, 3) : -random.whole(1, 3);
      args.start[k] = whole ? 0 : random.whole(0, from[axis] - 1);
      const std::int64_t room = args.step[k] > 0 ? from[axis] - 1 - args.start[k] : args.start[k];
      dims.push_back(whole ? from[axis] : random.whole(0, room / std::abs(args.step[k]) + 1));
    }
    const Shape to(dims);
    const auto input = counting(from);
    auto output = filled<int>(to);
    args.input = view_of(input, from);
    args.output = view_of(output, to);
    slice(args);
    expect_moved(from, input, to, output, [&](std::vector<std::int64_t> at) {
      for (std::size_t i = 0; i < at.size(); ++i) at[i] = args.start[i] + at[i] * args.step[i];
      return at;
    });
  }
}

TEST(ReferencePad, ConstantsAndCrops) {
  Random random(43);
  for (int c = 0; c < 300; ++c) {
    const Shape from = random_shape(random, 1);
    PadArgs<int> args{.value = -9};
    std::vector<std::int64_t> dims;
    for (int axis = 0; axis < from.rank(); ++axis) {
      const auto k = static_cast<std::size_t>(axis);
      args.before[k] = random.coin() ? 0 : random.whole(-1, 3);
      args.after[k] = random.coin() ? 0 : random.whole(from[axis] > 1 ? -1 : 0, 3);
      dims.push_back(from[axis] + args.before[k] + args.after[k]);
    }
    const Shape to(dims);
    const auto input = counting(from);
    auto output = filled<int>(to);
    args.input = view_of(input, from);
    args.output = view_of(output, to);
    pad(args);
    expect_moved(
        from, input, to, output,
        [&](std::vector<std::int64_t> at) {
          for (std::size_t i = 0; i < at.size(); ++i) at[i] -= args.before[i];
          return at;
        },
        -9);
  }
}

TEST(ReferencePad, Modes) {
  struct Case {
    const char* why;
    PadMode mode;
    std::int64_t before, after;
    std::vector<int> input, expected;
  };
  using enum PadMode;
  const Case cases[] = {
      {"the edge is repeated", kEdge, 2, 1, {1, 2, 3}, {1, 1, 1, 2, 3, 3}},
      {"reflected about the edge", kReflect, 2, 2, {1, 2, 3}, {3, 2, 1, 2, 3, 2, 1}},
      {"reflected back and forth", kReflect, 5, 5, {1, 2, 3}, {2, 1, 2, 3, 2, 1, 2, 3, 2, 1, 2, 3, 2}},
      {"one element reflected", kReflect, 2, 1, {7}, {7, 7, 7, 7}},
      {"wrapped around", kWrap, 2, 2, {1, 2, 3}, {2, 3, 1, 2, 3, 1, 2}},
      {"wrapped around more than once", kWrap, 4, 4, {1, 2}, {1, 2, 1, 2, 1, 2, 1, 2, 1, 2}},
      {"cropped, then reflected", kReflect, -1, 2, {1, 2, 3, 4}, {2, 3, 4, 3, 2}},
      {"cropped, then the edge", kEdge, 2, -2, {1, 2, 3, 4}, {1, 1, 1, 2}},
      {"cropped alone", kWrap, -1, -1, {1, 2, 3}, {2}},
      {"constant", kConstant, 1, 2, {1}, {0, 1, 0, 0}},
      {"constant over nothing", kConstant, 1, 1, {}, {0, 0}},
  };
  for (const Case& test : cases) {
    std::vector<int> output(test.expected.size());
    pad(PadArgs<int>{.input = view_of(test.input, {static_cast<std::int64_t>(test.input.size())}),
                     .mode = test.mode,
                     .before = {test.before},
                     .after = {test.after},
                     .output = view_of(output, {static_cast<std::int64_t>(output.size())})});
    EXPECT_EQ(output, test.expected) << test.why;
  }
}

TEST(ReferenceConcat, PutsInputsOneAfterAnother) {
  Random random(44);
  for (int c = 0; c < 200; ++c) {
    const Shape first = random_shape(random, 1);
    const int axis = static_cast<int>(random.whole(0, first.rank() - 1));
    std::vector<Shape> shapes;
    std::int64_t length = 0;
    for (std::int64_t i = random.whole(1, 3); i > 0; --i) {
      shapes.push_back(first.with(axis, random.whole(0, 3)));
      length += shapes.back()[axis];
    }
    const Shape to = first.with(axis, length);
    auto output = filled<int>(to, -1);
    std::int64_t start = 0;
    for (const Shape& shape : shapes) {
      const auto input = counting(shape);
      concat(
          ConcatArgs<int>{.input = view_of(input, shape), .axis = axis, .start = start, .output = view_of(output, to)});
      start += shape[axis];
    }
    start = 0;
    for (const Shape& shape : shapes) {
      const auto input = counting(shape);
      for (std::int64_t k = 0; k < shape.elements(); ++k) {
        auto at = coordinates(shape, k);
        at[static_cast<std::size_t>(axis)] += start;
        ASSERT_EQ(output[broadcast_place(to, at)], input[static_cast<std::size_t>(k)]);
      }
      start += shape[axis];
    }
    ASSERT_EQ(std::ranges::count(output, -1), 0);
  }
}

TEST(ReferenceTileAndExpand, RepeatCoordinates) {
  Random random(45);
  for (int c = 0; c < 200; ++c) {
    const Shape from = random_shape(random, 1);
    std::vector<std::int64_t> dims;
    std::vector<std::int64_t> ones;
    for (const std::int64_t dim : from) {
      dims.push_back(dim * random.whole(0, 3));
      ones.push_back(random.coin() ? 1 : dim);
    }
    const Shape to(dims);
    const auto input = counting(from);
    auto tiled = filled<int>(to);
    tile(TileArgs<int>{.input = view_of(input, from), .output = view_of(tiled, to)});
    expect_moved(from, input, to, tiled, [&](std::vector<std::int64_t> at) {
      for (int axis = 0; axis < from.rank(); ++axis) at[static_cast<std::size_t>(axis)] %= from[axis];
      return at;
    });

    const Shape small(
        std::span<const std::int64_t>(ones).subspan(static_cast<std::size_t>(random.whole(0, from.rank()))));
    const auto narrow = counting(small);
    auto expanded = filled<int>(from);
    expand(ExpandArgs<int>{.input = view_of(narrow, small), .output = view_of(expanded, from)});
    for (std::int64_t k = 0; k < from.elements(); ++k) {
      ASSERT_EQ(expanded[static_cast<std::size_t>(k)], narrow[broadcast_place(small, coordinates(from, k))]);
    }
  }
}

TEST(ReferenceGather, CountsNegativeIndicesFromTheEndAndKeepsInside) {
  const Shape shape{2, 3, 2};
  const auto data = counting(shape);
  const std::vector<std::int64_t> indices = {0, -1, 2, 99, -99};
  const Shape to{2, 5, 2};
  auto output = filled<int>(to);
  gather(GatherArgs<int, std::int64_t>{
      .data = view_of(data, shape), .indices = view_of(indices, {5}), .axis = 1, .output = view_of(output, to)});
  EXPECT_EQ(output, (std::vector<int>{1, 2, 5, 6, 5, 6, 5, 6, 1, 2, 7, 8, 11, 12, 11, 12, 11, 12, 7, 8}));

  const std::vector<std::int32_t> scalar = {1};
  std::vector<int> row(4);
  gather(GatherArgs<int, std::int32_t>{
      .data = view_of(data, shape), .indices = view_of(scalar, Shape{}), .axis = 1, .output = view_of(row, {2, 2})});
  EXPECT_EQ(row, (std::vector<int>{3, 4, 9, 10}));

  const std::vector<int> none;
  std::vector<int> zeros(2, 5);
  gather(GatherArgs<int, std::int32_t>{
      .data = view_of(none, {0, 2}), .indices = view_of(scalar, {1}), .axis = 0, .output = view_of(zeros, {1, 2})});
  EXPECT_EQ(zeros, (std::vector<int>{0, 0}));
}

TEST(ReferenceCast, Edges) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(convert<std::int8_t>(1.9f), 1);
  EXPECT_EQ(convert<std::int8_t>(-1.9f), -1);
  EXPECT_EQ(convert<std::int8_t>(127.9f), 127);
  EXPECT_EQ(convert<std::int8_t>(-128.9f), -128);
  EXPECT_EQ(convert<std::int8_t>(1e30f), 127);
  EXPECT_EQ(convert<std::uint8_t>(-0.9f), 0);
  EXPECT_EQ(convert<std::uint8_t>(-5.0f), 0);
  EXPECT_EQ(convert<std::uint16_t>(65535.5f), 65535);
  EXPECT_EQ(convert<std::int32_t>(2147483648.0f), std::numeric_limits<std::int32_t>::max());
  EXPECT_EQ(convert<std::int32_t>(2147483520.0f), 2147483520);
  EXPECT_EQ(convert<std::int32_t>(-kInfinity), std::numeric_limits<std::int32_t>::min());
  EXPECT_EQ(convert<std::int64_t>(kInfinity), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(convert<std::int64_t>(9223372036854775808.0f), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(convert<std::int64_t>(-9223372036854775808.0f), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(convert<std::int32_t>(kNan), 0);
  EXPECT_TRUE(convert<bool>(0.1f));
  EXPECT_TRUE(convert<bool>(kNan));
  EXPECT_FALSE(convert<bool>(-0.0f));
  EXPECT_TRUE(convert<bool>(std::int64_t{256}));
  EXPECT_FALSE(convert<bool>(Float16(0.0f)));
  EXPECT_EQ(convert<float>(true), 1.0f);
  EXPECT_EQ(convert<std::uint8_t>(std::int32_t{-1}), 255);
  EXPECT_EQ(convert<std::int32_t>(std::int64_t{1} << 32), 0);
  EXPECT_EQ(convert<Float16>(1e6f).bits, 0x7C00);
  EXPECT_EQ(convert<Float16>(std::int32_t{-2}).bits, 0xC000);
  EXPECT_EQ(convert<BFloat16>(1.0f).bits, 0x3F80);
  EXPECT_EQ(convert<BFloat16>(Float16(1.5f)).bits, 0x3FC0);
  EXPECT_EQ(convert<std::int8_t>(Float16(-300.0f)), -128);
  EXPECT_EQ(convert<float>(BFloat16(-2.0f)), -2.0f);
}

}  // namespace
}  // namespace sepal::reference
