// Separable against standard convolutions: that pairs are what a budget says, and that a comparison goes on where it
// was.

#include "sepal/train/compare.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "tests/folder.h"
#include "tests/raises.h"
#include "tests/train/small_data.h"

namespace sepal {
namespace {

double ratio(std::int64_t a, std::int64_t b) { return static_cast<double>(a) / static_cast<double>(b); }

TEST(Compare, MakesPairsThatHaveInCommonWhatTheBudgetSays) {
  const ZooSpec spec = parse_zoo_spec("mobilenet_v1:width=0.5,size=32,stem=1,classes=10");
  const ContenderPair width = pair_of(spec, Budget::kWidth);
  EXPECT_EQ(width.standard.spec.options.width, 0.5);
  EXPECT_GT(ratio(width.standard.macs, width.separable.macs), 7);
  EXPECT_GT(ratio(width.standard.parameters, width.separable.parameters), 7);
  const ContenderPair parameters = pair_of(spec, Budget::kParameters);
  EXPECT_NEAR(ratio(parameters.standard.parameters, parameters.separable.parameters), 1, 0.02);
  const ContenderPair macs = pair_of(spec, Budget::kMacs);
  EXPECT_NEAR(ratio(macs.standard.macs, macs.separable.macs), 1, 0.02);
  EXPECT_EQ(macs.separable.macs, width.separable.macs);
  EXPECT_EQ(pair_of(spec, Budget::kTime).standard.macs, width.standard.macs);
}

TEST(Compare, SaysWhereNoPairIsToBeHad) {
  EXPECT_TRUE(raises(
      [] { pair_of(parse_zoo_spec("mobilenet_v1:width=0.1,size=28,channels=1,classes=10,stem=1"), Budget::kMacs); },
      "no width of the standard network comes within 2 % of mobilenet_v1:width=0.1,size=28,channels=1,"
      "classes=10,stem=1's 644,786 MACs: 0.0107 has 852,148; choose another width",
      ErrorKind::kInvalid));
  EXPECT_TRUE(raises([] { pair_of(parse_zoo_spec("efficientnet_lite0:size=32"), Budget::kParameters); },
                     "efficientnet_lite0 has no width to choose, so equal params cannot be had; take another network, "
                     "or --budget width",
                     ErrorKind::kUsage));
}

TEST(Compare, KnowsBudgetsByName) {
  for (const char* name : {"width", "params", "macs", "time"}) EXPECT_EQ(name_of(budget(name).value()), name);
  EXPECT_FALSE(budget("money").has_value());
}

CompareOptions options(const std::filesystem::path& folder, Budget budget) {
  return {.budget = budget,
          .seeds = 2,
          .trainer = {.network = "",
                      .schedule = {.rate = 0.02, .warmup = 2},
                      .batches = {.batch = 16,
                                  .size = {16, 16},
                                  .channels = 1,
                                  .normalisation = {{0.4, 0.4, 0.4}, {0.25, 0.25, 0.25}}},
                      .epochs = 2},
          .folder = folder};
}

TEST(Compare, GoesOnWhereItWasStopped) {
  const ZooSpec spec = parse_zoo_spec("mobilenet_v1_shallow:width=0.25,size=16,channels=1,classes=3,stem=1");
  const DataSet set = small_data();
  const Folder whole_folder;
  const Folder stopped_folder;
  std::filesystem::create_directories(whole_folder.path());
  std::filesystem::create_directories(stopped_folder.path());
  const auto whole = compare(spec, set, options(whole_folder.path(), Budget::kWidth));
  ASSERT_TRUE(whole.has_value());
  ASSERT_EQ(whole->outcomes.size(), 4u);

  // Stopped in the middle of the third run, twice.
  int steps = 0;
  CompareObserver observer;
  observer.training.stop = [&] { return ++steps == 25 || steps == 26; };
  EXPECT_FALSE(compare(spec, set, options(stopped_folder.path(), Budget::kWidth), observer).has_value());
  EXPECT_FALSE(compare(spec, set, options(stopped_folder.path(), Budget::kWidth), observer).has_value());
  int again = 0;
  observer.training.stop = {};
  observer.begin = [&](const Contender&, std::uint64_t, bool done_before) { again += done_before ? 1 : 0; };
  const auto resumed = compare(spec, set, options(stopped_folder.path(), Budget::kWidth), observer);
  ASSERT_TRUE(resumed.has_value());
  EXPECT_EQ(again, 2);
  ASSERT_EQ(resumed->outcomes.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(resumed->outcomes[i].accuracy, whole->outcomes[i].accuracy);
    EXPECT_FLOAT_EQ(static_cast<float>(resumed->outcomes[i].loss), static_cast<float>(whole->outcomes[i].loss));
  }
  const Spread spread = whole->spread(true, &Outcome::accuracy);
  EXPECT_GE(spread.mean, 0);
  EXPECT_LE(spread.mean, 1);
}

TEST(Compare, SaysWhichLineOfItsFileIsDamaged) {
  const Folder folder;
  std::filesystem::create_directories(folder.path());
  std::ofstream(folder.path() / "outcomes.txt") << "mobilenet_v1_shallow:width=0.25,size=16,channels=1,classes=3,stem="
                                                   "1 on rows, equal width, 2 epochs, batch 16, "
                                                   "rate 0.02\nseparable 1 2 0.5 0.7 3 100\nsomething else\n";
  const ZooSpec spec = parse_zoo_spec("mobilenet_v1_shallow:width=0.25,size=16,channels=1,classes=3,stem=1");
  const DataSet set = small_data();
  EXPECT_TRUE(raises([&] { compare(spec, set, options(folder.path(), Budget::kWidth)); },
                     (folder.path() / "outcomes.txt").string() +
                         ": line 3 is not of a comparison; remove it and that run is done again",
                     ErrorKind::kInvalid));
}

TEST(Compare, DoesNotTakeOutcomesOfAnother) {
  const Folder folder;
  folder.write("outcomes.txt", "another\nseparable 1 2 0.5 0.7 3 100\n");
  const DataSet set = small_data();
  const ZooSpec spec = parse_zoo_spec("mobilenet_v1_shallow:width=0.25,size=16,channels=1,classes=3,stem=1");
  EXPECT_TRUE(raises([&] { compare(spec, set, options(folder.path(), Budget::kMacs)); },
                     (folder.path() / "outcomes.txt").string() +
                         ": is of another comparison, another, not mobilenet_v1_shallow:width=0.25,size=16,channels=1,"
                         "classes=3,stem=1 on rows, equal macs, 2 epochs, batch 16, rate 0.02; give another folder",
                     ErrorKind::kInvalid));
}

}  // namespace
}  // namespace sepal
