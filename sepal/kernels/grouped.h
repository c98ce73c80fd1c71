#pragma once

#include <cstdint>

#include "sepal/base/range.h"
#include "sepal/tensor/elementwise.h"
#include "sepal/tensor/view.h"
#include "sepal/tensor/window.h"

namespace sepal {

/// Most channels of a group that grouped() is made for.
inline constexpr std::int64_t kMostGroupChannels = 8;

/// A convolution of small groups, as many channels out as in: output channel o sums over the channels of its own group
/// of `group`, o / group * group and those behind (Krizhevsky et al. 2012; ResNeXt's and ShuffleNet's).
struct GroupedArgs {
  TensorView<const float> input;  ///< [n, h, w, c]
  const float* packed = nullptr;  ///< pack_grouped of the filter and the bias
  Window window;
  std::int64_t group = 2;  ///< channels of a group, 2 to kMostGroupChannels; divides c
  Unary activation;
  TensorView<float> output;       ///< [n, h', w', c]; must not overlap input
  const float* addend = nullptr;  ///< as output, added before the activation; may be output; or null
};

/// Computes the output rows `rows`, counted through the batch (0 .. n * h'). Allocates nothing; disjoint rows may run
/// at the same time, and give the same bits in any division.
void grouped(const GroupedArgs& args, Range rows) noexcept;

/// Floats that pack_grouped writes.
constexpr std::int64_t packed_grouped_floats(std::int64_t channels, std::int64_t taps, std::int64_t group) {
  constexpr std::int64_t kMostLanes = 16;
  return (1 + taps * group) * channels + kMostLanes;
}

/// Brings a filter [c, kh, kw, group] and its bias ([c], or null for zeros) into the layout that grouped() reads,
/// {bias[c]; [taps = kh * kw][group][c]} and zeros for a vector more.
void pack_grouped(const float* filter, const float* bias, std::int64_t channels, std::int64_t taps, std::int64_t group,
                  float* packed) noexcept;

}  // namespace sepal
