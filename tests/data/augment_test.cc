#include "sepal/data/augment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "sepal/formats/image.h"
#include "tests/formats/image_test_data.h"
#include "tests/raises.h"

namespace sepal {
namespace {

Random random_of(std::uint64_t seed) { return {seed, {Purpose::kImage}}; }

/// An image that owns its values: 1, 2, 3 ... times `scale`.
struct Image {
  Image(std::int64_t h, std::int64_t w, std::int64_t c, float scale = 1) : tensor(DataType::kF32, {h, w, c}) {
    float value = 0;
    for (float& x : tensor.values<float>()) x = ++value * scale;
  }
  TensorView<float> view() { return tensor.view<float>(); }
  std::vector<float> values() const {
    const auto all = tensor.values<float>();
    return {all.begin(), all.end()};
  }
  Tensor tensor;
};

TEST(Augment, NothingIsAsked) { EXPECT_NO_THROW(check_augmentation({}, {1, 1})); }

TEST(Augment, SaysWhichNumberIsOutOfRange) {
  const struct {
    Augmentation augmentation;
    std::string message;
  } kCases[] = {
      {{.flip = Flip{1.5}}, "a flip with a probability of 1.5; it is from 0 to 1"},
      {{.flip = Flip{std::nan("")}}, "a flip with a probability of nan; it is from 0 to 1"},
      {{.padded_crop = PaddedCrop{8}},
       "a border of 8 pixels to crop from, around images of 9 x 8; it is from 0 to less than a side"},
      {{.padded_crop = PaddedCrop{-1}},
       "a border of -1 pixels to crop from, around images of 9 x 8; it is from 0 to less than a side"},
      {{.resized_crop = ResizedCrop{0, 1}},
       "a crop of 0 to 1 of the image; the first is above 0, the second no less and at most 1"},
      {{.resized_crop = ResizedCrop{0.5, 0.25}},
       "a crop of 0.5 to 0.25 of the image; the first is above 0, the second no less and at most 1"},
      {{.resized_crop = ResizedCrop{0.5, 1.5}},
       "a crop of 0.5 to 1.5 of the image; the first is above 0, the second no less and at most 1"},
      {{.resized_crop = ResizedCrop{.ratio = 0.5}}, "a crop with sides of 1 to 0.5; the longer side is at least 1"},
      {{.colour = ColourJitter{1.5, 0, 0}}, "a change of brightness of 1.5; it is from 0 to 1"},
      {{.colour = ColourJitter{0, -1, 0}}, "a change of contrast of -1; it is from 0 to 1"},
      {{.colour = ColourJitter{0, 0, 2}}, "a change of saturation of 2; it is from 0 to 1"},
      {{.erase = Erase{.probability = 2}}, "an erasure with a probability of 2; it is from 0 to 1"},
      {{.erase = Erase{.most_area = 2}},
       "an erasure of 0.02 to 2 of the image; the first is above 0, the second no less and at most 1"},
      {{.erase = Erase{.ratio = 0}}, "an erasure with sides of 1 to 0; the longer side is at least 1"},
      {{.mix = Mix{.mixup_alpha = -1}}, "a mixup with an alpha of -1; it is from 0 to 1000"},
      {{.mix = Mix{.cutmix_alpha = 1e9}}, "a CutMix with an alpha of 1000000000; it is from 0 to 1000"},
      {{.mix = Mix{.probability = -0.5}}, "a mix with a probability of -0.5; it is from 0 to 1"},
  };
  for (const auto& test : kCases) {
    SCOPED_TRACE(test.message);
    EXPECT_TRUE(raises([&] { check_augmentation(test.augmentation, {8, 9}); }, test.message, ErrorKind::kInvalid));
  }
}

TEST(Flip, ExchangesLeftAndRight) {
  Image image(2, 3, 2);
  Random random = random_of(1);
  flip(image.view(), {.probability = 1}, random);
  EXPECT_EQ(image.values(), (std::vector<float>{5, 6, 3, 4, 1, 2, 11, 12, 9, 10, 7, 8}));
  flip(image.view(), {.probability = 0}, random);
  EXPECT_EQ(image.values()[0], 5);
}

TEST(PaddedCrop, CutsTheImageOutOfItsBorder) {
  constexpr std::int64_t kH = 4, kW = 5, kC = 2, kPad = 2;
  const float black[] = {-1, -2};
  std::vector<bool> seen(25);
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    Image image(kH, kW, kC);
    const Image before(kH, kW, kC);
    Random random = random_of(seed);
    padded_crop(image.view(), black, {kPad}, random);
    // Which of the 25 places it was, and that it was one.
    bool found = false;
    for (std::int64_t place = 0; place < 25 && !found; ++place) {
      const std::int64_t down = place / 5 - kPad, right = place % 5 - kPad;
      std::vector<float> expected;
      for (std::int64_t y = 0; y < kH; ++y) {
        for (std::int64_t x = 0; x < kW; ++x) {
          const std::int64_t from_y = y + down, from_x = x + right;
          const bool inside = from_y >= 0 && from_y < kH && from_x >= 0 && from_x < kW;
          for (std::int64_t k = 0; k < kC; ++k) {
            expected.push_back(inside ? before.values()[static_cast<std::size_t>((from_y * kW + from_x) * kC + k)]
                                      : black[k]);
          }
        }
      }
      found = expected == image.values();
      if (found) seen[static_cast<std::size_t>(place)] = true;
    }
    EXPECT_TRUE(found) << seed;
  }
  EXPECT_EQ(std::ranges::count(seen, true), 25);
}

TEST(ResizedCrop, TakesAPartOfTheImage) {
  // Columns of value x: what comes out rises from left to right and spans the part that was taken.
  Tensor image(DataType::kU8, {60, 200, 1});
  for (std::int64_t i = 0; i < 60 * 200; ++i) {
    image.values<std::uint8_t>()[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(i % 200);
  }
  Random random = random_of(3);
  double least = 200;
  for (int i = 0; i < 200; ++i) {
    const Tensor part = resized_crop(image, {16, 16}, {.least_area = 0.1, .most_area = 0.3}, random);
    ASSERT_EQ(part.shape(), (Shape{16, 16, 1}));
    const auto row = part.values<std::uint8_t>().first(16);
    EXPECT_TRUE(std::ranges::is_sorted(row));
    const double width = (row.back() - row.front()) * 16.0 / 15;
    // sqrt(area / 1.333) to sqrt(area * 1.333), but no more than 60 rows high.
    EXPECT_GE(width, 0.9 * std::sqrt(1200 / 1.34));
    EXPECT_LE(width, 1.1 * std::sqrt(3600 * 1.34));
    least = std::min(least, width);
  }
  EXPECT_LT(least, 60);
}

TEST(ResizedCrop, TakesTheMiddleWhereNothingFits) {
  // The whole area of a strip fits no proportion near a square.
  const Tensor image = pattern(10, 100, 3);
  Random random = random_of(3);
  const Tensor part = resized_crop(image, {10, 13}, {.least_area = 1, .most_area = 1}, random);
  Tensor expected(DataType::kU8, {10, 13, 3});
  for (std::int64_t y = 0; y < 10; ++y) {
    const auto row = image.values<std::uint8_t>().subspan(static_cast<std::size_t>((y * 100 + 43) * 3), 39);
    std::ranges::copy(row, expected.values<std::uint8_t>().begin() + y * 39);
  }
  EXPECT_TRUE(identical(part, expected));
  const Tensor upright = resized_crop(pattern(100, 10, 1), {13, 10}, {.least_area = 1, .most_area = 1}, random);
  EXPECT_EQ(upright.values<std::uint8_t>()[0], pattern(100, 10, 1).view<std::uint8_t>().data[430]);
}

TEST(ColourJitter, ChangesEachPropertyByItself) {
  // One pixel brighter than the other; grey .25 and .5, mean .375.
  const std::vector<float> before = {0.25f, 0.25f, 0.25f, 0.5f, 0.5f, 0.5f};
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    SCOPED_TRACE(seed);
    Random random = random_of(seed);
    Tensor image = Tensor::of<float>({1, 2, 3}, before);
    const auto values = image.values<float>();
    colour_jitter(image.view<float>(), {0.5, 0, 0}, random);
    const float factor = values[0] / 0.25f;
    EXPECT_TRUE(factor >= 0.5f && factor <= 1.5f) << factor;
    for (std::size_t i = 0; i < 6; ++i) EXPECT_FLOAT_EQ(values[i], before[i] * factor);

    image = Tensor::of<float>({1, 2, 3}, before);
    colour_jitter(image.view<float>(), {0, 0.5, 0}, random);
    const auto contrasted = image.values<float>();
    EXPECT_NEAR(contrasted[0] + contrasted[3], 0.75, 1e-6);
    EXPECT_TRUE(contrasted[3] - contrasted[0] >= 0.124f && contrasted[3] - contrasted[0] <= 0.376f);

    image = Tensor::of<float>({1, 2, 3}, before);
    colour_jitter(image.view<float>(), {0, 0, 1}, random);  // grey has no saturation
    for (std::size_t i = 0; i < 6; ++i) EXPECT_NEAR(image.values<float>()[i], before[i], 1e-6);

    image = Tensor::of<float>({1, 1, 3}, {1, 0, 0});  // of grey .299
    colour_jitter(image.view<float>(), {0, 0, 1}, random);
    const auto red = image.values<float>();
    EXPECT_EQ(red[1], red[2]);
    EXPECT_TRUE(red[0] >= 0.298f && red[0] <= 1 && red[1] >= 0 && red[1] <= 0.3f);
  }
}

TEST(ColourJitter, StaysWithinTheRange) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Random random = random_of(seed);
    for (const std::int64_t c : {1, 3}) {
      Image image(4, 4, c, 1.0f / static_cast<float>(16 * c));
      colour_jitter(image.view(), {1, 1, 1}, random);
      for (const float value : image.values()) EXPECT_TRUE(value >= 0 && value <= 1) << value;
    }
  }
}

TEST(Erase, WipesARectangleOut) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE(seed);
    Image image(20, 30, 1);
    Random random = random_of(seed);
    erase(image.view(), {.probability = 1, .least_area = 0.1, .most_area = 0.2, .noise = false}, random);
    const std::vector<float> values = image.values();
    std::int64_t top = 20, bottom = -1, left = 30, right = -1, count = 0;
    for (std::int64_t i = 0; i < 600; ++i) {
      if (values[static_cast<std::size_t>(i)] != 0) continue;
      ++count;
      top = std::min(top, i / 30);
      bottom = std::max(bottom, i / 30);
      left = std::min(left, i % 30);
      right = std::max(right, i % 30);
    }
    EXPECT_EQ(count, (bottom - top + 1) * (right - left + 1));
    EXPECT_GE(count, 50);  // 60 to 120, each side rounded
    EXPECT_LE(count, 140);
  }
}

TEST(Erase, LeavesNoiseOrNothing) {
  Random random = random_of(1);
  Image image(40, 40, 3);
  erase(image.view(), {.probability = 1, .least_area = 0.5, .most_area = 0.6}, random);
  const Image before(40, 40, 3);
  double sum = 0, squares = 0;
  int count = 0;
  for (std::size_t i = 0; i < before.values().size(); ++i) {
    const auto value = static_cast<double>(image.values()[i]);
    if (value == static_cast<double>(before.values()[i])) continue;
    sum += value;
    squares += value * value;
    ++count;
  }
  ASSERT_GT(count, 1500);
  EXPECT_NEAR(sum / count, 0, 0.15);
  EXPECT_NEAR(squares / count, 1, 0.2);
  Image kept(4, 4, 1);
  erase(kept.view(), {.probability = 0}, random);
  erase(kept.view(), {.probability = 1, .least_area = 1, .most_area = 1, .ratio = 1e9}, random);  // fits nowhere
  EXPECT_EQ(kept.values(), Image(4, 4, 1).values());
}

/// Three images of 4 x 4, all of whose values are the number of the image, and their classes.
struct Three {
  Tensor images = Tensor(DataType::kF32, {3, 4, 4, 1});
  Tensor targets = Tensor::of<float>({3, 3}, {1, 0, 0, 0, 1, 0, 0, 0, 1});
  Three() {
    for (std::size_t i = 0; i < 48; ++i) images.values<float>()[i] = static_cast<float>(i / 16);
  }
};

TEST(Mix, BlendsPairsAndTheirClasses) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(seed);
    Three three;
    Random random = random_of(seed);
    mix(three.images.view<float>(), three.targets.view<float>(), {.mixup_alpha = 0.5}, random);
    const auto images = three.images.values<float>();
    const auto targets = three.targets.values<float>();
    const float lambda = targets[0];
    EXPECT_TRUE(lambda >= 0 && lambda <= 1);
    for (std::size_t i = 0; i < 16; ++i) {
      EXPECT_FLOAT_EQ(images[i], (1 - lambda) * 2);
      EXPECT_EQ(images[16 + i], 1);
      EXPECT_FLOAT_EQ(images[32 + i], lambda * 2);
    }
    const float expected[] = {lambda, 0, 1 - lambda, 0, 1, 0, 1 - lambda, 0, lambda};
    for (std::size_t i = 0; i < 9; ++i) EXPECT_FLOAT_EQ(targets[i], expected[i]);
  }
}

TEST(Mix, CutsRectanglesAndWeighsTheirArea) {
  bool cut = false;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    SCOPED_TRACE(seed);
    Three three;
    Random random = random_of(seed);
    mix(three.images.view<float>(), three.targets.view<float>(), {.cutmix_alpha = 1}, random);
    const auto images = three.images.values<float>();
    const auto targets = three.targets.values<float>();
    const auto changed = static_cast<float>(std::ranges::count(images.first(16), 2.0f));
    EXPECT_EQ(static_cast<float>(std::ranges::count(images.first(16), 0.0f)), 16 - changed);
    EXPECT_EQ(static_cast<float>(std::ranges::count(images.last(16), 0.0f)), changed);
    EXPECT_EQ(std::ranges::count(images.subspan(16, 16), 1.0f), 16);
    EXPECT_FLOAT_EQ(targets[0], 1 - changed / 16);
    EXPECT_FLOAT_EQ(targets[2], changed / 16);
    EXPECT_EQ(targets[4], 1);
    cut |= changed > 0 && changed < 16;
  }
  EXPECT_TRUE(cut);
}

TEST(Mix, GivesABatchOneOrTheOther) {
  int mixed = 0, cut = 0, kept = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    Three three;
    Random random = random_of(seed);
    mix(three.images.view<float>(), three.targets.view<float>(),
        {.mixup_alpha = 4, .cutmix_alpha = 4, .probability = 0.75}, random);
    const auto first = three.images.values<float>().first(16);
    const bool flat = std::ranges::count(first, first[0]) == 16;
    (flat ? first[0] == 0 ? kept : mixed : cut) += 1;
  }
  EXPECT_NEAR(kept, 100, 40);
  EXPECT_NEAR(mixed, 150, 45);
  EXPECT_NEAR(cut, 150, 45);
  Three three;
  Random random = random_of(1);
  mix(three.images.view<float>(), three.targets.view<float>(), {}, random);
  EXPECT_TRUE(identical(three.images, Three().images));
}

}  // namespace
}  // namespace sepal
