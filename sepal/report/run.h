#pragma once

// A training run as people look back on it: how it learned, what it came to, what it mistakes.

#include <string>

#include "sepal/graph/cost.h"
#include "sepal/report/document.h"
#include "sepal/train/history.h"

namespace sepal::report {

/// The run's facts, how it learned (with `plots` as curves too), how it does on the images `test`, and what its network
/// costs for one image. `test` is null where there is no test part, or the run was stopped before it.
Document to_document(const History& history, const Evaluation* test, const NetworkCost& cost, bool plots);

/// All of it as one page.
std::string run_html(const History& history, const Evaluation* test, const NetworkCost& cost);

}  // namespace sepal::report
