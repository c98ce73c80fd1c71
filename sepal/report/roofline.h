#pragma once

#include <vector>

#include "sepal/machine/machine.h"
#include "sepal/report/document.h"

namespace sepal::report {

/// The roofline of a machine (Williams, Waterman and Patterson 2009) over FLOPs for each byte from below `least` to
/// above `most`, in FLOP/s: a line for each level of memory, up its slope and along the roof.
std::vector<Series> ceilings(const Machine& machine, int threads, double least, double most);

}  // namespace sepal::report
