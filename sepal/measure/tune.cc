#include "sepal/measure/tune.h"

#include <algorithm>
#include <limits>
#include <set>

#include "sepal/measure/rounds.h"
#include "sepal/measure/steps.h"
#include "sepal/plan/chains.h"

namespace sepal {
namespace {

constexpr double kWorthAChain = 0.98;
constexpr double kWorthAll = 1.005;
constexpr int kVisits = 3;  // to each alternative, since clocks drift

std::vector<std::vector<Fused>> alternatives(const Graph& graph, const PlanOptions& planning) {
  const CacheSizes here = planning.caches.value_or(cache_sizes());
  std::vector<std::vector<Fused>> all = {ranked(graph, here, planning.threads)};
  const auto add = [&](std::vector<Fused> fused) {
    if (std::ranges::find(all, fused) == all.end()) all.push_back(std::move(fused));
  };
  for (const double size : {0.25, 0.5, 2.0, 4.0}) {
    const auto scaled = [&](std::int64_t bytes) {
      return static_cast<std::int64_t>(static_cast<double>(bytes) * size);
    };
    add(ranked(graph, {.l2 = scaled(here.l2), .l3 = here.l3}, planning.threads));
    add(ranked(graph, {.l2 = here.l2, .l3 = scaled(here.l3)}, planning.threads));
  }
  add({});
  return all;
}

/// What lies within a chain, of all fused steps.
std::vector<Fused> within(const std::vector<Fused>& fused, const std::set<std::size_t>& chain) {
  std::vector<Fused> found;
  std::ranges::copy_if(fused, std::back_inserter(found),
                       [&](const Fused& one) { return chain.contains(one.nodes.front()); });
  return found;
}

/// Seconds of the steps of each chain under one plan: the least of a few medians.
void time_chains(const Graph& graph, const PlanOptions& planning, const std::vector<std::set<std::size_t>>& chains,
                 const TimingOptions& options, const Clock& clock, std::vector<double>& seconds) {
  TimedPlan plan(graph, planning);
  const std::span<const Step> steps = plan.plan().steps();
  StepRounds rounds(plan, 1, clock);
  go_round(options, clock, [&](int /*round*/) { rounds.round(); });
  for (std::size_t i = 0; i < chains.size(); ++i) {
    std::vector<Portion> mine;
    for (std::size_t j = 0; j < steps.size(); ++j) {
      if (!steps[j].nodes.empty() &&
          std::ranges::any_of(steps[j].nodes, [&](std::size_t node) { return chains[i].contains(node); })) {
        mine.push_back({.step = j});
      }
    }
    std::vector<double> sums;
    for (std::size_t round = 0; round < rounds.rounds(); ++round) sums.push_back(rounds.seconds(round, mine));
    seconds[i] = std::min(seconds[i], median(std::move(sums)));
  }
}

}  // namespace

Tuning tune(const Graph& optimized, const PlanOptions& planning, const TimingOptions& options, const Clock& clock) {
  const std::vector<std::vector<Fused>> tried = alternatives(optimized, planning);
  std::vector<std::set<std::size_t>> chains;
  for (const std::vector<std::size_t>& chain : chains_of(optimized)) chains.emplace_back(chain.begin(), chain.end());

  // By alternative, by chain. Half the time is for these, half for the two plans at the end.
  std::vector<std::vector<double>> seconds(tried.size(),
                                           std::vector<double>(chains.size(), std::numeric_limits<double>::infinity()));
  const TimingOptions each = {.seconds = options.seconds / 2 / (kVisits * static_cast<double>(tried.size())),
                              .least_rounds = 3};
  for (int visit = 0; visit < kVisits; ++visit) {
    for (std::size_t i = 0; i < tried.size(); ++i) {
      PlanOptions with = planning;
      with.fused = tried[i];
      time_chains(optimized, with, chains, each, clock, seconds[i]);
    }
  }

  Tuning result;
  result.chains = chains.size();
  for (std::size_t chain = 0; chain < chains.size(); ++chain) {
    std::size_t best = 0;
    for (std::size_t i = 1; i < tried.size(); ++i) {
      if (seconds[i][chain] < seconds[0][chain] * kWorthAChain && seconds[i][chain] < seconds[best][chain]) best = i;
    }
    const std::vector<Fused> chosen = within(tried[best], chains[chain]);
    if (chosen != within(tried[0], chains[chain])) ++result.changed;
    result.fused.insert(result.fused.end(), chosen.begin(), chosen.end());
  }

  PlanOptions with = planning;
  with.fused = tried[0];
  TimedPlan first(optimized, with);
  with.fused = result.fused;
  TimedPlan second(optimized, with);
  result.timing = time_pair([&] { first.run(); }, [&] { second.run(); },
                            {.seconds = options.seconds / 2, .least_rounds = options.least_rounds}, clock);
  if (result.timing.speedup < kWorthAll) {
    result.fused = tried[0];
    result.changed = 0;
  }
  return result;
}

}  // namespace sepal
