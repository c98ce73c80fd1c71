// Separable against standard convolutions: that pairs are what a budget says, and that a comparison goes on where it
// was.

#include "sepal/train/compare.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "sepal/base/text.h"
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

constexpr const char* kSpec = "mobilenet_v1_shallow:width=0.25,size=16,channels=1,classes=3,stem=1";

TEST(Compare, SharesRunsAmongBudgets) {
  const Folder folder;
  std::filesystem::create_directories(folder.path());
  const ZooSpec spec = parse_zoo_spec(kSpec);
  const DataSet set = small_data();
  const auto width = compare(spec, set, options(folder.path(), Budget::kWidth));
  ASSERT_TRUE(width.has_value());
  std::vector<std::string> runs;
  CompareObserver observer;
  observer.begin = [&](const Contender& contender, std::uint64_t seed, bool done_before) {
    runs.push_back(format("{} {}{}", contender.name, seed, done_before ? " done" : ""));
  };
  CompareOptions of_time = options(folder.path(), Budget::kTime);
  of_time.seeds = 1;
  const auto time = compare(spec, set, of_time, observer);
  ASSERT_TRUE(time.has_value());
  EXPECT_EQ(runs[0], "separable 1 done");
  EXPECT_EQ(time->outcomes[0].accuracy, width->outcomes[0].accuracy);
  EXPECT_EQ(time->outcomes[0].epochs, 2);
  // How many epochs fit is measured once, though the machine may be slower the next time.
  runs.clear();
  const auto again = compare(spec, set, of_time, observer);
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(runs[1], "standard 1 done");
  EXPECT_EQ(again->outcomes[1].epochs, time->outcomes[1].epochs);
}

TEST(Compare, CountsWhatTrainingChanges) {
  const ContenderPair pair =
      pair_of(parse_zoo_spec("mobilenet_v1_shallow:width=0.22,size=28,channels=1,classes=10,stem=1"), Budget::kWidth);
  EXPECT_EQ(pair.separable.parameters, 97'722);  // as the bundled model's
}

/// The folder's outcomes.txt after a comparison, with one text in another's place.
std::filesystem::path with_changed_outcomes(const Folder& folder, const std::string& from, const std::string& to) {
  std::filesystem::create_directories(folder.path());
  CompareOptions one = options(folder.path(), Budget::kWidth);
  one.seeds = 1;
  compare(parse_zoo_spec(kSpec), small_data(), one);
  const std::filesystem::path file = folder.path() / "outcomes.txt";
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  std::string changed = text.str();
  const std::size_t at = changed.find(from);
  EXPECT_NE(at, std::string::npos) << changed;
  changed.replace(at, from.size(), to);
  std::ofstream(file) << changed;
  return file;
}

testing::AssertionResult comparison_raises(const Folder& folder, const std::string& message) {
  return raises([&] { compare(parse_zoo_spec(kSpec), small_data(), options(folder.path(), Budget::kWidth)); }, message,
                ErrorKind::kInvalid);
}

TEST(Compare, SaysWhichLineOfItsFileIsDamaged) {
  const Folder folder;
  const auto file = with_changed_outcomes(folder, "separable-width0.25-steps10-seed1 ", "something else ");
  EXPECT_TRUE(comparison_raises(
      folder, format("{}: line 23 is not of a comparison; remove it and that run is done again", file.string())));
}

TEST(Compare, DoesNotTakeOutcomesOfAnother) {
  const Folder changed;
  auto file = with_changed_outcomes(changed, "batch: 16", "batch: 17");
  EXPECT_TRUE(comparison_raises(
      changed, format("{}: is of another comparison: batch is 17, not 16; give another folder", file.string())));
  const Folder less;
  file = with_changed_outcomes(less, "batch: 16\n", "");
  EXPECT_TRUE(comparison_raises(
      less, format("{}: is of another comparison: batch is nothing, not 16; give another folder", file.string())));
  const Folder foreign;
  foreign.write("outcomes.txt", "another\n");
  EXPECT_TRUE(comparison_raises(foreign, format("{}: is no file of a comparison; give another folder",
                                                (foreign.path() / "outcomes.txt").string())));
}

}  // namespace
}  // namespace sepal
