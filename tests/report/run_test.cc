// The report of a training run, as values and as a page; what the page does in a browser is tested in tests/web.

#include "sepal/report/run.h"

#include <gtest/gtest.h>

#include "sepal/base/text.h"
#include "sepal/formats/image.h"
#include "sepal/report/escape.h"
#include "sepal/report/evaluation.h"
#include "sepal/report/page.h"
#include "tests/report/sample_run.h"

namespace sepal::report {
namespace {

const Section* section_of(const Document& document, std::string_view title) {
  const auto found = std::ranges::find(document.sections, title, &Section::title);
  return found == document.sections.end() ? nullptr : &*found;
}

const Table& table_of(const Document& document, std::string_view id) {
  for (const Section& section : document.sections) {
    const auto found = std::ranges::find(section.tables, id, &Table::id);
    if (found != section.tables.end()) return *found;
  }
  throw std::runtime_error("no such table");
}

Document document_of(const History& history, const Evaluation* test) {
  return to_document(history, test, sample_cost(), true);
}

TEST(Run, LeadsWithTheAnswer) {
  const Evaluation test = sample_evaluation();
  EXPECT_EQ(document_of(sample_history(), &test).lead,
            format("{:.2f} % of 10,000 images are told right after 10 epochs in 12 min 34 s, by 218,954 parameters and "
                   "8,123,456 MACs an image.",
                   100 * test.accuracy));
  EXPECT_EQ(document_of(sample_history(), nullptr).lead,
            "After 10 epochs in 12 min 34 s, by 218,954 parameters and 8,123,456 MACs an image.");
  History stopped = sample_history();
  stopped.whole = false;
  EXPECT_TRUE(document_of(stopped, &test).lead.find(" are told right after a part of its run, 10 epochs in ") !=
              std::string::npos);
  EXPECT_EQ(document_of(stopped, nullptr).lead,
            "Stopped after 10 epochs in 12 min 34 s, by 218,954 parameters and 8,123,456 MACs an image.");
}

TEST(Run, CurvesHaveAFewHundredPointsThatAreMeans) {
  const History history = sample_history();
  const Document document = document_of(history, nullptr);
  const Section* learning = section_of(document, "Learning");
  ASSERT_NE(learning, nullptr);
  ASSERT_EQ(learning->figures.size(), 3U);
  const Figure& loss = learning->figures[0];
  ASSERT_EQ(loss.series.size(), 3U);
  const Series& steps = loss.series[0];
  EXPECT_EQ(steps.x.size(), 469U) << "4,220 records in stretches of 9";
  EXPECT_EQ(steps.x[0], 9);
  EXPECT_EQ(steps.x.back(), 4220);
  double mean = 0;
  for (std::size_t i = 9; i < 18; ++i) mean += history.steps[i].loss / 9;
  EXPECT_NEAR(steps.y[1], mean, 1e-12);
  EXPECT_EQ(steps.exact[1], format("epoch 1, step 18: {:.3f}", mean));
  EXPECT_EQ(loss.series[2].x, (std::vector<double>{422, 844, 1266, 1688, 2110, 2532, 2954, 3376, 3798, 4220}));
  EXPECT_NE(loss.alternative.find("Each point by step is the mean of 9 records."), std::string::npos);
  const Figure& accuracy = learning->figures[1];
  EXPECT_TRUE(accuracy.y.tight);
  EXPECT_NE(accuracy.alternative.find("at best 94.31 % after epoch 9."), std::string::npos) << accuracy.alternative;
  EXPECT_EQ(learning->figures[2].series[0].y.size(), 469U);
}

struct CutShort {
  const char* why;
  std::size_t steps, epochs;
  std::size_t figures, tables;
};

TEST(Run, IsWholeHoweverFarItCame) {
  constexpr CutShort kCases[] = {{"nothing was done", 0, 0, 0, 0},
                                 {"stopped within an epoch", 3, 0, 3, 0},
                                 {"one step, one epoch", 1, 1, 3, 1},
                                 {"a log of epochs alone", 0, 2, 2, 1}};
  for (const CutShort& test : kCases) {
    SCOPED_TRACE(test.why);
    History history = sample_history();
    history.steps.resize(test.steps);
    history.epochs.resize(test.epochs);
    const Document document = document_of(history, nullptr);
    const Section* learning = section_of(document, "Learning");
    EXPECT_EQ(learning != nullptr, test.figures > 0);
    if (learning != nullptr) {
      EXPECT_EQ(learning->figures.size(), test.figures);
      EXPECT_EQ(learning->tables.size(), test.tables);
    }
    EXPECT_NE(to_html(document).find("</html>"), std::string::npos);
  }
}

TEST(Run, APageOfALostRunIsStillAPage) {
  History history = sample_history();
  for (StepRecord& step : history.steps) step.loss = std::numeric_limits<double>::quiet_NaN();
  for (EpochRecord& epoch : history.epochs) epoch.loss = epoch.accuracy = std::numeric_limits<double>::quiet_NaN();
  const std::string page = run_html(history, nullptr, sample_cost());
  EXPECT_EQ(page.find("best accuracy on the images held back"), std::string::npos);
  EXPECT_NE(page.find("</html>"), std::string::npos);
}

TEST(Evaluation, SaysHowEachClassIsTold) {
  Evaluation evaluation;
  evaluation.images = 10;
  evaluation.accuracy = 0.6;
  evaluation.confusion = {3, 1, 0, 2, 3, 0, 0, 1, 0};
  const Document document = to_document(evaluation, "net.onnx on D", {"cat", "dog"}, false);
  EXPECT_EQ(document.lead, "60.00 % of 10 images are told right; the loss is 0. It took 0 images a second.");
  const Table& classes = table_of(document, "classes");
  using Row = std::vector<Cell>;
  EXPECT_EQ(classes.rows[0], (Row{"cat", std::uint64_t{4}, 0.75, 0.6, "dog", 0.25}));
  EXPECT_EQ(classes.rows[1], (Row{"dog", std::uint64_t{5}, 0.6, 0.6, "cat", 0.4}));
  EXPECT_EQ(classes.rows[2], (Row{"2", std::uint64_t{1}, 0.0, {}, "dog", 1.0})) << "a class without a name";
  const Table& confusion = table_of(document, "confusion");
  EXPECT_TRUE(confusion.shaded);
  EXPECT_EQ(confusion.rows[1], (Row{"dog", std::uint64_t{2}, std::uint64_t{3}, std::uint64_t{0}}));
  const Table& pairs = table_of(document, "pairs");
  EXPECT_EQ(pairs.rows[0], (Row{"dog", "cat", std::uint64_t{2}, 0.4}));
  EXPECT_EQ(pairs.rows.size(), 3U);
}

TEST(Evaluation, OfManyClassesThoseWithTheMostMistakesAreShown) {
  const Evaluation evaluation = sample_evaluation(1000);
  const Document document = to_document(evaluation, "net on many", {}, true);
  const Table& confusion = table_of(document, "confusion");
  EXPECT_EQ(confusion.rows.size(), kMostConfused);
  EXPECT_EQ(confusion.columns.size(), kMostConfused + 2);
  EXPECT_EQ(confusion.columns.back().name, "all others");
  for (const auto& row : confusion.rows) {
    std::uint64_t sum = 0;
    for (std::size_t i = 1; i < row.size(); ++i) sum += std::get<std::uint64_t>(row[i]);
    EXPECT_EQ(sum, 1000U) << "a row is whole";
  }
  EXPECT_NE(confusion.note.find("Of 1,000 classes, the 24 with the most mistakes."), std::string::npos);
  EXPECT_EQ(table_of(document, "classes").rows.size(), 1000U);
  EXPECT_LT(to_html(document).size(), kPageBytes);
}

TEST(Evaluation, MistakesArePicturesOfTheirPixels) {
  const Evaluation evaluation = sample_evaluation();
  const Document document = to_document(evaluation, "net", sample_history().classes, true);
  const Section* section = section_of(document, "Mistakes");
  ASSERT_NE(section, nullptr);
  ASSERT_EQ(section->pictures.size(), 24U);
  const Picture& first = section->pictures[0];
  EXPECT_EQ(first.title, "T-shirt/top");
  EXPECT_EQ(first.caption, "told as Dress, 99.98\u00a0%");
  EXPECT_EQ(first.alternative, "image 0: T-shirt/top, told as Dress, 99.98\u00a0%");
  const Tensor small = decode_image(first.png);
  EXPECT_EQ(small.shape(), (Shape{28, 28, 1}));
  EXPECT_TRUE(std::ranges::equal(small.values<std::uint8_t>(), evaluation.mistakes[0].pixels));
  EXPECT_EQ(decode_image(section->pictures[4].png).shape(), (Shape{96, 96, 3})) << "larger ones are made smaller";
  EXPECT_NE(to_html(document).find("src=\"data:image/png;base64,iVBORw0KGgo"), std::string::npos);
}

TEST(Evaluation, PicturesLeaveRoomForTheRest) {
  Evaluation evaluation = sample_evaluation();
  std::uint32_t state = 1;
  for (Mistake& mistake : evaluation.mistakes) {
    mistake.h = mistake.w = 96;
    mistake.c = 3;
    mistake.pixels.resize(96 * 96 * 3);
    for (std::uint8_t& pixel : mistake.pixels) pixel = static_cast<std::uint8_t>((state = state * 1664525u + 1) >> 24);
  }
  const Document document = to_document(evaluation, "net", {}, true);
  const Section* section = section_of(document, "Mistakes");
  ASSERT_NE(section, nullptr);
  EXPECT_EQ(section->pictures.size(), 14U) << "of noise, which no PNG makes smaller";
  EXPECT_LT(to_html(document).size(), kPageBytes);
}

TEST(Evaluation, WithoutAnythingToShowSaysLittle) {
  EXPECT_TRUE(evaluation_sections({}, {}, true).empty());
  Evaluation perfect;
  perfect.images = 2;
  perfect.accuracy = 1;
  perfect.confusion = {1, 0, 0, 1};
  const std::vector<Section> sections = evaluation_sections(perfect, {"a", "b"}, true);
  ASSERT_EQ(sections.size(), 1U);
  EXPECT_EQ(sections[0].tables.size(), 2U) << "no mistakes, no pairs";
}

TEST(Base64, IsThatOfItsStandard) {
  struct Case {
    const char* why;
    const char* text;
    const char* coded;
  };
  constexpr Case kCases[] = {
      {"nothing", "", ""},      {"two short of three", "f", "Zg=="}, {"one short", "fo", "Zm8="},
      {"three", "foo", "Zm9v"}, {"more", "foobar", "Zm9vYmFy"},      {"the last digits", "\xfb\xff\xbf", "+/+/"}};
  for (const Case& test : kCases) {
    EXPECT_EQ(base64(std::as_bytes(std::span(std::string_view(test.text)))), test.coded) << test.why;
  }
}

}  // namespace
}  // namespace sepal::report
