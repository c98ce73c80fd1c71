#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>

#include "sepal/model/model.h"

namespace sepal {

/// What the image for the input called `name` wants, or for the only one where `name` is empty; see
/// Model::image_format. `shapes` bind free dimensions.
ImageFormat image_input_format(std::span<const ValueInfo> inputs, std::string_view name,
                               const std::map<std::string, Shape>& shapes,
                               const std::map<std::string, std::string>& properties);

}  // namespace sepal
