#include "sepal/report/cost_json.h"
#include "sepal/report/network_report.h"

namespace sepal::report {
namespace {

Json shape_json(const Shape& shape) {
  Json dims = Json::array();
  for (const std::int64_t dim : shape) dims.push_back(dim);
  return dims;
}

Json layers_json(const NetworkReport& report) {
  Json layers = Json::array();
  for (std::size_t i = 0; i < report.cost.layers.size(); ++i) {
    const LayerCost& layer = report.cost.layers[i];
    Json json{{"name", layer.name},
              {"operator", layer.op},
              {"kind", name_of(layer.kind)},
              {"output", shape_json(layer.output.shape)},
              {"type", name_of(layer.output.type)}};
    json.update(to_json(layer.cost));
    json["live_bytes"] = layer.live_bytes;
    if (!report.predictions.empty()) json["predicted"] = to_json(report.predictions[i]);
    layers.push_back(std::move(json));
  }
  return layers;
}

Json twins_json(const NetworkReport& report) {
  Json layers = Json::array();
  for (const TwinReport& twin : report.twins) {
    Json json{{"name", twin.name}};
    json.update(to_json(twin.comparison));
    if (twin.standard && twin.separable)
      json["predicted"] = {{"standard", to_json(*twin.standard)}, {"separable", to_json(*twin.separable)}};
    if (twin.measured) json["measured"] = to_json(*twin.measured);
    layers.push_back(std::move(json));
  }
  const bool standard_first = report.form == TwinForm::kSeparable;
  return {{"form", standard_first ? "separable" : "standard"},
          {"standard_macs", network_macs(report, !standard_first)},
          {"separable_macs", network_macs(report, standard_first)},
          {"layers", std::move(layers)}};
}

}  // namespace

Json to_json(const NetworkReport& report) {
  Json json{{"model", report.name}};
  const auto count_json = [](Convention convention, const ConventionCount& count) {
    return Json{{"name", name_of(convention)},
                {"operations", count.operations},
                {"unit", unit_of(convention)},
                {"parameters", count.parameters},
                {"left_out", count.left_out}};
  };
  json["convention"] = count_json(report.convention, report.count());
  Json counts = Json::array();
  for (const auto& [convention, count] : report.counts) counts.push_back(count_json(convention, count));
  json["conventions"] = std::move(counts);
  json["total"] = to_json(report.cost.total);
  json["memory"] = {{"weights", report.cost.stored_bytes},
                    {"activations", report.cost.activation_bytes},
                    {"peak", report.cost.peak_bytes},
                    {"planned", report.planned ? Json(*report.planned) : Json()}};
  if (!report.planned) json["memory"]["unplanned"] = report.unplanned;
  Json kinds = Json::array();
  for (const KindCost& kind : by_kind(report.cost)) {
    kinds.push_back({{"kind", name_of(kind.kind)},
                     {"layers", kind.layers},
                     {"macs", kind.cost.macs},
                     {"parameters", kind.cost.parameters.trained()},
                     {"traffic", kind.cost.traffic()}});
  }
  json["kinds"] = std::move(kinds);
  json["layers"] = layers_json(report);
  Json uncounted = Json::array();
  for (const UncountedNode& node : report.uncounted)
    uncounted.push_back({{"name", node.name}, {"operator", node.type}, {"why", node.why}});
  json["uncounted"] = std::move(uncounted);
  if (report.machine) {
    json["predicted"] = predicted_on(*report.machine, report.threads);
    double seconds = 0;
    for (const Prediction& prediction : report.predictions) seconds += prediction.seconds;
    json["predicted"]["ms"] = seconds * 1e3;
  }
  if (report.form != TwinForm::kNone) json["twins"] = twins_json(report);
  return json;
}

}  // namespace sepal::report
