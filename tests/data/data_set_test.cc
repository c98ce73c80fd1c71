#include "sepal/data/data_set.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/raises.h"

namespace sepal {
namespace {

TEST(LabelledImages, HaveALabelEach) {
  const LabelledImages images(Tensor(DataType::kU8, {2, 3, 4, 1}), {1, 0});
  EXPECT_EQ(images.count(), 2);
  EXPECT_EQ(images.image(1).shape(), (Shape{3, 4, 1}));
  EXPECT_EQ(images.name(1), "image 1");
  EXPECT_THROW(images.image(2), Error);
  EXPECT_THROW(images.name(-1), Error);
  EXPECT_EQ(LabelledImages().count(), 0);
  EXPECT_TRUE(raises([] { LabelledImages(Tensor(DataType::kU8, {2, 3, 4, 1}), {1}); }, "2 images, but 1 labels",
                     ErrorKind::kInvalid));
}

TEST(Split, HoldsBackATenthByTheSeed) {
  const struct {
    const char* why;
    std::int64_t count;
    std::size_t held;
  } kCases[] = {{"none of nothing", 0, 0}, {"none of one", 1, 0}, {"one of two", 2, 1},
                {"rounded down", 14, 1},   {"rounded up", 15, 2}, {"a tenth", 1000, 100}};
  for (const auto& test : kCases) {
    SCOPED_TRACE(test.why);
    const Split split = hold_back_tenth(test.count, 1);
    EXPECT_EQ(split.validation.size(), test.held);
    EXPECT_TRUE(std::ranges::is_sorted(split.train));
    EXPECT_TRUE(std::ranges::is_sorted(split.validation));
    std::vector<std::int64_t> all = split.train;
    all.insert(all.end(), split.validation.begin(), split.validation.end());
    std::ranges::sort(all);
    EXPECT_EQ(all, all_of(test.count));
  }
  EXPECT_EQ(hold_back_tenth(1000, 7).validation, hold_back_tenth(1000, 7).validation);
  EXPECT_NE(hold_back_tenth(1000, 7).validation, hold_back_tenth(1000, 8).validation);
}

TEST(Labels, AreAmongTheClasses) {
  const std::vector<std::int64_t> labels = {0, 2, 1, 3, -1};
  EXPECT_NO_THROW(check_labels(std::span(labels).first(3), 3));
  EXPECT_TRUE(raises([&] { check_labels(labels, 3); }, "the label of image 3 is 3, but there are 3 classes"));
  EXPECT_TRUE(raises([&] { check_labels(labels, 4); }, "the label of image 4 is -1, but there are 4 classes"));
}

TEST(Folder, IsCalledByItsName) {
  EXPECT_EQ(folder_name("a/b"), "b");
  EXPECT_EQ(folder_name("a/b/"), "b");
  EXPECT_EQ(folder_name("a/b/."), "b");
  EXPECT_EQ(folder_name("a/b/c/.."), "b");
  EXPECT_EQ(folder_name("."), std::filesystem::current_path().filename().string());
}

}  // namespace
}  // namespace sepal
