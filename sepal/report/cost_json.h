#pragma once

#include "sepal/graph/conv_layer.h"
#include "sepal/graph/cost.h"
#include "sepal/measure/paired.h"
#include "sepal/measure/roofline.h"
#include "sepal/report/json.h"

namespace sepal::report {

// Costs and predictions as members of JSON documents (docs/CLI.md lists the keys). Counts are exact; they may pass
// 2^53, where some readers of JSON begin to round.

Json to_json(const Arithmetic& arithmetic);
Json to_json(const Cost& cost);
/// ms, compute_ms, memory_ms, bound.
Json to_json(const Prediction& prediction);
/// Whose ceilings: processor, threads, undisturbed.
Json predicted_on(const Machine& machine, int threads);
Json to_json(const Timing& timing);
Json to_json(const ConvLayer& layer);
/// standard, separable, speedup, promised, kept.
Json to_json(const MeasuredComparison& measured);
/// layer, standard, depthwise, pointwise, separable, ratio, break_even_multiplier.
Json to_json(const Comparison& comparison);

}  // namespace sepal::report
