#include "sepal/report/network_figures.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "sepal/base/text.h"
#include "sepal/report/layer_report.h"
#include "sepal/report/numbers.h"
#include "sepal/report/roofline.h"

namespace sepal::report {
namespace {

double number(std::uint64_t count) { return static_cast<double>(count); }

std::string full(std::uint64_t count, Unit unit) { return to_full(static_cast<double>(count), unit); }

/// Bars by layer, one series a kind, so that colour tells the kind.
Figure layer_bars(const NetworkReport& report, std::string id, std::string title, std::string axis, Unit unit,
                  std::uint64_t (*value)(const Cost&)) {
  Figure figure{.id = std::move(id),
                .title = std::move(title),
                .alternative = {},
                .x = {.title = "layer"},
                .y = {.title = std::move(axis), .unit = unit},
                .series = {}};
  std::vector<const LayerCost*> shown;
  for (const LayerCost& layer : report.cost.layers) {
    if (value(layer.cost) > 0) shown.push_back(&layer);
  }
  const LayerCost* largest = nullptr;
  for (const KindCost& kind : by_kind(report.cost)) {
    Series series{.name = std::string(name_of(kind.kind)), .mark = Mark::kStackedBars};
    for (std::size_t i = 0; i < shown.size(); ++i) {
      const LayerCost& layer = *shown[i];
      if (layer.kind != kind.kind) continue;
      series.x.push_back(number(i));
      series.y.push_back(number(value(layer.cost)));
      series.exact.push_back(format("{}: {}", layer.name, full(value(layer.cost), unit)));
      if (largest == nullptr || value(layer.cost) > value(largest->cost)) largest = &layer;
    }
    if (!series.x.empty()) figure.series.push_back(std::move(series));
  }
  for (const LayerCost* layer : shown) figure.x.categories.push_back(layer->name);
  figure.alternative = largest == nullptr ? "No layer has any."
                                          : format("Bars, one a layer, for {} layers. The largest is {} with {}.",
                                                   shown.size(), largest->name, full(value(largest->cost), unit));
  return figure;
}

Figure kind_shares(const NetworkReport& report) {
  Figure figure{.id = "share-by-kind",
                .title = "Share by kind of operator",
                .alternative = {},
                .x = {.title = "kind"},
                .y = {.title = "share", .unit = Unit::kShare},
                .series = {}};
  const Cost& total = report.cost.total;
  struct Measure {
    const char* name;
    std::uint64_t (*of)(const Cost&);
  };
  constexpr std::array<Measure, 3> kMeasures = {
      {{"MACs", [](const Cost& cost) { return cost.macs; }},
       {"parameters", [](const Cost& cost) { return cost.parameters.trained(); }},
       {"bytes moved", [](const Cost& cost) { return cost.traffic(); }}}};
  const std::vector<KindCost> kinds = by_kind(report.cost);
  for (const KindCost& kind : kinds) figure.x.categories.emplace_back(name_of(kind.kind));
  for (const Measure& measure : kMeasures) {
    const std::uint64_t all = measure.of(total);
    if (all == 0) continue;
    Series series{.name = measure.name, .mark = Mark::kBars};
    figure.alternative += format("{}{}:", figure.alternative.empty() ? "" : " ", measure.name);
    for (std::size_t i = 0; i < kinds.size(); ++i) {
      const double part = number(measure.of(kinds[i].cost)) / number(all);
      series.x.push_back(number(i));
      series.y.push_back(part);
      series.exact.push_back(format("{}: {} of {} {} ({})", name_of(kinds[i].kind),
                                    full(measure.of(kinds[i].cost), Unit::kCount), full(all, Unit::kCount),
                                    measure.name, to_readable(part, Unit::kShare)));
      if (part > 0) figure.alternative += format(" {} {},", name_of(kinds[i].kind), to_readable(part, Unit::kShare));
    }
    figure.alternative.back() = '.';
    figure.series.push_back(std::move(series));
  }
  return figure;
}

Figure memory_over_run(const NetworkReport& report) {
  const NetworkCost& cost = report.cost;
  Figure figure{.id = "memory-over-run",
                .title = "Activations alive over the run",
                .alternative = {},
                .x = {.title = "layer"},
                .y = {.title = "bytes", .unit = Unit::kBytes},
                .series = {}};
  Series live{.name = "alive", .mark = Mark::kSteps};
  std::string peak;
  for (std::size_t i = 0; i < cost.layers.size(); ++i) {
    const LayerCost& layer = cost.layers[i];
    live.x.push_back(number(i));
    live.y.push_back(number(layer.live_bytes));
    live.exact.push_back(format("{}: {}", layer.name, full(layer.live_bytes, Unit::kBytes)));
    if (peak.empty() && layer.live_bytes == cost.peak_bytes) peak = layer.name;
    figure.x.categories.push_back(layer.name);
  }
  figure.alternative = format("Steps, one a layer. The most at once is {}{}.", full(cost.peak_bytes, Unit::kBytes),
                              peak.empty() ? "" : format(", at {}", peak));
  figure.series.push_back(std::move(live));
  if (report.planned && !cost.layers.empty()) {
    const double planned = number(*report.planned);
    figure.series.push_back({.name = "planned",
                             .mark = Mark::kLine,
                             .x = {0, number(cost.layers.size() - 1)},
                             .y = {planned, planned},
                             .exact = std::vector<std::string>(2, full(*report.planned, Unit::kBytes)),
                             .bound = true});
    figure.alternative += format(" The plan takes {}.", full(*report.planned, Unit::kBytes));
  }
  return figure;
}

/// A layer without FLOPs, or over nothing, has no place on axes of logarithms.
bool is_on_roofline(const LayerCost& layer, const Prediction& prediction) {
  return layer.cost.intensity() > 0 && prediction.seconds > 0;
}

/// What the roofline leaves out; empty for nothing.
std::string not_on_roofline(const NetworkReport& report) {
  std::uint64_t missing = 0;
  for (std::size_t i = 0; i < report.cost.layers.size(); ++i)
    if (!is_on_roofline(report.cost.layers[i], report.predictions[i])) ++missing;
  return missing == 0
             ? ""
             : format("{} without FLOPs {} not drawn.", with_noun(missing, "layer"), missing == 1 ? "is" : "are");
}

/// Whether any product is of numbers narrower than f32.
bool multiplies_integers(const NetworkCost& cost) {
  return std::ranges::any_of(cost.layers, [](const LayerCost& layer) {
    return layer.cost.macs > 0 && layer.cost.bit_operations / layer.cost.macs < 32 * 32;
  });
}

Figure roofline(const NetworkReport& report) {
  const Machine& machine = *report.machine;
  const double peak = machine.flops_of(report.threads);
  Figure figure{.id = "roofline",
                .title = "Roofline",
                .alternative = {},
                .x = {.title = "FLOPs for each byte moved", .log = true},
                .y = {.title = "FLOP/s, at most", .log = true},
                .series = {}};
  double least = 1;
  double most = 1;
  std::uint64_t compute = 0;
  std::uint64_t memory = 0;
  for (const KindCost& kind : by_kind(report.cost)) {
    Series series{.name = std::string(name_of(kind.kind)), .mark = Mark::kPoints};
    for (std::size_t i = 0; i < report.cost.layers.size(); ++i) {
      const LayerCost& layer = report.cost.layers[i];
      const Prediction& prediction = report.predictions[i];
      const double intensity = layer.cost.intensity();
      if (layer.kind != kind.kind || !is_on_roofline(layer, prediction)) continue;
      const double rate = number(layer.cost.nominal.flops()) / prediction.seconds;
      series.x.push_back(intensity);
      series.y.push_back(rate);
      series.exact.push_back(format("{}: {:.3g} FLOPs a byte, {:.1f} GFLOP/s, {} ({} bound)", layer.name, intensity,
                                    rate / 1e9, to_readable(prediction.seconds, Unit::kSeconds),
                                    prediction.bound == Bound::kCompute ? "compute" : "memory"));
      least = std::min(least, intensity);
      most = std::max(most, intensity);
      ++(prediction.bound == Bound::kCompute ? compute : memory);
    }
    if (!series.x.empty()) figure.series.push_back(std::move(series));
  }
  for (Series& ceiling : ceilings(machine, report.threads, least, most)) figure.series.push_back(std::move(ceiling));
  figure.alternative = format(
      "Points, one a layer, under the ceilings of {}: {:.1f} GFLOP/s with {}. {} bound by compute, {} by memory.",
      machine.processor, peak / 1e9, threads_text(report.threads), with_noun(compute, "layer"), memory);
  if (const std::string missing = not_on_roofline(report); !missing.empty()) figure.alternative += " " + missing;
  return figure;
}

Section& section_called(Document& document, std::string_view title) {
  const auto found = std::ranges::find(document.sections, title, &Section::title);
  expect(found != document.sections.end(), "the section of a plot is there");
  return *found;
}

}  // namespace

Figure twin_figure(const NetworkReport& report) {
  Figure figure{.id = "standard-against-separable",
                .title = "MACs, standard against separable",
                .alternative = {},
                .x = {.title = "layer"},
                .y = {.title = "MACs", .unit = Unit::kCount},
                .series = {}};
  Series standard{.name = "standard", .mark = Mark::kBars};
  Series separable{.name = "separable", .mark = Mark::kBars};
  for (std::size_t i = 0; i < report.twins.size(); ++i) {
    const TwinReport& twin = report.twins[i];
    const auto add = [&](Series& series, std::uint64_t macs, const std::string& more) {
      series.x.push_back(number(i));
      series.y.push_back(number(macs));
      series.exact.push_back(format("{}: {} MACs{}", twin.name, full(macs, Unit::kCount), more));
    };
    add(standard, twin.comparison.standard.macs, "");
    add(separable, twin.comparison.separable().macs, format(", {:.4f} of it", twin.comparison.mac_ratio()));
    figure.x.categories.push_back(twin.name);
  }
  const auto all = [](const Series& series) {
    double sum = 0;
    for (const double y : series.y) sum += y;
    return sum;
  };
  figure.alternative =
      format("Two bars a layer, for {} layers: {} MACs standard and {} separable, all together.", report.twins.size(),
             to_full(all(standard), Unit::kCount), to_full(all(separable), Unit::kCount));
  figure.series = {std::move(standard), std::move(separable)};
  return figure;
}

void add_figures(const NetworkReport& report, Document& document) {
  Section& layers = section_called(document, "By layer");
  layers.figures.push_back(layer_bars(report, "macs-by-layer", "MACs by layer", "MACs", Unit::kCount,
                                      [](const Cost& cost) { return cost.macs; }));
  layers.figures.push_back(layer_bars(report, "parameters-by-layer", "Parameters by layer", "parameters", Unit::kCount,
                                      [](const Cost& cost) { return cost.parameters.trained(); }));
  layers.figures.push_back(layer_bars(report, "bytes-by-layer", "Bytes moved by layer", "bytes", Unit::kBytes,
                                      [](const Cost& cost) { return cost.traffic(); }));
  section_called(document, "By kind of operator").figures.push_back(kind_shares(report));
  section_called(document, "Memory").figures.push_back(memory_over_run(report));
  if (!report.predictions.empty()) {
    Section section{
        .title = "Roofline",
        .paragraphs = {"The least time in which this machine can do a layer: the longer of its FLOPs at the peak rate "
                       "and its bytes at the bandwidth of the memory level that holds them (Williams, Waterman and "
                       "Patterson 2009). A point under the slope waits for memory, one under the flat roof for "
                       "arithmetic."},
        .figures = {roofline(report)}};
    if (multiplies_integers(report.cost))
      section.paragraphs.emplace_back("The peak rate is that of f32, also for layers that multiply integers.");
    if (std::string missing = not_on_roofline(report); !missing.empty())
      section.paragraphs.push_back(std::move(missing));
    document.sections.push_back(std::move(section));
  }
  document.sections.push_back(pays_section());
}

}  // namespace sepal::report
