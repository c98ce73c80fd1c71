// Numbers as people read them, in full, and along an axis; widths of text.

#include "sepal/report/numbers.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "sepal/report/axis.h"
#include "sepal/report/escape.h"

namespace sepal::report {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

TEST(Numbers, AreReadableAndExact) {
  struct Case {
    const char* why;
    Cell cell;
    std::optional<Unit> unit;
    const char* readable;
    const char* exact;
  };
  const Case kCases[] = {
      {"a count", std::uint64_t{568'740'352}, Unit::kCount, "568,740,352", "568740352"},
      {"the largest count", ~std::uint64_t{0}, Unit::kCount, "18,446,744,073,709,551,615", "18446744073709551615"},
      {"a count without a unit", std::uint64_t{1234}, {}, "1,234", "1234"},
      {"a count that is a mean", 12.5, Unit::kCount, "12.5", "12.5"},
      {"a count beyond the whole doubles", 1.5e20, Unit::kCount, "1.5e+20", "1.5e+20"},
      {"bytes", std::uint64_t{1536}, Unit::kBytes, "1.5 KiB", "1536"},
      {"seconds", 0.0012345, Unit::kSeconds, "1.23 ms", "0.0012345"},
      {"little time", 2.5e-8, Unit::kSeconds, "25 ns", "2.5e-08"},
      {"no time", 0.0, Unit::kSeconds, "0 ns", "0"},
      {"a ratio has four digits", 0.11349826, Unit::kRatio, "0.1135", "0.11349826"},
      {"also above 1", 8.8123456, Unit::kRatio, "8.812", "8.8123456"},
      {"a ratio of 4 digits before the point", 4096.4, Unit::kRatio, "4,096", "4096.4"},
      {"a ratio that rounds up to 4 digits", 999.97, Unit::kRatio, "1,000", "999.97"},
      {"a tiny ratio", 1.25e-6, Unit::kRatio, "1.250e-06", "1.25e-06"},
      {"a share", 0.9486, Unit::kShare, "94.86 %", "0.9486"},
      {"no unit", 3.14159265, {}, "3.14159", "3.14159265"},
      {"nothing", std::monostate(), Unit::kCount, "-", ""},
      {"no number", kNan, Unit::kRatio, "-", ""},
      {"without end", HUGE_VAL, Unit::kRatio, "infinite", "inf"},
      {"text", std::string("=1+1"), {}, "=1+1", "=1+1"},
  };
  for (const Case& test : kCases) {
    SCOPED_TRACE(test.why);
    EXPECT_EQ(to_readable(test.cell, test.unit), test.readable);
    EXPECT_EQ(to_exact(test.cell), test.exact);
  }
  EXPECT_EQ(to_full(1536, Unit::kBytes), "1,536 B");
  EXPECT_EQ(to_full(0.0012345, Unit::kSeconds), "0.0012345 s");
  EXPECT_EQ(to_full(0.3343098958333333, Unit::kRatio), "0.3343098958333333");
  EXPECT_EQ(to_full(0.25, Unit::kShare), "25.00 %");
  EXPECT_EQ(to_full(kNan, Unit::kBytes), "-");
}

TEST(Axis, TicksStandAtRoundNumbers) {
  struct Case {
    const char* why;
    std::vector<double> values;
    Axis axis;
    bool from_zero;
    std::string ticks;
    std::string title;
  };
  const Case kCases[] = {
      {"counts from zero", {51e6}, {"MACs", Unit::kCount}, true, "0 20M 40M 60M", "MACs"},
      {"bytes in steps of their scale", {5e6}, {"Memory", Unit::kBytes}, true, "0 1 2 3 4 5", "Memory (MiB)"},
      {"shares", {0.9486}, {"Share", Unit::kShare}, true, "0 20 40 60 80 100", "Share (%)"},
      {"seconds", {0.0123}, {"Time", Unit::kSeconds}, true, "0 5 10 15", "Time (ms)"},
      {"not from zero",
       {0.33433, 0.33341},
       {"ratio", Unit::kRatio},
       false,
       "0.3334 0.3336 0.3338 0.334 0.3342 0.3344",
       "ratio"},
      {"one value", {2}, {"x"}, false, "0 1 2 3 4", "x"},
      {"nothing", {}, {"x"}, false, "0 0.2 0.4 0.6 0.8 1", "x"},
      {"only what cannot be drawn", {kNan, HUGE_VAL}, {"x"}, true, "0 0.2 0.4 0.6 0.8 1", "x"},
      {"below zero", {-3, 4}, {"x"}, false, "-4 -2 0 2 4", "x"},
      {"decades", {1, 1e5}, {"x", {}, true}, false, "1 10 100 1k 10k 100k", "x"},
      {"parts of a decade", {1, 40}, {"x", {}, true}, false, "1 2 5 10 20", "x"},
      {"powers of two", {32, 1024, 128}, {"D_K", {}, true}, false, "32 64 128 256 512 1,024", "D_K"},
      {"zero and less have no place on a log axis", {0, -1, 1, 100}, {"x", {}, true}, false, "1 10 100", "x"},
      {"nothing on a log axis", {}, {"x", {}, true}, false, "1 2 5 10", "x"},
  };
  for (const Case& test : kCases) {
    SCOPED_TRACE(test.why);
    const Stretch stretch = stretch_over(test.values, test.axis, test.from_zero, 5);
    std::string ticks;
    for (const Tick& tick : stretch.ticks) ticks += (ticks.empty() ? "" : " ") + tick.text;
    EXPECT_EQ(ticks, test.ticks);
    EXPECT_EQ(title_of(test.axis, stretch.scale), test.title);
    for (const double value : test.values) {
      if (!stretch.has_place(value)) continue;
      EXPECT_GE(stretch.place(value), -1e-9);
      EXPECT_LE(stretch.place(value), 1 + 1e-9);
    }
  }
}

TEST(Escape, WidthsAreThoseOfATerminal) {
  EXPECT_EQ(display_width("conv"), 4U);
  EXPECT_EQ(display_width("é"), 1U);
  EXPECT_EQ(display_width("e\xCC\x81"), 1U) << "a combining accent";
  EXPECT_EQ(display_width("畳み"), 4U);
  EXPECT_EQ(display_width("📷"), 2U);
  EXPECT_EQ(display_width("\033[1mbold\033[0m"), 4U);
  EXPECT_EQ(display_width("\xff"), 1U);
}

TEST(Escape, ShorteningKeepsBothEnds) {
  EXPECT_EQ(shortened("features/conv/depthwise", 30), "features/conv/depthwise");
  EXPECT_EQ(shortened("features/conv/depthwise", 13), "feat…epthwise");
  EXPECT_EQ(shortened("畳み込み層", 4), "畳…み層");
  EXPECT_EQ(shortened("abc", 1), "…");
  EXPECT_EQ(shortened("abc", 0), "");
}

TEST(Escape, NamesThatWouldBeCutAlikeKeepWhatDiffers) {
  struct Case {
    const char* why;
    std::vector<std::string> names, labels;
  };
  const Case cases[] = {
      {"short ones stay", {"a", "b", "a"}, {"a", "b", "a"}},
      {"the front differs",
       {"block11/depthwise + pointwise", "block12/depthwise + pointwise", "block2/depthwise + pointwise"},
       {"block11…+ pointwise", "block12…+ pointwise", "block2… + pointwise"}},
      {"the same name twice",
       {"features/a/same/same/same1", "features/a/same/same/same1"},
       {"featur…e/same/same1", "featur…e/same/same1"}},
      {"the middle differs",
       {"a/very/long/way/to/1/and/then/on/and/on", "a/very/long/way/to/2/and/then/on/and/on"},
       {"…1/and/then/on/and…", "…2/and/then/on/and…"}},
      {"nearly at the end",
       {"a/b/c/d/e/f/1/conv/filter", "a/b/c/d/e/f/2/conv/filter"},
       {"a/b/c/d/e/f/1…ilter", "a/b/c/d/e/f/2…ilter"}},
      {"one is not longer than the room",
       {"stem/of/the/network/1/to/its/end", "other"},
       {"stem/o…1/to/its/end", "other"}},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.why);
    const std::vector<std::string> labels = shortened_apart(test.names, 19);
    for (const std::string& label : labels) EXPECT_LE(display_width(label), 19u);
    EXPECT_EQ(testing::PrintToString(labels), testing::PrintToString(test.labels));
  }
}

TEST(Numbers, CountsHaveTheirNouns) {
  EXPECT_EQ(with_noun(1, "node"), "1 node");
  EXPECT_EQ(with_noun(0, "node"), "0 nodes");
  EXPECT_EQ(with_noun(20'000, "layer"), "20,000 layers");
  EXPECT_EQ(threads_text(1), "1 thread");
}

TEST(Escape, MarkupHoldsNothingThatActs) {
  EXPECT_EQ(markup("<a href=\"x\">'&'"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;");
  EXPECT_EQ(markup("\x1b[31m\xff\u202E\u0001\uFFFE"), "\uFFFD[31m\uFFFD\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(markup("tab\tline\n"), "tab\tline\n");
  EXPECT_EQ(script_data(Json{{"a", "</script>\xff"}}), "{\"a\":\"\\u003c/script>\uFFFD\"}");
}

}  // namespace
}  // namespace sepal::report
