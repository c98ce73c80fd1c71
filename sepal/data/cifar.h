#pragma once

#include <filesystem>

#include "sepal/data/data_set.h"

namespace sepal {

/// True where `folder` holds the binary version of CIFAR-10 or CIFAR-100.
bool is_cifar_folder(const std::filesystem::path& folder);

/// The data set in a folder with the binary version of CIFAR-10 (data_batch_1.bin .. data_batch_5.bin, test_batch.bin,
/// batches.meta.txt) or CIFAR-100 (train.bin, test.bin, fine_label_names.txt; the fine label counts, the coarse one is
/// left): colour images of 32 x 32 (Krizhevsky 2009, https://www.cs.toronto.edu/~kriz/cifar.html). Where the file of
/// names is missing the classes are called by their numbers. Any number of images a file.
/// Throws Error(kIo) for a missing file and Error(kInvalid) if a file is no whole number of records, a label is out of
/// range, or the names are not as many as the classes; the file's name stands in front.
DataSet read_cifar_folder(const std::filesystem::path& folder);

}  // namespace sepal
