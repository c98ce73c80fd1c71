#include "sepal/report/cost_json.h"

namespace sepal::report {

Json to_json(const Arithmetic& arithmetic) {
  return {{"multiplications", arithmetic.multiplications},
          {"additions", arithmetic.additions},
          {"divisions", arithmetic.divisions},
          {"comparisons", arithmetic.comparisons},
          {"functions", arithmetic.functions},
          {"flops", arithmetic.flops()}};
}

Json to_json(const Cost& cost) {
  Json json{{"macs", cost.macs}, {"effective_macs", cost.effective_macs}};
  json.update(to_json(cost.nominal));
  json["effective"] = to_json(cost.effective);
  json["bit_operations"] = cost.bit_operations;
  const Parameters& parameters = cost.parameters;
  json["parameters"] = parameters.trained();
  json["parameters_by_role"] = {{"weights", parameters.weights},
                                {"biases", parameters.biases},
                                {"normalization", parameters.normalization},
                                {"slopes", parameters.slopes},
                                {"statistics", parameters.statistics},
                                {"quantization", parameters.quantization},
                                {"constants", parameters.constants},
                                {"stored", parameters.stored()}};
  json["bytes"] = {{"weights", cost.weight_bytes},
                   {"read", cost.read_bytes},
                   {"written", cost.written_bytes},
                   {"traffic", cost.traffic()}};
  json["intensity"] = cost.intensity();
  return json;
}

Json to_json(const Prediction& prediction) {
  return {{"ms", prediction.seconds * 1e3},
          {"compute_ms", prediction.compute_seconds * 1e3},
          {"memory_ms", prediction.memory_seconds * 1e3},
          {"bound", prediction.bound == Bound::kCompute ? "compute" : "memory"}};
}

Json predicted_on(const Machine& machine, int threads) {
  return {{"processor", machine.processor}, {"threads", threads}, {"undisturbed", machine.undisturbed}};
}

Json to_json(const Timing& timing) {
  return {{"median_ms", timing.median * 1e3},
          {"min_ms", timing.best * 1e3},
          {"spread", timing.spread},
          {"rounds", timing.rounds},
          {"runs", timing.runs}};
}

Json to_json(const MeasuredComparison& measured) {
  return {{"standard", to_json(measured.measured.first)},
          {"separable", to_json(measured.measured.second)},
          {"speedup", measured.measured.speedup},
          {"promised", measured.promised},
          {"kept", measured.kept}};
}

Json to_json(const ConvLayer& layer) {
  const Window& window = layer.window;
  const auto pair = [](const Extent& extent) { return Json::array({extent.h, extent.w}); };
  return {{"batch", layer.batch},
          {"in", layer.in},
          {"out", layer.out},
          {"size", pair(layer.size)},
          {"kernel", pair(window.kernel)},
          {"stride", pair(window.stride)},
          {"dilation", pair(window.dilation)},
          {"padding", {window.padding.top, window.padding.left, window.padding.bottom, window.padding.right}},
          {"output_size", pair(output_extent(layer.size, window))},
          {"multiplier", layer.multiplier},
          {"bias", layer.bias}};
}

Json to_json(const Comparison& comparison) {
  return {{"layer", to_json(comparison.layer)},
          {"standard", to_json(comparison.standard)},
          {"depthwise", to_json(comparison.depthwise)},
          {"pointwise", to_json(comparison.pointwise)},
          {"separable", to_json(comparison.separable())},
          {"ratio",
           {{"macs", comparison.mac_ratio()},
            {"parameters", comparison.parameter_ratio()},
            {"traffic", comparison.traffic_ratio()}}},
          {"break_even_multiplier", comparison.break_even_multiplier()}};
}

}  // namespace sepal::report
