#pragma once

// A whole network timed on this machine, every step of its plan by itself, and another way of computing it beside it.

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "sepal/graph/graph.h"
#include "sepal/machine/machine.h"
#include "sepal/measure/paired.h"

namespace sepal {

/// One step of a plan.
struct StepTiming {
  std::string node;
  std::string kernel;
  double seconds = 0;         ///< median over rounds
  std::uint64_t macs = 0;     ///< of the nodes that the step computes
  std::uint64_t flops = 0;    ///< theirs too, and their compulsory traffic
  std::uint64_t bytes = 0;    // what one node makes for another of the step does not move
  Prediction predicted = {};  ///< by roofline, of the step as a whole
};

struct NetworkTiming {
  Timing whole;
  std::vector<StepTiming> steps = {};  ///< empty unless asked for
  std::uint64_t macs = 0;              ///< of one run, the batch included
  double plan_seconds = 0;             ///< what optimising, planning and packing took, once
};

/// Times the plan of `graph` (which is optimised first); with `by_step` also each step alone, in rounds over all of
/// them, so that caches are as a run leaves them. `machine` is for the predictions. Throws Error as optimize() and Plan
/// do. The graph's constants are let go as soon as those that it is planned from are there, as a model that is only run
/// does it: their memory serves for packing.
NetworkTiming measure(Graph graph, const Machine& machine, const PlanOptions& planning, bool by_step,
                      const TimingOptions& options = {}, const Clock& clock = seconds_now);

/// What a network is timed against.
enum class Against : std::uint8_t {
  kStandard,   ///< itself with a standard convolution in the place of each separable pair (standard_network.h)
  kUnfused,    ///< every node in a step of its own
  kReference,  ///< the same by the reference kernels
};

/// "standard", "unfused", "reference".
std::string_view name_of(Against against);

/// A step, or that share of its time which goes into some of its nodes.
struct Portion {
  std::size_t step = 0;
  double share = 1;
};

/// A part of a network that its rival computes as well: a separable pair, or what one step computes.
struct PartTiming {
  std::string name;                ///< the pair's or the step's
  std::vector<Portion> steps;      ///< of the network
  std::vector<Portion> opponents;  ///< of the rival
  double seconds = 0;              ///< medians over rounds, of the network
  double opponent_seconds = 0;
  double speedup = 0;  ///< median over rounds of the rival's time over the network's
  std::uint64_t macs = 0;
  std::uint64_t opponent_macs = 0;

  double promised() const { return static_cast<double>(opponent_macs) / static_cast<double>(macs); }
  double kept() const { return speedup / promised(); }
};

/// Another way of computing a network, timed in turns with it.
struct Rival {
  Against against = Against::kStandard;
  NetworkTiming timing;
  double speedup = 0;   ///< median over rounds of its time over the network's
  double promised = 0;  ///< its MACs over the network's
  /// If steps were asked for, in the network's order: its separable pairs against kStandard, else its steps.
  std::vector<PartTiming> parts = {};

  double kept() const { return speedup / promised; }
};

/// Times both in turns: whole runs, and with `by_step` all steps of the one, then of the other. The time of a step that
/// computes more than one part is divided as the times of its nodes are where each has a step of its own. Throws Error
/// as measure() does; Error(kInvalid) against kStandard if the network has no separable pair.
std::pair<NetworkTiming, Rival> measure_against(const Graph& graph, Against against, const Machine& machine,
                                                const PlanOptions& planning, bool by_step,
                                                const TimingOptions& options = {}, const Clock& clock = seconds_now);

}  // namespace sepal
