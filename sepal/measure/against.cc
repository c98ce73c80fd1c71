// A network beside another way of computing it. Whole runs alternate; step by step the two need not have the same
// steps, since either may take several nodes in one, so parts are compared: the nodes of a separable pair with the
// convolution in its place, or those of a step with the same nodes there. A step may compute some of one part and some
// of the next; what it takes is then divided as its nodes take apart.

#include <algorithm>
#include <numeric>

#include "sepal/base/text.h"
#include "sepal/graph/cost.h"
#include "sepal/measure/network.h"
#include "sepal/measure/rounds.h"
#include "sepal/measure/standard_network.h"
#include "sepal/measure/steps.h"
#include "sepal/optimize/optimize.h"
#include "sepal/plan/tuned.h"

namespace sepal {
namespace {

constexpr int kPasses = 3;         // of a round by steps
constexpr double kLongRun = 0.25;  // seconds

/// The first pass finds the caches as the other network left them; where a run takes long, that is little.
int passes_of(const Timing& whole) { return whole.best < kLongRun ? kPasses : 1; }

/// The other network, and for each node of this one its node there.
StandardNetwork rival_of(const Graph& optimized, Against against) {
  if (against == Against::kStandard) return standard_network(optimized);
  StandardNetwork same{.graph = optimized, .node_of = std::vector<std::size_t>(optimized.nodes().size()), .pairs = {}};
  std::iota(same.node_of.begin(), same.node_of.end(), std::size_t{0});
  return same;
}

PlanOptions planning_of(PlanOptions planning, Against against) {
  planning.fuse = planning.fuse && against != Against::kUnfused;
  planning.reference_only = against == Against::kReference;
  return planning;
}

/// Nodes of both graphs that compute the same part of the network.
struct Part {
  std::string name;
  std::vector<std::size_t> nodes;
  std::vector<std::size_t> opponents;
};

/// The separable pairs, where there are any; else what each step of the plan computes.
std::vector<Part> parts_of(const Plan& plan, const StandardNetwork& rival) {
  std::vector<Part> parts;
  for (const ReplacedPair& pair : rival.pairs) {
    Part& part = parts.emplace_back(Part{.name = pair.name, .nodes = {}, .opponents = {pair.node}});
    for (std::size_t node = 0; node < rival.node_of.size(); ++node) {
      if (rival.node_of[node] == pair.node) part.nodes.push_back(node);
    }
  }
  if (!parts.empty()) return parts;
  for (const Step& step : plan.steps()) {
    if (!step.nodes.empty()) parts.push_back({.name = step.node, .nodes = step.nodes, .opponents = step.nodes});
  }
  return parts;
}

/// What each node takes in a step of its own, timed when it is first asked for.
class TimesApart {
 public:
  TimesApart(const Graph& optimized, PlanOptions planning, const Clock& clock)
      : graph_(optimized), planning_(planning), clock_(clock) {
    planning_.fuse = false;
  }

  /// Seconds; 0 of a node that needs no step, as a reshape.
  double of(std::size_t node) {
    if (seconds_.empty()) time();
    return seconds_[node];
  }

 private:
  void time() {
    seconds_.resize(graph_.nodes().size());
    TimedPlan plan(graph_, planning_);
    StepRounds rounds(plan, kPasses, clock_);
    rounds.round();
    for (std::size_t i = 0; i < plan.plan().steps().size(); ++i) {
      const Portion step{i};
      for (const std::size_t node : plan.plan().steps()[i].nodes) seconds_[node] = rounds.seconds(0, {&step, 1});
    }
  }

  const Graph& graph_;
  PlanOptions planning_;
  const Clock& clock_;
  std::vector<double> seconds_;  ///< by node
};

/// Of a step that computes `all`, the share of its time that goes into `nodes`.
double share_of(const std::vector<std::size_t>& nodes, const std::vector<std::size_t>& all, TimesApart& apart) {
  double ours = 0;
  double sum = 0;
  for (const std::size_t node : all) {
    sum += apart.of(node);
    if (std::ranges::find(nodes, node) != nodes.end()) ours += apart.of(node);
  }
  return sum > 0 ? ours / sum : 1;
}

/// What of a plan's steps computes `nodes`.
std::vector<Portion> portions_of(const Plan& plan, const std::vector<std::size_t>& nodes, TimesApart& apart) {
  std::vector<Portion> portions;
  for (std::size_t i = 0; i < plan.steps().size(); ++i) {
    const std::vector<std::size_t>& all = plan.steps()[i].nodes;
    const auto common =
        std::ranges::count_if(all, [&](std::size_t node) { return std::ranges::find(nodes, node) != nodes.end(); });
    if (common == 0) continue;
    const bool whole = static_cast<std::size_t>(common) == all.size();
    portions.push_back({.step = i, .share = whole ? 1 : share_of(nodes, all, apart)});
  }
  return portions;
}

/// Seconds of a part from the rounds of both sides.
void time_part(PartTiming& part, const StepRounds& ours, const StepRounds& theirs) {
  std::vector<double> seconds;
  std::vector<double> opponents;
  std::vector<double> speedups;
  for (std::size_t round = 0; round < ours.rounds(); ++round) {
    seconds.push_back(ours.seconds(round, part.steps));
    opponents.push_back(theirs.seconds(round, part.opponents));
    speedups.push_back(speedup_of(opponents.back(), seconds.back()));
  }
  part.seconds = median(std::move(seconds));
  part.opponent_seconds = median(std::move(opponents));
  part.speedup = median(std::move(speedups));
}

std::uint64_t macs_of(const NetworkCost& cost, const std::vector<std::size_t>& nodes) {
  std::uint64_t macs = 0;
  for (const std::size_t node : nodes) macs += cost.layers[node].cost.macs;
  return macs;
}

}  // namespace

std::string_view name_of(Against against) {
  switch (against) {
    case Against::kStandard:
      return "standard";
    case Against::kUnfused:
      return "unfused";
    case Against::kReference:
      return "reference";
  }
  return "";
}

std::pair<NetworkTiming, Rival> measure_against(const Graph& graph, Against against, const Machine& machine,
                                                const PlanOptions& planning, bool by_step, const TimingOptions& options,
                                                const Clock& clock) {
  NetworkTiming network;
  Rival rival{.against = against, .timing = {}};
  const double begin = clock();
  const Graph optimized = optimize(graph);
  Plan planned(optimized, with_kept(planning, optimized));
  network.plan_seconds = clock() - begin;
  TimedPlan plan(optimized, std::move(planned));
  const StandardNetwork other = rival_of(optimized, against);
  const double again = clock();
  Plan other_planned(other.graph, planning_of(planning, against));
  rival.timing.plan_seconds = clock() - again;
  TimedPlan opponent(other.graph, std::move(other_planned));

  const NetworkCost cost = cost_of(optimized);
  const NetworkCost other_cost = cost_of(other.graph);
  network.macs = cost.total.macs;
  rival.timing.macs = other_cost.total.macs;
  const PairedTiming whole = time_pair([&] { opponent.run(); }, [&] { plan.run(); }, options, clock);
  network.whole = whole.second;
  rival.timing.whole = whole.first;
  rival.speedup = whole.speedup;
  rival.promised = static_cast<double>(rival.timing.macs) / static_cast<double>(network.macs);
  if (!by_step) return {std::move(network), std::move(rival)};

  StepRounds ours(plan, passes_of(whole.second), clock);
  StepRounds theirs(opponent, passes_of(whole.first), clock);
  go_round(options, clock, [&](int round) {
    StepRounds& earlier = round % 2 == 0 ? theirs : ours;
    StepRounds& later = round % 2 == 0 ? ours : theirs;
    earlier.round();
    later.round();
  });
  network.steps = ours.timings(optimized, cost, machine, planning.threads);
  rival.timing.steps = theirs.timings(other.graph, other_cost, machine, planning.threads);
  TimesApart apart(optimized, planning, clock);
  TimesApart apart_there(other.graph, planning, clock);
  for (Part& part : parts_of(plan.plan(), other)) {
    PartTiming timing{.name = std::move(part.name),
                      .steps = portions_of(plan.plan(), part.nodes, apart),
                      .opponents = portions_of(opponent.plan(), part.opponents, apart_there),
                      .macs = macs_of(cost, part.nodes),
                      .opponent_macs = macs_of(other_cost, part.opponents)};
    time_part(timing, ours, theirs);
    rival.parts.push_back(std::move(timing));
  }
  return {std::move(network), std::move(rival)};
}

}  // namespace sepal
