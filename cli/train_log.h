#pragma once

#include <chrono>
#include <fstream>
#include <functional>
#include <optional>
#include <string>

#include "sepal/report/json.h"
#include "sepal/train/trainer.h"

namespace sepal::cli {

/// The history as a document: what history.json holds. `test` is null where there is no test part.
report::Json to_json(const History& history, const Evaluation* test);

/// What a run says while it goes on: on a terminal one line that is written over, in a pipe a line now and then; and a
/// line of JSON for each record.
class TrainLog {
 public:
  /// Throws Error(kIo) where the log cannot be written.
  TrainLog(std::string verb, const std::optional<std::string>& file, bool quiet);

  TrainingObserver observer(std::function<bool()> stop);
  /// A line of its own on stderr, unless all is quiet.
  void say(const std::string& text);
  /// Takes the progress line away.
  void clear();

 private:
  void show(const TrainingProgress& progress);
  void write(const report::Json& line);
  [[noreturn]] void cannot_be_written() const;

  std::string verb_;  ///< what lines begin with
  bool quiet_;
  bool terminal_;
  std::string file_;
  std::ofstream log_;
  std::chrono::steady_clock::time_point shown_;
};

}  // namespace sepal::cli
