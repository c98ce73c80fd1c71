#pragma once

#include <cstdint>
#include <memory>
#include <type_traits>

#include "sepal/base/range.h"

namespace sepal {

/// Cores that this process may use (its affinity mask), at least 1.
int available_cores();

/// Runs the parts of one piece of work on several threads. One pool serves all models of a process: a
/// caller that finds it busy runs its parts itself, one after another, so nobody waits and nothing nests
/// into a deadlock. Workers spin for a bounded time after work, then sleep; a process at rest uses no CPU.
class ThreadPool {
 public:
  /// The pool that all models share; its workers start with the first call that wants them.
  static ThreadPool& shared();

  ThreadPool();
  /// Ends the workers. Nobody may be in run() any more.
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  /// Calls work(part) for part = 0 .. parts - 1, on up to `threads` threads, the caller among them, and
  /// returns when all are done. A call from inside `work` runs its parts one after another. `work` must not throw.
  /// threads <= 1 never touches the pool. Allocates only when more workers are wanted than were ever started (see
  /// reserve).
  template <typename Work>
  void run(int parts, int threads, Work&& work) noexcept {
    run_parts(
        parts, threads,
        [](void* context, int index) { (*static_cast<std::remove_reference_t<Work>*>(context))(index); },
        const_cast<void*>(static_cast<const void*>(&work)));
  }

  /// Starts workers so that `threads` threads (at most kMaxThreads) can work at once, and returns how many
  /// can: fewer where the system gives no more, more where more were started before. run() with up to that
  /// many allocates nothing.
  int reserve(int threads) noexcept;

  static constexpr int kMaxThreads = 1024;

 private:
  using Function = void (*)(void* context, int index);
  void run_parts(int parts, int threads, Function function, void* context) noexcept;

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sepal
