#include <array>
#include <charconv>
#include <filesystem>
#include <span>
#include <utility>

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
#include "sepal/machine/machine.h"
#include "sepal/machine/machine_file.h"
#include "sepal/measure/network.h"
#include "sepal/measure/tune.h"
#include "sepal/optimize/optimize.h"
#include "sepal/plan/tuned.h"
#include "sepal/report/bench_report.h"
#include "sepal/report/columns.h"

// sepal bench: how long a network takes here, whole and step by step, and what this machine can do at most.

namespace sepal::cli {

using report::BenchReport;
using report::Json;
using report::to_text;
namespace {

constexpr std::array kAgainst = {Against::kStandard, Against::kUnfused, Against::kReference};
constexpr int kMostBatch = 65536;
constexpr double kTuningSeconds = 10;

struct BenchOptions {
  std::optional<std::string> model;
  bool per_layer = false;
  std::optional<std::string> seconds;
  std::optional<int> batch;
  std::optional<std::string> against;
  std::optional<std::string> html;
  bool machine = false;
  bool again = false;
  bool tune = false;
  CommonOptions common;
};

/// A machine, and the file that it came from or went to, if there is one.
struct Origin {
  Machine machine;
  std::optional<std::filesystem::path> file;
};

Origin known(Console& console) {
  if (const auto given = given_machine_file()) {
    console.remark("SEPAL_MACHINE is set: this is the machine of that file");
    return {this_machine(), given};
  }
  const Machine& machine = this_machine();
  const auto file = machine_file();
  std::error_code ignored;
  return {machine, file && std::filesystem::exists(*file, ignored) ? file : std::nullopt};
}

Origin measured() {
  if (const auto given = given_machine_file()) {
    fail(ErrorKind::kUsage, "--again measures this machine, but SEPAL_MACHINE names {}; unset it",
         printable(given->string()));
  }
  Machine machine = measure_machine();
  auto file = machine_file();
  if (file && !keep_machine(machine, *file)) file = std::nullopt;
  return {std::move(machine), std::move(file)};
}

std::string text_of(const Origin& origin) {
  const Machine& machine = origin.machine;
  const std::string file = origin.file ? printable(origin.file->string(), 1000) : "none";
  const auto giga = [](double rate) { return format("{:.1f}", rate * 1e-9); };
  std::vector<std::vector<std::string>> rows = {
      {"", "size", "", "1 thread", machine.cores == 1 ? "1 core" : format("{} cores", machine.cores)},
      {"multiply-adds, f32", "", "GFLOP/s", giga(machine.flops), giga(machine.all_flops)}};
  for (const MemoryLevel& level : machine.levels) {
    rows.push_back({"reading " + level.name, human_bytes(static_cast<double>(level.bytes)), "GB/s",
                    giga(level.bytes_per_second), giga(level.all_bytes_per_second)});
  }
  const std::vector<std::vector<std::string>> facts = {{"processor", machine.processor},
                                                       {"cores", format("{}", machine.cores)},
                                                       {"instruction set", machine.target},
                                                       {"file", file}};
  return to_text(facts) + "\n" + to_text(rows, 0, "lrlrr");
}

Json json_of(const Origin& origin) {
  const Machine& machine = origin.machine;
  Json levels = Json::array();
  for (const MemoryLevel& level : machine.levels) {
    levels.push_back({{"name", level.name},
                      {"bytes", level.bytes},
                      {"bytes_per_second", level.bytes_per_second},
                      {"all_bytes_per_second", level.all_bytes_per_second}});
  }
  return {{"processor", machine.processor},
          {"cores", machine.cores},
          {"target", machine.target},
          {"flops_per_second", machine.flops},
          {"all_flops_per_second", machine.all_flops},
          {"levels", std::move(levels)},
          {"undisturbed", machine.undisturbed},
          {"file", origin.file ? Json(origin.file->string()) : Json()}};
}

void bench_machine(const BenchOptions& options, Console& console) {
  const Origin origin = options.again ? measured() : known(console);
  remark_if_disturbed(origin.machine, console);
  if (!origin.file) console.remark("there is no cache folder that can be written; SEPAL_CACHE names another");
  console.finish(options.common.json ? to_text(json_of(origin)) : text_of(origin));
}

double seconds_of(const BenchOptions& options) {
  if (!options.seconds) return 2;
  double seconds = 0;
  const std::string& text = *options.seconds;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (problem != std::errc() || end != text.data() + text.size() || !(seconds >= 0.01 && seconds <= 3600))
    fail(ErrorKind::kUsage, "--seconds is a number from 0.01 to 3600, not \"{}\"", printable(text));
  return seconds;
}

std::optional<Against> against_of(const BenchOptions& options) {
  if (!options.against) return std::nullopt;
  for (const Against against : kAgainst) {
    if (*options.against == name_of(against)) return against;
  }
  throw Error(ErrorKind::kInternal, "--against is one of its choices");
}

/// The first axis of the first input; 1 where there is none.
std::int64_t batch_of(const Graph& graph) {
  if (graph.inputs().empty()) return 1;
  const Shape& shape = graph.shape(graph.inputs().front().value);
  return shape.rank() == 0 ? 1 : shape[0];
}

BenchReport report_of(const BenchOptions& options, Console& console) {
  BenchReport report;
  report.machine = known_machine(console);
  report.threads = options.common.threads.value_or(available_cores());
  report.fuse = !options.common.no_fuse;
  report.target = target_name();
  const double begin = seconds_now();
  Network network = read_network(
      *options.model, options.common.load_options(),
      {.weights = Weights::kSeeded, .unhandled = onnx::Unhandled::kRefuse, .what = "timing", .batch = options.batch},
      console);
  report.load_seconds = seconds_now() - begin;
  report.model = network.name;
  report.batch = batch_of(network.graph);
  console.progress(format("timing {}", printable(network.name)));
  const PlanOptions planning{.threads = report.threads, .fuse = report.fuse};
  const TimingOptions timing{.seconds = seconds_of(options)};
  const bool by_step = options.per_layer || options.html;
  in_place(printable(network.name), [&] {
    if (const std::optional<Against> against = against_of(options)) {
      auto [own, rival] = measure_against(network.graph, *against, report.machine, planning,
                                          by_step || against == Against::kStandard, timing);
      report.timing = std::move(own);
      report.rival = std::move(rival);
    } else {
      report.timing = measure(std::move(network.graph), report.machine, planning, by_step, timing);
    }
  });
  return report;
}

/// Measures how to fuse, and keeps what is better than the ranking.
void bench_tune(const BenchOptions& options, Console& console) {
  const double seconds = options.seconds ? seconds_of(options) : kTuningSeconds;
  const int threads = options.common.threads.value_or(available_cores());
  const Network network = read_network(
      *options.model, options.common.load_options(),
      {.weights = Weights::kSeeded, .unhandled = onnx::Unhandled::kRefuse, .what = "timing", .batch = options.batch},
      console);
  console.progress(format("tuning {}", printable(network.name)));
  const auto [tuning, path] = in_place(printable(network.name), [&] {
    const Graph optimized = optimize(network.graph);
    return std::pair{tune(optimized, {.threads = threads}, {.seconds = seconds}), tuned_file(optimized, threads)};
  });
  // Where the ranking is right nothing is kept, so that a better ranking will be heard.
  const bool kept = tuning.changed > 0 && path && keep_fused(tuning.fused, *path);
  std::error_code ignored;
  if (!kept && path) std::filesystem::remove(*path, ignored);
  if (!path) console.remark("there is no cache folder that can be written; SEPAL_CACHE names another");
  const PairedTiming& timing = tuning.timing;
  const std::string file = kept ? path->string() : "";
  if (options.common.json) {
    return console.finish(to_text(Json{{"model", network.name},
                                       {"threads", threads},
                                       {"target", target_name()},
                                       {"chains", tuning.chains},
                                       {"changed", tuning.changed},
                                       {"ranked_ms", timing.first.median * 1e3},
                                       {"tuned_ms", timing.second.median * 1e3},
                                       {"speedup", timing.speedup},
                                       {"file", kept ? Json(file) : Json()}}));
  }
  const auto ms = [](double time) { return format("{:.4g} ms", time * 1e3); };
  const std::vector<std::vector<std::string>> facts = {
      {"model", printable(network.name, 1000)},
      {"threads", format("{}", threads)},
      {"instruction set", std::string(target_name())},
      {"chains of convolutions",
       format("{}, of which {} are better cut in another way", tuning.chains, tuning.changed)},
      {"as ranked", ms(timing.first.median)},
      {"as tuned", format("{}, {:.3f} times as fast", ms(timing.second.median), timing.speedup)},
      {"kept in", kept ? printable(file, 1000) : "nothing: the ranking is as good"}};
  console.finish(to_text(facts));
}

void bench_model(const BenchOptions& options, Console& console) {
  seconds_of(options);  // which is wrong before anything is read
  if (options.html) check_output(*options.html, options.model);
  BenchReport report = report_of(options, console);
  if (options.html) {
    const std::string page = to_html(to_document(report, true));
    const Uninterrupted whole;
    write_file(*options.html, std::as_bytes(std::span(page)));
  }
  if (!options.per_layer) report.timing.steps.clear();
  if (options.common.json) return console.finish(to_text(to_json(report)));
  console.finish(to_text(to_document(report, false), terminal_style()));
}

void check(const BenchOptions& options) {
  const auto usage = [](const char* text) { throw Error(ErrorKind::kUsage, text); };
  if (options.machine && options.model) usage("MODEL and --machine are for one of them at a time");
  if (!options.machine && !options.model) usage("one of MODEL and --machine is wanted, as in sepal bench mobilenet_v1");
  if (options.again && !options.machine) usage("--again is for --machine");
  if (options.common.no_fuse && options.against == name_of(Against::kUnfused))
    usage("--against unfused and --no-fuse would time the same plan twice");
  if (options.tune && (options.per_layer || options.against || options.html || options.common.no_fuse))
    usage("--tune tries plans; --per-layer, --against, --html and --no-fuse are for one that is timed");
  if (!options.machine) return;
  if (options.tune) usage("--tune is for a MODEL");
  if (options.seconds) usage("--seconds is for a MODEL");
  if (options.batch) usage("--batch is for a MODEL");
  if (options.against) usage("--against is for a MODEL");
  if (options.html) usage("--html is for a MODEL");
  if (options.per_layer) usage("--per-layer is for a MODEL");
  if (!options.common.shapes.empty()) usage("--shape is for a MODEL");
  if (options.common.no_fuse) usage("--no-fuse is for a MODEL");
  if (options.common.threads) usage("--threads is for a MODEL; --machine measures one thread and all");
}

void bench(const BenchOptions& options) {
  check(options);
  if (options.common.target) pin_target(*options.common.target);
  Console console("sepal bench", options.common.quiet);
  if (options.machine) {
    bench_machine(options, console);
  } else if (options.tune) {
    bench_tune(options, console);
  } else {
    bench_model(options, console);
  }
}

Action declare_bench(Options& options) {
  const auto chosen = std::make_shared<BenchOptions>();
  options.argument({"MODEL", "", "An ONNX file, or a network of the zoo (sepal zoo lists them)", Complete::kFile},
                   chosen->model);
  options.flag({"--per-layer", "", "Every step of the plan by itself"}, chosen->per_layer);
  options.text({"--seconds", "S", "About how long to time (default: 2)"}, chosen->seconds);
  options.number({"--batch", "N", "Images in one run"}, 1, kMostBatch, chosen->batch);
  std::vector<std::string> rivals;
  for (const Against against : kAgainst) rivals.emplace_back(name_of(against));
  options.text({"--against", "FORM", "Time it in turns with standard convolutions, unfused, or by reference kernels",
                Complete::kChoices, rivals},
               chosen->against);
  options.text({"--html", "FILE", "Write a page with plots: time by step, roofline, promise kept", Complete::kFile},
               chosen->html);
  options.flag({"--tune", "", "Measure which convolutions to compute in one step, and keep it for this machine"},
               chosen->tune);
  options.flag({"--machine", "", "What this machine can do at most: arithmetic, caches, memory"}, chosen->machine);
  options.flag({"--again", "", "Measure it anew, even if it was measured before"}, chosen->again);
  options.flag(no_fuse_option(), chosen->common.no_fuse);
  declare(options, chosen->common);
  return [chosen] { bench(*chosen); };
}

}  // namespace

const Verb kBench = {"bench", "Times a network here, and tells what this machine can do at most",
                     R"(Examples:
  sepal bench mobilenet_v1 --threads 1
  sepal bench model.onnx --per-layer --seconds 5
  sepal bench mobilenet_v2:size=448 --batch 8 --json
  sepal bench mobilenet_v1 --threads 1 --against standard --html mobilenet_v1.html
  sepal bench mobilenet_v2 --threads 1 --tune
  sepal bench --machine
  sepal bench --machine --again --json --target AVX2

The ceilings are measured once for each instruction set and kept in $SEPAL_CACHE, else $XDG_CACHE_HOME/sepal,
else ~/.cache/sepal. SEPAL_MACHINE=FILE takes another machine's from such a file.
)",
                     declare_bench};

}  // namespace sepal::cli
