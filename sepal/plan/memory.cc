#include "sepal/plan/memory.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <numeric>
#include <utility>

namespace sepal {

namespace {

std::size_t rounded(std::size_t bytes) {
  constexpr std::size_t kAlignment = 64;
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

/// In the order of their steps, each in the first hole that is free then.
Placement place_in_order(const std::vector<Lifetime>& lifetimes) {
  const auto order_by = [&](auto member) {
    std::vector<std::size_t> order(lifetimes.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::sort(order, [&](std::size_t i, std::size_t j) {
      return std::pair(lifetimes[i].*member, i) < std::pair(lifetimes[j].*member, j);
    });
    return order;
  };
  const std::vector<std::size_t> begins = order_by(&Lifetime::first);
  const std::vector<std::size_t> ends = order_by(&Lifetime::last);
  Placement result;
  result.offsets.resize(lifetimes.size());
  std::map<std::size_t, std::size_t> holes;  // offset -> bytes
  const auto release = [&](std::size_t offset, std::size_t bytes) {
    if (bytes == 0) return;
    const auto next = holes.lower_bound(offset);
    if (next != holes.end() && next->first == offset + bytes) {
      bytes += next->second;
      holes.erase(next);
    }
    const auto after = holes.lower_bound(offset);
    if (after != holes.begin() && std::prev(after)->first + std::prev(after)->second == offset) {
      std::prev(after)->second += bytes;
    } else {
      holes.emplace(offset, bytes);
    }
  };
  std::size_t ended = 0;
  for (const std::size_t i : begins) {
    for (; lifetimes[ends[ended]].last < lifetimes[i].first; ++ended) {
      release(result.offsets[ends[ended]], rounded(lifetimes[ends[ended]].bytes));
    }
    const std::size_t bytes = rounded(lifetimes[i].bytes);
    const auto hole = std::ranges::find_if(holes, [&](const auto& entry) { return entry.second >= bytes; });
    if (hole == holes.end()) {
      result.offsets[i] = result.bytes;
      result.bytes += bytes;
    } else {
      const auto [offset, size] = *hole;
      result.offsets[i] = offset;
      holes.erase(hole);
      release(offset + bytes, size - bytes);
    }
  }
  return result;
}

}  // namespace

Placement place(const std::vector<Lifetime>& lifetimes) {
  // The better way takes time with the square of their number: too much where somebody's file has a million.
  constexpr std::size_t kMany = 10'000;
  if (lifetimes.size() > kMany) return place_in_order(lifetimes);
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
