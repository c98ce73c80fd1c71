#pragma once

#include <cstdint>
#include <string>

#include "sepal/plan/plan.h"

namespace sepal {

/// How a step would run, in words, for people.
struct StepDetail {
  std::string tile;    ///< what its kernel computes at once: "7x32" pixels by channels, "2x7" rows by columns; or ""
  std::string fusion;  ///< "4 rows at once, 180.0 KiB kept"; "" for a step of one node
  std::string split;   ///< "rows", "channels" or "elements", where several threads share it; or ""
  std::int64_t threads = 1;  ///< that share it
};
StepDetail detail_of(const Step& step, int threads);

}  // namespace sepal
