// The real data, as Debian's package dataset-fashion-mnist holds them.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "sepal/data/find.h"
#include "sepal/data/normalise.h"
#include "tests/test_data.h"

namespace sepal {
namespace {

TEST(FashionMnist, IsAsItsAuthorsSay) {
  if (!std::filesystem::exists("/usr/share/datasets/fashion-mnist")) {
    if (test_data_required()) FAIL() << "apt install dataset-fashion-mnist";
    GTEST_SKIP() << "dataset-fashion-mnist is not installed";
  }
  const DataSet set = open_data("fashion-mnist");
  EXPECT_EQ(set.name, "Fashion-MNIST");
  EXPECT_EQ(set.size, (Extent{28, 28}));
  EXPECT_EQ(set.channels, 1);
  ASSERT_EQ(set.classes.size(), 10u);
  EXPECT_EQ(set.classes[0], "T-shirt/top");
  ASSERT_EQ(set.train.count(), 60'000);
  ASSERT_EQ(set.test.count(), 10'000);
  // Xiao, Rasul, Vollgraf 2017, arXiv 1708.07747, section 2: as many of each class in either part.
  for (std::int64_t label = 0; label < 10; ++label) {
    EXPECT_EQ(std::ranges::count(set.train.labels(), label), 6'000);
    EXPECT_EQ(std::ranges::count(set.test.labels(), label), 1'000);
  }
  // The first picture is an ankle boot on black ground.
  constexpr std::array<std::int64_t, 10> kFirst = {9, 0, 0, 3, 0, 2, 7, 2, 5, 5};
  EXPECT_TRUE(std::ranges::equal(set.train.labels().first(10), kFirst));
  const Tensor first = set.train.image(0);
  ASSERT_EQ(first.shape(), (Shape{28, 28, 1}));
  EXPECT_EQ(first.values<std::uint8_t>()[0], 0);

  const Normalisation pixels = measured_normalisation(set, all_of(60'000), {28, 28}, 1);
  EXPECT_NEAR(pixels.mean[0], 0.2860, 5e-5);
  EXPECT_NEAR(pixels.std[0], 0.3530, 5e-5);
}

}  // namespace
}  // namespace sepal
