#pragma once

#include <filesystem>
#include <optional>

#include "sepal/zoo/zoo.h"

namespace sepal {

/// What a person means who writes `path` where a model is wanted: nothing where it is a path, else the network of the
/// zoo that it names. A file of that name comes first, a folder does not. Throws Error(kUsage) where there is neither
/// and the word looks like a name ("mobilnet_v2"), and as parse_zoo_spec does for options of a known network.
std::optional<ZooSpec> zoo_spec_of(const std::filesystem::path& path);

}  // namespace sepal
