#include "cli/shapes.h"

#include <algorithm>

namespace sepal::cli {

GuessedShapes guess_shapes(std::span<const ValueInfo> inputs, const std::map<std::string, Shape>& given,
                           std::int64_t batch) {
  GuessedShapes guess{given, {}, {}};
  for (const ValueInfo& input : inputs) {
    const bool has_rank = !input.dimensions.empty() || input.text == "scalar";
    if ((has_rank && !input.is_free()) || given.contains(input.name)) continue;
    std::vector<std::int64_t> dims = input.dimensions;
    if (!dims.empty() && dims.front() < 0 &&
        std::ranges::count_if(dims, [](std::int64_t dim) { return dim < 0; }) == 1) {
      dims.front() = batch;
      guess.shapes.emplace(input.name, Shape(dims));
      guess.batches.push_back(input.name);
    } else {
      guess.open.push_back(input.name);
    }
  }
  return guess;
}

}  // namespace sepal::cli
