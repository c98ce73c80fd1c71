#include <array>

#include "cli/verb.h"

// The table of verbs: a new one is a file and a row.

namespace sepal::cli {

std::span<const Verb> verbs() {
  static const std::array rows = {kRun, kInspect, kCost, kBench, kTrain, kEval, kCompare, kZoo, kLearn, kCompletion};
  return rows;
}

}  // namespace sepal::cli
