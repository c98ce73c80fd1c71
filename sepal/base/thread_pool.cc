#include "sepal/base/thread_pool.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

// One word says all that workers and the caller need to agree on: how many seats the present work still has
// open, how many are taken, and whether the pool closes. A worker takes a seat by one compare-and-swap and
// only then reads what the work is; the caller writes the next work only when no seat is open or taken. So a
// worker that wakes late finds no seat and goes back to sleep, and the caller never waits for it: it waits
// only for those who are at work. Parts are handed out by a counter, one at a time.
//
// Why not pthreadpool, with figures: docs/decisions/0003-thread-pool.md.

namespace sepal {
namespace {

// Long enough to bridge the gap between two layers, too short to be seen in a process's CPU time.
constexpr std::chrono::microseconds kSpin{50};

constexpr std::uint32_t kOpenSeat = 1;
constexpr std::uint32_t kOpenSeats = 0xffff;
constexpr std::uint32_t kTakenSeat = 0x1'0000;
constexpr std::uint32_t kTakenSeats = 0x7fff'0000;
constexpr std::uint32_t kClosing = 0x8000'0000;

// A worker that calls run() is inside some run() already.
thread_local bool is_worker = false;

void pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Waits until done(word), spinning first; returns the word.
template <typename Done>
std::uint32_t wait_until(const std::atomic<std::uint32_t>& word, const Done& done) {
  const auto give_up = std::chrono::steady_clock::now() + kSpin;
  std::uint32_t value = word.load(std::memory_order_acquire);
  while (!done(value) && std::chrono::steady_clock::now() < give_up) {
    for (int i = 0; i < 16; ++i) pause();
    value = word.load(std::memory_order_acquire);
  }
  while (!done(value)) {
    word.wait(value, std::memory_order_acquire);
    value = word.load(std::memory_order_acquire);
  }
  return value;
}

}  // namespace

int available_cores() {
  cpu_set_t cores;
  if (sched_getaffinity(0, sizeof cores, &cores) == 0) return std::max(1, CPU_COUNT(&cores));
  return static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

struct ThreadPool::State {
  std::atomic<std::uint32_t> word{0};
  std::atomic<bool> busy{false};
  std::mutex growing;  // guards `workers`
  std::vector<std::thread> workers;
  std::atomic<int> worker_count{0};

  // The present work: written while no seat is open or taken.
  Function function = nullptr;
  void* context = nullptr;
  int parts = 0;
  std::atomic<int> next{0};

  void do_parts() {
    for (int i = next.fetch_add(1, std::memory_order_relaxed); i < parts;
         i = next.fetch_add(1, std::memory_order_relaxed)) {
      function(context, i);
    }
  }

  // Closes the seats that nobody has taken and gives back `taken`; true if no seat is taken any more.
  bool close_seats(std::uint32_t taken) {
    std::uint32_t value = word.load(std::memory_order_relaxed);
    while (!word.compare_exchange_weak(value, (value & ~kOpenSeats) - taken, std::memory_order_acq_rel)) {
    }
    return (((value & ~kOpenSeats) - taken) & kTakenSeats) == 0;
  }

  void work() {
    is_worker = true;
    for (;;) {
      std::uint32_t value = wait_until(word, [](std::uint32_t now) { return (now & (kOpenSeats | kClosing)) != 0; });
      if ((value & kClosing) != 0) return;
      if (!word.compare_exchange_weak(value, value - kOpenSeat + kTakenSeat, std::memory_order_acquire)) continue;
      do_parts();
      // No part is left: whoever has not come yet need not come.
      if (close_seats(kTakenSeat)) word.notify_all();
    }
  }
};

ThreadPool& ThreadPool::shared() {
  static ThreadPool pool;
  return pool;
}

ThreadPool::ThreadPool() : state_(std::make_unique<State>()) {}

ThreadPool::~ThreadPool() {
  state_->word.fetch_or(kClosing, std::memory_order_release);
  state_->word.notify_all();
  for (std::thread& worker : state_->workers) worker.join();
}

int ThreadPool::reserve(int threads) noexcept {
  const int wanted = std::min(threads, kMaxThreads) - 1;
  int count = state_->worker_count.load(std::memory_order_acquire);
  if (count < wanted) {
    const std::lock_guard lock(state_->growing);
    try {
      while (static_cast<int>(state_->workers.size()) < wanted) {
        state_->workers.emplace_back([state = state_.get()] { state->work(); });
      }
    } catch (const std::exception&) {
      // The system gives no more threads: those that there are will do.
    }
    count = static_cast<int>(state_->workers.size());
    state_->worker_count.store(count, std::memory_order_release);
  }
  return count + 1;
}

void ThreadPool::run_parts(int parts, int threads, Function function, void* context) noexcept {
  const int most = std::min(parts, threads);
  if (most <= 1 || is_worker || state_->busy.exchange(true, std::memory_order_acquire)) {
    for (int i = 0; i < parts; ++i) function(context, i);
    return;
  }
  const int seats = std::min(most, reserve(most)) - 1;
  State& state = *state_;
  state.function = function;
  state.context = context;
  state.parts = parts;
  state.next.store(0, std::memory_order_relaxed);
  state.word.store(static_cast<std::uint32_t>(seats) * kOpenSeat, std::memory_order_release);
  state.word.notify_all();
  state.do_parts();
  if (!state.close_seats(0)) wait_until(state.word, [](std::uint32_t now) { return (now & kTakenSeats) == 0; });
  state.busy.store(false, std::memory_order_release);
}

}  // namespace sepal
