#pragma once

#include "sepal/train/step_graph.h"

namespace sepal {

/// The step with the nodes from `first` on, which make the slots anew, each where it can first run: behind what it
/// reads and behind all other readers of the old value that it replaces, so that slots may keep their memory. Gradients
/// are then used while the cache has them, and given up; where a node reads all of them (clipping), those that depend
/// on it stay at the end. Computes the same numbers.
StepGraph with_early_updates(StepGraph step, std::size_t first);

}  // namespace sepal
