#pragma once

#include <string>
#include <vector>

#include "sepal/data/data_set.h"
#include "sepal/data/random.h"

namespace sepal {

/// Grey images of 8 x 8 in three classes, told apart by which rows are bright, under some noise.
inline DataSet small_data(std::int64_t train = 90, std::int64_t test = 30) {
  const auto part = [](std::int64_t count, std::uint64_t seed) {
    Random random(seed, {Purpose::kImage});
    Tensor pixels(DataType::kU8, {count, 8, 8, 1});
    std::vector<std::int64_t> labels;
    for (std::int64_t i = 0; i < count; ++i) {
      labels.push_back(i % 3);
      for (std::int64_t at = 0; at < 64; ++at) {
        const bool bright = at / 8 / 3 == i % 3;
        pixels.values<std::uint8_t>()[static_cast<std::size_t>(i * 64 + at)] =
            static_cast<std::uint8_t>(random.below(121) + (bright ? 100 : 0));
      }
    }
    return LabelledImages(std::move(pixels), std::move(labels));
  };
  DataSet set;
  set.name = "rows";
  set.classes = {"top", "middle", "bottom"};
  set.train = part(train, 1);
  set.test = part(test, 2);
  set.size = Extent{8, 8};
  set.channels = 1;
  return set;
}

}  // namespace sepal
