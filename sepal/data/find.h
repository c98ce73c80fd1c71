#pragma once

#include <filesystem>
#include <span>
#include <string_view>

#include "sepal/data/data_set.h"

namespace sepal {

/// The data set called `name`, else the one in the folder of that name:
///   "fashion-mnist"              where Debian's package dataset-fashion-mnist puts it
///   "mnist" "cifar10" "cifar100"
///   a path                       IDX files as MNIST calls them, the binary version of CIFAR, or a folder of images
///   with a
///                                sub-folder a class, told by what lies in it
/// For a name, the folders that the environment variable SEPAL_DATA_PATH lists (with colons between) are looked into
/// first, each for a sub-folder of that name.
/// Throws Error(kUsage) that says how to come by it where there is none, and Error as the readers do.
DataSet open_data(std::string_view name);

/// The same with `places` as all the folders to look into for a name.
DataSet open_data(std::string_view name, std::span<const std::filesystem::path> places);

}  // namespace sepal
