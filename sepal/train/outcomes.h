#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "sepal/train/checkpoint.h"

namespace sepal {

/// A training run of a comparison, and how its network does on the test part.
struct Outcome {
  bool standard = false;
  std::uint64_t seed = 1;
  double epochs = 0;
  double accuracy = 0;
  double loss = 0;
  double train_seconds = 0;      ///< of all sittings
  double inference_seconds = 0;  ///< the fastest run of one image, on the threads of the training
};

/// What the runs of a comparison's folder came to, by their names: its file outcomes.txt, which says first what all
/// runs have in common, and has a line for each run that is done. Whatever compares them, a run is done once.
class Outcomes {
 public:
  /// Reads the file if it is there. Throws Error(kInvalid) that names the first thing that differs from `common`, or
  /// the line that is damaged.
  Outcomes(const std::filesystem::path& folder, Identity common);

  /// What the run called `name` came to, if it is done: all but which one it is.
  std::optional<Outcome> outcome(const std::string& name) const;
  /// A number that was measured once and is to stay, as it decides what a run is.
  std::optional<std::int64_t> number(const std::string& name) const;

  /// Written and synced when these come back. Throw Error(kIo).
  void add(const std::string& name, const Outcome& outcome);
  void add(const std::string& name, std::int64_t number);

 private:
  void read();
  void write() const;

  std::filesystem::path file_;
  Identity common_;
  std::map<std::string, Outcome> outcomes_;
  std::map<std::string, std::int64_t> numbers_;
};

}  // namespace sepal
