#pragma once

#include <cstdint>
#include <string>

#include "sepal/data/data_set.h"
#include "sepal/zoo/zoo.h"

namespace sepal::cli {

/// A network of the zoo, fit for the data: their size and channels, their classes, and a stem of stride 1 for images
/// too small to lose half their rows at once; all of it unless `text` chooses otherwise. Throws as parse_zoo_spec does.
ZooSpec fitted(const std::string& text, const DataSet& set, std::uint64_t seed);

}  // namespace sepal::cli
