#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace sepal {

/// Four words that depend on every bit of `counter` and `key`: Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011,
/// "Parallel random numbers: as easy as 1, 2, 3", section 4.3). No state: number a million is had without the million
/// before.
constexpr std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
  constexpr std::uint64_t kMultiply0 = 0xD2511F53, kMultiply1 = 0xCD9E8D57;  // the paper's multipliers,
  constexpr std::uint32_t kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;          // golden ratio, sqrt(3) - 1
  constexpr int kRounds = 10;
  for (int round = 0; round < kRounds; ++round) {
    const std::uint64_t a = kMultiply0 * counter[0];
    const std::uint64_t b = kMultiply1 * counter[2];
    counter = {static_cast<std::uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(b),
               static_cast<std::uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(a)};
    key = {key[0] + kWeyl0, key[1] + kWeyl1};
  }
  return counter;
}

/// What random numbers are for. The values stay as they are: a run that is resumed must draw the same.
enum class Purpose : std::uint8_t {
  kOrder = 1,       ///< the order of an epoch's images
  kValidation = 2,  ///< which images are held back
  kImage = 3,       ///< what is done to one image
  kMix = 4,         ///< what is done to one batch
  kDropout = 5,
};

/// A sequence of random numbers: two that differ anywhere share no number.
struct Stream {
  Purpose purpose;
  std::int64_t epoch = 0;  ///< 0 .. 2^24 - 1
  std::int64_t index = 0;  ///< 0 .. 2^32 - 1: of an image, a step, a layer
};

/// Random numbers that are a function of (seed, stream, how many were drawn before), so that who draws them, on which
/// thread and after whom makes no difference. Not for several threads at once: each makes its own, which costs nothing.
class Random {
 public:
  /// Throws Error(kInternal) if the stream's numbers are out of range.
  Random(std::uint64_t seed, const Stream& stream);

  /// 32 bits.
  std::uint32_t bits();
  /// From 0 to 1, without 1; a multiple of 2^-24.
  float uniform() { return static_cast<float>(bits() >> 8) * 0x1p-24f; }
  /// From `low` to `high`.
  double uniform(double low, double high) { return low + (high - low) * (bits() * 0x1p-32); }
  /// True once in 1 / `probability` times.
  bool chance(double probability) { return bits() * 0x1p-32 < probability; }
  /// 0 .. n - 1, each as likely as the others (Lemire 2019, arXiv 1805.10941). `n` from 1 to 2^32.
  std::int64_t below(std::int64_t n);
  /// Mean 0, variance 1 (Box, Muller 1958). Computed in double, so that libraries whose logarithms differ in the last
  /// bit give the same float but about once in 2^29.
  float normal();
  /// From 0 to 1, of the density x^(a-1) (1-x)^(a-1): two gamma variables (Marsaglia, Tsang 2000), in logarithms, so
  /// that a small `a` is no division of 0 by 0. `a` above 0.
  float beta(double a);
  /// 0 .. n - 1 in an order that is as likely as any other.
  std::vector<std::int64_t> permutation(std::int64_t n);

 private:
  double open_uniform();
  double log_gamma_variable(double a);

  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 4> counter_;
  std::array<std::uint32_t, 4> block_{};
  std::size_t used_ = 4;
};

}  // namespace sepal
