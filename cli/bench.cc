#include <charconv>

#include "cli/ceilings.h"
#include "cli/console.h"
#include "cli/network.h"
#include "cli/verb.h"
#include "sepal/base/text.h"
#include "sepal/base/thread_pool.h"
#include "sepal/kernels/target.h"
#include "sepal/machine/machine.h"
#include "sepal/machine/machine_file.h"
#include "sepal/measure/network.h"
#include "sepal/report/columns.h"
#include "sepal/report/json.h"
#include "sepal/report/numbers.h"

// sepal bench: how long a network takes here, whole and step by step, and what this machine can do at most.

namespace sepal::cli {

using report::Json;
using report::to_text;
namespace {

struct BenchOptions {
  std::optional<std::string> model;
  bool per_layer = false;
  std::optional<std::string> seconds;
  bool machine = false;
  bool again = false;
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

/// A network timed, and what is said of it.
struct Result {
  std::string model;
  int threads = 1;
  std::int64_t batch = 1;
  Machine machine;
  NetworkTiming timing;

  double rate() const { return 2 * static_cast<double>(timing.macs) / timing.whole.median; }
  double share() const { return rate() / machine.flops_of(threads); }
};

double seconds_of(const BenchOptions& options) {
  if (!options.seconds) return 2;
  double seconds = 0;
  const std::string& text = *options.seconds;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (problem != std::errc() || end != text.data() + text.size() || !(seconds >= 0.01 && seconds <= 3600))
    fail(ErrorKind::kUsage, "--seconds is a number from 0.01 to 3600, not \"{}\"", printable(text));
  return seconds;
}

Json json_of(const Result& result) {
  const Timing& whole = result.timing.whole;
  Json json{{"model", result.model},
            {"threads", result.threads},
            {"batch", result.batch},
            {"target", target_name()},
            {"runs", whole.runs * whole.rounds},
            {"min_ms", whole.best * 1e3},
            {"median_ms", whole.median * 1e3},
            {"spread", whole.spread},
            {"macs", result.timing.macs},
            {"gflops", result.rate() * 1e-9},
            {"peak_share", result.share()}};
  if (result.timing.steps.empty()) return json;
  Json steps = Json::array();
  for (const StepTiming& step : result.timing.steps) {
    steps.push_back({{"node", step.node},
                     {"kernel", step.kernel},
                     {"median_ms", step.seconds * 1e3},
                     {"macs", step.macs},
                     {"gflops", 2e-9 * static_cast<double>(step.macs) / step.seconds},
                     {"bytes", step.bytes},
                     {"bound", step.predicted.bound == Bound::kCompute ? "compute" : "memory"},
                     {"predicted_ms", step.predicted.seconds * 1e3}});
  }
  json["steps"] = std::move(steps);
  return json;
}

std::string text_of(const Result& result) {
  const Timing& whole = result.timing.whole;
  const auto ms = [](double seconds) { return format("{:.4g} ms", seconds * 1e3); };
  const std::vector<std::vector<std::string>> facts = {
      {"model", printable(result.model, 1000)},
      {"threads", format("{}", result.threads)},
      {"instruction set", std::string(target_name())},
      {"fastest run", ms(whole.best)},
      {"median", format("{} of {} rounds of {}, spread {:.1f} %", ms(whole.median), whole.rounds, whole.runs,
                        whole.spread * 100)},
      {"MACs", report::to_readable(result.timing.macs, report::Unit::kCount)},
      {"rate", format("{:.1f} GFLOP/s, {:.1f} % of this machine's peak", result.rate() * 1e-9, result.share() * 100)}};
  std::string text = to_text(facts);
  if (result.timing.steps.empty()) return text;
  double sum = 0;
  for (const StepTiming& step : result.timing.steps) sum += step.seconds;
  std::vector<std::vector<std::string>> rows = {
      {"step", "kernel", "time", "share", "GFLOP/s", "of peak", "bound", "at least"}};
  for (const StepTiming& step : result.timing.steps) {
    const double rate = 2 * static_cast<double>(step.macs) / step.seconds;
    rows.push_back({printable(step.node, 48), step.kernel, format("{:.1f} us", step.seconds * 1e6),
                    format("{:.1f} %", step.seconds / sum * 100), step.macs == 0 ? "-" : format("{:.1f}", rate * 1e-9),
                    step.macs == 0 ? "-" : format("{:.0f} %", rate / result.machine.flops_of(result.threads) * 100),
                    step.predicted.bound == Bound::kCompute ? "compute" : "memory",
                    format("{:.1f} us", step.predicted.seconds * 1e6)});
  }
  return text + "\n" + to_text(rows, 0, "llrrrrlr");
}

void bench_model(const BenchOptions& options, Console& console) {
  const double seconds = seconds_of(options);
  const Machine& machine = known_machine(console);
  const int threads = options.common.threads.value_or(available_cores());
  const Network network =
      read_network(*options.model, options.common.load_options(),
                   {.weights = Weights::kSeeded, .unhandled = onnx::Unhandled::kRefuse, .what = "timing"}, console);
  const Shape& shape = network.graph.shape(network.graph.inputs().front().value);
  console.progress(format("timing {}", printable(network.name)));
  const Result result{.model = network.name,
                      .threads = threads,
                      .batch = shape.rank() == 0 ? 1 : shape[0],
                      .machine = machine,
                      .timing = in_place(printable(network.name), [&] {
                        return measure(network.graph, machine, threads, options.per_layer, {.seconds = seconds});
                      })};
  console.finish(options.common.json ? to_text(json_of(result)) : text_of(result));
}

void check(const BenchOptions& options) {
  const auto usage = [](const char* text) { throw Error(ErrorKind::kUsage, text); };
  if (options.machine && options.model) usage("MODEL and --machine are for one of them at a time");
  if (!options.machine && !options.model) usage("one of MODEL and --machine is wanted, as in sepal bench mobilenet_v1");
  if (options.again && !options.machine) usage("--again is for --machine");
  if (!options.machine) return;
  if (options.seconds) usage("--seconds is for a MODEL");
  if (options.per_layer) usage("--per-layer is for a MODEL");
  if (!options.common.shapes.empty()) usage("--shape is for a MODEL");
  if (options.common.threads) usage("--threads is for a MODEL; --machine measures one thread and all");
}

void bench(const BenchOptions& options) {
  check(options);
  if (options.common.target) pin_target(*options.common.target);
  Console console("sepal bench", options.common.quiet);
  if (options.machine) {
    bench_machine(options, console);
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
  options.flag({"--machine", "", "What this machine can do at most: arithmetic, caches, memory"}, chosen->machine);
  options.flag({"--again", "", "Measure it anew, even if it was measured before"}, chosen->again);
  declare(options, chosen->common);
  return [chosen] { bench(*chosen); };
}

}  // namespace

const Verb kBench = {"bench", "Times a network here, and tells what this machine can do at most",
                     R"(Examples:
  sepal bench mobilenet_v1 --threads 1
  sepal bench model.onnx --per-layer --seconds 5
  sepal bench mobilenet_v2:size=448,batch=8 --json
  sepal bench --machine
  sepal bench --machine --again --json --target AVX2

The ceilings are measured once for each instruction set and kept in $SEPAL_CACHE, else $XDG_CACHE_HOME/sepal,
else ~/.cache/sepal. SEPAL_MACHINE=FILE takes another machine's from such a file.
)",
                     declare_bench};

}  // namespace sepal::cli
