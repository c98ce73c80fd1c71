// Tables for spreadsheets.

#include <gtest/gtest.h>

#include <limits>

#include "tests/report/sample.h"

namespace sepal::report {
namespace {

std::string one(const Cell& cell) {
  const std::string csv = to_csv({.id = "t", .title = "", .columns = {{"x"}}, .rows = {{cell}}});
  EXPECT_TRUE(csv.starts_with("x\r\n"));
  EXPECT_TRUE(csv.ends_with("\r\n"));
  return csv.substr(3, csv.size() - 5);
}

TEST(Csv, FieldsAreQuotedAndNumbersWhole) {
  struct Case {
    const char* why;
    Cell cell;
    const char* field;
  };
  const Case kCases[] = {
      {"plain", std::string("conv1"), "conv1"},
      {"a comma", std::string("a,b"), "\"a,b\""},
      {"quotes", std::string("\"a\"\""), "\"\"\"a\"\"\"\"\""},
      {"a line", std::string("a\r\nb"), "\"a\r\nb\""},
      {"blanks that a reader may drop", std::string(" a"), "\" a\""},
      {"a formula", std::string("=1+1"), "'=1+1"},
      {"a formula with a comma", std::string("=HYPERLINK(\"x\",1)"), "\"'=HYPERLINK(\"\"x\"\",1)\""},
      {"plus", std::string("+1"), "'+1"},
      {"minus", std::string("-1"), "'-1"},
      {"at", std::string("@SUM(A1)"), "'@SUM(A1)"},
      {"a tab", std::string("\t=1"), "'\t=1"},
      {"a carriage return", std::string("\r=1"), "\"'\r=1\""},
      {"an escape sequence", std::string("\033[31m"), "\uFFFD[31m"},
      {"broken UTF-8", std::string("\xff"), "\uFFFD"},
      {"a count in full", std::uint64_t{568'740'352}, "568740352"},
      {"a number that is no text", -1.0, "-1"},
      {"a double in full", 1.0 / 3, "0.3333333333333333"},
      {"nothing", std::monostate(), ""},
      {"no number", std::numeric_limits<double>::quiet_NaN(), ""},
  };
  for (const Case& test : kCases) {
    SCOPED_TRACE(test.why);
    EXPECT_EQ(one(test.cell), test.field);
  }
}

TEST(Csv, HasAHeadingAndNoTotal) {
  const Table table = {.id = "t",
                       .title = "T",
                       .columns = {{"Layer, name"}, {"MACs", Unit::kCount}},
                       .rows = {{std::string("a"), std::uint64_t{1}}, {std::string("b"), std::uint64_t{2}}},
                       .total = {std::string("all"), std::uint64_t{3}},
                       .note = "note"};
  EXPECT_EQ(to_csv(table), "\"Layer, name\",MACs\r\na,1\r\nb,2\r\n");
}

}  // namespace
}  // namespace sepal::report
