#include "sepal/plan/detail.h"

#include "sepal/base/text.h"
#include "sepal/kernels/packed.h"
#include "sepal/kernels/tile_sizes.h"
#include "sepal/plan/conv_site.h"
#include "sepal/plan/frame.h"

namespace sepal {
namespace {

std::string tile_of(const Step& step) {
  const TileSizes sizes = tile_sizes();
  const std::string product = format("{}x{}", sizes.product_rows, sizes.product_columns);
  const std::string depthwise = format("{}x{}", sizes.depthwise_rows, sizes.depthwise_columns);
  if (!step.stages.empty()) return format("{} {}", product, depthwise);
  if (step.kernel.starts_with("pointwise") || step.kernel.starts_with("direct") || step.kernel.starts_with("dense"))
    return product;
  return step.kernel.starts_with("depthwise") ? depthwise : "";
}

}  // namespace

StepDetail detail_of(const Step& step, int threads) {
  StepDetail detail{.tile = tile_of(step), .fusion = {}, .split = {}};
  if (!step.stages.empty()) {
    detail.fusion = format("{} rows at once, {} kept", step.rows_at_once, human_bytes(static_cast<double>(step.room)));
  } else {
    std::vector<std::string> also;
    if (step.gate != 0) also.emplace_back("gate");
    if (step.adds) also.emplace_back("addition");
    detail.fusion = format("{}", join(also, ", "));
  }
  const Shape& output = step.outputs[0].type.shape;
  const bool product = step.kernel.starts_with("pointwise") || step.kernel.starts_with("dense");
  const bool convolves = !step.stages.empty() || std::holds_alternative<Conv2d>(step.op);
  std::int64_t units = output.elements();
  detail.split = "elements";
  if (product) {
    const std::int64_t co = output[output.rank() - 1];
    const std::int64_t rows = output.elements(0, output.rank() - 1);
    const bool by_rows = divides_rows(rows, co, threads);
    units = by_rows ? rows : panels(co);
    detail.split = by_rows ? "rows" : "channels";
  } else if (convolves && output.rank() == 4) {
    units = output.n() * output.h();
    detail.split = "rows";
  }
  const bool alone = step.kernel.starts_with("reference") || step.kernel == "copy";
  detail.threads = alone ? 1 : parts_of(step.work, units, threads);
  if (detail.threads == 1) detail.split.clear();
  return detail;
}

}  // namespace sepal
