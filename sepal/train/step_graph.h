#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sepal/tensor/learning_rule.h"
#include "sepal/train/training_graph.h"

namespace sepal {

struct StepOptions {
  LearningRule rule{};  ///< its weight_decay is for filters and matrices alone: not for batch norms and biases,
  bool decay_depthwise = false;  ///< and for depthwise filters only if asked for
  float label_smoothing = 0;
  float clip_norm = 0;       ///< most that the norm of all gradients together may be; 0: any
  float moment_rate = 0.1f;  ///< a batch's share in the running moments
  float average_decay = 0;   ///< of the moving average of the parameters; 0: none is kept
};

/// What a slot of a step is.
enum class SlotKind : std::uint8_t { kParameter, kState, kMoment, kAverage };

/// Something that a step changes: input and output of its graph, in the same memory.
struct Slot {
  std::string name;  ///< "block3/depthwise/filter", "momentum/block3/depthwise/filter" ...
  SlotKind kind = SlotKind::kParameter;
  Constant initial;
  ValueId source{};  ///< the network's constant that a parameter, a moment or an average stands for
};

/// One step of training as a graph: forward pass, loss, gradients and updates.
///   inputs: the network's, "step" (i64), "targets" [n, classes], "rates" [3] (see Update), then the slots
///   outputs: "loss" (scalar), "logits" [n, classes], then the slots anew, each of which may take the memory of its
///   input: no node reads the old value after the one that makes the new.
struct StepGraph {
  Graph graph;
  std::vector<Slot> slots;

  static constexpr std::size_t kFirstSlotInput = 4;
  static constexpr std::size_t kFirstSlotOutput = 2;
};

/// Throws Error(kInvalid) where the network does not end in logits [n, classes], and as training_graph and
/// add_gradients do.
StepGraph step_graph(const TrainingGraph& training, const StepOptions& options);

}  // namespace sepal
