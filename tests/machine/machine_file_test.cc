// A machine written and read again, and every line that may be wrong.

#include "sepal/machine/machine_file.h"

#include <gtest/gtest.h>

#include "sepal/base/text.h"
#include "tests/folder.h"
#include "tests/raises.h"

namespace sepal {
namespace {

Machine laptop() {
  return {.processor = "Nimble Core 9 @ 3.2 GHz",
          .cores = 8,
          .target = "AVX2",
          .flops = 1.0 / 3 * 1e11,
          .all_flops = 7e11,
          .levels = {{"L1", 49152, 3e11, 2.4e12}, {"L2", 1 << 20, 1.5e11, 1e12}, {"memory", 1ULL << 34, 2e10, 4.5e10}}};
}

constexpr const char* kLines[] = {"sepal-machine 1",
                                  "processor Nimble Core 9",
                                  "cores 8",
                                  "target AVX2",
                                  "flops 1e11",
                                  "all_flops 7e11",
                                  "level L1 49152 3e11 2e12",
                                  "level memory 65536 2e10 4e10",
                                  "undisturbed yes"};

/// The file with line `number`, counted from 1, replaced by `line`, which may be several.
std::string with_line(std::size_t number, const std::string& line) {
  std::string text;
  for (std::size_t i = 0; i < std::size(kLines); ++i) text += (i + 1 == number ? line : kLines[i]) + std::string("\n");
  return text;
}

TEST(MachineFile, WrittenAndReadAgainIsTheSame) {
  EXPECT_EQ(parse_machine(to_text(laptop())), laptop());
  Machine busy = laptop();
  busy.undisturbed = false;
  EXPECT_EQ(parse_machine(to_text(busy)), busy);
  const Folder folder;
  const std::filesystem::path file = folder.path() / "a" / "b" / "machine.txt";
  ASSERT_TRUE(keep_machine(laptop(), file));
  EXPECT_EQ(read_machine(file), laptop());
  Machine other = laptop();
  other.cores = 1;
  ASSERT_TRUE(keep_machine(other, file));
  EXPECT_EQ(read_machine(file).cores, 1);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(file.parent_path()), {}), 1) << "a temporary was left";
}

TEST(MachineFile, WhereItCannotBeWrittenIsNoError) {
  const Folder folder;
  EXPECT_FALSE(keep_machine(laptop(), folder.write("file", "") / "machine.txt"));
  EXPECT_FALSE(keep_machine(laptop(), folder.path()));
}

TEST(MachineFile, EveryLineIsChecked) {
  ASSERT_EQ(parse_machine(with_line(0, "")).cores, 8);
  struct Case {
    const char* why;
    std::size_t line;
    std::string text;
    std::string message;
  };
  const Case kCases[] = {
      {"another version", 1, "sepal-machine 2", "line 1: \"sepal-machine 1\" belongs here, not \"sepal-machine 2\""},
      {"another kind of file", 1,
       "\x7f"
       "ELF",
       "line 1: \"sepal-machine 1\" belongs here, not \"\\x7fELF\""},
      {"another key", 2, "cpu x", "line 2: \"processor ...\" belongs here, not \"cpu x\""},
      {"a key that goes on", 2, "processors x", "line 2: \"processor ...\" belongs here, not \"processors x\""},
      {"a key without a value", 2, "processor ", "line 2: \"processor ...\" belongs here, not \"processor \""},
      {"a name with control characters", 2, "processor a\tb", "line 2: processor is no plain name: \"a\\x09b\""},
      {"a name without end", 4, "target " + std::string(201, 'x'),
       "line 4: target is no plain name: \"" + std::string(120, 'x') + "...\""},
      {"no cores", 3, "cores 0", "line 3: cores is a whole number from 1 to 65536, not \"0\""},
      {"half a core", 3, "cores 1.5", "line 3: cores is a whole number from 1 to 65536, not \"1.5\""},
      {"cores below nothing", 3, "cores -1", "line 3: cores is a whole number from 1 to 65536, not \"-1\""},
      {"cores beyond an int", 3, "cores 4294967297",
       "line 3: cores is a whole number from 1 to 65536, not \"4294967297\""},
      {"a blank too many", 3, "cores  8", "line 3: cores is a whole number from 1 to 65536, not \" 8\""},
      {"nothing a second", 5, "flops 0", "line 5: flops is a positive number, not \"0\""},
      {"less than nothing", 5, "flops -1e9", "line 5: flops is a positive number, not \"-1e9\""},
      {"no number", 5, "flops nan", "line 5: flops is a positive number, not \"nan\""},
      {"infinite", 6, "all_flops inf", "line 6: all_flops is a positive number, not \"inf\""},
      {"beyond a double", 6, "all_flops 1e999", "line 6: all_flops is a positive number, not \"1e999\""},
      {"a unit", 6, "all_flops 7GF", "line 6: all_flops is a positive number, not \"7GF\""},
      {"a line left out", 6, kLines[6], "line 6: \"all_flops ...\" belongs here, not \"level L1 49152 3e11 2e12\""},
      {"a level with too little", 7, "level L1 49152 3e11",
       "line 7: a level is NAME BYTES RATE RATE, not \"L1 49152 3e11\""},
      {"a level with too much", 7, "level L1 49152 3e11 2e12 4",
       "line 7: a level is NAME BYTES RATE RATE, not \"L1 49152 3e11 2e12 4\""},
      {"a level with a blank behind", 7, "level L1 49152 3e11 2e12 ",
       "line 7: a level is NAME BYTES RATE RATE, not \"L1 49152 3e11 2e12 \""},
      {"a level that is none", 7, "level disk 49152 3e11 2e12",
       "line 7: a level is called L1 to L9 or memory, not \"disk\""},
      {"a level without room", 7, "level L1 0 3e11 2e12",
       "line 7: the size of a level is a whole number from 1 to 1152921504606846976, not \"0\""},
      {"a level beyond any machine", 7, "level L1 1152921504606846977 3e11 2e12",
       "line 7: the size of a level is a whole number from 1 to 1152921504606846976, not \"1152921504606846977\""},
      {"a rate that is none", 7, "level L1 49152 fast 2e12",
       "line 7: the rate of a level is a positive number, not \"fast\""},
      {"memory smaller than a cache", 8, "level memory 49152 2e10 4e10",
       "line 8: memory of 49152 bytes is no larger than L1 of 49152"},
      {"no memory", 8, "level L2 65536 2e10 4e10", "line 9: \"level ...\" belongs here, not \"undisturbed yes\""},
      {"a level after memory", 8, std::string(kLines[7]) + "\nlevel L4 99999999 1 1",
       "line 9: \"undisturbed ...\" belongs here, not \"level L4 99999999 1 1\""},
      {"neither yes nor no", 9, "undisturbed 1", "line 9: undisturbed is yes or no, not \"1\""},
      {"a line left out at the end", 9, "", "line 9: \"undisturbed ...\" belongs here, not \"\""},
      {"something after the end", 9, std::string(kLines[8]) + "\n", "line 10: nothing belongs after the last line"},
  };
  for (const Case& test : kCases) {
    SCOPED_TRACE(test.why);
    EXPECT_TRUE(raises([&] { parse_machine(with_line(test.line, test.text)); }, test.message, ErrorKind::kInvalid));
  }
}

TEST(MachineFile, AnEndWithoutALineIsRefused) {
  EXPECT_TRUE(raises([] { parse_machine(with_line(0, "") + "more"); },
                     "line 10: the file ends in the middle of a line, or too early", ErrorKind::kInvalid));
  EXPECT_TRUE(raises([] { parse_machine(""); }, "line 1: the file ends in the middle of a line, or too early",
                     ErrorKind::kInvalid));
}

TEST(MachineFile, HalfAFileIsRefusedWhereverItEnds) {
  const std::string text = with_line(0, "");
  for (std::size_t length = 0; length < text.size(); ++length) {
    EXPECT_THROW(parse_machine(text.substr(0, length)), Error) << length;
  }
}

TEST(MachineFile, ErrorsNameTheFile) {
  const Folder folder;
  const std::filesystem::path bad = folder.write("bad.txt", with_line(3, "cores many"));
  EXPECT_TRUE(raises([&] { read_machine(bad); },
                     bad.string() + ": line 3: cores is a whole number from 1 to 65536, not \"many\"",
                     ErrorKind::kInvalid));
  const std::filesystem::path large = folder.write("large.txt", std::string(2 << 20, ' '));
  EXPECT_TRUE(raises([&] { read_machine(large); },
                     large.string() + ": is 2.0 MiB long; a machine is described in a few lines", ErrorKind::kInvalid));
  const std::filesystem::path none = folder.path() / "none.txt";
  EXPECT_TRUE(raises([&] { read_machine(none); }, none.string() + ": cannot be opened: No such file or directory",
                     ErrorKind::kIo));
}

}  // namespace
}  // namespace sepal
