#pragma once

#include <map>
#include <span>
#include <string>

#include "sepal/model/model.h"

namespace sepal {

/// What the one image among `inputs` wants; see Model::image_format. `shapes` bind free dimensions.
ImageFormat image_input_format(std::span<const ValueInfo> inputs, const std::map<std::string, Shape>& shapes,
                               const std::map<std::string, std::string>& properties);

}  // namespace sepal
