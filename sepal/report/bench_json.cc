#include "sepal/report/bench_report.h"
#include "sepal/report/cost_json.h"

namespace sepal::report {
namespace {

constexpr double kMilli = 1e3;

/// min_ms, median_ms, spread, macs, gflops, peak_share.
void add_timing(const BenchReport& report, const NetworkTiming& timing, Json& json) {
  json["min_ms"] = timing.whole.best * kMilli;
  json["median_ms"] = timing.whole.median * kMilli;
  json["spread"] = timing.whole.spread;
  json["macs"] = timing.macs;
  json["gflops"] = report.rate_of(timing) * 1e-9;
  json["peak_share"] = report.share_of(report.rate_of(timing));
}

Json step_json(const BenchReport& report, std::size_t index) {
  const StepTiming& step = report.timing.steps[index];
  Json json = {{"node", step.node},
               {"kernel", step.kernel},
               {"median_ms", step.seconds * kMilli},
               {"macs", step.macs},
               {"gflops", 2e-9 * static_cast<double>(step.macs) / step.seconds},
               {"bytes", step.bytes},
               {"bound", step.predicted.bound == Bound::kCompute ? "compute" : "memory"},
               {"predicted_ms", step.predicted.seconds * kMilli}};
  if (const PartTiming* part = part_with(report, index)) {
    json["speedup"] = part->speedup;
    if (promises(*report.rival)) json["kept"] = part->kept();
  }
  return json;
}

Json block_json(const BenchReport& report, const PartTiming& part) {
  const double rate = 2 * static_cast<double>(part.opponent_macs) / part.opponent_seconds;
  Json steps = Json::array();
  for (const Portion& portion : part.steps) steps.push_back({{"step", portion.step}, {"share", portion.share}});
  Json json = {{"name", part.name},
               {"steps", std::move(steps)},
               {"median_ms", part.seconds * kMilli},
               {"against_ms", part.opponent_seconds * kMilli},
               {"speedup", part.speedup}};
  if (promises(*report.rival)) {
    json["promised"] = part.promised();
    json["kept"] = part.kept();
    json["against_gflops"] = rate * 1e-9;
    json["against_peak_share"] = report.share_of(rate);
  }
  return json;
}

Json rival_json(const BenchReport& report, const Rival& rival) {
  Json json = {{"form", name_of(rival.against)}};
  add_timing(report, rival.timing, json);
  json["speedup"] = rival.speedup;
  if (promises(rival)) {
    json["promised"] = rival.promised;
    json["kept"] = rival.kept();
  }
  if (rival.parts.empty()) return json;
  Json blocks = Json::array();
  for (const PartTiming& part : rival.parts) blocks.push_back(block_json(report, part));
  json["blocks"] = std::move(blocks);
  return json;
}

}  // namespace

Json to_json(const BenchReport& report) {
  const Timing& whole = report.timing.whole;
  Json json{{"model", report.model},
            {"threads", report.threads},
            {"batch", report.batch},
            {"target", report.target},
            {"fused", report.fuse},
            {"load_ms", report.load_seconds * kMilli},
            {"plan_ms", report.timing.plan_seconds * kMilli},
            {"runs", whole.runs * whole.rounds}};
  add_timing(report, report.timing, json);
  if (report.rival) json["against"] = rival_json(report, *report.rival);
  if (report.timing.steps.empty()) return json;
  Json steps = Json::array();
  for (std::size_t i = 0; i < report.timing.steps.size(); ++i) steps.push_back(step_json(report, i));
  json["steps"] = std::move(steps);
  return json;
}

}  // namespace sepal::report
