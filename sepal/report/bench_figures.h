#pragma once

#include "sepal/report/bench_report.h"

namespace sepal::report {

/// Bars by step in the order of the run, a colour for each kernel, each with the least time that it could take.
Figure time_figure(const BenchReport& report);
/// Every step where it stands under the ceilings of the machine.
Figure step_roofline(const BenchReport& report);
/// Two bars a part: the rival's time and the network's.
Figure against_figure(const BenchReport& report);
/// The share of the promise that each separable pair keeps.
Figure kept_figure(const BenchReport& report);

}  // namespace sepal::report
