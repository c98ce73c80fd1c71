#include "sepal/base/thread_pool.h"

#include <dirent.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <barrier>
#include <chrono>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace sepal {
namespace {

std::vector<int> counts_of(const std::vector<std::atomic<int>>& counts) { return {counts.begin(), counts.end()}; }

TEST(ThreadPool, RunsEveryPartOnce) {
  struct Case {
    const char* why;
    int parts;
    int threads;
  };
  constexpr Case kCases[] = {
      {"nothing to do", 0, 4},
      {"one part needs no worker", 1, 4},
      {"no threads asked for: the caller does it", 5, 0},
      {"one thread: the caller does it", 5, 1},
      {"as many parts as threads", 4, 4},
      {"more threads than parts", 3, 8},
      {"many more parts than threads", 1000, 3},
  };
  ThreadPool pool;
  for (const Case& test : kCases) {
    SCOPED_TRACE(test.why);
    for (int repeat = 0; repeat < 100; ++repeat) {
      std::vector<std::atomic<int>> counts(static_cast<std::size_t>(test.parts));
      pool.run(test.parts, test.threads, [&](int part) { ++counts[static_cast<std::size_t>(part)]; });
      EXPECT_EQ(counts_of(counts), std::vector<int>(counts.size(), 1));
    }
  }
}

TEST(ThreadPool, WorksOnSeveralThreadsAtOnce) {
  ThreadPool pool;
  EXPECT_EQ(pool.reserve(3), 3);
  EXPECT_EQ(pool.reserve(2), 3);
  // Each part waits for the other two, so this ends only if three threads are inside together.
  std::barrier all(3);
  pool.run(3, 3, [&](int) { all.arrive_and_wait(); });
}

TEST(ThreadPool, OneThreadStaysOnTheCaller) {
  ThreadPool pool;
  pool.reserve(4);
  const std::thread::id caller = std::this_thread::get_id();
  pool.run(10, 1, [&](int) { EXPECT_EQ(std::this_thread::get_id(), caller); });
}

TEST(ThreadPool, ACallerThatFindsItBusyDoesItsOwnParts) {
  ThreadPool pool;
  pool.reserve(2);
  std::barrier occupied(3);  // both parts and this test
  std::barrier release(3);
  std::thread first([&] {
    pool.run(2, 2, [&](int) {
      occupied.arrive_and_wait();
      release.arrive_and_wait();
    });
  });
  occupied.arrive_and_wait();
  const std::thread::id caller = std::this_thread::get_id();
  int done = 0;
  pool.run(4, 2, [&](int part) {
    EXPECT_EQ(std::this_thread::get_id(), caller);
    EXPECT_EQ(part, done++);
  });
  EXPECT_EQ(done, 4);
  release.arrive_and_wait();
  first.join();
}

TEST(ThreadPool, ManyCallersAtOnce) {
  ThreadPool pool;
  std::vector<std::thread> callers;
  std::atomic<int> total{0};
  for (int caller = 0; caller < 6; ++caller) {
    callers.emplace_back([&] {
      for (int repeat = 0; repeat < 300; ++repeat) {
        std::atomic<int> sum{0};
        pool.run(7, 3, [&](int part) { sum += part + 1; });
        EXPECT_EQ(sum, 28);
        ++total;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(total, 1800);
}

TEST(ThreadPool, ACallFromInsideAPartRunsThere) {
  ThreadPool pool;
  std::atomic<int> total{0};
  pool.run(4, 3, [&](int) {
    const std::thread::id outer = std::this_thread::get_id();
    pool.run(5, 3, [&](int) {
      EXPECT_EQ(std::this_thread::get_id(), outer);
      ++total;
    });
  });
  EXPECT_EQ(total, 20);
}

TEST(ThreadPool, ClosesWhileItsWorkersSpinOrSleep) {
  for (int repeat = 0; repeat < 50; ++repeat) {
    ThreadPool pool;
    pool.reserve(3);
    if (repeat % 2 == 0) pool.run(3, 3, [](int) {});
  }
}

// The state letter of every other thread of this process, as /proc shows it: S is asleep, R runs.
std::string states_of_other_threads() {
  std::string states;
  const std::string own = std::to_string(syscall(SYS_gettid));
  DIR* tasks = opendir("/proc/self/task");
  if (tasks == nullptr) return states;
  while (const dirent* entry = readdir(tasks)) {
    const std::string name = entry->d_name;
    if (name == "." || name == ".." || name == own) continue;
    std::ifstream file("/proc/self/task/" + name + "/stat");
    std::string line;
    std::getline(file, line);
    const std::size_t end = line.rfind(')');
    if (end != std::string::npos && end + 2 < line.size()) states += line[end + 2];
  }
  closedir(tasks);
  return states;
}

TEST(ThreadPool, ItsWorkersGoToSleep) {
  if (states_of_other_threads().find_first_not_of('S') != std::string::npos) GTEST_SKIP() << "other threads run";
  const std::size_t others = states_of_other_threads().size();
  ThreadPool pool;
  pool.run(300, 3, [](int) {});
  // However long it takes on a loaded machine: the loop ends only when all sleep.
  for (;;) {
    const std::string states = states_of_other_threads();
    if (states.empty()) GTEST_SKIP() << "no /proc here";
    ASSERT_LE(states.size(), others + 3);  // two workers, and one that a sanitizer may start
    if (states.find_first_not_of('S') == std::string::npos) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

TEST(ThreadPool, SharedIsOne) { EXPECT_EQ(&ThreadPool::shared(), &ThreadPool::shared()); }

TEST(ThreadPool, ThereIsACore) { EXPECT_GE(available_cores(), 1); }

}  // namespace
}  // namespace sepal
