#pragma once

#include <cstdint>
#include <span>

// The two loops that find out what a processor can do at most, for machine/ to time. Arithmetic without memory, and
// memory without arithmetic that would hold it up: no kernel does better than either.

namespace sepal {

/// What fma_chains() did.
struct FmaChains {
  float sum = 0;           ///< of all sums, flops / (2 rounds) of them: 2 (1 - 2^-rounds) each
  std::int64_t flops = 0;  ///< 2 for each fused multiply-add of each lane
};

/// `rounds` times sum = sum / 2 + 1, from 0, as one fused multiply-add a vector, in more independent vectors of sums
/// than any processor known to us has additions under way. Touches no memory.
FmaChains fma_chains(std::int64_t rounds) noexcept;

/// The sum of all values, added up `passes` times over: every pass reads them all, in order, as fast as they come.
float read_stream(std::span<const float> values, std::int64_t passes) noexcept;

}  // namespace sepal
