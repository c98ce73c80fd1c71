#pragma once

#include <filesystem>

#include "sepal/data/data_set.h"

namespace sepal {

/// True where `folder` has sub-folders.
bool is_image_folder(const std::filesystem::path& folder);

/// The data set in a folder of photographs: a sub-folder a class, called as the class, in it JPEG and PNG files (.jpg,
/// .jpeg, .png, of any size; others are passed over). Where the sub-folders are `train` and `test` (or `val`), the
/// classes are below these; otherwise there is no test part. Classes and files are in the order of their bytes, so the
/// same folder gives the same data set everywhere. Sub-folders that begin with a dot are passed over, links are
/// followed. No image is opened here: one that cannot be read is an Error when it is asked for. Throws Error(kIo) if a
/// folder cannot be read, and Error(kInvalid) if there are fewer than two classes, a class has no image, or a class of
/// the test part is none of the training part.
DataSet read_image_folder(const std::filesystem::path& folder);

}  // namespace sepal
