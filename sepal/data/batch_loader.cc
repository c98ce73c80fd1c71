#include "sepal/data/batch_loader.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "sepal/base/error.h"

// A ring of slots between the consumer and threads that each load whole batches: a thread takes the next number for
// which there is room. Batches are a function of their position, so threads may finish in any order. What loading threw
// waits in its slot until the consumer comes to it, as if it had loaded the batch itself.

namespace sepal {

BatchLoader::BatchLoader(const Batches& batches, Position from, int threads, int ahead, std::optional<Position> end)
    : batches_(batches), next_(number_of(from)), taken_(next_), slots_(static_cast<std::size_t>(std::max(ahead, 1))) {
  if (end) end_ = number_of(*end);
  threads_.reserve(static_cast<std::size_t>(std::max(threads, 0)));
  try {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
  } catch (const std::exception&) {
    // The system gives no more threads: those that there are do.
  }
}

BatchLoader::~BatchLoader() {
  {
    const std::lock_guard lock(mutex_);
    stop_.request_stop();
  }
  room_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

Position BatchLoader::at(std::int64_t number) const {
  return {number / batches_.steps_per_epoch(), number % batches_.steps_per_epoch()};
}

std::int64_t BatchLoader::number_of(Position position) const {
  return position.epoch * batches_.steps_per_epoch() + position.step;
}

void BatchLoader::work() {
  const std::stop_token stop = stop_.get_token();
  std::unique_lock lock(mutex_);
  while (true) {
    room_.wait(lock, [&] { return stop.stop_requested() || taken_ < next_ + std::ssize(slots_); });
    if (stop.stop_requested() || (end_ && taken_ >= *end_)) return;
    const std::int64_t number = taken_++;
    lock.unlock();
    Slot slot;
    try {
      slot.batch = batches_.load(at(number), stop);
    } catch (...) {
      slot.problem = std::current_exception();
    }
    lock.lock();
    slot_of(number) = std::move(slot);
    loaded_.notify_one();
  }
}

Batch BatchLoader::next() {
  expect(!is_done(), "a batch before the end");
  if (threads_.empty()) {
    Batch batch = batches_.load(position());
    ++next_;
    return batch;
  }
  std::unique_lock lock(mutex_);
  Slot& slot = slot_of(next_);
  loaded_.wait(lock, [&] { return slot.batch || slot.problem; });
  if (slot.problem) std::rethrow_exception(slot.problem);
  Batch batch = std::move(*slot.batch);
  slot = {};
  ++next_;
  lock.unlock();
  room_.notify_one();
  return batch;
}

}  // namespace sepal
