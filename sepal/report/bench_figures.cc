#include "sepal/report/bench_figures.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "sepal/base/text.h"
#include "sepal/report/numbers.h"
#include "sepal/report/roofline.h"

namespace sepal::report {
namespace {

std::string time_text(double seconds) { return to_readable(seconds, Unit::kSeconds); }

double rate_of(const StepTiming& step) { return static_cast<double>(step.flops) / step.seconds; }
double intensity_of(const StepTiming& step) {
  return step.bytes == 0 ? 0 : static_cast<double>(step.flops) / static_cast<double>(step.bytes);
}

/// Kernels that the network uses, those that take longest in all first.
std::vector<std::string> kernels_of(const NetworkTiming& timing) {
  std::map<std::string, double> seconds;
  for (const StepTiming& step : timing.steps) seconds[step.kernel] += step.seconds;
  std::vector<std::string> kernels;
  for (const auto& [kernel, sum] : seconds) kernels.push_back(kernel);
  std::ranges::sort(kernels, [&](const auto& a, const auto& b) {
    return std::pair(-seconds[a], std::string_view(a)) < std::pair(-seconds[b], std::string_view(b));
  });
  return kernels;
}

/// Names short enough to stand below bars: "block1" of "block1/depthwise + pointwise", where that tells them apart.
std::vector<std::string> short_names(const std::vector<PartTiming>& parts) {
  std::vector<std::string> names;
  std::set<std::string> different;
  for (const PartTiming& part : parts) {
    names.push_back(part.name.substr(0, part.name.find('/')));
    different.insert(names.back());
  }
  if (different.size() == parts.size()) return names;
  std::ranges::transform(parts, names.begin(), &PartTiming::name);
  return names;
}

}  // namespace

Figure time_figure(const BenchReport& report) {
  const std::vector<StepTiming>& steps = report.timing.steps;
  Figure figure{.id = "time-by-step",
                .title = "Time by step",
                .alternative = {},
                .x = {.title = "step"},
                .y = {.title = "time", .unit = Unit::kSeconds},
                .series = {}};
  for (const std::string& kernel : kernels_of(report.timing)) {
    Series series{.name = kernel, .mark = Mark::kStackedBars};
    for (std::size_t i = 0; i < steps.size(); ++i) {
      if (steps[i].kernel != kernel) continue;
      series.x.push_back(static_cast<double>(i));
      series.y.push_back(steps[i].seconds);
      series.exact.push_back(format("{}: {}, {:.1f} GFLOP/s, at least {}", steps[i].node, time_text(steps[i].seconds),
                                    rate_of(steps[i]) * 1e-9, time_text(steps[i].predicted.seconds)));
    }
    figure.series.push_back(std::move(series));
  }
  Series least{.name = "at least", .mark = Mark::kSteps, .bound = true};
  for (std::size_t i = 0; i < steps.size(); ++i) {
    least.x.push_back(static_cast<double>(i));
    least.y.push_back(steps[i].predicted.seconds);
    least.exact.push_back(format("{}: {}, bound by {}", steps[i].node, time_text(steps[i].predicted.seconds),
                                 steps[i].predicted.bound == Bound::kCompute ? "compute" : "memory"));
    figure.x.categories.push_back(steps[i].node);
  }
  figure.series.push_back(std::move(least));
  const auto longest = std::ranges::max_element(steps, {}, &StepTiming::seconds);
  figure.alternative = format("Bars, one a step, for {} steps. The longest is {} with {}.", steps.size(), longest->node,
                              time_text(longest->seconds));
  return figure;
}

Figure step_roofline(const BenchReport& report) {
  Figure figure{.id = "roofline",
                .title = "Roofline",
                .alternative = {},
                .x = {.title = "FLOPs for each byte moved", .log = true},
                .y = {.title = "FLOP/s", .log = true},
                .series = {}};
  double least = 1;
  double most = 1;
  std::uint64_t points = 0;
  for (const std::string& kernel : kernels_of(report.timing)) {
    Series series{.name = kernel, .mark = Mark::kPoints};
    for (const StepTiming& step : report.timing.steps) {
      const double intensity = intensity_of(step);
      if (step.kernel != kernel || intensity <= 0 || step.seconds <= 0) continue;
      series.x.push_back(intensity);
      series.y.push_back(rate_of(step));
      series.exact.push_back(format("{}: {:.3g} FLOPs a byte, {:.1f} GFLOP/s, {} ({} bound)", step.node, intensity,
                                    rate_of(step) * 1e-9, time_text(step.seconds),
                                    step.predicted.bound == Bound::kCompute ? "compute" : "memory"));
      least = std::min(least, intensity);
      most = std::max(most, intensity);
      ++points;
    }
    if (!series.x.empty()) figure.series.push_back(std::move(series));
  }
  for (Series& ceiling : ceilings(report.machine, report.threads, least, most))
    figure.series.push_back(std::move(ceiling));
  figure.alternative =
      format("Points, one a step, for {} as measured, under the ceilings of {}: {:.1f} GFLOP/s with {}.",
             with_noun(points, "step"), report.machine.processor, report.machine.flops_of(report.threads) * 1e-9,
             threads_text(report.threads));
  return figure;
}

Figure against_figure(const BenchReport& report) {
  const Rival& rival = *report.rival;
  const bool standard = promises(rival);
  Figure figure{.id = "against",
                .title = format("Time, {} against this plan", name_of(rival.against)),
                .alternative = {},
                .x = {.title = standard ? "block" : "step"},
                .y = {.title = "time", .unit = Unit::kSeconds},
                .series = {}};
  Series theirs{.name = std::string(name_of(rival.against)), .mark = Mark::kBars};
  Series ours{.name = standard ? "separable" : "this plan", .mark = Mark::kBars};
  const std::vector<PartTiming>& parts = rival.parts;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const PartTiming& part = parts[i];
    const auto add = [&](Series& series, double seconds, const std::string& more) {
      series.x.push_back(static_cast<double>(i));
      series.y.push_back(seconds);
      series.exact.push_back(format("{}: {}{}", part.name, time_text(seconds), more));
    };
    add(theirs, part.opponent_seconds, "");
    add(ours, part.seconds, format(", {:.2f} times as fast", part.speedup));
  }
  figure.x.categories = short_names(parts);
  figure.alternative = format("Two bars each, for {}. As a whole {} against {}.",
                              with_noun(parts.size(), standard ? "block" : "group of step"),
                              time_text(rival.timing.whole.median), time_text(report.timing.whole.median));
  figure.series = {std::move(theirs), std::move(ours)};
  return figure;
}

Figure kept_figure(const BenchReport& report) {
  Figure figure{.id = "promise-kept",
                .title = "Promise kept by block",
                .alternative = {},
                .x = {.title = "block"},
                .y = {.title = "measured speed-up / promised", .unit = Unit::kShare},
                .series = {}};
  Series kept{.name = "kept", .mark = Mark::kBars};
  const std::vector<PartTiming>& parts = report.rival->parts;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const PartTiming& part = parts[i];
    kept.x.push_back(static_cast<double>(i));
    kept.y.push_back(part.kept());
    kept.exact.push_back(format("{}: {:.2f} times as fast of {:.2f} promised, {}", part.name, part.speedup,
                                part.promised(), to_readable(part.kept(), Unit::kShare)));
  }
  figure.x.categories = short_names(parts);
  const auto [least, most] = std::ranges::minmax(kept.y);
  figure.alternative = format("Bars, one a block, for {} blocks: from {} to {} of what the MACs promise.", parts.size(),
                              to_readable(least, Unit::kShare), to_readable(most, Unit::kShare));
  Series whole{.name = "all that is promised", .mark = Mark::kLine, .bound = true};
  whole.x = {0, static_cast<double>(parts.size() - 1)};
  whole.y = {1, 1};
  whole.exact = std::vector<std::string>(2, "all that the MACs promise");
  figure.series = {std::move(kept), std::move(whole)};
  return figure;
}

}  // namespace sepal::report
