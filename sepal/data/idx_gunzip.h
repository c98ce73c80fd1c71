#pragma once

#include <cstddef>
#include <memory>
#include <span>

namespace sepal {

/// True where `bytes` begin as gzip data do.
bool is_gzip(std::span<const std::byte> bytes);

/// The most bytes that deflate makes of one: a match of 258 from 2 bits.
inline constexpr std::size_t kMostInflation = 1032;

/// The contents of gzip data (RFC 1952; several members one after another, too), a piece at a time.
class Gunzip {
 public:
  /// `bytes` must live as long. Throws Error(kMemory) if zlib gets none.
  explicit Gunzip(std::span<const std::byte> bytes);
  ~Gunzip();
  Gunzip(const Gunzip&) = delete;
  Gunzip& operator=(const Gunzip&) = delete;

  /// Fills `out` and returns how many bytes that were: fewer only at the end, where the checksum has been compared.
  /// Throws Error(kInvalid) if the data are damaged, cut off, or followed by others.
  std::size_t read(std::span<std::byte> out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sepal
