#pragma once

#include "sepal/graph/cost.h"
#include "sepal/machine/machine.h"

namespace sepal {

enum class Bound { kCompute, kMemory };

/// The least time in which a machine can do what a cost says (Williams, Waterman and Patterson 2009): the longer of
/// its FLOPs at the peak rate and its compulsory traffic at the bandwidth of the level that holds it.
struct Prediction {
  double seconds = 0;
  double compute_seconds = 0;
  double memory_seconds = 0;
  Bound bound = Bound::kCompute;  ///< which of the two is the longer
};

/// Of the nominal FLOPs: simple kernels do not leave taps on padding out. Throws Error(kInvalid) where a count does not
/// fit 64 bits.
Prediction predict(const Cost& cost, const Machine& machine, int threads);

/// Of one after another: every time is a sum, and so `seconds` may be more than either of the others.
Prediction operator+(const Prediction& a, const Prediction& b);

}  // namespace sepal
