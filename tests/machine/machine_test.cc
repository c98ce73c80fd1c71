// This machine: how rates are read off it, where it is kept, and that it is measured only when it must be. No test
// looks at how large a measured figure is.

#include "sepal/machine/machine.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <thread>

#include "sepal/base/text.h"
#include "sepal/base/thread_pool.h"
#include "sepal/kernels/target.h"
#include "sepal/machine/machine_file.h"
#include "sepal/machine/system.h"
#include "tests/folder.h"
#include "tests/raises.h"

namespace sepal {
namespace {

Machine laptop() {
  return {.processor = "Nimble",
          .cores = 4,
          .target = "AVX2",
          .flops = 100,
          .all_flops = 350,
          .levels = {{"L1", 1000, 80, 320}, {"L2", 5000, 40, 170}, {"memory", 90'000, 20, 30}}};
}

TEST(Machine, RatesOfSomeThreads) {
  struct Case {
    const char* why;
    int threads;
    double flops, cache, memory;
  };
  constexpr Case kCases[] = {
      {"one", 1, 100, 40, 20},
      {"two, of which memory feeds one and a half", 2, 200, 80, 30},
      {"three", 3, 300, 120, 30},
      {"all, which beat four times one", 4, 350, 170, 30},
      {"more than cores", 9, 350, 170, 30},
      {"none counts as one", 0, 100, 40, 20},
  };
  const Machine machine = laptop();
  for (const Case& test : kCases) {
    SCOPED_TRACE(test.why);
    EXPECT_EQ(machine.flops_of(test.threads), test.flops);
    EXPECT_EQ(machine.bandwidth_of(2000, test.threads), test.cache);
    EXPECT_EQ(machine.bandwidth_of(90'000, test.threads), test.memory);
  }
}

TEST(Machine, TheSmallestLevelThatHoldsIt) {
  struct Case {
    const char* why;
    std::size_t bytes;
    double rate;
  };
  constexpr Case kCases[] = {{"nothing", 0, 80},        {"L1 to the brim", 1000, 80},
                             {"a byte more", 1001, 40}, {"L2 to the brim", 5000, 40},
                             {"memory", 5001, 20},      {"more than there is", 1 << 30, 20}};
  const Machine machine = laptop();
  for (const Case& test : kCases) {
    SCOPED_TRACE(test.why);
    EXPECT_EQ(machine.bandwidth_of(test.bytes, 1), test.rate);
  }
  EXPECT_THROW(Machine().bandwidth_of(1, 1), Error);
}

TEST(Machine, MeasuringFindsEveryLevel) {
  const Machine machine = measure_machine();
  EXPECT_EQ(machine.processor, processor_name());
  EXPECT_EQ(machine.cores, available_cores());
  EXPECT_EQ(machine.target, target_name());
  EXPECT_GE(machine.all_flops, machine.flops);
  const std::vector<Cache> found = caches();
  ASSERT_EQ(machine.levels.size(), found.size() + 1);
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(machine.levels[i].name, format("L{}", found[i].level));
    EXPECT_EQ(machine.levels[i].bytes, found[i].bytes);
    EXPECT_GE(machine.levels[i].all_bytes_per_second, machine.levels[i].bytes_per_second);
  }
  // Names, order, positive and finite figures: whatever the parser asks for.
  EXPECT_EQ(parse_machine(to_text(machine)), machine);
}

/// Sets variables of the environment, and forgets them all.
class CacheFolder : public testing::Test {
 protected:
  CacheFolder() { forget(); }
  ~CacheFolder() override {
    forget();
    pin_target(available_targets().front());
  }
  static void forget() {
    for (const char* name : {"SEPAL_CACHE", "SEPAL_MACHINE", "XDG_CACHE_HOME", "HOME"}) ::unsetenv(name);
  }
  static void set(const char* name, const std::string& value) { ::setenv(name, value.c_str(), 1); }

  Folder folder_;
};

TEST_F(CacheFolder, TheOrderOfTheVariables) {
  EXPECT_EQ(cache_folder(), std::nullopt);
  EXPECT_EQ(machine_file(), std::nullopt);
  set("HOME", "/home/somebody");
  EXPECT_EQ(cache_folder(), "/home/somebody/.cache/sepal");
  set("XDG_CACHE_HOME", "relative, which the standard says to ignore");
  EXPECT_EQ(cache_folder(), "/home/somebody/.cache/sepal");
  set("XDG_CACHE_HOME", "/var/cache/somebody");
  EXPECT_EQ(cache_folder(), "/var/cache/somebody/sepal");
  set("SEPAL_CACHE", "");
  EXPECT_EQ(cache_folder(), "/var/cache/somebody/sepal");
  set("SEPAL_CACHE", "kept/here");
  EXPECT_EQ(cache_folder(), "kept/here");
}

TEST_F(CacheFolder, TheFileIsNamedForProcessorCoresAndTarget) {
  set("SEPAL_CACHE", "/c");
  const std::string best = machine_file()->string();
  EXPECT_EQ(best.find("/c/machine-"), 0U);
  EXPECT_EQ(best.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-.", 3), std::string::npos) << best;
  if (available_targets().size() > 1) {
    pin_target(available_targets().back());
    EXPECT_NE(machine_file()->string(), best);
  }
}

/// What would be kept for this machine, with a figure that none has, so that it shows when it is used.
Machine marked() {
  Machine machine = laptop();
  machine.processor = processor_name();
  machine.cores = available_cores();
  machine.target = target_name();
  machine.flops = 0.125;
  return machine;
}

TEST_F(CacheFolder, WhatWasKeptIsUsed) {
  set("SEPAL_CACHE", folder_.path().string());
  for (const std::string& target : available_targets()) {
    pin_target(target);
    ASSERT_TRUE(keep_machine(marked(), *machine_file()));
  }
  std::vector<const Machine*> all;
  for (const std::string& target : available_targets()) {
    pin_target(target);
    all.push_back(&this_machine());
    EXPECT_EQ(this_machine(), marked());
    EXPECT_EQ(&this_machine(), all.back());
  }
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i]->target, available_targets()[i]) << "moved";
}

TEST_F(CacheFolder, WhatIsOddIsMeasuredAgain) {
  set("SEPAL_CACHE", folder_.path().string());
  const std::string name = machine_file()->filename().string();
  const auto with = [](auto change) {
    Machine machine = marked();
    change(machine);
    return to_text(machine);
  };
  const std::string good = to_text(marked());
  folder_.write(name, good);
  ASSERT_EQ(kept_machine(), marked());
  const std::pair<const char*, std::string> kCases[] = {
      {"empty", ""},
      {"half written", good.substr(0, good.size() / 2)},
      {"another's", with([](Machine& machine) { machine.processor = "Nimble"; })},
      {"of more cores", with([](Machine& machine) { ++machine.cores; })},
      {"of another instruction set", with([](Machine& machine) { machine.target = "MMX"; })},
      {"a figure that cannot be", with([](Machine& machine) { machine.levels[0].bytes_per_second = -1; })},
  };
  for (const auto& [why, text] : kCases) {
    SCOPED_TRACE(why);
    folder_.write(name, text);
    EXPECT_EQ(kept_machine(), std::nullopt);
  }
  EXPECT_NE(this_machine().flops, 0.125);
  EXPECT_EQ(kept_machine(), this_machine()) << "the odd file was not replaced";
}

TEST_F(CacheFolder, WhatWasDisturbedIsMeasuredAgainAnHourLater) {
  set("SEPAL_CACHE", folder_.path().string());
  Machine disturbed = marked();
  disturbed.undisturbed = false;
  using std::chrono::minutes;
  struct Case {
    const char* why;
    Machine kept;
    minutes age;
    bool used;
  };
  const Case kCases[] = {
      {"disturbed just now: what disturbed it may go on", disturbed, minutes(1), true},
      {"disturbed long ago", disturbed, minutes(61), false},
      {"undisturbed long ago", marked(), minutes(60 * 24 * 365), true},
      {"disturbed, by a clock that was ahead", disturbed, minutes(-60), true},
  };
  for (const Case& test : kCases) {
    SCOPED_TRACE(test.why);
    ASSERT_TRUE(keep_machine(test.kept, *machine_file()));
    std::filesystem::last_write_time(*machine_file(), std::filesystem::file_time_type::clock::now() - test.age);
    EXPECT_EQ(kept_machine(), test.used ? std::optional(test.kept) : std::nullopt);
  }
}

TEST_F(CacheFolder, ManyThreadsMeetOneMachine) {
  set("SEPAL_CACHE", folder_.path().string());
  ASSERT_TRUE(keep_machine(marked(), *machine_file()));
  std::vector<const Machine*> seen(8);
  std::vector<std::thread> threads;
  for (const Machine*& machine : seen) threads.emplace_back([&machine] { machine = &this_machine(); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(*seen[0], marked());
  for (const Machine* machine : seen) EXPECT_EQ(machine, seen[0]);
}

TEST(MachineOfAFile, IsWhatSepalMachineNames) {
  const Folder folder;
  const std::filesystem::path phone = folder.write("phone.txt", to_text(laptop()));
  const std::filesystem::path bad = folder.write("bad.txt", "sepal-machine 1\nprocessor x\ncores 0\n");
  ::setenv("SEPAL_MACHINE", phone.c_str(), 1);
  const Machine& first = this_machine();
  EXPECT_EQ(first, laptop());
  ::setenv("SEPAL_MACHINE", bad.c_str(), 1);
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(
        raises([] { this_machine(); },
               "SEPAL_MACHINE: " + bad.string() + ": line 3: cores is a whole number from 1 to 65536, not \"0\"",
               ErrorKind::kInvalid));
  }
  ::setenv("SEPAL_MACHINE", phone.c_str(), 1);
  EXPECT_EQ(&this_machine(), &first);
  ::unsetenv("SEPAL_MACHINE");
}

}  // namespace
}  // namespace sepal
