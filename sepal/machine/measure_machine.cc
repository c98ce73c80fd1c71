#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <ctime>
#include <limits>
#include <span>

#include "sepal/base/memory.h"
#include "sepal/base/text.h"
#include "sepal/base/thread_pool.h"
#include "sepal/kernels/ceiling.h"
#include "sepal/kernels/target.h"
#include "sepal/machine/machine.h"
#include "sepal/machine/system.h"
#include "sepal/tensor/tensor.h"

// The ceilings, by timing the two loops of kernels/ceiling.h: on one thread and on all, out of buffers that each level
// holds. A repetition is long beside the start of threads and the clock, and short beside a scheduler's turn, so that
// some go undisturbed.

namespace sepal {
namespace {

constexpr double kRepetition = 0.003;  // seconds, at least
constexpr double kFigure = 0.07;       // seconds for the repetitions of one figure
constexpr double kPatience = 0.28;     // the same while none had the cores for itself
constexpr double kOwnShare = 0.9;      // of the cores' time that makes a repetition undisturbed
constexpr int kLeastRepetitions = 5;   // where memory is so slow that they take longer

constexpr std::size_t kMostBuffer = std::size_t{256} << 20;
constexpr std::size_t kLeastBuffer = std::size_t{1} << 20;
constexpr std::size_t kLine = 64;

/// What one thread did, and the processor time that it took.
struct Share {
  double done = 0;
  double seconds = 0;
};

double seconds_of(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

/// Times work on threads of its own, so that nobody who keeps the shared pool busy makes it run in turns.
class Stopwatch {
 public:
  /// The most that `threads` threads did in a second, of what work(thread, rounds) returns for its part.
  template <typename Work>
  double best_rate(int threads, const Work& work) {
    std::int64_t rounds = 1;
    while (repeat(threads, rounds, work) < kRepetition && rounds < std::numeric_limits<std::int32_t>::max()) {
      rounds *= 2;
    }
    double best = 0;
    double spent = 0;
    bool alone = false;
    for (int i = 0; i < kLeastRepetitions || spent < (alone ? kFigure : kPatience); ++i) {
      const double took = repeat(threads, rounds, work);
      Share all;
      for (const Share& share : shares_) {
        all.done += share.done;
        all.seconds += share.seconds;
      }
      best = std::max(best, all.done / took);
      spent += took;
      alone = alone || all.seconds > kOwnShare * threads * took;
    }
    undisturbed_ = undisturbed_ && alone;
    return std::round(best);
  }

  /// Whether every figure had a repetition in which nobody else had its cores.
  bool undisturbed() const { return undisturbed_; }

 private:
  /// Seconds until all were done. A thread that comes late leaves its part to another: that counts as disturbed too.
  template <typename Work>
  double repeat(int threads, std::int64_t rounds, const Work& work) {
    shares_.assign(static_cast<std::size_t>(threads), {});
    const double begin = seconds_of(CLOCK_MONOTONIC);
    pool_.run(threads, threads, [&](int thread) {
      const double own = seconds_of(CLOCK_THREAD_CPUTIME_ID);
      const double done = work(thread, rounds);
      shares_[static_cast<std::size_t>(thread)] = {done, seconds_of(CLOCK_THREAD_CPUTIME_ID) - own};
    });
    return std::max(seconds_of(CLOCK_MONOTONIC) - begin, 1e-9);
  }

  ThreadPool pool_;
  std::vector<Share> shares_;  // by thread
  bool undisturbed_ = true;
};

/// Where results go, so that computing them is not for nothing.
std::atomic<float> sink = 0;

double fma(int /*thread*/, std::int64_t rounds) {
  const FmaChains done = fma_chains(rounds * 1000);
  sink.store(done.sum, std::memory_order_relaxed);
  return static_cast<double>(done.flops);
}

/// Memory to read: written once, for pages that nobody wrote may all be the same page of zeros.
class Source {
 public:
  explicit Source(std::size_t bytes) : memory_(bytes) {
    std::ranges::fill(std::span(reinterpret_cast<float*>(memory_.data()), bytes / sizeof(float)), 1.0f);
  }

  std::size_t bytes() const { return memory_.size(); }

  /// Reading: every thread has `part` bytes of its own.
  auto reader(std::size_t part) const {
    return [this, part](int thread, std::int64_t rounds) {
      const auto* begin = reinterpret_cast<const float*>(memory_.data() + static_cast<std::size_t>(thread) * part);
      sink.store(read_stream({begin, part / sizeof(float)}, rounds), std::memory_order_relaxed);
      return static_cast<double>(part) * static_cast<double>(rounds);
    };
  }

 private:
  AlignedBytes memory_;
};

/// Several times the largest cache, as far as the bounds allow.
std::size_t buffer_bytes(const Cache& largest, int cores) {
  const std::size_t most = std::clamp(free_memory() / 4, kLeastBuffer, kMostBuffer);
  const std::size_t lines = static_cast<std::size_t>(cores) * kLine;
  return std::max(std::min(4 * largest.bytes, most), lines) / lines * lines;
}

/// Bytes that each of `threads` threads reads to measure caches[i]: half of its part of the cache, so that the rest of
/// the process fits beside it, but twice the cache before, which would answer otherwise.
std::size_t part_of(std::span<const Cache> caches, std::size_t i, int threads, std::size_t all) {
  const auto sharers = static_cast<std::size_t>(std::clamp(caches[i].sharers, 1, threads));
  std::size_t part = caches[i].bytes / 2 / sharers;
  if (i > 0) part = std::max(part, 2 * caches[i - 1].bytes);
  return std::min(part, all / static_cast<std::size_t>(threads)) / kLine * kLine;
}

}  // namespace

Machine measure_machine() {
  Machine machine;
  machine.processor = processor_name();
  machine.cores = available_cores();
  machine.target = target_name();
  const int all = std::min(machine.cores, ThreadPool::kMaxThreads);
  const std::vector<Cache> found = caches();

  Stopwatch stopwatch;
  // All threads do no less than one; where they seem to, something else had the cores.
  machine.flops = stopwatch.best_rate(1, fma);
  machine.all_flops = all == 1 ? machine.flops : std::max(machine.flops, stopwatch.best_rate(all, fma));

  const Source source(buffer_bytes(found.back(), all));
  const auto add_level = [&](std::string name, std::size_t bytes, std::size_t one_part, std::size_t all_part) {
    MemoryLevel level{std::move(name), bytes};
    level.bytes_per_second = stopwatch.best_rate(1, source.reader(one_part));
    level.all_bytes_per_second = level.bytes_per_second;
    if (all > 1)
      level.all_bytes_per_second = std::max(level.bytes_per_second, stopwatch.best_rate(all, source.reader(all_part)));
    machine.levels.push_back(std::move(level));
  };
  for (std::size_t i = 0; i < found.size(); ++i) {
    add_level(format("L{}", found[i].level), found[i].bytes, part_of(found, i, 1, source.bytes()),
              part_of(found, i, all, source.bytes()));
  }
  // A cache larger than all memory is one that a virtual machine sees and does not have.
  const std::size_t memory = std::max(machine_memory(), machine.levels.back().bytes + 1);
  add_level("memory", memory, source.bytes(), source.bytes() / static_cast<std::size_t>(all));
  machine.undisturbed = stopwatch.undisturbed();
  return machine;
}

}  // namespace sepal
