#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/options.h"
#include "sepal/data/data_set.h"
#include "sepal/train/trainer.h"

namespace sepal::cli {

/// What `sepal train` is told, as words; nothing is checked yet.
struct TrainOptions {
  std::optional<std::string> network;
  std::optional<std::string> data, out, epochs, batch, optimizer, rate, schedule, warmup, weight_decay, label_smoothing,
      clip, average, dropout, augment, patience, seed, from, classes, freeze, resize, keep, save_every;
  bool standard = false;
  bool fold = false;
  bool decay_depthwise = false;
  // What a run may have otherwise in each sitting.
  std::optional<std::string> resume, time_limit, log, tensorboard;
  std::optional<int> threads;
  bool quiet = false;
};
void declare(Options& options, TrainOptions& train);
/// Those that `sepal compare` has, too: the network is an option there, and what a single run alone has is left out.
void declare_for_comparison(Options& options, TrainOptions& train);

/// The options that make the run what it is, one "--name=value" a line: what a checkpoint keeps of them.
std::string to_lines(const TrainOptions& options);
/// Takes from such lines what was not given. Throws Error(kInvalid) for a line that is none.
void fill_in(TrainOptions& options, const std::string& lines);

/// What --classes says, if anything. Throws Error(kUsage).
std::optional<std::int64_t> asked_classes(const TrainOptions& options);

/// The data set with --resize in the place of its own way, where that is given.
DataSet fitted_by(const TrainOptions& options, DataSet set);

/// For a data set of so many training images. Throws Error(kUsage) that names the option whose value does not read.
TrainerOptions trainer_options(const TrainOptions& options, std::int64_t images);

/// "90", "90s", "10m", "2h" in seconds. Throws Error(kUsage).
double parse_duration(std::string_view option, const std::string& text);

}  // namespace sepal::cli
