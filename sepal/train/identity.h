#pragma once

#include "sepal/data/data_set.h"
#include "sepal/graph/graph.h"
#include "sepal/train/checkpoint.h"
#include "sepal/train/trainer.h"

namespace sepal {

/// All that the bits of a run's weights depend on, each under the name that a person knows it by.
Identity identity_of(const Graph& network, const DataSet& set, const TrainerOptions& options);

}  // namespace sepal
