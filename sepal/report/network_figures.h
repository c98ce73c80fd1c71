#pragma once

#include "sepal/report/network_report.h"

namespace sepal::report {

/// Puts the network's plots into the sections that they belong to: cost by layer, share by kind, memory over the run,
/// roofline, and when separating pays.
void add_figures(const NetworkReport& report, Document& document);

/// Standard and separable MACs of every layer that has both.
Figure twin_figure(const NetworkReport& report);

}  // namespace sepal::report
