#pragma once

// One convolution by its numbers, standard or separable: what `sepal cost --layer` reads, what a network's layers
// are compared by, what is timed.

#include <cstdint>
#include <string>
#include <string_view>

#include "sepal/graph/cost.h"
#include "sepal/tensor/window.h"

namespace sepal {

/// A convolution from `in` to `out` channels, [batch, size.h, size.w, in] -> [batch, h', w', out], and its separable
/// twin: a depthwise stage with the window (stride and dilation are its) and `multiplier` filters a channel, then a
/// pointwise stage from multiplier * in to out channels.
struct ConvLayer {
  std::int64_t batch = 1;
  std::int64_t in = 1;
  std::int64_t out = 1;
  Extent size{1, 1};
  Window window{};
  std::int64_t multiplier = 1;
  bool bias = false;  ///< one an output channel, in each stage
  friend bool operator==(const ConvLayer&, const ConvLayer&) = default;
};

/// "3x3 512 -> 512 at 14x14".
std::string to_string(const ConvLayer& layer);

/// Reads "in=512,out=512,kernel=3,size=14" and, after it, stride, dilation, multiplier, bias (0 or 1), padding (same,
/// valid or a number for each side; default same) and batch. kernel, size, stride and dilation may be 3x5, rows by
/// columns. Throws Error(kUsage): an unknown, repeated or missing key, a value that is no such number.
ConvLayer parse_conv_layer(std::string_view text);

/// Throws Error(kInvalid) that says which numbers do not fit: zero sizes, a kernel larger than the padded input.
void check(const ConvLayer& layer);

/// The layer with both forms' costs. Counting follows Howard et al. 2017 (MobileNets), section 3.1, with the slips of
/// docs/conventions.md put right.
struct Comparison {
  ConvLayer layer;
  Cost standard;
  Cost depthwise;
  Cost pointwise;

  Cost separable() const { return depthwise + pointwise; }
  /// separable / standard in MACs; without a bias multiplier * (1 / out + 1 / (kh kw)).
  double mac_ratio() const;
  double parameter_ratio() const;
  double traffic_ratio() const;
  /// The depth multiplier at which both cost the same MACs: out A / (out + A), A = kh kw.
  double break_even_multiplier() const;
};
/// Throws Error(kInvalid) as check() does, and where a count does not fit 64 bits.
Comparison compare(const ConvLayer& layer);

}  // namespace sepal
