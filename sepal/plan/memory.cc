#include "sepal/plan/memory.h"

#include <algorithm>
#include <numeric>

namespace sepal {

Placement place(const std::vector<Lifetime>& lifetimes) {
  constexpr std::size_t kAlignment = 64;
  const auto rounded = [](std::size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; };
  std::vector<std::size_t> order(lifetimes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, [&](std::size_t i, std::size_t j) {
    return lifetimes[i].bytes != lifetimes[j].bytes ? lifetimes[i].bytes > lifetimes[j].bytes : i < j;
  });

  Placement result;
  result.offsets.resize(lifetimes.size());
  std::vector<std::size_t> placed;  // by offset
  for (const std::size_t i : order) {
    const Lifetime& mine = lifetimes[i];
    std::size_t offset = 0;
    for (const std::size_t j : placed) {
      const Lifetime& other = lifetimes[j];
      if (other.last < mine.first || mine.last < other.first) continue;
      if (result.offsets[j] >= offset + rounded(mine.bytes)) break;  // a gap that is wide enough
      offset = std::max(offset, result.offsets[j] + rounded(other.bytes));
    }
    result.offsets[i] = offset;
    result.bytes = std::max(result.bytes, offset + rounded(mine.bytes));
    placed.insert(std::ranges::upper_bound(placed, offset, {}, [&](std::size_t j) { return result.offsets[j]; }), i);
  }
  return result;
}

}  // namespace sepal
