#pragma once

// The same network has many "costs": the tools that people use count different things and call them alike. Each
// convention here is what one of them counts, so that a number that somebody was given can be met. docs/conventions.md
// has the sources.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sepal/graph/cost.h"

namespace sepal {

enum class Convention : std::uint8_t {
  /// Multiply-adds of convolutions and matrix products, as in the papers' tables (Howard et al. 2017).
  kPaper,
  /// fvcore 0.1.6: a multiply-add is one "flop"; also normalisation, interpolation and global average pooling.
  kFvcore,
  /// ptflops 0.7.6, pytorch backend, as it is called by default: module hooks, and the functions softmax and silu
  /// through which those modules are counted. "MACs" that also hold biases, normalisation, activations and pooling.
  kPtflops,
  /// TensorFlow's profiler: a multiply-add is two "float operations"; also biases, pooling, softmax, sums.
  kTensorflow,
};

/// All of them, in this order.
std::span<const Convention> conventions();
/// "paper", "fvcore", "ptflops", "tensorflow".
std::string_view name_of(Convention convention);
/// Throws Error(kUsage) that lists them.
Convention parse_convention(std::string_view name);
/// What the convention calls its unit: "MACs", "flops" ...
std::string_view unit_of(Convention convention);
/// One sentence: what it counts.
std::string_view describe(Convention convention);

/// One operator; nothing where the convention leaves it out. Throws Error(kInvalid) on overflow.
std::optional<std::uint64_t> count_by(Convention convention, const Op& op, std::span<const TensorType> inputs,
                                      std::span<const TensorType> outputs);

/// A network as a convention sees it.
struct ConventionCount {
  std::uint64_t operations = 0;
  std::uint64_t parameters = 0;            ///< all four leave out running means and variances
  std::vector<std::string_view> left_out;  ///< operators that do arithmetic and were not counted, each once
};
/// `cost` is cost_of(graph). Throws Error(kInvalid) on overflow.
ConventionCount count_by(Convention convention, const Graph& graph, const NetworkCost& cost);

}  // namespace sepal
