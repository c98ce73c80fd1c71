#pragma once

#include <cstdint>
#include <span>

#include "sepal/data/batches.h"
#include "sepal/graph/graph.h"
#include "sepal/train/history.h"

namespace sepal {

struct EvaluationOptions {
  int threads = 1;
  std::int64_t mistakes = 0;  ///< most that are kept, the most confident ones
};

/// How a network of images [n, h, w, c] does on all batches of epoch 0, as inference sees it: optimised and planned. It
/// is brought to the batches' size (with_batch); a smaller last batch is filled up. `images` are those that the batches
/// are of. The loss is the cross-entropy without smoothing, of scores or, where the network ends in a softmax, of
/// probabilities. Throws Error(kInvalid) where network and batches do not belong together, and as Batches::load does.
Evaluation evaluate_network(const Graph& network, const Batches& batches, const LabelledImages& images,
                            const EvaluationOptions& options);

/// One image's answer, of its scores: the best class (of equals the first), its probability, and the cross-entropy.
struct Answer {
  std::int64_t guess = 0;
  double confidence = 0;
  double loss = 0;
};
Answer answer_of(std::span<const float> scores, std::int64_t label);

}  // namespace sepal
