// What the system says, and what is made of it when it talks nonsense.

#include "sepal/machine/system.h"

#include <gtest/gtest.h>

#include <tuple>

#include "sepal/base/memory.h"
#include "tests/folder.h"

namespace sepal {
namespace {

TEST(System, TheProcessorsName) {
  struct Case {
    const char* why;
    const char* cpuinfo;
    const char* name;
  };
  constexpr Case kCases[] = {
      {"x86", "processor\t: 0\nvendor_id\t: A\nmodel\t\t: 17\nmodel name\t: AMD EPYC  9965 \n", "AMD EPYC  9965"},
      {"a board", "processor\t: 0\nCPU part\t: 0xd0b\n\nModel\t\t: Raspberry Pi 5\n", "Raspberry Pi 5"},
      {"an empty name counts as none", "model name\t:\nHardware: Board\n", "Board"},
      {"two sockets", "model name: first\nmodel name: second\n", "first"},
      {"control characters", "model name: a\x1b[2Jb\n", "a\\x1b[2Jb"},
      {"no name", "processor: 0\n", "unknown"},
      {"nothing", "", "unknown"},
  };
  const Folder folder;
  for (const Case& test : kCases) {
    SCOPED_TRACE(test.why);
    EXPECT_EQ(processor_name(folder.write("cpuinfo", test.cpuinfo)), test.name);
  }
  EXPECT_EQ(processor_name(folder.path() / "none"), "unknown");
  EXPECT_LE(processor_name(folder.write("cpuinfo", "model name: " + std::string(5'000, 'x'))).size(), 103U);
}

// Level, type, size and sharers of index0, index1 ...
using Index = std::tuple<const char*, const char*, const char*, const char*>;

TEST(System, CachesAsLinuxDescribesThem) {
  struct Case {
    const char* why;
    std::vector<Index> indices;
    std::vector<Cache> caches;
  };
  const std::vector<Cache> l1 = {{1, 48 * 1024, 1}};
  const Index index1 = {"1", "Data", "48K", "0"};
  const Case kCases[] = {
      {"three levels, instructions between them",
       {{"1", "Data", "32K", "0,64"},
        {"1", "Instruction", "32K", "0,64"},
        {"2", "Unified", "1024K", "0,64"},
        {"3", "Unified", "32M", "0-7,64-71"}},
       {{1, 32 * 1024, 2}, {2, 1024 * 1024, 2}, {3, 32 * 1024 * 1024, 16}}},
      {"the other way round", {{"2", "Unified", "1G", "0"}, index1}, {l1[0], {2, std::size_t{1} << 30, 1}}},
      {"a size in bytes", {{"1", "Data", "49152", "0"}}, l1},
      {"a level without a size", {index1, {"2", "Unified", "", "0"}}, l1},
      {"a size of nothing", {index1, {"2", "Unified", "0K", "0"}}, l1},
      {"a size below nothing", {index1, {"2", "Unified", "-512K", "0"}}, l1},
      {"a size that overflows", {index1, {"2", "Unified", "18446744073709551615G", "0"}}, l1},
      {"a size beyond any number", {index1, {"2", "Unified", "99999999999999999999999K", "0"}}, l1},
      {"a size beyond any cache", {index1, {"2", "Unified", "5G", "0"}}, l1},
      {"a unit that is none", {index1, {"2", "Unified", "512Q", "0"}}, l1},
      {"a size with a tail", {index1, {"2", "Unified", "512KB", "0"}}, l1},
      {"smaller than the level before", {index1, {"2", "Unified", "16K", "0"}}, l1},
      {"the same level twice", {index1, {"1", "Data", "64K", "0"}}, l1},
      {"a level that is none", {index1, {"two", "Unified", "512K", "0"}}, l1},
      {"a type that is none", {index1, {"2", "Mystery", "512K", "0"}}, l1},
      {"sharers that are no list", {{"1", "Data", "48K", "all"}}, l1},
      {"sharers backwards", {{"1", "Data", "48K", "7-0"}}, l1},
      {"sharers with a tail", {{"1", "Data", "48K", "0-3;"}}, l1},
      {"a list that ends in a comma", {{"1", "Data", "48K", "0-3,"}}, l1},
      {"more sharers than there are processors", {{"1", "Data", "48K", "0-99999999"}}, l1},
  };
  for (const Case& test : kCases) {
    SCOPED_TRACE(test.why);
    const Folder folder;
    for (std::size_t i = 0; i < test.indices.size(); ++i) {
      const auto& [level, type, size, sharers] = test.indices[i];
      const std::string place = "index" + std::to_string(i) + "/";
      folder.write(place + "level", std::string(level) + "\n");
      folder.write(place + "type", std::string(type) + "\n");
      folder.write(place + "size", std::string(size) + "\n");
      folder.write(place + "shared_cpu_list", std::string(sharers) + "\n");
    }
    EXPECT_EQ(caches(folder.path()), test.caches);
  }
}

TEST(System, ThereAreAlwaysCaches) {
  for (const std::filesystem::path& folder : {std::filesystem::path("/nowhere"), std::filesystem::path("/dev/null")}) {
    const std::vector<Cache> found = caches(folder);
    ASSERT_FALSE(found.empty());
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_GE(found[i].bytes, 4096U);
      EXPECT_GE(found[i].sharers, 1);
      EXPECT_TRUE(i == 0 || found[i].bytes > found[i - 1].bytes);
    }
  }
}

TEST(System, FreeMemory) {
  const Folder folder;
  EXPECT_EQ(free_memory(folder.write("meminfo", "MemTotal: 9 kB\nMemAvailable:    2048 kB\n")), 2048U * 1024);
  for (const char* text : {"", "MemFree: 1 kB\n", "MemAvailable: many kB\n", "MemAvailable: 2048 MB\n",
                           "MemAvailable: 18446744073709551615 kB\n"}) {
    SCOPED_TRACE(text);
    EXPECT_EQ(free_memory(folder.write("meminfo", text)), machine_memory());
  }
}

}  // namespace
}  // namespace sepal
