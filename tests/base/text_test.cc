#include "sepal/base/text.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>

#include "sepal/base/checked.h"
#include "sepal/base/range.h"
#include "tests/raises.h"

namespace sepal {
namespace {

TEST(Printable, MakesOneSafeLine) {
  struct Case {
    const char* why;
    std::string text;
    std::string expected;
  };
  const Case kCases[] = {
      {"plain text stays", "conv_1/depthwise", "conv_1/depthwise"},
      {"UTF-8 stays", "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xb1", "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xb1"},
      {"line breaks and escapes are shown", "a\nb\x1b[31m", "a\\x0ab\\x1b[31m"},
      {"delete is shown", "\x7f", "\\x7f"},
      {"a broken sequence is shown byte by byte", "\xc3(", "\\xc3("},
      {"a sequence that is cut off", "\xe2\x82", "\\xe2\\x82"},
      {"an overlong form is not UTF-8", "\xc0\xaf", "\\xc0\\xaf"},
      {"a longer overlong form, half a pair, past the last", "\xe0\x80\x80 \xed\xa0\x80 \xf4\x90\x80\x80",
       "\\xe0\\x80\\x80 \\xed\\xa0\\x80 \\xf4\\x90\\x80\\x80"},
      {"the second set of controls drives terminals too",
       "\xc2\x9b"
       "2J",
       "\\xc2\\x9b2J"},
      {"what turns the direction of writing",
       "a\xe2\x80\xae"
       "b",
       "a\\xe2\\x80\\xae"
       "b"},
      {"nothing", "", ""},
  };
  for (const Case& test : kCases) EXPECT_EQ(printable(test.text), test.expected) << test.why;
  EXPECT_EQ(printable(std::string(500, 'x'), 10), "xxxxxxxxxx...");
}

TEST(Nearest, FindsWhatWasMeant) {
  constexpr std::array<std::string_view, 3> kVerbs = {"run", "inspect", "completion"};
  EXPECT_EQ(nearest("rnu", kVerbs), "run");  // neighbours swapped are one edit
  EXPECT_EQ(nearest("nru", kVerbs), "");     // two edits in three letters: anything could be meant
  EXPECT_EQ(nearest("rum", kVerbs), "run");
  EXPECT_EQ(nearest("inpsect", kVerbs), "inspect");
  EXPECT_EQ(nearest("completions", kVerbs), "completion");
  EXPECT_EQ(nearest("zoo", kVerbs), "");
  EXPECT_EQ(nearest("", kVerbs), "");
}

TEST(HumanBytes, ChoosesTheUnit) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(1023), "1023 B");
  EXPECT_EQ(human_bytes(1536), "1.5 KiB");
  EXPECT_EQ(human_bytes(3.0 * 1024 * 1024 * 1024), "3.0 GiB");
}

TEST(Grouped, SetsCommas) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(300774272), "300,774,272");
  EXPECT_EQ(grouped(-1234), "-1,234");
  EXPECT_EQ(grouped(-123), "-123");
}

TEST(Error, CarriesThePlace) {
  EXPECT_TRUE(
      raises([] { in_place("net.onnx", [] { in_place("block_3", [] { invalid("no filter for {} channels", 7); }); }); },
             "net.onnx: block_3: no filter for 7 channels", ErrorKind::kInvalid));
  EXPECT_EQ(in_place("anywhere", [] { return 7; }), 7);
}

TEST(Expect, NamesTheLine) {
  expect(true, "nothing happens");
  try {
    expect(false, "a first input");
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInternal);
    EXPECT_NE(std::string(error.what()).find("text_test.cc"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("broken precondition: a first input"), std::string::npos);
  }
}

TEST(Checked, NoticesOverflow) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(checked_multiply(3, -4), -12);
  EXPECT_EQ(checked_multiply(kMost, 2), std::nullopt);
  EXPECT_EQ(checked_add(kMost - 1, 1), kMost);
  EXPECT_EQ(checked_add(kMost, 1), std::nullopt);
}

TEST(Part, CoversTheWholeOnce) {
  for (const std::int64_t parts : {1, 2, 3, 7, 100}) {
    std::int64_t next = 5;
    for (std::int64_t i = 0; i < parts; ++i) {
      const Range range = part({5, 28}, i, parts);
      EXPECT_EQ(range.begin, next);
      next = range.end;
    }
    EXPECT_EQ(next, 28);
  }
}

}  // namespace
}  // namespace sepal
