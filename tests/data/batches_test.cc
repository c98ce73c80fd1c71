#include "sepal/data/batches.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "sepal/data/batch_loader.h"
#include "sepal/data/normalise.h"
#include "tests/folder.h"
#include "tests/formats/image_encode.h"
#include "tests/formats/image_test_data.h"
#include "tests/raises.h"

namespace sepal {
namespace {

/// `count` colour images of 6 x 5 in 3 classes, each of its own values; the first are tested with, too.
DataSet numbers(std::int64_t count) {
  DataSet set;
  set.name = "numbers";
  set.classes = {"a", "b", "c"};
  set.size = Extent{6, 5};
  const auto part = [](std::int64_t images) {
    Tensor pixels(DataType::kU8, {images, 6, 5, 3});
    auto values = pixels.values<std::uint8_t>();
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::uint8_t>(i / 90 * 10 + i % 90);
    std::vector<std::int64_t> labels;
    for (std::int64_t i = 0; i < images; ++i) labels.push_back(i % 3);
    return LabelledImages(std::move(pixels), std::move(labels));
  };
  set.train = part(count);
  set.test = part(2);
  return set;
}

constexpr Normalisation kSome = {{0.5, 0.25, 0.125}, {0.5, 0.25, 2}};

Augmentation everything() {
  return {.resized_crop = ResizedCrop{},
          .colour = ColourJitter{},
          .flip = Flip{},
          .padded_crop = PaddedCrop{2},
          .erase = Erase{},
          .mix = Mix{.mixup_alpha = 0.4, .cutmix_alpha = 1}};
}

BatchOptions small(std::int64_t batch) {
  BatchOptions options;
  options.batch = batch;
  options.size = {6, 5};
  options.normalisation = kSome;
  return options;
}

void expect_same(const Batch& a, const Batch& b) {
  EXPECT_EQ(a.position, b.position);
  EXPECT_EQ(a.indices, b.indices);
  EXPECT_TRUE(identical(a.images, b.images));
  EXPECT_TRUE(identical(a.labels, b.labels));
  EXPECT_TRUE(identical(a.targets, b.targets));
}

TEST(Batches, HaveEveryImageOncePerEpoch) {
  const DataSet set = numbers(23);
  BatchOptions options = small(5);
  options.full_only = false;
  const Batches batches(set, Part::kTrain, all_of(23), options);
  EXPECT_EQ(batches.steps_per_epoch(), 5);
  std::vector<std::int64_t> first;
  for (const std::int64_t epoch : {0, 1}) {
    std::vector<std::int64_t> all;
    for (std::int64_t step = 0; step < 5; ++step) {
      const Batch batch = batches.load({epoch, step});
      const std::int64_t n = step < 4 ? 5 : 3;
      EXPECT_EQ(batch.images.shape(), (Shape{n, 6, 5, 3}));
      EXPECT_EQ(batch.labels.shape(), Shape{n});
      EXPECT_EQ(batch.targets.elements(), 0);
      all.insert(all.end(), batch.indices.begin(), batch.indices.end());
    }
    EXPECT_NE(all, first);  // another order
    first = all;
    std::ranges::sort(all);
    EXPECT_EQ(all, all_of(23));
  }
  options.full_only = true;
  EXPECT_EQ(Batches(set, Part::kTrain, all_of(23), options).steps_per_epoch(), 4);
}

TEST(Batches, AreOfThePartAndIndicesThatWereGiven) {
  const DataSet set = numbers(23);
  BatchOptions options = small(2);
  options.shuffle = false;
  EXPECT_EQ(Batches(set, Part::kTrain, {7, 3, 9, 1}, options).load({4, 1}).indices, (std::vector<std::int64_t>{9, 1}));
  EXPECT_EQ(Batches(set, Part::kTest, all_of(2), options).load({}).indices, all_of(2));
}

TEST(Batches, HoldWhatAnImageIsWhenRun) {
  // Pixel for pixel as prepare_image has it, so that a network sees the same in training and later.
  const DataSet set = numbers(4);
  for (const std::int64_t channels : {1, 3}) {
    for (const Extent size : {Extent{6, 5}, Extent{8, 8}}) {
      BatchOptions options = small(4);
      options.size = size;
      options.channels = static_cast<int>(channels);
      options.fit = Fit::kPad;
      const Batch batch = Batches(set, Part::kTrain, all_of(4), options).load({});
      const ImageFormat format = {.size = size,
                                  .channels = static_cast<int>(channels),
                                  .channels_first = false,
                                  .fit = Fit::kPad,
                                  .normalisation = kSome};
      for (std::size_t i = 0; i < 4; ++i) {
        const Tensor expected = prepare_image(set.train.image(batch.indices[i]), format);
        const auto count = static_cast<std::size_t>(expected.elements());
        EXPECT_TRUE(
            std::ranges::equal(batch.images.values<float>().subspan(i * count, count), expected.values<float>()));
        EXPECT_EQ(batch.labels.values<std::int64_t>()[i], batch.indices[i] % 3);
      }
    }
  }
}

TEST(Batches, TakeAnImageOfTheRightSizeAsItIsButToCrop) {
  const DataSet set = numbers(1);
  BatchOptions options = small(1);
  options.normalisation = {{}, {1 / 255.0, 1 / 255.0, 1 / 255.0}};
  for (const Fit fit : {Fit::kStretch, Fit::kPad}) {
    options.fit = fit;
    const Batch batch = Batches(set, Part::kTrain, {0}, options).load({});
    for (std::size_t i = 0; i < 90; ++i) EXPECT_EQ(batch.images.values<float>()[i], static_cast<float>(i));
  }
  // As sepal run does: cut out of a larger one.
  options.fit = Fit::kCrop;
  const Batch batch = Batches(set, Part::kTrain, {0}, options).load({});
  const Tensor cropped = prepare_image(set.train.image(0), {.size = options.size,
                                                            .channels = options.channels,
                                                            .channels_first = false,
                                                            .fit = Fit::kCrop,
                                                            .normalisation = options.normalisation});
  EXPECT_TRUE(std::ranges::equal(batch.images.values<float>(), cropped.values<float>()));
  EXPECT_NE(batch.images.values<float>()[89], 89);
}

TEST(Batches, MixedOnesHaveDistributionsOverTheClasses) {
  const DataSet set = numbers(23);
  BatchOptions options = small(7);
  options.augmentation.mix = Mix{.mixup_alpha = 1};
  const Batch batch = Batches(set, Part::kTrain, all_of(23), options).load({});
  ASSERT_EQ(batch.targets.shape(), (Shape{7, 3}));
  const auto targets = batch.targets.values<float>();
  for (std::size_t i = 0; i < 7; ++i) {
    EXPECT_FLOAT_EQ(targets[i * 3] + targets[i * 3 + 1] + targets[i * 3 + 2], 1);
    EXPECT_GT(targets[i * 3 + static_cast<std::size_t>(batch.labels.values<std::int64_t>()[i])], 0);
  }
  // A batch that chance leaves alone has them as well: a plan's inputs are always there.
  options.augmentation.mix->probability = 0;
  const Batch plain = Batches(set, Part::kTrain, all_of(23), options).load({});
  EXPECT_EQ(std::ranges::count(plain.targets.values<float>(), 1.0f), 7);
}

TEST(Batches, AreAFunctionOfSeedEpochAndStep) {
  const DataSet set = numbers(23);
  BatchOptions options = small(6);
  options.augmentation = everything();
  const Batches a(set, Part::kTrain, all_of(23), options);
  const Batches b(set, Part::kTrain, all_of(23), options);
  static_cast<void>(b.load({5, 2}));  // whatever was asked for before
  expect_same(a.load({2, 1}), b.load({2, 1}));
  const Batch one = a.load({2, 1});
  EXPECT_FALSE(identical(one.images, a.load({3, 1}).images));
  EXPECT_FALSE(identical(one.images, a.load({2, 0}).images));
  options.seed = 1;
  EXPECT_FALSE(identical(one.images, Batches(set, Part::kTrain, all_of(23), options).load({2, 1}).images));
}

TEST(Batches, AreWhatTheyWereYesterday) {
  // A run that an older build began goes on with the same images, cut and turned the same. Whole numbers throughout, so
  // the same everywhere; a new value here breaks every checkpoint that there is.
  const DataSet set = numbers(12);
  BatchOptions options = small(4);
  options.normalisation = {{}, {1 / 255.0, 1 / 255.0, 1 / 255.0}};
  options.seed = 0x123456789;
  options.augmentation = {.flip = Flip{}, .padded_crop = PaddedCrop{3}};
  const Batch batch = Batches(set, Part::kTrain, all_of(12), options).load({1, 1});
  EXPECT_EQ(batch.indices, (std::vector<std::int64_t>{7, 8, 9, 4}));
  std::uint64_t hash = 0xCBF29CE484222325;  // FNV-1a
  for (const float value : batch.images.values<float>()) {
    hash = (hash ^ static_cast<std::uint64_t>(value)) * 0x100000001B3;
  }
  EXPECT_EQ(hash, 17113919763719185627u);  // and that of a second implementation, in Python
}

TEST(Batches, GiveUpWhenAsked) {
  const DataSet set = numbers(4);
  const Batches batches(set, Part::kTrain, all_of(4), small(2));
  std::stop_source stop;
  EXPECT_TRUE(batches.load({}, stop.get_token()).has_value());
  stop.request_stop();
  EXPECT_FALSE(batches.load({}, stop.get_token()).has_value());
}

TEST(Batches, SayWhatIsWrong) {
  const DataSet set = numbers(9);
  const auto with = [&](auto change, std::int64_t count = 9) {
    BatchOptions options = small(5);
    change(options);
    Batches(set, Part::kTrain, all_of(count), options);
  };
  const auto nothing = [](BatchOptions&) {};
  EXPECT_TRUE(raises([&] { with([](BatchOptions& o) { o.batch = 0; }); }, "a batch of 0 images"));
  EXPECT_TRUE(raises([&] { with(nothing, 0); }, "numbers: no images to make batches of"));
  EXPECT_TRUE(raises([&] { with(nothing, 4); }, "numbers: 4 images do not fill a batch of 5; take a smaller one"));
  EXPECT_TRUE(raises([&] { with([](BatchOptions& o) { o.channels = 2; }); },
                     "an image as input of 2 channels; 1 and 3 are possible"));
  EXPECT_TRUE(
      raises([&] { with([](BatchOptions& o) { o.normalisation.std[1] = 0; }); }, "a std of 0 to divide pixels by"));
  EXPECT_TRUE(raises([&] { with([](BatchOptions& o) { o.size = {0, 5}; }); }, "an image of 5 x 0 pixels"));
  EXPECT_TRUE(raises([&] { with([](BatchOptions& o) { o.augmentation.flip = Flip{2}; }); },
                     "a flip with a probability of 2; it is from 0 to 1"));
  EXPECT_THROW(with(nothing, 10), Error);  // an index that is none
  const Batches batches(set, Part::kTrain, all_of(9), small(5));
  EXPECT_THROW(batches.load({0, 1}), Error);
  EXPECT_THROW(batches.load({-1, 0}), Error);
}

TEST(BatchLoader, GivesTheSameOnAnyNumberOfThreads) {
  const DataSet set = numbers(23);
  BatchOptions options = small(6);
  options.augmentation = everything();
  const Batches batches(set, Part::kTrain, all_of(23), options);
  for (const int threads : {0, 1, 4}) {
    for (const int ahead : {1, 3, 8}) {
      SCOPED_TRACE(testing::Message() << threads << " threads, " << ahead << " ahead");
      BatchLoader loader(batches, {}, threads, ahead);
      for (std::int64_t i = 0; i < 20; ++i) {
        EXPECT_EQ(loader.position(), (Position{i / 3, i % 3}));
        expect_same(loader.next(), batches.load({i / 3, i % 3}));
      }
    }
  }
}

TEST(BatchLoader, GoesOnFromWhereARunStopped) {
  const DataSet set = numbers(23);
  const Batches batches(set, Part::kTrain, all_of(23), small(6));
  Position stopped;
  {
    BatchLoader loader(batches, {1, 1}, 2, 4);
    for (int i = 0; i < 3; ++i) static_cast<void>(loader.next());
    stopped = loader.position();
  }
  EXPECT_EQ(stopped, (Position{2, 1}));
  BatchLoader resumed(batches, stopped, 1, 2);
  expect_same(resumed.next(), batches.load({2, 1}));
}

TEST(BatchLoader, EndsWhereItIsTold) {
  const DataSet set = numbers(23);
  const Batches batches(set, Part::kTrain, all_of(23), small(6));
  for (const int threads : {0, 1, 3}) {
    BatchLoader loader(batches, {}, threads, 4, Position{1, 1});
    int count = 0;
    for (; !loader.is_done(); ++count) static_cast<void>(loader.next());
    EXPECT_EQ(count, 4);
    EXPECT_THROW(loader.next(), Error);
  }
}

TEST(BatchLoader, StopsInTheMiddle) {
  const DataSet set = numbers(23);
  const Batches batches(set, Part::kTrain, all_of(23), small(6));
  for (int taken = 0; taken < 20; ++taken) {
    BatchLoader loader(batches, {}, 3, 1 + taken % 4);
    for (int i = 0; i < taken; ++i) static_cast<void>(loader.next());
  }
}

TEST(BatchLoader, ThrowsWhatLoadingThrew) {
  const Folder folder;
  const Bytes bytes = encode_png(pattern(6, 5, 3));
  const std::string_view good(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  std::vector<std::filesystem::path> files;
  for (int i = 0; i < 6; ++i)
    files.push_back(folder.write("image_" + std::to_string(i) + ".png", i == 3 ? "GIF8" : good));
  DataSet set;
  set.classes = {"a", "b"};
  set.train = LabelledImages(files, {0, 1, 0, 1, 0, 1});
  BatchOptions options = small(1);
  options.shuffle = false;
  const Batches batches(set, Part::kTrain, all_of(6), options);
  const std::string message = files[3].string() + ": this is a GIF image; JPEG and PNG are read";
  for (const int threads : {0, 1, 4}) {
    SCOPED_TRACE(threads);
    BatchLoader loader(batches, {}, threads, 5);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(loader.next().indices[0], i);
    // Not before its turn, and as often as it is asked for.
    for (int i = 0; i < 2; ++i) {
      EXPECT_TRUE(raises([&] { static_cast<void>(loader.next()); }, message, ErrorKind::kUnsupported));
      EXPECT_EQ(loader.position(), (Position{0, 3}));
    }
  }
}

TEST(Normalisation, IsOfTheImagesMeasured) {
  DataSet set;
  set.size = Extent{1, 2};
  set.train =
      LabelledImages(Tensor::of<std::uint8_t>({2, 1, 2, 3}, {0, 10, 7, 255, 20, 7, 200, 200, 200, 0, 0, 0}), {0, 0});
  const Normalisation first = measured_normalisation(set, std::vector<std::int64_t>{0}, {1, 2}, 3);
  EXPECT_DOUBLE_EQ(first.mean[0], 0.5);
  EXPECT_DOUBLE_EQ(first.std[0], 0.5);
  EXPECT_DOUBLE_EQ(first.mean[1], 15.0 / 255);
  EXPECT_DOUBLE_EQ(first.std[1], 5.0 / 255);
  EXPECT_DOUBLE_EQ(first.mean[2], 7.0 / 255);
  EXPECT_EQ(first.std[2], 1);  // it never changes
  const Normalisation grey = measured_normalisation(set, std::vector<std::int64_t>{1}, {1, 2}, 1);
  for (const double mean : grey.mean) EXPECT_DOUBLE_EQ(mean, 100.0 / 255);
  for (const double std : grey.std) EXPECT_DOUBLE_EQ(std, 100.0 / 255);
  EXPECT_TRUE(raises([&] { measured_normalisation(set, {}, {1, 2}, 3); }, "no images to measure"));
}

TEST(Normalisation, GivesMeanZeroAndDeviationOne) {
  const DataSet set = numbers(23);
  BatchOptions options = small(23);
  options.normalisation = measured_normalisation(set, all_of(23), {6, 5}, 3);
  const Batch batch = Batches(set, Part::kTrain, all_of(23), options).load({});
  double sum[3] = {}, squares[3] = {};
  const auto values = batch.images.values<float>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto value = static_cast<double>(values[i]);
    sum[i % 3] += value;
    squares[i % 3] += value * value;
  }
  const double count = static_cast<double>(values.size()) / 3;
  for (std::size_t k = 0; k < 3; ++k) {
    EXPECT_NEAR(sum[k] / count, 0, 1e-6);
    EXPECT_NEAR(squares[k] / count, 1, 1e-6);
  }
}

}  // namespace
}  // namespace sepal
