#include "sepal/base/mapped_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
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

std::string text_of(const std::filesystem::path& path) {
  const MappedFile file(path);
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

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
  // A folder in the way is not touched.
  std::filesystem::create_directories(folder / "taken" / "inside");
  EXPECT_TRUE(raises([&] { write_file(folder / "taken", bytes_of("x")); },
                     (folder / "taken").string() + ": is a folder, not a file", ErrorKind::kIo));
  const auto file = folder / "file";
  write_file(file, bytes_of("x"));
  EXPECT_TRUE(raises([&] { write_file(file / "below", bytes_of("x")); },
                     (file / "below").string() + ": cannot be written: Not a directory", ErrorKind::kIo));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 2);
}

TEST_F(Files, LinksStayAndWhatTheyNameIsWritten) {
  std::filesystem::create_directories(folder / "below");
  write_file(folder / "below" / "target", bytes_of("old"));
  const std::filesystem::path there = folder / "below" / "target";
  struct Case {
    const char* why;
    const char* link;
    std::filesystem::path names;
    std::filesystem::path written;
  };
  const Case kCases[] = {
      {"a whole path", "whole", there, there},
      {"a path from where the link is", "short", "below/target", there},
      {"a link to a link", "chain", "short", there},
      {"a file that is not there yet", "early", "below/new", folder / "below" / "new"},
  };
  for (const Case& test : kCases) {
    SCOPED_TRACE(test.why);
    std::filesystem::create_symlink(test.names, folder / test.link);
    write_file(folder / test.link, bytes_of(test.why));
    EXPECT_TRUE(std::filesystem::is_symlink(folder / test.link));
    EXPECT_TRUE(std::filesystem::is_regular_file(std::filesystem::symlink_status(test.written)));
    EXPECT_EQ(text_of(test.written), test.why);
  }
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder / "below"), {}), 2) << "a temporary is left";

  const auto loop = folder / "loop";
  std::filesystem::create_symlink("loop", loop);
  EXPECT_TRUE(raises([&] { write_file(loop, bytes_of("x")); },
                     loop.string() + ": cannot be written: Too many levels of symbolic links", ErrorKind::kIo));
}

TEST_F(Files, APipeIsWrittenNotReplaced) {
  const auto pipe = folder / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const int reader = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  ASSERT_GE(reader, 0);
  write_file(pipe, bytes_of("through"));
  char text[16];
  EXPECT_EQ(::read(reader, text, sizeof(text)), 7);
  EXPECT_EQ(std::string(text, 7), "through");
  ::close(reader);
  EXPECT_TRUE(std::filesystem::is_fifo(pipe));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);
}

TEST_F(Files, ADeviceIsWrittenNotReplaced) {
  // The device that is always full, under a name of our own: never that of the system.
  const auto full = folder / "full";
  if (::mknod(full.c_str(), S_IFCHR | 0600, ::makedev(1, 7)) != 0) GTEST_SKIP() << "making devices is for root";
  const int opened = ::open(full.c_str(), O_WRONLY | O_CLOEXEC);
  if (opened < 0) GTEST_SKIP() << "devices do not work in the folder for temporary files";
  ::close(opened);
  EXPECT_TRUE(raises([&] { write_file(full, bytes_of("x")); },
                     full.string() + ": cannot be written: No space left on device", ErrorKind::kIo));
  EXPECT_TRUE(std::filesystem::is_character_file(full));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);
}

TEST(MachineMemory, IsSomeMegabytesAtLeast) { EXPECT_GT(machine_memory(), std::size_t{64} << 20); }

}  // namespace
}  // namespace sepal
