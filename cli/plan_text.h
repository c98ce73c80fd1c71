#pragma once

#include <string>
#include <vector>

#include "sepal/plan/plan.h"
#include "sepal/report/json.h"

namespace sepal::cli {

/// True if the step runs by the reference kernels: right, and slow.
bool is_slow(const Step& step);

/// "pool_3 (max_pool)": the step as remarks name it.
std::string describe(const Step& step);

/// The table of `inspect --plan`: every step with kernel, node, shapes and the place of its outputs; then
/// workspace, weights and how many steps are slow.
std::string plan_text(const Plan& plan);
report::Json plan_json(const Plan& plan);

}  // namespace sepal::cli
