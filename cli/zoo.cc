#include <optional>

#include "cli/console.h"
#include "cli/interrupt.h"
#include "cli/outputs.h"
#include "cli/verb.h"
#include "sepal/base/text.h"
#include "sepal/formats/onnx_write.h"
#include "sepal/graph/cost.h"
#include "sepal/report/columns.h"
#include "sepal/report/json.h"
#include "sepal/report/numbers.h"
#include "sepal/zoo/zoo.h"

// sepal zoo: the networks that are known by name and what they cost; one of them as an ONNX file.

namespace sepal::cli {

using report::Json;
using report::to_readable;
using report::to_text;
namespace {

struct ZooVerb {
  std::optional<std::string> network;
  std::optional<std::string> output;
  bool json = false;
  bool quiet = false;
};

/// What is told about a network.
struct Exhibit {
  ZooSpec spec;
  Shape input;
  Shape output;
  Cost cost;
};

Exhibit exhibit(const ZooSpec& spec, const Graph& graph) {
  return {spec, graph.shape(graph.inputs()[0].value), graph.shape(graph.outputs()[0].value), cost_of(graph).total};
}

std::string text_of(const std::vector<Exhibit>& all) {
  std::vector<std::vector<std::string>> rows = {{"network", "what", "input", "MACs", "parameters"}};
  for (const Exhibit& one : all) {
    rows.push_back({to_string(one.spec), std::string(one.spec.entry->what), to_string(one.input),
                    to_readable(one.cost.macs, report::Unit::kCount),
                    to_readable(one.cost.parameters.trained(), report::Unit::kCount)});
  }
  return to_text(rows, 0, "lllrr");
}

std::string text_of(const Exhibit& one, const std::optional<std::string>& file) {
  const ZooEntry& entry = *one.spec.entry;
  std::vector<std::vector<std::string>> rows = {
      {"what", std::string(entry.what)},
      {"source", std::string(entry.source)},
      {"input", to_string(one.input)},
      {"output", to_string(one.output)},
      {"MACs", to_readable(one.cost.macs, report::Unit::kCount)},
      {"parameters", to_readable(one.cost.parameters.trained(), report::Unit::kCount)},
      {"options", format("{}", join(options_of(entry), ", "))}};
  if (file) rows.push_back({"file", printable(*file, 1000)});
  return to_string(one.spec) + "\n" + to_text(rows, 2);
}

Json json_of(const Exhibit& one) {
  const ZooEntry& entry = *one.spec.entry;
  return {{"network", to_string(one.spec)},
          {"what", entry.what},
          {"source", entry.source},
          {"input", one.input.dims()},
          {"output", one.output.dims()},
          {"macs", one.cost.macs},
          {"parameters", one.cost.parameters.trained()},
          {"options", options_of(entry)}};
}

/// Every network as its paper has it. Counting needs no weights.
void list(const ZooVerb& options, Console& console) {
  std::vector<Exhibit> all;
  for (const ZooEntry& entry : zoo()) {
    const ZooSpec spec{&entry, entry.defaults};
    all.push_back(exhibit(spec, build(spec, Weights::kNone)));
  }
  if (!options.json) return console.finish(text_of(all));
  Json json = Json::array();
  for (const Exhibit& one : all) json.push_back(json_of(one));
  console.finish(to_text(json));
}

void show(const ZooVerb& options, Console& console) {
  const ZooSpec spec = parse_zoo_spec(*options.network);
  if (options.output) check_output(*options.output);
  const Graph graph = build(spec, options.output ? Weights::kSeeded : Weights::kNone);
  const Exhibit one = exhibit(spec, graph);
  if (options.output) {
    const Uninterrupted whole;
    onnx::write(*options.output, graph);
  }
  if (!options.json) return console.finish(text_of(one, options.output));
  Json json = json_of(one);
  if (options.output) json["file"] = *options.output;
  console.finish(to_text(json));
}

void run_zoo(const ZooVerb& options) {
  if (options.output && !options.network) {
    throw Error(ErrorKind::kUsage,
                "--output is for one network, as in sepal zoo mobilenet_v2 --output mobilenet_v2.onnx");
  }
  Console console("sepal zoo", options.quiet);
  if (options.network) {
    show(options, console);
  } else {
    list(options, console);
  }
}

Action declare_zoo(Options& options) {
  const auto chosen = std::make_shared<ZooVerb>();
  options.argument({"NETWORK", "", "A name from the list, and options of the network (default: all)"}, chosen->network);
  OptionInfo output{"--output", "FILE", "Write the network as ONNX, with seeded weights", Complete::kFile};
  output.letter = "-o";
  options.text(std::move(output), chosen->output);
  options.flag({"--json", "", "One JSON document on stdout; nothing there on failure"}, chosen->json);
  options.flag({"--quiet", "", "No remarks on stderr"}, chosen->quiet);
  return [chosen] { run_zoo(*chosen); };
}

}  // namespace

const Verb kZoo = {"zoo", "Lists networks known by name with their cost, and writes one as ONNX", R"(Examples:
  sepal zoo
  sepal zoo mobilenet_v2:width=0.5,size=160
  sepal zoo mobilenet_v2:size=32,stem=1,classes=10,seed=7 -o small.onnx
  sepal zoo --json

After the name: width (multiplier of channels), size (of the square input), classes, batch, stem (1: the first
convolution keeps the input's size, for small images), unstrided (so many rows that stride behind it do not, from the
front), seed (of the weights). Not every network has all.
MACs are multiplications with their additions, taps on padding included; parameters are those that training
changes.
)",
                   declare_zoo};

}  // namespace sepal::cli
