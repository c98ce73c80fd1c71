#include "sepal/data/random.h"

#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

#include "sepal/base/error.h"

// Random numbers by counting: a block of four is philox(counter, seed), where two words of the counter count blocks and
// two name the stream. The standard's generators were not used since their state has to be carried from one step to
// the next and from one run to the one that resumes it, and its distributions since each library has another algorithm.

namespace sepal {
namespace {

std::uint32_t low(std::uint64_t bits) { return static_cast<std::uint32_t>(bits); }
std::uint32_t high(std::uint64_t bits) { return static_cast<std::uint32_t>(bits >> 32); }

}  // namespace

Random::Random(std::uint64_t seed, const Stream& stream) : key_{low(seed), high(seed)} {
  expect(stream.epoch >= 0 && stream.epoch < std::int64_t{1} << 24, "an epoch has 24 bits");
  expect(stream.index >= 0 && stream.index < std::int64_t{1} << 32, "the index of a stream has 32 bits");
  const auto purpose = static_cast<std::uint32_t>(stream.purpose);
  counter_ = {0, 0, low(static_cast<std::uint64_t>(stream.index)),
              purpose << 24 | low(static_cast<std::uint64_t>(stream.epoch))};
}

std::uint32_t Random::bits() {
  if (used_ == block_.size()) {
    block_ = philox(counter_, key_);
    if (++counter_[0] == 0) ++counter_[1];
    used_ = 0;
  }
  return block_[used_++];
}

std::int64_t Random::below(std::int64_t n) {
  expect(n >= 1 && n <= std::int64_t{1} << 32, "a choice among 1 to 2^32");
  // The upper half of a product of 32 bits and n; what would make the first numbers likelier is drawn again.
  const auto count = static_cast<std::uint64_t>(n);
  const std::uint64_t unfair = (std::uint64_t{1} << 32) % count;
  std::uint64_t product = 0;
  do product = bits() * count;
  while (low(product) < unfair);
  return static_cast<std::int64_t>(product >> 32);
}

/// From 0 to 1 without either.
double Random::open_uniform() { return (bits() + 0.5) * 0x1p-32; }

float Random::normal() {
  const double radius = std::sqrt(-2 * std::log(open_uniform()));
  return static_cast<float>(radius * std::cos(2 * std::numbers::pi * open_uniform()));
}

/// The logarithm of a gamma variable of shape `a`; a shape below 1 comes from the one above (their section 6).
double Random::log_gamma_variable(double a) {
  if (a < 1) {
    const double scale = std::log(open_uniform()) / a;
    return log_gamma_variable(a + 1) + scale;
  }
  const double d = a - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  while (true) {
    const auto x = static_cast<double>(normal());
    const double root = 1 + c * x;
    const double u = open_uniform();
    if (root <= 0) continue;
    const double v = root * root * root;
    if (std::log(u) < x * x / 2 + d - d * v + d * std::log(v)) return std::log(d) + std::log(v);
  }
}

float Random::beta(double a) {
  expect(a > 0, "a beta distribution has a shape above 0");
  const double x = log_gamma_variable(a);
  const double y = log_gamma_variable(a);
  return static_cast<float>(1 / (1 + std::exp(y - x)));
}

std::vector<std::int64_t> Random::permutation(std::int64_t n) {
  // Durstenfeld's shuffle (1964).
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  for (std::size_t left = order.size(); left > 1; --left) {
    std::swap(order[left - 1], order[static_cast<std::size_t>(below(static_cast<std::int64_t>(left)))]);
  }
  return order;
}

}  // namespace sepal
