#include <algorithm>
#include <filesystem>

#include "cli/ceilings.h"
#include "cli/console.h"
#include "cli/interrupt.h"
#include "cli/network.h"
#include "cli/outputs.h"
#include "cli/terminal.h"
#include "cli/verb.h"
#include "sepal/base/mapped_file.h"
#include "sepal/base/text.h"
#include "sepal/base/thread_pool.h"
#include "sepal/kernels/target.h"
#include "sepal/optimize/optimize.h"
#include "sepal/plan/plan.h"
#include "sepal/report/json.h"
#include "sepal/report/layer_report.h"
#include "sepal/report/network_report.h"

// sepal cost: what a network or a single layer costs, and what it would cost in the other form.

namespace sepal::cli {
namespace {

using report::Document;
using report::Json;
using report::LayerReport;
using report::NetworkReport;
using report::TwinForm;
using report::TwinReport;

struct CostVerb {
  std::optional<std::string> model;
  std::optional<std::string> layer;
  std::optional<std::string> convention;
  bool separable = false;
  bool standard = false;
  bool time = false;
  bool measure = false;
  bool all = false;
  bool csv = false;
  std::optional<std::string> html;
  std::optional<std::string> svg;
  std::optional<std::string> plot;
  CommonOptions common;

  bool writes_plots() const { return html.has_value() || svg.has_value(); }
  /// Of a model: a layer always does.
  bool predicts() const { return time || measure || separable || standard || writes_plots(); }
  int threads() const { return common.threads.value_or(available_cores()); }
};

void check(const CostVerb& options) {
  const auto usage = [](const char* text) { throw Error(ErrorKind::kUsage, text); };
  if (options.model.has_value() == options.layer.has_value())
    usage(
        "one of MODEL and --layer is wanted, as in sepal cost mobilenet_v1 or sepal cost --layer "
        "in=512,out=512,kernel=3,size=14");
  if (options.separable && options.standard) usage("--separable and --standard are for one of them at a time");
  if (options.common.json && options.csv) usage("--json and --csv are for one of them at a time");
  if (options.plot && !options.svg) usage("--plot is for --svg FILE");
  if (options.layer && (options.separable || options.standard))
    usage("--layer shows both forms; --separable and --standard are for a MODEL");
  if (options.layer && options.convention) usage("--convention is for a MODEL");
  if (options.layer && options.all) usage("--all is for a MODEL");
  if (options.layer && !options.common.shapes.empty()) usage("--shape is for a MODEL");
  if (options.measure && options.model && !options.separable && !options.standard)
    usage("--measure times layers in both forms; it wants --separable or --standard");
}

/// What planning says of memory, where the graph can be planned.
void plan_memory(const Network& network, NetworkReport& report) {
  if (!network.uncounted.empty()) {
    report.unplanned = "some of its nodes cannot be run here";
    return;
  }
  try {
    report.planned = planned_bytes(optimize(network.graph), {});
  } catch (const Error& error) {
    report.unplanned = error.what();
  }
}

void measure_twins(const CostVerb& options, NetworkReport& report, Console& console) {
  for (std::size_t i = 0; i < report.twins.size(); ++i) {
    TwinReport& twin = report.twins[i];
    console.progress(format("layer {} of {}: {}", i + 1, report.twins.size(), printable(twin.name)));
    // Networks repeat layers; equal ones take equal time.
    const auto same =
        std::find_if(report.twins.begin(), report.twins.begin() + static_cast<std::ptrdiff_t>(i),
                     [&](const TwinReport& other) { return other.comparison.layer == twin.comparison.layer; });
    const bool known = same != report.twins.begin() + static_cast<std::ptrdiff_t>(i);
    twin.measured = known ? same->measured : measure(twin.comparison.layer, *report.machine, options.threads());
  }
}

NetworkReport report_of(const CostVerb& options, Console& console) {
  const Network network = read_network(*options.model, options.common.load_options(), {}, console);
  const Machine* machine = options.predicts() ? &known_machine(console) : nullptr;
  return in_place(printable(network.name), [&] {
    const Graph graph = without_turned_ends(network.graph);
    NetworkReport report{.name = network.name, .cost = cost_of(graph), .uncounted = network.uncounted};
    report.convention = parse_convention(options.convention.value_or("paper"));
    for (const Convention convention : conventions())
      report.counts.emplace_back(convention, count_by(convention, graph, report.cost));
    plan_memory(network, report);
    if (options.separable || options.standard) {
      report.form = options.separable ? TwinForm::kSeparable : TwinForm::kStandard;
      for (Twin& twin : options.separable ? separable_twins(graph) : standard_twins(graph))
        report.twins.push_back({.name = std::move(twin.name), .comparison = twin.comparison});
    }
    if (machine != nullptr) predict_all(report, *machine, options.threads());
    if (options.measure) measure_twins(options, report, console);
    return report;
  });
}

LayerReport layer_report_of(const CostVerb& options, Console& console) {
  LayerReport report{.comparison = compare(parse_conv_layer(*options.layer))};
  const Machine& machine = known_machine(console);
  report.machine = machine;
  report.threads = options.threads();
  report.standard = predict(report.comparison.standard, machine, report.threads);
  report.separable = predict(report.comparison.depthwise, machine, report.threads) +
                     predict(report.comparison.pointwise, machine, report.threads);
  if (options.measure) {
    console.progress("timing both forms");
    report.measured = measure(report.comparison.layer, machine, report.threads);
  }
  return report;
}

/// "cost.svg" and "ratio" -> "cost-ratio.svg".
std::filesystem::path with_id(const std::filesystem::path& path, const std::string& id) {
  std::filesystem::path named = path;
  named.replace_filename(path.stem().string() + "-" + id + path.extension().string());
  return named;
}

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

/// The plots of the document as files: each with its id in the name, or the one that was asked for under the name
/// given.
void write_plots(const CostVerb& options, const Document& document) {
  std::vector<const report::Figure*> figures;
  for (const report::Section& section : document.sections) {
    for (const report::Figure& figure : section.figures) figures.push_back(&figure);
  }
  if (options.plot) {
    const auto found = std::ranges::find(figures, *options.plot, &report::Figure::id);
    if (found == figures.end()) {
      std::vector<std::string_view> ids;
      for (const report::Figure* figure : figures) ids.push_back(figure->id);
      fail(ErrorKind::kUsage, "no plot \"{}\"; there are {}", printable(*options.plot), join(ids, ", "));
    }
    return write_file(*options.svg, bytes_of(to_svg(**found)));
  }
  for (const report::Figure* figure : figures) check_output(with_id(*options.svg, figure->id).string(), options.model);
  for (const report::Figure* figure : figures) write_file(with_id(*options.svg, figure->id), bytes_of(to_svg(*figure)));
}

/// The table that --csv is about: both forms, the twins, or the layers.
const report::Table& main_table(const Document& document) {
  for (const char* id : {"forms", "twins", "layers"}) {
    for (const report::Section& section : document.sections) {
      const auto found = std::ranges::find(section.tables, id, &report::Table::id);
      if (found != section.tables.end()) return *found;
    }
  }
  throw Error(ErrorKind::kInternal, "a report has a main table");
}

/// `page` and `shown` differ in how many layers they list.
void finish(const CostVerb& options, const Document& page, const Document& shown, const Json& json, Console& console) {
  if (options.writes_plots()) {
    const Uninterrupted whole;
    if (options.html) write_file(*options.html, bytes_of(to_html(page)));
    if (options.svg) write_plots(options, page);
  }
  if (options.common.json) return console.finish(report::to_text(json));
  console.finish(options.csv ? to_csv(main_table(shown)) : to_text(shown, terminal_style()));
}

void run_cost(const CostVerb& options) {
  check(options);
  for (const std::optional<std::string>& output : {options.html, options.svg}) {
    if (output) check_output(*output, options.model);
  }
  if (options.common.target) pin_target(*options.common.target);
  Console console("sepal cost", options.common.quiet);
  if (options.layer) {
    const LayerReport report = layer_report_of(options, console);
    const Document document = to_document(report, options.writes_plots());
    return finish(options, document, document, to_json(report), console);
  }
  const NetworkReport report = report_of(options, console);
  const auto document = [&](bool whole) { return to_document(report, options.writes_plots(), whole); };
  finish(options, options.writes_plots() ? document(true) : Document(), document(options.all || options.csv),
         to_json(report), console);
}

Action declare_cost(Options& options) {
  const auto chosen = std::make_shared<CostVerb>();
  options.argument({"MODEL", "", "An ONNX file, or a network of the zoo (sepal zoo lists them)", Complete::kFile},
                   chosen->model);
  options.text({"--layer", "SPEC", "One layer in both forms, as in in=512,out=512,kernel=3,size=14"}, chosen->layer);
  options.flag({"--separable", "", "Each standard convolution beside its separable twin"}, chosen->separable);
  options.flag({"--standard", "", "Each separable pair beside the standard convolution that it replaces"},
               chosen->standard);
  std::vector<std::string> names;
  for (const Convention convention : conventions()) names.emplace_back(name_of(convention));
  options.text(
      {"--convention", "NAME", "Whose way of counting the total follows (default: paper)", Complete::kChoices, names},
      chosen->convention);
  options.flag({"--time", "", "The least time of each layer on this machine, by roofline"}, chosen->time);
  options.flag({"--measure", "", "Time both forms in turns, and tell how much of the promised speed-up is kept"},
               chosen->measure);
  options.flag({"--all", "", "Also layers without MACs"}, chosen->all);
  declare(options, chosen->common);
  options.flag({"--csv", "", "The main table as CSV on stdout"}, chosen->csv);
  options.text({"--html", "FILE", "Write a page with interactive plots and all tables", Complete::kFile}, chosen->html);
  options.text({"--svg", "FILE", "Write each plot as SVG, its name before the ending of FILE", Complete::kFile},
               chosen->svg);
  options.text({"--plot", "NAME", "Only this plot, to FILE itself"}, chosen->plot);
  return [chosen] { run_cost(*chosen); };
}

}  // namespace

const Verb kCost = {"cost", "Counts what a network or a layer costs: operations, parameters, bytes, memory",
                    R"(Examples:
  sepal cost mobilenet_v1
  sepal cost model.onnx --shape input=1x3x320x320 --json
  sepal cost mobilenet_v1 --standard --measure
  sepal cost vgg16 --separable --html vgg16.html
  sepal cost --layer in=512,out=512,kernel=3,size=14 --measure
  sepal cost mobilenet_v2 --convention fvcore

--layer also takes stride, dilation, multiplier, bias, padding and batch. Nothing is
run but with --measure. Predictions use this machine's ceilings, which are measured
once (sepal bench --machine shows them); SEPAL_MACHINE=FILE takes another machine's.
)",
                    declare_cost};

}  // namespace sepal::cli
