#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#include "sepal/data/batches.h"

namespace sepal {

/// Batches one after another, from epoch to epoch, loaded ahead by threads. For one consumer.
class BatchLoader {
 public:
  /// The first batch is that at `from`; none from `end` on is loaded, where one is given. `threads` load up to `ahead`
  /// batches (at least 1) before they are asked for; with 0 threads, or where the system gives none, next() loads
  /// itself. `batches` must live as long.
  BatchLoader(const Batches& batches, Position from, int threads, int ahead,
              std::optional<Position> end = std::nullopt);
  BatchLoader(Batches&&, Position, int, int, std::optional<Position> = std::nullopt) = delete;
  /// Waits for the threads, each of which gives up after the image that it is at.
  ~BatchLoader();
  BatchLoader(const BatchLoader&) = delete;
  BatchLoader& operator=(const BatchLoader&) = delete;

  /// Where next() is: what a run that is resumed begins from.
  Position position() const { return at(next_); }
  /// True where the end is reached: next() may not be called any more.
  bool is_done() const { return end_ && next_ >= *end_; }

  /// The next batch, waited for. Throws what loading it threw, again and again: a run cannot go on past it.
  Batch next();

 private:
  struct Slot {
    std::optional<Batch> batch;
    std::exception_ptr problem;
  };
  Position at(std::int64_t number) const;
  std::int64_t number_of(Position position) const;
  Slot& slot_of(std::int64_t number) { return slots_[static_cast<std::size_t>(number) % slots_.size()]; }
  void work();

  const Batches& batches_;
  std::optional<std::int64_t> end_;
  std::int64_t next_;   ///< the batch that next() returns, counted from the beginning of epoch 0
  std::int64_t taken_;  ///< the batch that a thread loads next; below next_ + slots
  std::vector<Slot> slots_;
  std::mutex mutex_;
  std::condition_variable loaded_;
  std::condition_variable room_;
  std::stop_source stop_;
  std::vector<std::thread> threads_;
};

}  // namespace sepal
