#include <algorithm>
#include <map>

#include "cli/arrays.h"
#include "cli/ceilings.h"
#include "cli/console.h"
#include "cli/plan_text.h"
#include "cli/shapes.h"
#include "cli/verb.h"
#include "sepal/base/text.h"
#include "sepal/graph/graph.h"
#include "sepal/kernels/target.h"
#include "sepal/measure/steps.h"
#include "sepal/plan/plan.h"
#include "sepal/report/columns.h"
#include "sepal/report/json.h"

// sepal inspect: what a model is made of, and with --plan how it would run here.

namespace sepal::cli {

using report::Json;
using report::to_text;
namespace {

struct InspectOptions {
  std::string model;
  bool plan = false;
  CommonOptions common;
};

std::vector<Prediction> least(const Model::Prepared& prepared, const Machine& machine) {
  return predict_steps(*prepared.optimized, *prepared.plan, machine);
}

/// Operators by name: how many as imported, how many as optimised.
using Counts = std::map<std::string, std::pair<int, int>>;

Counts count_operators(const Model::Prepared& prepared) {
  Counts counts;
  for (const Node& node : prepared.imported->nodes()) ++counts[std::string(name_of(node.op))].first;
  for (const Node& node : prepared.optimized->nodes()) ++counts[std::string(name_of(node.op))].second;
  return counts;
}

std::string values_text(const char* title, std::span<const ValueInfo> infos) {
  std::vector<std::vector<std::string>> rows;
  for (const ValueInfo& info : infos)
    rows.push_back({printable(info.name), printable(info.text), std::string(name_of(info.type))});
  return format("{}\n{}", title, to_text(rows, 2));
}

Json values_json(std::span<const ValueInfo> infos) {
  Json all = Json::array();
  for (const ValueInfo& info : infos) {
    Json dims = Json::array();
    for (const std::int64_t dim : info.dimensions) dims.push_back(dim < 0 ? Json() : Json(dim));
    all.push_back(
        {{"name", info.name}, {"shape", std::move(dims)}, {"declared", info.text}, {"type", name_of(info.type)}});
  }
  return all;
}

/// What the file says of itself: its producer where the graph is known, and all properties.
std::map<std::string, std::string> metadata(const Model& model, const Graph* graph) {
  std::map<std::string, std::string> all(model.properties().begin(), model.properties().end());
  if (graph == nullptr) return all;
  const About& about = graph->about;
  const std::pair<const char*, const std::string&> fields[] = {{"(name)", about.name},
                                                               {"(documentation)", about.documentation},
                                                               {"(producer)", about.producer},
                                                               {"(producer version)", about.producer_version},
                                                               {"(domain)", about.domain}};
  for (const auto& [key, value] : fields) {
    if (!value.empty()) all.emplace(key, value);
  }
  return all;
}

std::string text_of(const Model& model, const std::optional<Model::Prepared>& prepared, const Machine* machine) {
  std::string text = printable(model.name(), 1000) + "\n" + values_text("inputs", model.inputs()) +
                     values_text("outputs", model.outputs());
  if (prepared) {
    std::vector<std::vector<std::string>> rows = {{"operators", "imported", "optimised"}};
    for (const auto& [name, counts] : count_operators(*prepared)) {
      rows.push_back({"  " + name, format("{}", counts.first), format("{}", counts.second)});
    }
    rows.push_back(
        {"  all", format("{}", prepared->imported->nodes().size()), format("{}", prepared->optimized->nodes().size())});
    text += to_text(rows, 0, "lrr");
    text += format("parameters: {}\n", grouped(count_parameters(*prepared->imported)));
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& [key, value] : metadata(model, prepared ? prepared->imported.get() : nullptr)) {
    rows.push_back({printable(key, 48), printable(value, 72)});
  }
  if (!rows.empty()) text += "metadata\n" + to_text(rows, 2);
  if (prepared && machine != nullptr) text += plan_text(*prepared->plan, least(*prepared, *machine));
  return text;
}

Json json_of(const Model& model, const std::optional<Model::Prepared>& prepared, const Machine* machine) {
  Json json{
      {"model", model.name()}, {"inputs", values_json(model.inputs())}, {"outputs", values_json(model.outputs())}};
  json["operators"] = nullptr;
  json["parameters"] = nullptr;
  if (prepared) {
    Json operators = Json::object();
    for (const auto& [name, counts] : count_operators(*prepared)) {
      operators[name] = {{"imported", counts.first}, {"optimised", counts.second}};
    }
    json["operators"] = std::move(operators);
    json["parameters"] = count_parameters(*prepared->imported);
  }
  // Its keys differ already; looking each up among those before it would take long for very many.
  Json::object_t properties;
  for (const auto& [key, value] : metadata(model, prepared ? prepared->imported.get() : nullptr))
    properties.push_back({key, value});
  json["metadata"] = std::move(properties);
  if (prepared && machine != nullptr) json["plan"] = plan_json(*prepared->plan, least(*prepared, *machine));
  return json;
}

void inspect(const InspectOptions& options) {
  const LoadOptions load = options.common.load_options();
  if (options.common.target) pin_target(*options.common.target);
  Console console("sepal inspect", options.common.quiet);
  Model model = Model::load(options.model, load);

  const GuessedShapes guess = guess_shapes(model.inputs(), load.shapes);
  std::optional<Model::Prepared> prepared;
  std::string missing;  // why there is no graph
  if (!guess.open.empty()) {
    std::vector<std::string> wanted;
    for (const std::string& name : guess.open) wanted.push_back(format("--shape {}=...", printable(name)));
    missing = format("shapes are free; operators, parameters and plan need {}", join(wanted, " "));
  } else if (!guess.batches.empty()) {
    LoadOptions bound = load;
    bound.shapes = guess.shapes;
    model = Model::load(options.model, bound);
    prepared = model.prepared();
    console.remark(format("the free first axis of {} taken as 1; --shape gives another",
                          printable(format("{}", join(guess.batches, ", ")))));
  } else {
    // Loading has made the graph already, unless its shapes depend on the values of an input.
    try {
      prepared = model.prepared();
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kInvalid || options.plan) throw;
      missing = error.what();
    }
  }
  if (!missing.empty() && options.plan) invalid("{}: {}", printable(model.name()), missing);
  if (!missing.empty()) console.remark(missing);
  const Machine* machine = options.plan ? &known_machine(console) : nullptr;
  console.finish(options.common.json ? to_text(json_of(model, prepared, machine)) : text_of(model, prepared, machine));
}

Action declare_inspect(Options& options) {
  const auto chosen = std::make_shared<InspectOptions>();
  options.argument({"MODEL", "FILE", "An ONNX file", Complete::kFile}, chosen->model);
  options.flag({"--plan", "", "Every step: its kernel, shapes and memory"}, chosen->plan);
  options.flag(no_fuse_option(), chosen->common.no_fuse);
  declare(options, chosen->common);
  return [chosen] { inspect(*chosen); };
}

}  // namespace

const Verb kInspect = {"inspect", "Shows what a model is made of, and how it would run here",
                       R"(Examples:
  sepal inspect mobilenet.onnx
  sepal inspect mobilenet.onnx --plan
  sepal inspect detector.onnx --plan --shape images=1x3x320x320
)",
                       declare_inspect};

}  // namespace sepal::cli
