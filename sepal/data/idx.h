#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

#include "sepal/data/data_set.h"
#include "sepal/tensor/tensor.h"

namespace sepal {

/// An array in the IDX format of the MNIST database, plain or as gzip (told by the first bytes): u8, 1 to 6 dimensions.
/// http://yann.lecun.com/exdb/mnist, "file formats". Believes no size: plain data must be exactly as long as the header
/// says before memory is taken; what comes out of gzip takes memory as it comes, and no header is read on that claims
/// more than gzip of that length can hold.
/// Throws Error(kInvalid), and Error(kUnsupported) for elements that are no unsigned bytes.
Tensor read_idx(std::span<const std::byte> bytes);

/// The same from a file, whose name stands in front of every message. Throws Error(kIo) as well.
Tensor read_idx(const std::filesystem::path& path);

/// True where `folder` holds training images as MNIST calls them.
bool is_idx_folder(const std::filesystem::path& folder);

/// The data set in a folder with MNIST's four files: train-images-idx3-ubyte, train-labels-idx1-ubyte,
/// t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte, each with or without .gz, also with a dot instead of the second
/// hyphen. Grey images of one size; there are as many classes as the largest training label says, called by their
/// numbers. Throws Error as read_idx does, and where images and labels do not belong together.
DataSet read_idx_folder(const std::filesystem::path& folder);

}  // namespace sepal
