#pragma once

// What is said of how long a network takes: its tables and plots as a document, and as JSON.

#include <cstdint>
#include <optional>
#include <string>

#include "sepal/machine/machine.h"
#include "sepal/measure/network.h"
#include "sepal/report/document.h"
#include "sepal/report/json.h"

namespace sepal::report {

struct BenchReport {
  std::string model;
  std::int64_t batch = 1;
  int threads = 1;
  bool fuse = true;         ///< whether a step might compute several nodes
  std::string target;       ///< the instruction set
  Machine machine;          ///< whose ceilings the shares and predictions are of
  double load_seconds = 0;  ///< what reading the file, or making the network, took, once
  NetworkTiming timing;
  std::optional<Rival> rival = {};

  /// FLOPs a second, a MAC as two, by the median.
  double rate_of(const NetworkTiming& network) const {
    return 2 * static_cast<double>(network.macs) / network.whole.median;
  }
  /// Of the peak of as many threads.
  double share_of(double rate) const { return rate / machine.flops_of(threads); }
};

/// Whether MACs promise a speed-up over the rival: it has standard convolutions in the place of separable pairs.
inline bool promises(const Rival& rival) { return rival.against == Against::kStandard; }

/// The part that `step` of the network computes most of, or null where there is none.
const PartTiming* part_with(const BenchReport& report, std::size_t step);

/// "in standard convolutions", "with every operator by itself", "by the reference kernels".
std::string_view phrase_of(Against against);

/// The run as a whole, the rival beside it, blocks and steps where they were timed. With `plots` also the figures.
Document to_document(const BenchReport& report, bool plots);
/// The same in full.
Json to_json(const BenchReport& report);

}  // namespace sepal::report
