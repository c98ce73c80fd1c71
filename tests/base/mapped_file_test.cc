#include "sepal/base/mapped_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "sepal/base/memory.h"
#include "tests/raises.h"

namespace sepal {
namespace {

class Files : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder); }
  void TearDown() override { std::filesystem::remove_all(folder); }

  std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / ("sepal_mapped_file_test." + std::to_string(::getpid()));
};

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

TEST_F(Files, WrittenIsRead) {
  const auto path = folder / "a.bin";
  write_file(path, bytes_of("first"));
  write_file(path, bytes_of("the second, longer one"));
  MappedFile file(path);
  ASSERT_EQ(file.bytes().size(), 22u);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(file.bytes().data()), 22), "the second, longer one");
  MappedFile moved = std::move(file);
  EXPECT_EQ(moved.bytes().size(), 22u);
  // Nothing but the file itself is left in the folder.
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);
}

TEST_F(Files, AnEmptyFileHasNoBytes) {
  write_file(folder / "empty", {});
  EXPECT_TRUE(MappedFile(folder / "empty").bytes().empty());
}

TEST_F(Files, WhatCannotBeReadSaysWhy) {
  const std::string name = (folder / "absent").string();
  EXPECT_TRUE(raises([&] { MappedFile{folder / "absent"}; }, name + ": cannot be opened: No such file or directory",
                     ErrorKind::kIo));
  EXPECT_TRUE(raises([&] { MappedFile{folder}; }, folder.string() + ": is a folder, not a file", ErrorKind::kIo));
  const auto pipe = folder / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_TRUE(raises([&] { MappedFile{pipe}; }, pipe.string() + ": is not a regular file", ErrorKind::kIo));
}

TEST_F(Files, WhatCannotBeWrittenSaysWhyAndLeavesNothing) {
  const auto path = folder / "no" / "folder";
  EXPECT_TRUE(raises([&] { write_file(path, bytes_of("x")); },
                     path.string() + ": cannot be written: No such file or directory", ErrorKind::kIo));
  // A folder in the way: the temporary file is written, cannot be renamed, and is removed.
  std::filesystem::create_directories(folder / "taken" / "inside");
  EXPECT_TRUE(raises([&] { write_file(folder / "taken", bytes_of("x")); },
                     (folder / "taken").string() + ": cannot be written: Is a directory", ErrorKind::kIo));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);
}

TEST(MachineMemory, IsSomeMegabytesAtLeast) { EXPECT_GT(machine_memory(), std::size_t{64} << 20); }

}  // namespace
}  // namespace sepal
