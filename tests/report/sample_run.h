#pragma once

#include "sepal/graph/cost.h"
#include "sepal/train/history.h"

namespace sepal::report {

/// A run of ten epochs, made up: losses that fall with noise on them, a schedule with warm-up. Two of its ten classes
/// have names that try something.
History sample_history();

/// What such a run might come to over `classes` classes, most of them told right; mistakes have pictures.
Evaluation sample_evaluation(std::int64_t classes = 10);

/// Of the network that the history names.
NetworkCost sample_cost();

}  // namespace sepal::report
