#pragma once

// Numbers of a run as the texts of its checkpoints: shortest form that reads back to the same bits.

#include <cstdint>
#include <map>
#include <string>

#include "sepal/train/history.h"

namespace sepal {

/// Sums since the last record, or since the epoch's beginning.
struct RunningSums {
  double loss = 0;  ///< of batches
  std::int64_t steps = 0;
  std::int64_t right = 0;
  std::int64_t images = 0;
  double seconds = 0;

  double mean_loss() const { return steps == 0 ? 0 : loss / static_cast<double>(steps); }
  double accuracy() const { return images == 0 ? 0 : static_cast<double>(right) / static_cast<double>(images); }
};

/// What a run knows besides its tensors.
struct RunState {
  RunningSums record;
  RunningSums epoch;
  History history;  ///< steps, epochs and seconds alone
};

std::map<std::string, std::string> to_text(const RunState& state);

/// Throws Error(kInvalid) that names the text which does not read.
void read_text(const std::map<std::string, std::string>& text, RunState& state);

}  // namespace sepal
