#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sepal/graph/graph.h"
#include "tests/optimize/same.h"

namespace sepal {

/// A graph in the making, with constants of noise.
struct Net {
  Graph graph;
  std::uint64_t seed = 50;

  ValueId input(const Shape& shape) {
    return graph.add_input("x" + std::to_string(graph.inputs().size()), {DataType::kF32, shape});
  }
  ValueId constant(const Shape& shape) { return graph.add_constant(noise(shape, ++seed)); }
  ValueId conv(ValueId x, const Conv2d& op, std::int64_t co, bool bias = true) {
    const Extent kernel = op.window.kernel;
    std::vector<ValueId> inputs = {x, constant({co, kernel.h, kernel.w, graph.shape(x).c() / op.groups})};
    if (bias) inputs.push_back(constant({co}));
    return graph.add(op, inputs);
  }
};

}  // namespace sepal
