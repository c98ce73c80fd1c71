#pragma once

#include <map>
#include <span>
#include <string>

#include "sepal/model/model.h"

namespace sepal::cli {

/// Shapes for the inputs that a model leaves free, as far as they can be guessed: those of `given`, and where
/// only the first axis of an input is free, the batch, 1.
struct GuessedShapes {
  std::map<std::string, Shape> shapes;  ///< what LoadOptions::shapes wants
  std::vector<std::string> batches;     ///< inputs whose batch was taken as 1
  std::vector<std::string> open;        ///< inputs that need --shape
};
GuessedShapes guess_shapes(std::span<const ValueInfo> inputs, const std::map<std::string, Shape>& given);

}  // namespace sepal::cli
