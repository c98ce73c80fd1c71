#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sepal/data/batches.h"
#include "sepal/plan/plan.h"
#include "sepal/train/checkpoint.h"
#include "sepal/train/history.h"
#include "sepal/train/schedule.h"
#include "sepal/train/step_graph.h"

namespace sepal {

struct TrainerOptions {
  std::string network;  ///< what the network is called: "mobilenet_v1:width=0.25,size=28"
  TrainingGraphOptions graph{};
  StepOptions step{};
  Schedule schedule{};     ///< its `steps` are those of the run, set by the trainer
  BatchOptions batches{};  ///< size and channels are the network's
  std::int64_t epochs = 30;
  std::optional<std::int64_t> steps{};         ///< of the run, in the place of whole epochs
  std::optional<std::int64_t> patience{};      ///< epochs without a lower validation loss, after which the run ends
  std::optional<double> time_limit{};          ///< seconds of this sitting, after which the run stops
  int threads = 1;                             ///< of steps; as many load batches ahead
  std::filesystem::path folder{};              ///< where checkpoints go; none are written where it is empty
  int keep = 2;                                ///< checkpoints
  std::int64_t save_steps = 0;                 ///< steps between checkpoints, besides those at epochs' ends; 0: none
  double save_seconds = 60;                    ///< the same in seconds
  std::int64_t record_steps = 0;               ///< steps between records of the history; 0: a fiftieth of an epoch
  std::map<std::string, std::string> notes{};  ///< texts kept in every checkpoint
  Storage* storage = nullptr;                  ///< what checkpoints are written by; disk() where null
};

/// Steps of an epoch of a trainer that learns from a set with so many training images.
std::int64_t steps_per_epoch(std::int64_t images, const BatchOptions& batches);

/// Where a run is, for whoever watches it.
struct TrainingProgress {
  StepRecord latest;  ///< mean since the last record of the history
  std::int64_t steps = 0;
  std::int64_t steps_per_epoch = 0;
  std::int64_t epochs = 0;
  double seconds_left = 0;  ///< to the run's last step at the rate of this sitting
};

/// Whom a run tells what happens, on the thread that called run(). All may be empty.
struct TrainingObserver {
  std::function<void(const TrainingProgress&)> step = {};
  std::function<void(const StepRecord&)> record = {};
  std::function<void(const EpochRecord&)> epoch = {};
  std::function<void(std::int64_t step, const std::filesystem::path&)> saved = {};
  std::function<bool()> stop = {};  ///< asked after every step: true ends the run there, after a checkpoint
};

/// Why run() came back.
enum class TrainingEnd : std::uint8_t { kDone, kPatience, kTimeLimit, kStopped };

/// A network that learns from a data set's training part but a tenth of it, by which each epoch is judged
/// (hold_back_tenth). Every number that becomes part of a weight is a function of network, data, options and step: the
/// same run gives the same bits on any number of threads, in one sitting or in several.
class Trainer {
 public:
  /// The network takes images [any, h, w, c] and ends in scores of the data's classes; `set` must live as long. Throws
  /// Error as training_graph, step_graph, Batches and Plan do, and Error(kInvalid) where numbers of classes differ.
  Trainer(const Graph& network, const DataSet& set, TrainerOptions options);
  ~Trainer();
  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;

  /// Takes up the run where its last checkpoint left it. Throws Error as Checkpoints::load does, and Error(kInvalid)
  /// where there is none.
  void resume();

  /// Goes on until the end, or until it is stopped. Each epoch is judged at its end. Throws Error(kInvalid) where loss
  /// or weights are no finite numbers any more: no checkpoint of that is written; Error(kIo) where a checkpoint cannot
  /// be written; and as Batches::load does. After an Error the run is to be resumed, not run on.
  TrainingEnd run(const TrainingObserver& observer = {});

  std::int64_t step() const;   ///< steps done
  std::int64_t steps() const;  ///< of the whole run
  const History& history() const;
  /// The tensor of a slot (StepGraph::slots) as it is now.
  const std::vector<Slot>& slots() const;
  const Tensor& value(std::size_t slot) const;
  const Identity& identity() const;

  /// The network with what was learned, for `batch` images: the moving averages where they are kept, those of the best
  /// epoch where there is patience.
  Graph trained(std::int64_t batch = 1) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sepal
