#pragma once

// What a network costs, counted and not measured: operations, parameters, bytes. docs/conventions.md says in
// prose what is counted here, cost.cc in formulas; tests/graph/counting_test.cc runs the reference kernels on
// numbers that count and compares.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sepal/graph/graph.h"

namespace sepal {

/// Operations on numbers, each kind by itself.
struct Arithmetic {
  std::uint64_t multiplications = 0;
  std::uint64_t additions = 0;  ///< and subtractions; the first term of a sum is not added to anything
  std::uint64_t divisions = 0;
  std::uint64_t comparisons = 0;  ///< maxima, minima, limits, signs: one for each value compared
  std::uint64_t functions = 0;    ///< exp, log, sqrt, tanh, erf, pow, rounding: one a call

  /// FLOPs, as distinct from MACs: multiplications + additions. Throws Error(kInvalid) on overflow.
  std::uint64_t flops() const;
  friend bool operator==(const Arithmetic&, const Arithmetic&) = default;
};

/// Learned numbers, by what they are for. Published totals differ in which of these they add up.
struct Parameters {
  std::uint64_t weights = 0;        ///< filters and matrices
  std::uint64_t biases = 0;         ///< of convolutions and matrix products
  std::uint64_t normalization = 0;  ///< scale and shift (gamma, beta): 2 a channel
  std::uint64_t slopes = 0;         ///< of PReLU
  std::uint64_t statistics = 0;     ///< running mean and variance: 2 a channel, not trained
  std::uint64_t quantization = 0;   ///< scales and zero points
  std::uint64_t constants = 0;      ///< every other constant that is data: shifts, limits, indices

  /// weights + biases + normalization + slopes: what training changes.
  std::uint64_t trained() const;
  /// All of them: what a file stores.
  std::uint64_t stored() const;
  friend bool operator==(const Parameters&, const Parameters&) = default;
};

/// The cost of one operator, of a layer or of a network. All counts are exact; a count that does not fit 64 bits
/// is an error, never a wrong number.
struct Cost {
  /// One multiplication and one addition of a linear operator (convolution, matrix product), as papers count them:
  /// taps on padding included, biases not.
  std::uint64_t macs = 0;
  std::uint64_t effective_macs = 0;  ///< taps on padding left out
  Arithmetic nominal{};              ///< everything, taps on padding included
  Arithmetic effective{};            ///< everything, taps on padding left out
  /// macs * bits of a weight * bits of an activation, as they are stored.
  std::uint64_t bit_operations = 0;
  Parameters parameters{};
  std::uint64_t weight_bytes = 0;   ///< constants read, as stored; one that two operators read moves twice
  std::uint64_t read_bytes = 0;     ///< activations read, each input once
  std::uint64_t written_bytes = 0;  ///< activations written

  /// Compulsory traffic: every constant and activation moved once, as if the cache were endless within the operator
  /// and empty between two.
  std::uint64_t traffic() const;
  /// FLOPs for each byte of traffic; 0 where nothing moves.
  double intensity() const;
  friend bool operator==(const Cost&, const Cost&) = default;
};

/// a + b in every count. Throws Error(kInvalid) where a sum does not fit 64 bits.
Arithmetic operator+(const Arithmetic& a, const Arithmetic& b);
Cost operator+(const Cost& a, const Cost& b);

/// What a report calls an operator: MobileNet's table 2 counts by these.
enum class LayerKind : std::uint8_t {
  kConvolution,  ///< a kernel over more than one tap and more than one channel
  kDepthwise,
  kPointwise,       ///< 1x1 over all channels
  kFullyConnected,  ///< a matrix product with a constant
  kMatrixProduct,   ///< of two activations
  kNormalization,
  kActivation,
  kElementwise,  ///< functions of two activations, or of one and a constant; quantisation
  kPooling,      ///< and reductions
  kMovement,     ///< no arithmetic: reshape, transpose, concat, slice, pad ...
  kResize,
  kConstant,  ///< over constants alone: computed once, when the model is loaded; its parameters count
};
std::string_view name_of(LayerKind kind);

/// One node of a network.
struct LayerCost {
  std::size_t node = 0;   ///< index in Graph::nodes()
  std::string name{};     ///< the node's; "relu 7" where it has none
  std::string_view op{};  ///< "conv2d", "relu" ...
  LayerKind kind = LayerKind::kMovement;
  TensorType output{};  ///< of its first output
  Cost cost{};
  std::uint64_t live_bytes = 0;  ///< activations alive while it runs: those it reads and writes, and those still wanted
};

struct NetworkCost {
  std::vector<LayerCost> layers{};  ///< in the graph's order
  Cost total{};
  std::uint64_t stored_bytes = 0;      ///< of all constants, each once, as stored: those of parameters.stored()
  std::uint64_t activation_bytes = 0;  ///< of all activations together, none sharing memory
  /// The most alive at once, the graph's inputs included, each operator's inputs and outputs side by side. Not a limit
  /// of plans: steps that overwrite their input and fused operators need less, a plan's own buffers and gaps more.
  std::uint64_t peak_bytes = 0;
};

/// The cost of one operator from types alone. `constant` tells which inputs are constants (all others are
/// activations). Throws Error(kInvalid) where a count does not fit 64 bits.
Cost cost_of(const Op& op, std::span<const TensorType> inputs, std::span<const TensorType> outputs,
             const std::vector<bool>& constant);

/// The cost of every node and of all. A constant that several nodes read counts once, where it is read first.
/// Throws Error(kInvalid) that names the node where a count does not fit 64 bits.
NetworkCost cost_of(const Graph& graph);

}  // namespace sepal
