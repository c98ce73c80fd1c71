#include "sepal/report/roofline.h"

#include <algorithm>

#include "sepal/base/text.h"

namespace sepal::report {

std::vector<Series> ceilings(const Machine& machine, int threads, double least, double most) {
  std::vector<Series> lines;
  const double peak = machine.flops_of(threads);
  for (const MemoryLevel& level : machine.levels) {
    const double bandwidth = threads > 1 ? level.all_bytes_per_second : level.bytes_per_second;
    if (bandwidth <= 0) continue;
    const double ridge = peak / bandwidth;
    const double from = std::min(least / 2, ridge / 2);
    lines.push_back({.name = format("{} {:.1f} GB/s", level.name, bandwidth / 1e9),
                     .mark = Mark::kLine,
                     .x = {from, ridge, std::max(most * 2, ridge * 2)},
                     .y = {from * bandwidth, peak, peak},
                     .exact = std::vector<std::string>(
                         3, format("{:.1f} GFLOP/s, {:.1f} GB/s of {}", peak / 1e9, bandwidth / 1e9, level.name)),
                     .bound = true});
  }
  return lines;
}

}  // namespace sepal::report
