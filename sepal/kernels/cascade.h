#pragma once

#include <cstdint>
#include <span>
#include <variant>

#include "sepal/base/range.h"
#include "sepal/kernels/depthwise.h"
#include "sepal/kernels/direct.h"
#include "sepal/kernels/pointwise.h"
#include "sepal/tensor/shape.h"

namespace sepal {

/// One convolution of a cascade. Where its input and output lie is the cascade's affair: input of the first stage,
/// output and addend of the last are those of its arguments, and what the arguments say of all others is not looked at.
/// Only the first may be DirectArgs.
struct CascadeStage {
  std::variant<PointwiseArgs, DepthwiseArgs, DirectArgs> args;
  Shape output;                ///< [n, h', w', co]
  std::int64_t ring_rows = 0;  ///< rows of the output that are kept, all but the last stage: see ring_rows_for()
  std::int64_t ring = 0;       ///< where they begin in the room, in floats
};

/// Most stages of a cascade.
inline constexpr std::size_t kMostStages = 8;

/// Convolutions that each read the one before, a few rows of the last one's output at a time. The maps between them
/// never exist as a whole: each stage keeps those rows that the next one's windows meet in a ring (row y of an image in
/// place y mod ring_rows), and computes a row once, when a window comes to it. A depthwise and a pointwise stage are a
/// separable convolution, an expansion before them makes an inverted residual (Sandler et al. 2018, figure 3b), and a
/// stem may begin the first block. Where all of a map fits into the second cache there is little to gain.
struct CascadeArgs {
  std::span<const CascadeStage> stages;  ///< 2 to kMostStages
  std::int64_t rows_at_once = 2;         ///< of the last stage's output
  float* room = nullptr;                 ///< all rings, each with a vector's slack; one for each caller at a time
  const float* ahead = nullptr;          ///< packed weights that somebody wants after the last row; or null
};

/// Rows of its input that a stage meets for `rows` neighbouring rows of its output: the rows of the ring that it reads.
std::int64_t ring_rows_for(const CascadeStage& stage, std::int64_t rows);

/// Floats that the ring of a stage takes in the room, without slack.
std::int64_t ring_floats(const CascadeStage& stage);

/// Computes the output rows `rows` of the last stage, counted through the batch (0 .. n * h'). Allocates nothing;
/// disjoint rows may run at the same time, each with a room of its own, and give the same bits in any division and for
/// any rows_at_once: those of the stages one after another. Rows of earlier stages that two parts meet are computed by
/// each.
void cascade(const CascadeArgs& args, Range rows) noexcept;

}  // namespace sepal
