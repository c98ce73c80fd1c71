// Pages from the outside; what they do in a browser is tested in tests/web.

#include <gtest/gtest.h>

#include <regex>

#include "sepal/report/escape.h"
#include "sepal/report/json.h"
#include "sepal/report/page.h"
#include "tests/report/sample.h"

namespace sepal::report {
namespace {

/// The page without the plotting library, whose text is not ours.
std::string own_text(std::string page) {
  if (kChartLibrary.text.empty()) return page;
  const std::size_t at = page.find(kChartLibrary.text);
  EXPECT_NE(at, std::string::npos);
  return page.erase(at, kChartLibrary.text.size());
}

Json data_of(const std::string& page) {
  const std::string begin = "<script type=\"application/json\" id=\"figures\">";
  const std::size_t from = page.find(begin) + begin.size();
  return Json::parse(page.substr(from, page.find("</script>", from) - from));
}

TEST(Html, PagesFetchNothingAndAreNotLarge) {
  for (const std::string& page : {to_html(sample_document()), learn_html()}) {
    EXPECT_LT(page.size(), kPageBytes);
    const std::string text = own_text(page);
    EXPECT_TRUE(text.starts_with("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"));
    EXPECT_NE(text.find("content=\"default-src 'none'; script-src 'sha256-"), std::string::npos);
    EXPECT_EQ(text.find("unsafe-eval"), std::string::npos);
    EXPECT_FALSE(std::regex_search(text, std::regex(R"((src|href)="(https?:)?//)"))) << "nothing from elsewhere";
    EXPECT_FALSE(std::regex_search(text, std::regex(R"( on[a-z]+=")"))) << "the policy would refuse it";
    EXPECT_EQ(text.find("@import"), std::string::npos);
  }
}

TEST(Html, StrangersNamesAreText) {
  std::string page = own_text(to_html(sample_document()));
  for (std::size_t at = page.find("<wbr>"); at != std::string::npos; at = page.find("<wbr>", at)) page.erase(at, 5);
  for (const char* const name : kNastyNames) {
    EXPECT_NE(page.find("<th scope=\"row\">" + markup(name) + "</th>"), std::string::npos) << name;
  }
  EXPECT_EQ(page.find("<script>alert"), std::string::npos);
  EXPECT_EQ(page.find("</script><b>"), std::string::npos);
  EXPECT_NE(page.find("<title>What mobilenet_v1 costs &amp; &lt;why&gt;</title>"), std::string::npos);
  const Json data = data_of(page);
  EXPECT_EQ(data[0]["x"]["categories"][2], kNastyNames[0]);
  EXPECT_EQ(data[0]["x"]["categories"][10], kNastyNames[2]);
}

TEST(Html, TablesHaveFullFiguresAndWhatSortingGoesBy) {
  const std::string page = own_text(to_html(sample_document()));
  EXPECT_NE(page.find("<td data-v=\"2209792\" title=\"2,209,792 B\" class=\"n\">2.1 MiB</td>"), std::string::npos);
  EXPECT_NE(page.find("<td data-v=\"10838016\" style=\"--share:0.211\" class=\"n bar\">10,838,016</td>"),
            std::string::npos);
  EXPECT_NE(page.find("<th scope=\"col\" class=\"n\">MACs</th>"), std::string::npos);
  EXPECT_NE(page.find("<tfoot>\n<tr><th scope=\"row\">all</th><td>-</td><td data-v=\"568740352\" class=\"n\">"),
            std::string::npos);
}

TEST(Html, PlotsHaveTheirDataTheirWordsAndAPicture) {
  const std::string page = own_text(to_html(sample_document()));
  const Json data = data_of(page);
  ASSERT_EQ(data.size(), 7U);
  for (const Json& figure : data) {
    const auto id = figure["id"].get<std::string>();
    EXPECT_NE(page.find("<div class=\"plot\" data-figure=\"" + id + "\"><div class=\"still\"><svg "), std::string::npos)
        << id;
    EXPECT_NE(page.find("<p id=\"" + id + "-words\">"), std::string::npos) << id;
  }
  EXPECT_EQ(data[0]["series"][0]["text"][0], "conv_1: 10,838,016");
  EXPECT_EQ(data[2]["y"]["title"], "Activations in use (MiB)");
  EXPECT_EQ(data[2]["series"][0]["text"][3], "Step of the plan 3: 4,816,896 B");
  EXPECT_NEAR(data[2]["series"][0]["y"][3].get<double>(), 4'816'896.0 / (1 << 20), 1e-9);
  EXPECT_EQ(data[3]["series"][0]["y"][0], nullptr) << "nothing to draw";
  EXPECT_EQ(data[6]["x"]["octaves"], true);
  EXPECT_EQ(data[6]["series"][1]["bound"], true);
}

TEST(Html, PicturesOfLargePagesAreLeftOutFromTheLastOn) {
  const Document document = sample_document();
  std::vector<const Figure*> figures;
  for (const Section& section : document.sections) {
    for (const Figure& figure : section.figures) figures.push_back(&figure);
  }
  const std::vector<std::string> all = stills_within(figures, kPageBytes);
  for (const std::string& still : all) EXPECT_FALSE(still.empty());
  const std::vector<std::string> one = stills_within(figures, all[0].size());
  EXPECT_FALSE(one[0].empty());
  EXPECT_EQ(one[1].empty(), has_interactive_plots()) << "without the library the picture is all there is";
}

TEST(Html, PagesSayWhetherTheirPlotsMove) {
  const std::string page = to_html(sample_document());
  EXPECT_EQ(page.find("plots of this page are still pictures") == std::string::npos, has_interactive_plots());
  EXPECT_EQ(page.find("Licensed under the MIT license") != std::string::npos, has_interactive_plots());
}

}  // namespace
}  // namespace sepal::report
