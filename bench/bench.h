#pragma once

// What the benchmarks of kernels share: numbers to work on, and the rates that are told.

#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>

#include "sepal/kernels/target.h"
#include "sepal/tensor/tensor.h"

namespace sepal {

/// f32 from -0.5 to 0.5, the same every time.
inline Tensor filled(const Shape& shape) {
  Tensor tensor(DataType::kF32, shape);
  std::uint32_t state = 1;
  for (float& value : tensor.values<float>()) {
    state = state * 1664525u + 1013904223u;
    value = static_cast<float>(state >> 8) / static_cast<float>(1 << 24) - 0.5f;
  }
  return tensor;
}

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
