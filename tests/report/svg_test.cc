// Still plots: what is in them, and that nothing of a stranger acts in them. How they look is looked at in
// tests/web's screenshots.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <regex>

#include "sepal/report/svg.h"
#include "tests/report/sample.h"

namespace sepal::report {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

std::size_t count(const std::string& text, std::string_view part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

/// The first path of that ink that is part of the plot, not of the legend.
std::string path_of(const std::string& svg, const std::string& ink) {
  std::string last;
  const std::regex path("<path class=\"" + ink + "\"[^>]* d=\"([^\"]*)\"/>");
  for (std::sregex_iterator at(svg.begin(), svg.end(), path), end; at != end; ++at) last = (*at)[1];
  return last;
}

Figure figure(Series series, bool log = false) {
  return {.id = "f",
          .title = "A <title>",
          .alternative = "In \"words\"",
          .x = {.title = "x"},
          .y = {.title = "y", .log = log},
          .series = {std::move(series)}};
}

TEST(Svg, EveryPlotOfTheSampleIsThere) {
  for (const Section& section : sample_document().sections) {
    for (const Figure& plot : section.figures) {
      SCOPED_TRACE(plot.id);
      const std::string svg = to_svg(plot);
      EXPECT_TRUE(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox="));
      EXPECT_TRUE(svg.ends_with("</svg>\n"));
      EXPECT_NE(svg.find("role=\"img\""), std::string::npos);
      EXPECT_NE(svg.find("<desc id=\"" + plot.id + "-desc\">"), std::string::npos);
      EXPECT_EQ(svg.find("<script"), std::string::npos);
      EXPECT_EQ(svg.find("nan"), std::string::npos);
      EXPECT_EQ(svg.find("inf"), std::string::npos);
      for (const char c : svg) EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20);
      EXPECT_LT(svg.size(), 20'000U);
    }
  }
}

TEST(Svg, StringsAreTextAndNothingElse) {
  const std::string svg = to_svg(figure({.name = "s", .x = {1, 2}, .y = {1, 2}}));
  EXPECT_NE(svg.find("<title id=\"f-title\">A &lt;title&gt;</title>"), std::string::npos);
  EXPECT_NE(svg.find("<desc id=\"f-desc\">In &quot;words&quot;</desc>"), std::string::npos);
  EXPECT_NE(svg.find("prefers-color-scheme:dark"), std::string::npos);
  EXPECT_EQ(to_inline_svg(figure({.name = "s"})).find("<style>"), std::string::npos) << "it would style the whole page";
}

TEST(Svg, MarksStandWhereTheirValuesAre) {
  struct Case {
    const char* why;
    Series series;
    bool log;
    const char* path;
  };
  // The plot spans 47.2 to 742 across (of ticks of two letters) and 314 up to 14.
  const Case kCases[] = {
      {"a line, and what cannot be drawn breaks it",
       {.name = "", .x = {0, 5, 6, 10}, .y = {0, 10, kNan, 10}, .bound = true},
       false,
       "M47.2 314L394.6 14M742 14"},
      {"steps",
       {.name = "", .mark = Mark::kSteps, .x = {0, 5, 10}, .y = {0, 10, 0}, .bound = true},
       false,
       "M47.2 314H394.6V14H742V314"},
      {"no zero on a log axis", {.name = "", .x = {0, 5, 10}, .y = {0, -1, kNan}, .bound = true}, true, ""},
      {"bars begin at zero and need half a place on either side",
       {.name = "", .mark = Mark::kBars, .x = {0, 1}, .y = {5, 10}, .bound = true},
       false,
       "M81.9 314h277.9V164h-277.9zM429.3 314h277.9V14h-277.9z"},
  };
  for (const Case& test : kCases) {
    SCOPED_TRACE(test.why);
    EXPECT_EQ(path_of(to_inline_svg(figure(test.series, test.log)), "soft"), test.path);
  }
}

TEST(Svg, StacksStandOnOneAnother) {
  Figure stacked = figure({.name = "a", .mark = Mark::kStackedBars, .x = {0, 1}, .y = {4, kNan}});
  stacked.x.categories = {"one", "two"};
  stacked.series.push_back({.name = "b", .mark = Mark::kStackedBars, .x = {0, 1}, .y = {6, 5}});
  const std::string svg = to_inline_svg(stacked);
  EXPECT_EQ(count(path_of(svg, "s0"), "M"), 1U);
  EXPECT_NE(path_of(svg, "s0").find(" 334h"), std::string::npos) << "from zero";
  EXPECT_NE(path_of(svg, "s0").find("V214h"), std::string::npos) << "to 4 of 10";
  EXPECT_NE(path_of(svg, "s1").find(" 214h"), std::string::npos) << "from there";
  EXPECT_NE(path_of(svg, "s1").find("V34h"), std::string::npos) << "to the sum";
}

TEST(Svg, ManyLongNamesLeaveRoomForEachOther) {
  const std::string svg = to_inline_svg(sample_document().sections[1].figures[1]);
  EXPECT_GT(count(svg, "rotate(-40)"), 30U);
  EXPECT_LT(count(svg, "rotate(-40)"), 70U);
  EXPECT_EQ(count(svg, "featur…v.2.depthwise"), count(svg, "v.2.depthwise<"));
}

TEST(Svg, PlotsOfNothingAreEmptyPlots) {
  Figure nothing{.id = "n", .title = "", .alternative = "", .x = {.title = "x"}, .y = {.title = "y"}, .series = {}};
  EXPECT_NE(to_svg(nothing).find("</svg>"), std::string::npos);
  nothing.x.categories = {"a"};
  EXPECT_NE(to_svg(nothing).find("</svg>"), std::string::npos);
  EXPECT_EQ(to_svg(nothing).find("nan"), std::string::npos);
}

}  // namespace
}  // namespace sepal::report
