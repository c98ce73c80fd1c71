// A network beside another way of computing it. Whole runs alternate; step by step the two need not have the same
// steps, since either may take several nodes in one, so steps are compared in parts: the least groups of steps on both
// sides that compute the same nodes.

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>

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

/// Which step computes each node; none for one that needs no step, as a reshape.
std::map<std::size_t, std::size_t> steps_of(const Plan& plan) {
  std::map<std::size_t, std::size_t> steps;
  for (std::size_t i = 0; i < plan.steps().size(); ++i) {
    for (const std::size_t node : plan.steps()[i].nodes) steps.emplace(node, i);
  }
  return steps;
}

/// Sets that grow together.
class Groups {
 public:
  explicit Groups(std::size_t count) : parent_(count) { std::iota(parent_.begin(), parent_.end(), std::size_t{0}); }
  std::size_t find(std::size_t i) const {
    while (parent_[i] != i) i = parent_[i];
    return i;
  }
  /// The lesser of the two stays its group's name.
  void join(std::size_t a, std::size_t b) {
    const auto [low, high] = std::minmax({find(a), find(b)});
    parent_[high] = low;
  }

 private:
  std::vector<std::size_t> parent_;
};

/// Groups of steps on both sides that compute the same nodes, in this plan's order.
std::vector<PartTiming> parts_of(const Plan& plan, const Plan& other, const std::vector<std::size_t>& node_of) {
  const std::size_t count = plan.steps().size();
  Groups groups(count + other.steps().size());
  const std::map<std::size_t, std::size_t> there = steps_of(other);
  for (const auto& [node, step] : steps_of(plan)) {
    if (const auto found = there.find(node_of[node]); found != there.end()) groups.join(step, count + found->second);
  }
  std::map<std::size_t, PartTiming> parts;
  for (std::size_t i = 0; i < count; ++i) parts[groups.find(i)].steps.push_back(i);
  for (std::size_t i = 0; i < other.steps().size(); ++i) parts[groups.find(count + i)].opponents.push_back(i);
  std::vector<PartTiming> result;
  for (auto& [group, part] : parts) {
    if (!part.steps.empty() && !part.opponents.empty()) result.push_back(std::move(part));
  }
  return result;
}

/// Marks the parts that hold a pair, and names all.
void name_parts(std::vector<PartTiming>& parts, const StandardNetwork& rival, const Plan& plan, const Plan& other) {
  const std::map<std::size_t, std::size_t> there = steps_of(other);
  for (const ReplacedPair& pair : rival.pairs) {
    const std::size_t step = there.at(pair.node);
    const auto part = std::ranges::find_if(
        parts, [&](const PartTiming& it) { return std::ranges::find(it.opponents, step) != it.opponents.end(); });
    part->name += (part->is_pair ? ", " : "") + pair.name;
    part->is_pair = true;
  }
  for (PartTiming& part : parts) {
    if (part.is_pair) continue;
    for (const std::size_t step : part.steps) part.name += (part.name.empty() ? "" : " + ") + plan.steps()[step].node;
  }
}

/// Seconds and MACs of a part, from the rounds and the steps of both sides.
void time_part(PartTiming& part, const StepRounds& ours, const StepRounds& theirs, const NetworkTiming& network,
               const NetworkTiming& rival) {
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
  for (const std::size_t step : part.steps) part.macs += network.steps[step].macs;
  for (const std::size_t step : part.opponents) part.opponent_macs += rival.steps[step].macs;
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
  rival.parts = parts_of(plan.plan(), opponent.plan(), other.node_of);
  name_parts(rival.parts, other, plan.plan(), opponent.plan());
  for (PartTiming& part : rival.parts) time_part(part, ours, theirs, network, rival.timing);
  return {std::move(network), std::move(rival)};
}

}  // namespace sepal
