#include "cli/plan_text.h"

#include <algorithm>

#include "cli/summary.h"
#include "sepal/base/text.h"
#include "sepal/kernels/target.h"
#include "sepal/plan/detail.h"
#include "sepal/report/columns.h"

namespace sepal::cli {

using report::Json;
using report::to_text;
namespace {

std::size_t bytes_of(const Operand& operand) {
  return static_cast<std::size_t>(operand.type.shape.elements()) * size_of(operand.type.type);
}

std::string_view name_of(Operand::Place place) {
  switch (place) {
    case Operand::Place::kWorkspace:
      return "workspace";
    case Operand::Place::kConstant:
      return "constant";
    case Operand::Place::kInput:
      return "input";
    case Operand::Place::kOutput:
      break;
  }
  return "output";
}

/// "1x112x112x32 f32 at 401408"
std::string placed(const Operand& operand) {
  const std::string value = format("{} {}", to_string(operand.type.shape), sepal::name_of(operand.type.type));
  if (operand.place == Operand::Place::kWorkspace) return format("{} at {}", value, operand.index);
  return format("{} {} {}", value, name_of(operand.place), operand.index);
}

/// "1x8x8x4 1x8x8x4 1x8x8x2 and 5 more": every row of the table is as wide as its widest.
std::string shapes_of_inputs(const Step& step) {
  constexpr std::size_t kShown = 3;
  std::vector<std::string> shapes;
  std::size_t more = 0;
  for (const Operand& input : step.inputs) {
    if (input.place == Operand::Place::kConstant) continue;
    if (shapes.size() < kShown) {
      shapes.push_back(to_string(input.type.shape));
    } else {
      ++more;
    }
  }
  return format("{}{}", join(shapes, " "), more == 0 ? "" : format(" and {} more", more));
}

Json operand_json(const Operand& operand) {
  Json json{{"place", name_of(operand.place)}};
  json[operand.place == Operand::Place::kWorkspace ? "offset" : "index"] = operand.index;
  json["shape"] = to_json(operand.type.shape);
  json["type"] = sepal::name_of(operand.type.type);
  json["bytes"] = bytes_of(operand);
  return json;
}

std::vector<std::vector<std::string>> how_rows(const Plan& plan, std::span<const Prediction> least) {
  std::vector<std::vector<std::string>> rows = {{"step", "kernel", "tile", "together", "threads", "at least"}};
  for (std::size_t i = 0; i < plan.steps().size(); ++i) {
    const Step& step = plan.steps()[i];
    const StepDetail detail = detail_of(step, plan.threads());
    rows.push_back({format("{}", i), std::string(step.kernel), detail.tile, detail.fusion,
                    detail.threads == 1 ? "1" : format("{} by {}", detail.threads, detail.split),
                    format("{:.1f} us", least[i].seconds * 1e6)});
  }
  return rows;
}

std::int64_t count_slow(const Plan& plan) { return std::ranges::count_if(plan.steps(), is_slow); }

}  // namespace

bool is_slow(const Step& step) { return step.kernel.starts_with("reference"); }

std::string describe(const Step& step) {
  const std::string_view op = sepal::name_of(step.op);
  return step.node == op ? printable(step.node) : format("{} ({})", printable(step.node), op);
}

std::string plan_text(const Plan& plan, std::span<const Prediction> least) {
  std::vector<std::vector<std::string>> rows = {{"", "step", "kernel", "node", "inputs", "output", "bytes", ""}};
  for (std::size_t i = 0; i < plan.steps().size(); ++i) {
    const Step& step = plan.steps()[i];
    for (std::size_t k = 0; k < step.outputs.size(); ++k) {
      const bool first = k == 0;
      rows.push_back(
          {first && is_slow(step) ? "*" : "", first ? format("{}", i) : "", first ? std::string(step.kernel) : "",
           first ? printable(step.node, 48) : "", first ? shapes_of_inputs(step) : "", placed(step.outputs[k]),
           grouped(static_cast<long long>(bytes_of(step.outputs[k]))), first && step.in_place ? "in place" : ""});
    }
  }
  std::string text =
      format("plan: {} steps, {} threads, instruction set {}\n", plan.steps().size(), plan.threads(), target_name());
  text += to_text(rows, 0, "lrllllrl");
  text +=
      "\nhow each step runs: the tile of its kernel, what stays in the cache, who shares it, its least time by "
      "roofline\n";
  text += to_text(how_rows(plan, least), 0, "rllllr");
  text += format("workspace: {}, of {} for all activations each by itself\n",
                 human_bytes(static_cast<double>(plan.workspace_bytes())),
                 human_bytes(static_cast<double>(plan.activation_bytes())));
  text += format("weights: {}\n", human_bytes(static_cast<double>(plan.weight_bytes())));
  const std::int64_t slow = count_slow(plan);
  text += slow == 0 ? "no step runs by a reference kernel\n"
                    : format("{} of {} steps run by a reference kernel, which is slow: those marked *\n", slow,
                             plan.steps().size());
  return text;
}

Json plan_json(const Plan& plan, std::span<const Prediction> least) {
  Json steps = Json::array();
  for (std::size_t i = 0; i < plan.steps().size(); ++i) {
    const Step& step = plan.steps()[i];
    const StepDetail detail = detail_of(step, plan.threads());
    Json inputs = Json::array();
    Json outputs = Json::array();
    for (const Operand& input : step.inputs) inputs.push_back(operand_json(input));
    for (const Operand& output : step.outputs) outputs.push_back(operand_json(output));
    steps.push_back({{"kernel", step.kernel},
                     {"node", step.node},
                     {"operator", sepal::name_of(step.op)},
                     {"inputs", std::move(inputs)},
                     {"outputs", std::move(outputs)},
                     {"in_place", step.in_place},
                     {"slow", is_slow(step)},
                     {"tile", detail.tile},
                     {"rows_at_once", step.rows_at_once},
                     {"kept_bytes", step.room},
                     {"threads", detail.threads},
                     {"split", detail.split},
                     {"predicted_ms", least[i].seconds * 1e3},
                     {"packed_bytes", step.packed == nullptr ? 0 : step.packed->size()},
                     {"work", step.work}});
  }
  return {{"target", target_name()},
          {"threads", plan.threads()},
          {"workspace_bytes", plan.workspace_bytes()},
          {"activation_bytes", plan.activation_bytes()},
          {"weight_bytes", plan.weight_bytes()},
          {"slow_steps", count_slow(plan)},
          {"steps", std::move(steps)}};
}

}  // namespace sepal::cli
