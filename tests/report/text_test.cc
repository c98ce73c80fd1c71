// Documents for a terminal.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <sstream>

#include "sepal/report/escape.h"
#include "tests/report/sample.h"

namespace sepal::report {
namespace {

Table small() {
  return {.id = "small",
          .title = "Two layers",
          .columns = {{"Layer"}, {"MACs", Unit::kCount, true}, {"Ratio", Unit::kRatio}},
          .rows = {{std::string("conv"), std::uint64_t{1'000'000}, 0.5}, {std::string("a\nb"), std::monostate(), 2.0}},
          .total = {std::string("all"), std::uint64_t{1'000'000}, std::monostate()},
          .note = "Nominal."};
}

TEST(Text, APipeGetsAlignedColumns) {
  EXPECT_EQ(to_text(small(), {}),
            "Two layers\n"
            "Layer        MACs   Ratio\n"
            "conv    1,000,000  0.5000\n"
            "a\\x0ab          -   2.000\n"
            "all     1,000,000       -\n"
            "Nominal.\n");
}

TEST(Text, ATerminalGetsColourAndBars) {
  EXPECT_EQ(to_text(small(), {.width = 80, .colour = true}),
            "\033[1mTwo layers\033[0m\n"
            "\033[2mLayer\033[0m        \033[2mMACs\033[0m               \033[2mRatio\033[0m\n"
            "conv    1,000,000  \033[34m██████████\033[0m  0.5000\n"
            "a\\x0ab          -  \033[34m          \033[0m   2.000\n"
            "\033[1mall\033[0m     \033[1m1,000,000\033[0m                   \033[1m-\033[0m\n"
            "\033[2mNominal.\033[0m\n");
}

TEST(Text, BarsGoFirstWhereItIsNarrow) {
  EXPECT_EQ(to_text(small(), {.width = 30, .colour = true}).find("█"), std::string::npos);
}

TEST(Text, NoLineIsWiderThanTheTerminalAndNoDigitIsLost) {
  const Document document = sample_document();
  const Table& table = document.sections[0].tables[0];
  for (const int width : {32, 40, 80, 100, 132, 200}) {
    std::istringstream lines(to_text(document, {.width = width, .colour = width > 80}));
    for (std::string line; std::getline(lines, line);) {
      EXPECT_LE(display_width(line), static_cast<std::size_t>(width)) << line;
    }
  }
  const std::string narrow = to_text(table, {.width = 40});
  EXPECT_NE(narrow.find("568,740,352"), std::string::npos);
  EXPECT_NE(narrow.find("<scr…/script>"), std::string::npos) << narrow;
}

TEST(Text, ATableTooWideStandsInBlocksThatBeginAlike) {
  EXPECT_EQ(to_text(small(), {.width = 20}),
            "Two layers\n"
            "Layer        MACs\n"
            "conv    1,000,000\n"
            "a\\x0ab          -\n"
            "all     1,000,000\n"
            "\n"
            "Layer    Ratio\n"
            "conv    0.5000\n"
            "a\\x0ab   2.000\n"
            "all          -\n"
            "Nominal.\n");
  // A first column and one more are never parted.
  EXPECT_EQ(to_text(small(), {.width = 3}).find("\nLayer\n"), std::string::npos);
}

TEST(Text, StrangersCannotDriveTheTerminal) {
  const std::string text = to_text(sample_document(), {});
  EXPECT_EQ(text.find('\033'), std::string::npos);
  EXPECT_NE(text.find("esc\\x1b[31mred\\xff\\xe2\\x80\\xae"), std::string::npos);
}

TEST(Text, SectionsOfPlotsAloneAreLeftOut) {
  const std::string text = to_text(sample_document(), {.width = 60});
  EXPECT_TRUE(text.starts_with(
      "What mobilenet_v1 costs & <why>\n568,740,352 MACs and 4,231,976 parameters for one image of\n"));
  EXPECT_NE(text.find("\n\nLayer by layer\n"), std::string::npos);
  EXPECT_EQ(text.find("On this machine"), std::string::npos);
}

}  // namespace
}  // namespace sepal::report
