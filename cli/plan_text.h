#pragma once

#include <span>
#include <string>
#include <vector>

#include "sepal/measure/roofline.h"
#include "sepal/plan/plan.h"
#include "sepal/report/json.h"

namespace sepal::cli {

/// True if the step runs by the reference kernels: right, and slow.
bool is_slow(const Step& step);

/// "pool_3 (max_pool)": the step as remarks name it.
std::string describe(const Step& step);

/// The tables of `inspect --plan`: every step with kernel, node, shapes and the place of its outputs; how it runs:
/// tile, fusion, threads, the least time that it takes; then workspace, weights and how many steps are slow.
std::string plan_text(const Plan& plan, std::span<const Prediction> least);
report::Json plan_json(const Plan& plan, std::span<const Prediction> least);

}  // namespace sepal::cli
