#pragma once

// Separable against standard convolutions, trained alike, as people compare them.

#include <string>

#include "sepal/report/document.h"
#include "sepal/report/json.h"
#include "sepal/train/compare.h"

namespace sepal::report {

/// What each network costs and came to, and every run; with `plots` the accuracies as a plot too.
Document to_document(const TrainingComparison& comparison, bool plots);

Json to_json(const TrainingComparison& comparison);

}  // namespace sepal::report
