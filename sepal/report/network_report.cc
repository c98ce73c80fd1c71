// A network's cost as tables: totals, kinds, layers, and its layers beside their twins. Plots are in
// network_figures.cc, JSON in network_json.cc.

#include "sepal/report/network_report.h"

#include <algorithm>
#include <array>

#include "sepal/base/text.h"
#include "sepal/graph/count.h"
#include "sepal/report/network_figures.h"
#include "sepal/report/numbers.h"

namespace sepal::report {
namespace {

using Row = std::vector<Cell>;

Cell share(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return {};
  return static_cast<double>(part) / static_cast<double>(whole);
}

Table arithmetic_table(const NetworkReport& report) {
  const Cost& total = report.cost.total;
  const Arithmetic& nominal = total.nominal;
  const Arithmetic& effective = total.effective;
  Table table{.id = "arithmetic",
              .title = "Arithmetic",
              .columns = {{"operations"}, {"nominal", Unit::kCount}, {"without padding", Unit::kCount}}};
  table.rows = {{"MACs", total.macs, total.effective_macs},
                {"multiplications", nominal.multiplications, effective.multiplications},
                {"additions", nominal.additions, effective.additions},
                {"FLOPs (both)", nominal.flops(), effective.flops()},
                {"divisions", nominal.divisions, effective.divisions},
                {"comparisons", nominal.comparisons, effective.comparisons},
                {"functions", nominal.functions, effective.functions},
                {"bit-operations", total.bit_operations, Cell()}};
  table.note =
      "Nominal counts the taps of a window that fall on padding, as papers do; a MAC is one multiplication and "
      "one addition of a convolution or a matrix product.";
  return table;
}

Table parameter_table(const NetworkReport& report) {
  const Parameters& parameters = report.cost.total.parameters;
  Table table{.id = "parameters",
              .title = "Parameters",
              .columns = {{"for"}, {"parameters", Unit::kCount}, {"share", Unit::kShare, true}}};
  const std::pair<const char*, std::uint64_t> rows[] = {{"weights", parameters.weights},
                                                        {"biases", parameters.biases},
                                                        {"normalisation (gamma, beta)", parameters.normalization},
                                                        {"running mean and variance", parameters.statistics},
                                                        {"slopes of activations", parameters.slopes},
                                                        {"scales and zero points", parameters.quantization},
                                                        {"other constants", parameters.constants}};
  for (const auto& [name, count] : rows) {
    if (count > 0) table.rows.push_back({name, count, share(count, parameters.stored())});
  }
  table.total = {"stored", parameters.stored(), {}};
  return table;
}

/// The sums that papers and tools print as "parameters".
Table parameter_totals_table(const NetworkReport& report) {
  const Parameters& parameters = report.cost.total.parameters;
  Table table{.id = "parameter-totals",
              .title = "Parameters, as they are added up",
              .columns = {{"counting"}, {"parameters", Unit::kCount}}};
  const std::pair<const char*, std::uint64_t> rows[] = {
      {"weights", parameters.weights},
      {"weights and biases", Count(parameters.weights) + parameters.biases},
      {"all that is trained", parameters.trained()},
      {"and running statistics", Count(parameters.trained()) + parameters.statistics},
      {"all that is stored", parameters.stored()}};
  for (const auto& [name, count] : rows) {
    // A sum that adds nothing to the one before is left out.
    if (table.rows.empty() || std::get<std::uint64_t>(table.rows.back()[1]) != count)
      table.rows.push_back({name, count});
  }
  return table;
}

Table memory_table(const NetworkReport& report) {
  const NetworkCost& cost = report.cost;
  Table table{.id = "memory", .title = {}, .columns = {{"what"}, {"bytes", Unit::kBytes}}};
  table.rows = {{"weights, as stored", cost.stored_bytes},
                {"activations, none sharing memory", cost.activation_bytes},
                {"activations, most alive at once", cost.peak_bytes},
                {"activations, as planned here", report.planned ? Cell(*report.planned) : Cell()},
                {"moved in one run, at least", cost.total.traffic()}};
  table.note = report.planned
                   ? "Inputs and outputs are counted among the activations. A plan can take less than what is "
                     "alive at once, where steps overwrite their input or are fused, and more, for its own "
                     "buffers and the gaps between values."
                   : "There is no plan: " + report.unplanned + ".";
  if (std::ranges::find(cost.layers, name_of(Op(Dequantize{})), &LayerCost::op) != cost.layers.end()) {
    table.note +=
        " Between a dequantisation and the next quantisation activations are counted as the f32 that the file says, "
        "whatever a plan makes of them; bit-operations take the integers that are stored.";
  }
  return table;
}

constexpr std::array kKinds = {LayerKind::kPointwise,      LayerKind::kDepthwise,     LayerKind::kConvolution,
                               LayerKind::kFullyConnected, LayerKind::kMatrixProduct, LayerKind::kNormalization,
                               LayerKind::kActivation,     LayerKind::kElementwise,   LayerKind::kPooling,
                               LayerKind::kResize,         LayerKind::kMovement,      LayerKind::kConstant};

}  // namespace

Table kind_table(const NetworkCost& network) {
  const Cost& total = network.total;
  Table table{.id = "kinds",
              .title = {},
              .columns = {{"kind"},
                          {"layers", Unit::kCount},
                          {"MACs", Unit::kCount},
                          {"of MACs", Unit::kShare, true},
                          {"parameters", Unit::kCount},
                          {"of parameters", Unit::kShare},
                          {"moved", Unit::kBytes},
                          {"of bytes", Unit::kShare}}};
  for (const auto& [kind, layers, cost] : by_kind(network)) {
    table.rows.push_back({std::string(name_of(kind)), layers, cost.macs, share(cost.macs, total.macs),
                          cost.parameters.trained(), share(cost.parameters.trained(), total.parameters.trained()),
                          cost.traffic(), share(cost.traffic(), total.traffic())});
  }
  table.total = {
      "all", std::uint64_t{network.layers.size()}, total.macs, {}, total.parameters.trained(), {}, total.traffic(), {}};
  return table;
}

namespace {

std::string shape_text(const LayerCost& layer) { return to_string(layer.output.shape); }

Table layer_table(const NetworkReport& report, bool all) {
  const bool timed = !report.predictions.empty();
  Table table{.id = "layers",
              .title = {},
              .columns = {{"layer"},
                          {"kind"},
                          {"output"},
                          {"MACs", Unit::kCount},
                          {"of MACs", Unit::kShare, true},
                          {"parameters", Unit::kCount},
                          {"moved", Unit::kBytes},
                          {"FLOPs per byte", Unit::kRatio}}};
  if (timed) table.columns.insert(table.columns.end(), {{"at least", Unit::kSeconds}, {"bound"}});
  std::uint64_t hidden = 0;
  for (std::size_t i = 0; i < report.cost.layers.size(); ++i) {
    const LayerCost& layer = report.cost.layers[i];
    const Cost& cost = layer.cost;
    if (!all && cost.macs == 0) {
      ++hidden;
      continue;
    }
    const bool linear = cost.macs > 0;
    Row row = {layer.name,
               std::string(linear ? name_of(layer.kind) : layer.op),
               shape_text(layer),
               cost.macs,
               share(cost.macs, report.cost.total.macs),
               cost.parameters.trained(),
               cost.traffic(),
               cost.intensity()};
    if (timed) {
      const Prediction& prediction = report.predictions[i];
      row.emplace_back(prediction.seconds);
      row.emplace_back(prediction.bound == Bound::kCompute ? "compute" : "memory");
    }
    table.rows.push_back(std::move(row));
  }
  if (hidden > 0) {
    table.note = format("{} without MACs {} not shown; --all shows {}.", with_noun(hidden, "operator"),
                        hidden == 1 ? "is" : "are", hidden == 1 ? "it" : "them");
  }
  return table;
}

Table uncounted_table(const NetworkReport& report) {
  Table table{.id = "uncounted", .title = {}, .columns = {{"node"}, {"operator"}, {"why"}}};
  for (const UncountedNode& node : report.uncounted) table.rows.push_back({node.name, node.type, node.why});
  table.note = "The totals are without these nodes, and without the weights that only they hand on.";
  return table;
}

Table convention_table(const NetworkReport& report) {
  Table table{.id = "conventions",
              .title = "As others count",
              .columns = {{"convention"}, {"operations", Unit::kCount}, {"unit"}, {"parameters", Unit::kCount}}};
  for (const auto& [convention, count] : report.counts) {
    table.rows.push_back(
        {std::string(name_of(convention)), count.operations, std::string(unit_of(convention)), count.parameters});
  }
  const ConventionCount& chosen = report.count();
  table.note = format("{} counts {}.", name_of(report.convention), describe(report.convention));
  if (!chosen.left_out.empty()) table.note += format(" Left out in this network: {}.", join(chosen.left_out, ", "));
  return table;
}

}  // namespace

std::vector<KindCost> by_kind(const NetworkCost& cost) {
  std::vector<KindCost> kinds;
  for (const LayerKind kind : kKinds) {
    KindCost sum{.kind = kind, .layers = 0, .cost = {}};
    for (const LayerCost& layer : cost.layers) {
      if (layer.kind != kind) continue;
      ++sum.layers;
      sum.cost = sum.cost + layer.cost;
    }
    if (sum.layers > 0) kinds.push_back(sum);
  }
  return kinds;
}

Cost twins_total(const NetworkReport& report, bool other_form) {
  Cost total;
  for (const TwinReport& twin : report.twins) {
    const bool standard = (report.form == TwinForm::kSeparable) != other_form;
    total = total + (standard ? twin.comparison.standard : twin.comparison.separable());
  }
  return total;
}

std::uint64_t network_macs(const NetworkReport& report, bool other_form) {
  const std::uint64_t all = report.cost.total.macs;
  if (!other_form) return all;
  const std::uint64_t replaced = twins_total(report, false).macs;
  expect(replaced <= all, "layers with a twin are layers of the network");
  return Count(all - replaced) + twins_total(report, true).macs;
}

namespace {

std::size_t count_depthwise(const NetworkReport& report) {
  return static_cast<std::size_t>(std::ranges::count(report.cost.layers, LayerKind::kDepthwise, &LayerCost::kind));
}

std::string twins_sentence(const NetworkReport& report) {
  const Cost before = twins_total(report, false);
  const Cost after = twins_total(report, true);
  const double ratio = static_cast<double>(after.macs) / static_cast<double>(before.macs);
  std::string text =
      format("{}: {} MACs as they are, {} in the other form, {}. The whole network: {} and {}.",
             with_noun(report.twins.size(), "layer"), grouped_count(before.macs), grouped_count(after.macs),
             ratio < 1 ? format("{:.4f} of it", ratio) : format("{} times as many", to_readable(ratio, Unit::kRatio)),
             grouped_count(network_macs(report, false)), grouped_count(network_macs(report, true)));
  const std::size_t depthwise = count_depthwise(report);
  if (report.form == TwinForm::kStandard && depthwise > report.twins.size()) {
    text += format(" {} of {} form a pair with a pointwise one.", report.twins.size(),
                   with_noun(depthwise, "depthwise convolution"));
  }
  return text;
}

/// Why no layer has a twin.
std::string no_twins_sentence(const NetworkReport& report) {
  const bool separable = report.form == TwinForm::kSeparable;
  const LayerKind wanted = separable ? LayerKind::kConvolution : LayerKind::kDepthwise;
  const auto is_empty = [&](const LayerCost& layer) {
    return layer.kind == wanted && layer.output.shape.elements() == 0;
  };
  if (std::ranges::any_of(report.cost.layers, is_empty))
    return "Its maps hold no values at these shapes, so there is nothing to compare.";
  if (separable) return "The network has no standard convolution of more than one tap.";
  const std::size_t depthwise = count_depthwise(report);
  if (depthwise == 0) return "The network has no depthwise convolution followed by a pointwise one.";
  return format("The network has {}, none of which is followed by a pointwise one alone.",
                with_noun(depthwise, "depthwise convolution"));
}

Table twin_table(const NetworkReport& report) {
  const bool predicted = report.machine.has_value();
  bool measured = false;
  for (const TwinReport& twin : report.twins) measured = measured || twin.measured.has_value();
  Table table{.id = "twins",
              .title = report.form == TwinForm::kSeparable ? "Standard convolutions and their separable twins"
                                                           : "Separable pairs and the convolutions that they replace",
              .columns = {{"layer"},
                          {"convolution"},
                          {"standard MACs", Unit::kCount},
                          {"separable MACs", Unit::kCount},
                          {"ratio", Unit::kRatio, true},
                          {"break-even multiplier", Unit::kRatio},
                          {"standard parameters", Unit::kCount},
                          {"separable parameters", Unit::kCount},
                          {"standard moves", Unit::kBytes},
                          {"separable moves", Unit::kBytes}}};
  if (predicted) {
    table.columns.insert(table.columns.end(),
                         {{"standard at least", Unit::kSeconds}, {"separable at least", Unit::kSeconds}});
  }
  if (measured) {
    table.columns.insert(table.columns.end(), {{"standard takes", Unit::kSeconds},
                                               {"separable takes", Unit::kSeconds},
                                               {"speed-up", Unit::kRatio},
                                               {"promised", Unit::kRatio},
                                               {"promise kept", Unit::kShare, true}});
  }
  for (const TwinReport& twin : report.twins) {
    const Comparison& comparison = twin.comparison;
    const Cost separable = comparison.separable();
    Row row = {twin.name,
               to_string(comparison.layer),
               comparison.standard.macs,
               separable.macs,
               comparison.mac_ratio(),
               comparison.break_even_multiplier(),
               comparison.standard.parameters.trained(),
               separable.parameters.trained(),
               comparison.standard.traffic(),
               separable.traffic()};
    const auto add = [&](bool there, auto value) { row.push_back(there ? Cell(value()) : Cell()); };
    if (predicted) {
      add(twin.standard.has_value(), [&] { return twin.standard->seconds; });
      add(twin.separable.has_value(), [&] { return twin.separable->seconds; });
    }
    if (measured) {
      const bool there = twin.measured.has_value();
      add(there, [&] { return twin.measured->measured.first.median; });
      add(there, [&] { return twin.measured->measured.second.median; });
      add(there, [&] { return twin.measured->measured.speedup; });
      add(there, [&] { return twin.measured->promised; });
      add(there, [&] { return twin.measured->kept; });
    }
    table.rows.push_back(std::move(row));
  }
  table.note =
      "ratio: separable MACs / standard MACs, which is multiplier (1 / out + 1 / kernel area). At the break-even "
      "multiplier both cost the same.";
  table.note += " Bytes and times of both forms are those of f32.";
  if (measured) table.note += " promise kept: measured speed-up / the speed-up that the MACs promise.";
  return table;
}

}  // namespace

void predict_all(NetworkReport& report, const Machine& machine, int threads) {
  report.machine = machine;
  report.threads = threads;
  report.predictions.clear();
  for (const LayerCost& layer : report.cost.layers) report.predictions.push_back(predict(layer.cost, machine, threads));
  for (TwinReport& twin : report.twins) {
    twin.standard = predict(twin.comparison.standard, machine, threads);
    twin.separable =
        predict(twin.comparison.depthwise, machine, threads) + predict(twin.comparison.pointwise, machine, threads);
  }
}

Document to_document(const NetworkReport& report, bool plots, bool all) {
  Document document{.title = report.name, .lead = {}, .sections = {}};
  document.lead =
      format("{} {} ({} convention), {} parameters; {} of weights, {} of activations at most at once.",
             grouped_count(report.count().operations), unit_of(report.convention), name_of(report.convention),
             grouped_count(report.count().parameters), human_bytes(static_cast<double>(report.cost.stored_bytes)),
             human_bytes(static_cast<double>(report.cost.peak_bytes)));
  if (!report.uncounted.empty())
    document.lead += format(" {} could not be counted and {} in no total.", with_noun(report.uncounted.size(), "node"),
                            report.uncounted.size() == 1 ? "is" : "are");
  if (!report.predictions.empty()) {
    double seconds = 0;
    for (const Prediction& prediction : report.predictions) seconds += prediction.seconds;
    document.lead +=
        format(" At the ceilings of this machine ({}, {}), one run takes at least {}.", report.machine->processor,
               threads_text(report.threads), to_readable(seconds, Unit::kSeconds));
  }

  if (report.form != TwinForm::kNone) {
    Section section{.title = "Standard against separable"};
    if (report.twins.empty()) {
      section.paragraphs.push_back(no_twins_sentence(report));
    } else {
      section.paragraphs.push_back(twins_sentence(report));
      section.tables.push_back(twin_table(report));
      if (plots) section.figures.push_back(twin_figure(report));
    }
    document.sections.push_back(std::move(section));
  }
  document.sections.push_back({.title = "Totals",
                               .tables = {convention_table(report), arithmetic_table(report), parameter_table(report),
                                          parameter_totals_table(report)}});
  if (!report.uncounted.empty())
    document.sections.push_back({.title = "Not counted", .tables = {uncounted_table(report)}});
  document.sections.push_back({.title = "By kind of operator", .tables = {kind_table(report.cost)}});
  document.sections.push_back({.title = "By layer", .tables = {layer_table(report, all)}});
  document.sections.push_back({.title = "Memory", .tables = {memory_table(report)}});
  if (plots) add_figures(report, document);
  return document;
}

}  // namespace sepal::report
