#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/options.h"

namespace sepal::cli {

/// Does what a verb's options ask for. Writes to stdout only at its end, when nothing can fail any more;
/// throws Error.
using Action = std::function<void()>;

/// One word after `sepal`: its file declares options and returns what to do once they are parsed.
struct Verb {
  std::string_view name;
  std::string_view summary;   ///< one sentence for both helps
  std::string_view epilogue;  ///< examples below the help
  Action (*declare)(Options& options);
};

/// All verbs, in the order of the help.
std::span<const Verb> verbs();

extern const Verb kRun;
extern const Verb kInspect;
extern const Verb kCost;
extern const Verb kBench;
extern const Verb kTrain;
extern const Verb kEval;
extern const Verb kCompare;
extern const Verb kZoo;
extern const Verb kLearn;
extern const Verb kCompletion;

}  // namespace sepal::cli
