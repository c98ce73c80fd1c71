#include "sepal/measure/roofline.h"

#include <algorithm>

namespace sepal {
namespace {

Bound longer(double compute, double memory) { return memory > compute ? Bound::kMemory : Bound::kCompute; }

}  // namespace

Prediction predict(const Cost& cost, const Machine& machine, int threads) {
  const std::uint64_t traffic = cost.traffic();
  const double compute = static_cast<double>(cost.nominal.flops()) / machine.flops_of(threads);
  const double memory = static_cast<double>(traffic) / machine.bandwidth_of(traffic, threads);
  return {std::max(compute, memory), compute, memory, longer(compute, memory)};
}

Prediction operator+(const Prediction& a, const Prediction& b) {
  const double compute = a.compute_seconds + b.compute_seconds;
  const double memory = a.memory_seconds + b.memory_seconds;
  return {a.seconds + b.seconds, compute, memory, longer(compute, memory)};
}

}  // namespace sepal
