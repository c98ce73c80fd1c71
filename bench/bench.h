#pragma once

// What the benchmarks of kernels share: the rates that are told.

#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>

#include "bench/filled.h"
#include "sepal/kernels/target.h"

namespace sepal {

/// GFLOP/s as the roofline counts them: two operations a MAC.
inline void report_macs(benchmark::State& state, std::int64_t macs) {
  state.counters["GFLOP/s"] =
      benchmark::Counter(2e-9 * static_cast<double>(macs), benchmark::Counter::kIsIterationInvariantRate);
  state.SetLabel(std::string(target_name()));
}

/// GB/s of what is read and written, counted as f32.
inline void report_moved(benchmark::State& state, std::int64_t values) {
  state.counters["GB/s"] =
      benchmark::Counter(4e-9 * static_cast<double>(values), benchmark::Counter::kIsIterationInvariantRate);
  state.SetLabel(std::string(target_name()));
}

}  // namespace sepal
