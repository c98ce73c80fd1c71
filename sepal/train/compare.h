#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sepal/data/data_set.h"
#include "sepal/train/outcomes.h"
#include "sepal/train/trainer.h"
#include "sepal/zoo/zoo.h"

namespace sepal {

// The same architecture in separable and in standard convolutions, trained alike: what does the saving cost?

/// What both networks of a pair have in common, besides architecture, data and everything about their training.
enum class Budget : std::uint8_t {
  kWidth,       ///< the width: the standard one is larger and dearer
  kParameters,  ///< the parameters, to 2 %: the standard one is narrower
  kMacs,        ///< the MACs, to 2 %: narrower still
  kTime,        ///< the width and the time of training: the standard one makes fewer steps
};

/// "width", "params", "macs", "time".
std::string_view name_of(Budget budget);
/// The budget called `name`, or nothing.
std::optional<Budget> budget(std::string_view name);

/// One of the two networks.
struct Contender {
  std::string name;  ///< "separable" or "standard"
  ZooSpec spec;      ///< the standard one is its standard_network()
  bool standard = false;
  std::int64_t parameters = 0;
  std::int64_t macs = 0;  ///< of one image

  /// The network with this seed's weights, for `batch` images. Throws Error as build() does.
  Graph build(std::uint64_t seed, std::int64_t batch) const;
};

struct ContenderPair {
  Contender separable;
  Contender standard;
};

/// The pair under a budget: the separable network as `spec` says, the standard one at the same width, or at the width
/// that comes nearest to its parameters or MACs. Throws Error(kInvalid) where no width comes within 2 %, Error(kUsage)
/// where the network has no width to choose, and as standard_network() does.
ContenderPair pair_of(const ZooSpec& spec, Budget budget);

struct CompareOptions {
  Budget budget = Budget::kWidth;
  int seeds = 3;                   ///< 1, 2 ...: of weights and of the data's order
  TrainerOptions trainer{};        ///< its network, folder and seeds are set here
  std::filesystem::path folder{};  ///< holds a folder for each run
};

/// Mean and the largest distance from it.
struct Spread {
  double mean = 0;
  double most = 0;
};

struct TrainingComparison {
  Budget budget = Budget::kWidth;
  std::string data;
  ContenderPair pair;
  std::vector<Outcome> outcomes;

  Spread spread(bool standard, double Outcome::* figure) const;
};

/// Whom a comparison tells what happens.
struct CompareObserver {
  std::function<void(const Contender&, std::uint64_t seed, bool done_before)> begin = {};
  std::function<void(const Outcome&)> end = {};
  TrainingObserver training{};
};

/// Trains both networks with every seed and tests them. A run that is done is kept in the folder's Outcomes and not
/// done again, whatever the budget: comparisons under several budgets share what they have in common. One that was
/// stopped is taken up where it was. Returns nothing where the observer's stop() ended it. Throws Error as Trainer and
/// Outcomes do.
std::optional<TrainingComparison> compare(const ZooSpec& spec, const DataSet& set, const CompareOptions& options,
                                          const CompareObserver& observer = {});

}  // namespace sepal
