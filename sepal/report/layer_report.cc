#include "sepal/report/layer_report.h"

#include <array>
#include <cmath>

#include "sepal/base/text.h"
#include "sepal/report/cost_json.h"
#include "sepal/report/numbers.h"

namespace sepal::report {
namespace {

/// MACs of a separable convolution with D_K x D_K filters and N outputs for each MAC of the standard one.
double ratio(double outputs, double side) { return 1 / outputs + 1 / (side * side); }

Series ratio_series(std::int64_t outputs, std::int64_t from, std::int64_t to, bool double_steps) {
  Series series{.name = format("N = {}", outputs), .mark = Mark::kLine};
  for (std::int64_t side = from; side <= to; side = double_steps ? side * 2 : side + 1) {
    const double value = ratio(static_cast<double>(outputs), static_cast<double>(side));
    series.x.push_back(static_cast<double>(side));
    series.y.push_back(value);
    series.exact.push_back(format("N = {}, D_K = {}: {:.6f}", outputs, side, value));
  }
  return series;
}

/// Where the ratio of each of these numbers of output channels cannot fall below: one line each, with gaps between
/// them, so that the legend names them once.
Series floor_lines(std::string name, std::span<const std::int64_t> outputs, double from, double to) {
  Series series{.name = std::move(name), .mark = Mark::kLine, .bound = true};
  for (const std::int64_t count : outputs) {
    const double height = 1 / static_cast<double>(count);
    if (!series.x.empty()) {
      series.x.push_back(to);
      series.y.push_back(NAN);
      series.exact.emplace_back();
    }
    for (const double end : {from, to}) {
      series.x.push_back(end);
      series.y.push_back(height);
      series.exact.push_back(format("floor 1 / {}: {:.6f}", count, height));
    }
  }
  return series;
}

Table forms_table(const LayerReport& report) {
  const Comparison& comparison = report.comparison;
  const Cost separable = comparison.separable();
  Table table{.id = "forms",
              .title = "Both forms",
              .columns = {{"what"},
                          {"standard", Unit::kCount},
                          {"separable", Unit::kCount},
                          {"depthwise", Unit::kCount},
                          {"pointwise", Unit::kCount},
                          {"ratio", Unit::kRatio}}};
  const auto row = [&](const char* what, auto value) {
    const auto whole = static_cast<double>(value(comparison.standard));
    table.rows.push_back({what, value(comparison.standard), value(separable), value(comparison.depthwise),
                          value(comparison.pointwise),
                          whole == 0 ? Cell() : Cell(static_cast<double>(value(separable)) / whole)});
  };
  row("MACs", [](const Cost& cost) { return cost.macs; });
  row("MACs without padding", [](const Cost& cost) { return cost.effective_macs; });
  row("multiplications", [](const Cost& cost) { return cost.nominal.multiplications; });
  row("additions", [](const Cost& cost) { return cost.nominal.additions; });
  row("FLOPs", [](const Cost& cost) { return cost.nominal.flops(); });
  row("parameters", [](const Cost& cost) { return cost.parameters.trained(); });
  row("bytes of weights", [](const Cost& cost) { return cost.weight_bytes; });
  row("bytes of activations", [](const Cost& cost) { return cost.read_bytes + cost.written_bytes; });
  table.note = "The separable form writes its intermediate map and reads it again; fused, it need not.";
  return table;
}

Table time_table(const LayerReport& report) {
  Table table{.id = "time", .title = "Time", .columns = {{"form"}, {"at least", Unit::kSeconds}, {"bound"}}};
  if (report.measured)
    table.columns.insert(table.columns.end(), {{"measured", Unit::kSeconds}, {"spread", Unit::kShare}});
  const auto row = [&](const char* form, const Prediction& prediction, const Timing* timing) {
    std::vector<Cell> cells = {form, prediction.seconds, prediction.bound == Bound::kCompute ? "compute" : "memory"};
    if (timing != nullptr) cells.insert(cells.end(), {timing->median, timing->spread});
    table.rows.push_back(std::move(cells));
  };
  row("standard", *report.standard, report.measured ? &report.measured->measured.first : nullptr);
  row("separable", *report.separable, report.measured ? &report.measured->measured.second : nullptr);
  table.note = format("at least: the roofline of {}, {}.", report.machine->processor, threads_text(report.threads));
  return table;
}

/// Where the MACs promise a speed-up, how much of it is there; where they promise a slow-down, both of these.
std::string measured_sentence(const MeasuredComparison& measured, int threads) {
  const double speedup = measured.measured.speedup;
  const auto ratio = [](double value) { return to_readable(value, Unit::kRatio); };
  if (measured.promised >= 1) {
    return format("Measured with {}: {} times as fast, where the MACs promise {} times; {} of the promise is kept.",
                  threads_text(threads), ratio(speedup), ratio(measured.promised),
                  to_readable(measured.kept, Unit::kShare));
  }
  return format("Measured with {}: it takes {} times as long, where the MACs foretell {} times.", threads_text(threads),
                ratio(1 / speedup), ratio(1 / measured.promised));
}

}  // namespace

Figure ratio_over_kernel() {
  Figure figure{.id = "ratio",
                .title = "Separable MACs / standard MACs",
                .alternative = {},
                .x = {.title = "side of the kernel, D_K"},
                .y = {.title = "ratio", .unit = Unit::kRatio, .log = true},
                .series = {}};
  constexpr std::array<std::int64_t, 8> kOutputs = {8, 16, 32, 64, 128, 256, 512, 1024};
  for (const std::int64_t outputs : kOutputs) figure.series.push_back(ratio_series(outputs, 1, 11, false));
  Series area{.name = "floor 1 / D_K^2", .mark = Mark::kLine, .bound = true};
  for (int side = 1; side <= 11; ++side) {
    area.x.push_back(side);
    area.y.push_back(1.0 / (side * side));
    area.exact.push_back(format("1 / {}^2 = {:.6f}", side, 1.0 / (side * side)));
  }
  figure.series.push_back(std::move(area));
  figure.series.push_back(floor_lines("floors 1 / N", kOutputs, 1, 11));
  figure.alternative =
      "Lines for N = 8 to 1024 output channels over kernel sides 1 to 11, with the floor of each, 1 / N. At D_K = 1 "
      "every ratio is above 1: "
      "separating "
      "a pointwise convolution costs more. At D_K = 3 the ratio is 0.236 for N = 8 and 0.112 for N = 1024. Each line "
      "falls towards its floor 1 / N, and none is below 1 / D_K^2.";
  return figure;
}

Figure seeds_figure() {
  Figure figure{.id = "ratio-seeds",
                .title = "The ratio for N = 3",
                .alternative = {},
                .x = {.title = "side of the kernel, D_K", .log = true},
                .y = {.title = "ratio", .unit = Unit::kRatio},
                .series = {ratio_series(3, 32, 1024, true),
                           floor_lines("floor 1 / 3", std::array<std::int64_t, 1>{3}, 32, 1024)}};
  figure.alternative =
      "One line over D_K = 32, 64, 128, 256, 512 and 1024: .334310, .333577, .333394, .333349, .333337, .333334. With "
      "three output channels the ratio cannot fall below 1 / 3.";
  return figure;
}

Section pays_section() {
  return {.title = "When does separating pay?",
          .paragraphs = {"A separable convolution costs multiplier (1 / N + 1 / D_K^2) of the standard one. With few "
                         "output channels the floor 1 / N is high, however large the kernel; with many, the kernel's "
                         "area decides, and 3 x 3 kernels come to rest a little above 1 / 9."},
          .figures = {ratio_over_kernel(), seeds_figure()}};
}

Document to_document(const LayerReport& report, bool plots) {
  const Comparison& comparison = report.comparison;
  Document document{.title = to_string(comparison.layer), .lead = {}, .sections = {}};
  const double promised = 1 / comparison.mac_ratio();
  document.lead = format(
      "Separable, it costs {:.6f} of the MACs ({:.2f} times less) and {:.4f} of the parameters; it pays up "
      "to a depth multiplier of {:.3f}.",
      comparison.mac_ratio(), promised, comparison.parameter_ratio(), comparison.break_even_multiplier());
  if (comparison.mac_ratio() >= 1)
    document.lead = format("Separable, it costs {} times the MACs: here separating does not pay.",
                           to_readable(comparison.mac_ratio(), Unit::kRatio));
  if (report.measured) document.lead += " " + measured_sentence(*report.measured, report.threads);
  Section section{.title = "Standard against separable", .tables = {forms_table(report)}};
  if (report.standard && report.separable && report.machine) section.tables.push_back(time_table(report));
  document.sections.push_back(std::move(section));
  if (plots) document.sections.push_back(pays_section());
  return document;
}

Json to_json(const LayerReport& report) {
  Json json = to_json(report.comparison);
  if (report.standard && report.separable && report.machine) {
    json["predicted"] = predicted_on(*report.machine, report.threads);
    json["predicted"]["standard"] = to_json(*report.standard);
    json["predicted"]["separable"] = to_json(*report.separable);
  }
  if (report.measured) json["measured"] = to_json(*report.measured);
  return json;
}

}  // namespace sepal::report
