#include "sepal/tensor/tensor.h"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>

#include "sepal/base/text.h"

namespace sepal {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;

/// Of memory that begins with one. Loading a model is mostly page faults; the system may say no.
void ask_for_huge_pages(void* memory, std::size_t bytes) {
#ifdef MADV_HUGEPAGE
  static_cast<void>(::madvise(memory, bytes, MADV_HUGEPAGE));
#else
  static_cast<void>(memory), static_cast<void>(bytes);
#endif
}

}  // namespace

AlignedBytes::AlignedBytes(std::size_t size) : size_(size) {
  constexpr std::size_t kLine = 64;
  const std::size_t whole = (size + kSlack + kLine - 1) / kLine * kLine;
  const bool large = size >= kHugePage;
  void* memory = nullptr;
  if (whole >= size && !large) memory = std::aligned_alloc(kLine, whole);
  // aligned_alloc wants a multiple of the alignment.
  if (whole >= size && large && ::posix_memalign(&memory, kHugePage, whole) != 0) memory = nullptr;
  if (memory == nullptr) fail(ErrorKind::kMemory, "{} of memory cannot be had", human_bytes(static_cast<double>(size)));
  if (large) ask_for_huge_pages(memory, whole);
  std::memset(memory, 0, whole);
  data_.reset(static_cast<std::byte*>(memory));
}

void AlignedBytes::Free::operator()(std::byte* data) const noexcept { std::free(data); }

Tensor::Tensor(DataType type, const Shape& shape)
    : type_(type), shape_(shape), memory_(static_cast<std::size_t>(shape.elements()) * size_of(type)) {}

Tensor Tensor::copy_of(const ConstBuffer& source) {
  return copy_of(source, static_cast<std::size_t>(source.shape.elements()));
}

Tensor Tensor::copy_of(const ConstBuffer& source, std::size_t count) {
  if (static_cast<std::int64_t>(count) != source.shape.elements()) {
    invalid("{} values for a tensor of {}", count, to_string(source.shape));
  }
  Tensor tensor(source.type, source.shape);
  if (source.bytes() > 0) std::memcpy(tensor.data(), source.data, source.bytes());
  return tensor;
}

Tensor Tensor::reshaped(const Shape& shape) && {
  if (shape.elements() != elements()) invalid("{} cannot be reshaped to {}", to_string(shape_), to_string(shape));
  shape_ = shape;
  return std::move(*this);
}

void Tensor::check_type(DataType wanted) const {
  if (wanted != type_) invalid("a tensor of {} was read as {}", name_of(type_), name_of(wanted));
}

bool identical(const Tensor& a, const Tensor& b) {
  return a.type() == b.type() && a.shape() == b.shape() &&
         (a.bytes() == 0 || std::memcmp(a.data(), b.data(), a.bytes()) == 0);
}

}  // namespace sepal
