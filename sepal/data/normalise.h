#pragma once

#include <cstdint>
#include <span>

#include "sepal/data/data_set.h"

namespace sepal {

/// Mean and standard deviation of the pixels of the training images `indices`, brought to `size` and `channels` (1 or
/// 3) as they are for a network: with it they have mean 0 and deviation 1. For one channel all three are the same; a
/// colour that never changes gets a deviation of 1. Of a folder of files at most 1,000 are read, evenly spaced. Counted
/// in integers, so the same images give the same bits. Throws Error as LabelledImages::image and prepare_image do.
Normalisation measured_normalisation(const DataSet& set, std::span<const std::int64_t> indices, Extent size,
                                     int channels);

}  // namespace sepal
