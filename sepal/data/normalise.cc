#include "sepal/data/normalise.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "sepal/base/text.h"
#include "sepal/formats/image.h"

namespace sepal {
namespace {

/// How often each pixel value came.
using Histogram = std::array<std::uint64_t, 256>;

void add(const Tensor& image, std::array<Histogram, 3>& colours) {
  const auto channels = static_cast<std::size_t>(image.shape().c());
  const auto values = image.values<std::uint8_t>();
  for (std::size_t i = 0; i < values.size(); ++i) ++colours[i % channels][values[i]];
}

struct Moments {
  double mean;
  double deviation;
};

Moments moments(const Histogram& histogram) {
  std::uint64_t count = 0;
  std::uint64_t sum = 0;
  std::uint64_t squares = 0;
  for (std::uint64_t value = 0; value < histogram.size(); ++value) {
    count += histogram[value];
    sum += histogram[value] * value;
    squares += histogram[value] * value * value;
  }
  const double mean = static_cast<double>(sum) / static_cast<double>(count);
  const double variance = static_cast<double>(squares) / static_cast<double>(count) - mean * mean;
  // What the subtraction leaves of a constant colour is rounding.
  constexpr double kLeastVariance = 1e-6;
  return {mean / 255, variance < kLeastVariance ? 1 : std::sqrt(variance) / 255};
}

}  // namespace

Normalisation measured_normalisation(const DataSet& set, std::span<const std::int64_t> indices, Extent size,
                                     int channels) {
  constexpr std::size_t kMostFiles = 1000;
  if (indices.empty()) invalid("no images to measure");
  const std::size_t count = set.size ? indices.size() : std::min(indices.size(), kMostFiles);
  std::array<Histogram, 3> colours{};
  for (std::size_t i = 0; i < count; ++i) {
    const ImageFormat pixels = {
        .size = size, .channels = channels, .channels_first = false, .type = DataType::kU8, .fit = set.fit};
    add(prepare_image(set.train.image(indices[i * indices.size() / count]), pixels), colours);
  }
  Normalisation result;
  for (std::size_t colour = 0; colour < 3; ++colour) {
    const Moments of = moments(colours[channels == 1 ? 0 : colour]);
    result.mean[colour] = of.mean;
    result.std[colour] = of.deviation;
  }
  return result;
}

}  // namespace sepal
