#pragma once

#include <cstdint>

#include "sepal/tensor/tensor.h"

namespace sepal {

/// Seeded numbers for the constants of one network. A number is a function of the seed, of how many tensors were made
/// before, and of its own place, by integer arithmetic and one rounding: the same bits on every machine.
class WeightSource {
 public:
  explicit WeightSource(std::uint64_t seed) : seed_(seed) {}

  /// f32, mean 0 and variance 2 / fan_in (He et al. 2015, equation 10), nearly normal: the sum of four uniform
  /// numbers, so within 3.47 standard deviations.
  Tensor normal(const Shape& shape, std::int64_t fan_in);
  /// f32, scale * (centre + spread * u), u uniform in [-1, 1). `spread` is a power of two.
  Tensor uniform(const Shape& shape, float centre, float spread, float scale = 1);

 private:
  std::uint64_t seed_;
  std::uint64_t tensors_ = 0;
};

}  // namespace sepal
