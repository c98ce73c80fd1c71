#pragma once

// Memory that ends, or begins, exactly where a page begins that nobody may touch: a single byte read or written on that
// side ends the program there and then. What lies between the memory and the other side's page is marked, which shows
// what was written to it.

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <utility>
#include <vector>

namespace sepal {

/// The side of the memory that lies directly against a page that nobody may touch.
enum class Against : std::uint8_t { kEnd, kBeginning };

/// `size` bytes against such a page, and whole pages from there to the next such page. Move-only. At its end, the
/// memory is aligned as its size is: to the largest power of two that divides it, at most a page.
class GuardedMemory {
 public:
  /// Throws std::bad_alloc if the system gives no more.
  GuardedMemory(std::size_t size, Against against) : size_(size) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    inside_ = std::max<std::size_t>(1, (size + page - 1) / page) * page;
    whole_ = inside_ + 2 * page;
    void* memory = mmap(nullptr, whole_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    memory_ = static_cast<std::byte*>(memory);
    begin_ = memory_ + page;
    if (mprotect(begin_, inside_, PROT_READ | PROT_WRITE) != 0) {
      munmap(memory_, whole_);
      throw std::bad_alloc();
    }
    data_ = against == Against::kEnd ? begin_ + (inside_ - size) : begin_;
    std::memset(begin_, kMark, static_cast<std::size_t>(data_ - begin_));
    std::memset(data_ + size, kMark, static_cast<std::size_t>(begin_ + inside_ - (data_ + size)));
  }
  GuardedMemory(GuardedMemory&& other) noexcept
      : size_(other.size_),
        inside_(other.inside_),
        whole_(other.whole_),
        memory_(std::exchange(other.memory_, nullptr)),
        begin_(other.begin_),
        data_(other.data_) {}
  GuardedMemory& operator=(GuardedMemory&& other) = delete;
  ~GuardedMemory() {
    if (memory_ != nullptr) munmap(memory_, whole_);
  }

  std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }
  /// Whether nothing was written between the memory and the page on its other side.
  bool intact() const {
    const auto marked = [](std::byte byte) { return byte == std::byte{kMark}; };
    return std::all_of(begin_, data_, marked) && std::all_of(data_ + size_, begin_ + inside_, marked);
  }

 private:
  static constexpr unsigned char kMark = 0xa5;
  std::size_t size_;
  std::size_t inside_ = 0;  ///< bytes of the pages that may be touched
  std::size_t whole_ = 0;   ///< the two others included
  std::byte* memory_ = nullptr;
  std::byte* begin_ = nullptr;  ///< of what may be touched
  std::byte* data_ = nullptr;
};

/// Floats in such memory, all of them a NaN that no kernel makes, so that what was left out shows.
class Guarded {
 public:
  explicit Guarded(std::int64_t count, Against against = Against::kEnd)
      : memory_(static_cast<std::size_t>(count) * sizeof(float), against) {
    std::fill_n(data(), count, std::bit_cast<float>(std::uint32_t{0x7fc0dead}));
  }
  Guarded(const std::vector<float>& values, Against against) : memory_(values.size() * sizeof(float), against) {
    std::copy(values.begin(), values.end(), data());
  }

  float* data() { return reinterpret_cast<float*>(memory_.data()); }
  const float* data() const { return reinterpret_cast<const float*>(memory_.data()); }
  std::vector<float> values() const { return {data(), data() + memory_.size() / sizeof(float)}; }
  bool intact() const { return memory_.intact(); }

 private:
  GuardedMemory memory_;
};

}  // namespace sepal
