#pragma once

#include <cstddef>
#include <vector>

namespace sepal {

/// Bytes that are needed from step `first` to step `last`, both included.
struct Lifetime {
  std::size_t bytes = 0;
  std::size_t first = 0;
  std::size_t last = 0;
};

/// Where each lies in one block of memory.
struct Placement {
  std::vector<std::size_t> offsets;  ///< multiples of 64, in the order of the lifetimes
  std::size_t bytes = 0;             ///< of the whole block
};

/// Places the largest first, each at the lowest offset where it meets nothing that lives at the same time
/// ("greedy by size", Pisarchyk and Lee 2020, section 5.2); more than 10,000 in the order of their steps instead,
/// in less time and more memory. Bytes must add up to less than 2^63.
Placement place(const std::vector<Lifetime>& lifetimes);

}  // namespace sepal
