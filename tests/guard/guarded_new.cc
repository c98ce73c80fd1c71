// All memory that a program asks for with new or aligned_alloc, each piece by itself against a page that nobody may
// touch: at its end, or at its beginning where SEPAL_GUARD=beginning stands in the environment. Linked to a program of
// tests (sepal_guarded_test in cmake/SepalFloor.cmake), it puts every vector and tensor of these there: inputs,
// filters, packed weights, outputs, workspaces. The linker calls aligned_alloc and free by the names that they have
// here.
//
// A piece is aligned as its size is, which is enough for any array of what has that size, and less than operator new
// promises. So a vector of three floats ends where the page begins.

#include <cstdlib>
#include <functional>
#include <mutex>
#include <string_view>
#include <unordered_map>

#include "tests/guard/guarded.h"

extern "C" {
void __real_free(void* memory);
void* __wrap_aligned_alloc(std::size_t alignment, std::size_t size);
void __wrap_free(void* memory);
}

namespace {

using sepal::Against;
using sepal::GuardedMemory;

/// The pieces' own book is kept in ordinary memory.
template <typename T>
struct Ordinary {
  using value_type = T;
  Ordinary() = default;
  template <typename U>
  Ordinary(const Ordinary<U>&) {}
  T* allocate(std::size_t count) {
    if (void* memory = std::malloc(count * sizeof(T))) return static_cast<T*>(memory);
    throw std::bad_alloc();
  }
  void deallocate(T* memory, std::size_t) { __real_free(memory); }
  friend bool operator==(const Ordinary&, const Ordinary&) { return true; }
};

using Pieces = std::unordered_map<const void*, GuardedMemory, std::hash<const void*>, std::equal_to<>,
                                  Ordinary<std::pair<const void* const, GuardedMemory>>>;

struct Book {
  std::mutex mutex;
  Pieces pieces;
  Against against = Against::kEnd;
};

Book& book() {
  // Never destroyed: others give their memory back later still.
  alignas(Book) static std::byte memory[sizeof(Book)];
  static Book* const book = [] {
    auto* made = ::new (memory) Book;
    const char* side = std::getenv("SEPAL_GUARD");
    if (side != nullptr && std::string_view(side) == "beginning") made->against = Against::kBeginning;
    return made;
  }();
  return *book;
}

void* take(std::size_t size, std::size_t alignment) {
  Book& all = book();
  GuardedMemory piece((std::max<std::size_t>(size, 1) + alignment - 1) / alignment * alignment, all.against);
  void* data = piece.data();
  const std::lock_guard lock(all.mutex);
  all.pieces.emplace(data, std::move(piece));
  return data;
}

void* take_or_null(std::size_t size, std::size_t alignment) noexcept {
  try {
    return take(size, alignment);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

/// False if it is none of ours.
bool give_back(void* memory) {
  Book& all = book();
  const std::lock_guard lock(all.mutex);
  return all.pieces.erase(memory) == 1;
}

}  // namespace

// The forms for arrays call these.
void* operator new(std::size_t size) { return take(size, 1); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return take_or_null(size, 1); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return take(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { give_back(memory); }
void operator delete(void* memory, std::size_t) noexcept { give_back(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { give_back(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { give_back(memory); }

void* __wrap_aligned_alloc(std::size_t alignment, std::size_t size) { return take_or_null(size, alignment); }
void __wrap_free(void* memory) {
  if (!give_back(memory)) __real_free(memory);
}
