#pragma once

#include <map>
#include <span>
#include <string>

#include "sepal/model/model.h"

namespace sepal::cli {

/// Shapes for the inputs that a model leaves free, as far as they can be guessed: those of `given`, and where
/// only the first axis of an input is free, `batch`.
struct GuessedShapes {
  std::map<std::string, Shape> shapes;  ///< what LoadOptions::shapes wants
  std::vector<std::string> batches;     ///< inputs whose batch was guessed
  std::vector<std::string> open;        ///< inputs that need --shape
};
GuessedShapes guess_shapes(std::span<const ValueInfo> inputs, const std::map<std::string, Shape>& given,
                           std::int64_t batch = 1);

}  // namespace sepal::cli
