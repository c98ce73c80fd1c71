#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "sepal/graph/graph.h"
#include "sepal/plan/plan.h"

namespace sepal {

/// Values from -1 to 1, the same for the same seed.
inline Tensor noise(const Shape& shape, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Tensor tensor(DataType::kF32, shape);
  for (float& value : tensor.values<float>()) value = static_cast<float>(random() % 20001) / 10000.0f - 1;
  return tensor;
}

/// The outputs of a graph on seeded noise (f32 inputs), by the reference kernels or as the options say.
inline std::vector<Tensor> outputs_of(const Graph& graph, const PlanOptions& options = {.reference_only = true},
                                      float scale = 1) {
  std::vector<Tensor> inputs;
  std::vector<ConstBuffer> from;
  for (const Port& port : graph.inputs()) inputs.push_back(noise(graph.shape(port.value), inputs.size() + 1));
  for (Tensor& input : inputs) {
    for (float& value : input.values<float>()) value *= scale;
    from.push_back(input.buffer());
  }
  std::vector<Tensor> outputs;
  std::vector<Buffer> to;
  for (const Port& port : graph.outputs()) outputs.emplace_back(graph.type(port.value).type, graph.shape(port.value));
  for (Tensor& output : outputs) to.push_back(output.buffer());
  const Plan plan(graph, options);
  plan.run(Workspace(plan.workspace_bytes()), from, to);
  return outputs;
}

/// Largest difference over the largest magnitude (or over 1, if that is less).
inline double distance(const Tensor& a, const Tensor& b) {
  EXPECT_EQ(a.type(), DataType::kF32);
  EXPECT_EQ(a.shape(), b.shape());
  double most = 0;
  double scale = 1;
  for (std::size_t i = 0; i < a.values<float>().size(); ++i) {
    const double left = a.values<float>()[i];
    const double right = b.values<float>()[i];
    if (std::isnan(left) && std::isnan(right)) continue;
    most = std::max(most, std::isnan(left - right) ? 1e30 : std::abs(left - right));
    scale = std::max(scale, std::abs(left));
  }
  return most / scale;
}

/// Expects both graphs to give the same numbers.
inline void expect_same(const Graph& a, const Graph& b, double tolerance = 1e-5) {
  // From -8 to 8, so that every activation saturates somewhere.
  const std::vector<Tensor> left = outputs_of(a, {.reference_only = true}, 8);
  const std::vector<Tensor> right = outputs_of(b, {.reference_only = true}, 8);
  ASSERT_EQ(left.size(), right.size());
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (left[i].type() == DataType::kF32) {
      EXPECT_LE(distance(left[i], right[i]), tolerance) << "output " << i;
    } else {
      EXPECT_TRUE(identical(left[i], right[i])) << "output " << i;
    }
  }
}

/// How many nodes hold the operator T.
template <typename T>
int count(const Graph& graph) {
  return static_cast<int>(
      std::ranges::count_if(graph.nodes(), [](const Node& node) { return std::holds_alternative<T>(node.op); }));
}

}  // namespace sepal
