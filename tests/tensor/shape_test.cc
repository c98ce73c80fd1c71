#include "sepal/tensor/shape.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/raises.h"

namespace sepal {
namespace {

constexpr std::int64_t kHuge = std::int64_t{1} << 40;

TEST(Shape, TellsItsDimensions) {
  const Shape shape{2, 3, 4, 5};
  EXPECT_EQ(shape.rank(), 4);
  EXPECT_EQ(shape.elements(), 120);
  EXPECT_EQ(shape.elements(1, 3), 12);
  EXPECT_EQ((std::vector{shape.n(), shape.h(), shape.w(), shape.c()}), (std::vector<std::int64_t>{2, 3, 4, 5}));
  EXPECT_EQ(Shape{}.elements(), 1);
  EXPECT_EQ((Shape{3, 0, 5}.elements()), 0);
  EXPECT_NE((Shape{1, 2}), (Shape{1, 2, 1}));
  EXPECT_EQ(shape.with(2, 7), (Shape{2, 3, 7, 5}));
}

TEST(Shape, RefusesWhatNoTensorCanBe) {
  EXPECT_TRUE(
      raises([] { Shape{1, 1, 1, 1, 1, 1, 1}; }, "7 dimensions, but at most 6 are handled", ErrorKind::kInvalid));
  EXPECT_TRUE(raises([] { Shape{2, -1}; }, "a dimension of -1 in 2x-1", ErrorKind::kInvalid));
  EXPECT_TRUE(
      raises([] { Shape{kHuge, kHuge}; }, "1099511627776x1099511627776 holds too many elements", ErrorKind::kInvalid));
  EXPECT_TRUE(raises([] { Shape{kHuge, 0, kHuge}; }, "1099511627776x0x1099511627776 holds too many elements",
                     ErrorKind::kInvalid));
  EXPECT_TRUE(raises([] { Shape{kHuge, 1}.with(1, kHuge); }, "1099511627776x1099511627776 holds too many elements"));
}

TEST(Shape, IsReadAndWritten) {
  for (const char* text : {"1x3x224x224", "7", "0x5", "scalar"}) EXPECT_EQ(to_string(parse_shape(text)), text);
  for (const char* text : {"", "x", "1x", "x1", "1xx2", "1,2", "-1x2", "1x2 ", "99999999999999999999", "a"}) {
    EXPECT_TRUE(raises([&] { parse_shape(text); },
                       std::string("\"") + text + "\" is not a shape; write it as 1x3x224x224", ErrorKind::kInvalid));
  }
  EXPECT_TRUE(raises([] { parse_shape("1x1x1x1x1x1x1"); }, "the shape \"1x1x1x1x1x1x1\" has more than 6 dimensions"));
}

TEST(Broadcast, FollowsNumpy) {
  struct Case {
    const char* why;
    Shape a, b, expected;
  };
  const Case kCases[] = {
      {"equal", {2, 3}, {2, 3}, {2, 3}},
      {"aligned at the last axis", {2, 3, 4}, {4}, {2, 3, 4}},
      {"ones widen on both sides", {2, 1, 4}, {3, 1}, {2, 3, 4}},
      {"a scalar", {}, {5}, {5}},
      {"zero wins over one", {0, 3}, {1, 3}, {0, 3}},
  };
  for (const Case& test : kCases) {
    EXPECT_EQ(broadcast(test.a, test.b), test.expected) << test.why;
    EXPECT_EQ(broadcast(test.b, test.a), test.expected) << test.why;
  }
  EXPECT_TRUE(raises([] { broadcast({2, 3}, {2, 4}); }, "2x3 and 2x4 do not broadcast", ErrorKind::kInvalid));
}

TEST(Strides, AreRowMajor) {
  const auto strides = strides_of({2, 3, 4});
  EXPECT_EQ(strides[0], 12);
  EXPECT_EQ(strides[1], 4);
  EXPECT_EQ(strides[2], 1);
}

}  // namespace
}  // namespace sepal
