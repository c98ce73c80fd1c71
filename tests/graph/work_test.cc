#include "sepal/graph/work.h"

#include <gtest/gtest.h>

#include <limits>

namespace sepal {
namespace {

std::int64_t work(const Op& op, const std::vector<TensorType>& inputs) {
  return work_of(op, inputs, infer(op, inputs));
}

TensorType f32(Shape shape) { return {DataType::kF32, shape}; }

TEST(WorkOf, CountsProductsAndElements) {
  EXPECT_EQ(work(Conv2d{.window = {.kernel = {3, 3}}, .groups = 2}, {f32({1, 6, 6, 4}), f32({8, 3, 3, 2})}),
            4 * 4 * 8 * 18);
  EXPECT_EQ(work(ConvTranspose2d{.window = {.kernel = {2, 2}}}, {f32({1, 5, 5, 3}), f32({3, 2, 2, 7})}), 75 * 28);
  EXPECT_EQ(work(MatMul{}, {f32({2, 3, 4}), f32({4, 5})}), 2 * 3 * 5 * 4);
  EXPECT_EQ(work(Gemm{.transpose_a = true}, {f32({4, 3}), f32({4, 5})}), 3 * 5 * 4);
  EXPECT_EQ(work(Pool{.window = {.kernel = {2, 3}}}, {f32({1, 4, 4, 2})}), 3 * 2 * 2 * 6);
  EXPECT_EQ(work(LocalResponseNorm{.size = 100}, {f32({1, 2, 5})}), 10 * 5);
  EXPECT_EQ(work(Reduce{.axes = {0}}, {f32({10, 2})}), 20);
  EXPECT_EQ(work(Expand{{10, 2}}, {f32({1, 2})}), 20);
}

TEST(WorkOf, IsLargestWhereItOverflows) {
  const std::int64_t side = std::int64_t{1} << 29;
  EXPECT_EQ(work(Pool{.window = {.kernel = {256, 256}}}, {f32({1, side, side, 1})}),
            std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(work(Conv2d{.window = {.kernel = {64, 64}}}, {f32({1, side, side, 1}), f32({1, 64, 64, 1})}),
            std::numeric_limits<std::int64_t>::max());
}

}  // namespace
}  // namespace sepal
