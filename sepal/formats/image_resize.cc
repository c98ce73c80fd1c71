#include "sepal/formats/image_resize.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "sepal/base/text.h"
#include "sepal/formats/image.h"
#include "sepal/formats/image_codecs.h"

// Resizing as Pillow does it (src/libImaging/Resample.c), because the networks that people bring were
// trained and published with it. Two passes, columns and then rows, each rounding to 8 bits; a triangle
// filter of one source pixel to each side, widened by the scale when shrinking; weights in fixed point of
// 22 bits. All of it matters to come out equal in every bit.

namespace sepal {
namespace {

constexpr int kWeightBits = 22;  // 32 - 8 bits of pixel - 2 of headroom

/// The source pixels that one target pixel is made of.
struct Taps {
  std::int64_t first;
  std::vector<std::int32_t> weights;
};

/// The taps of the targets begin .. begin + count - 1 when `source` pixels become `target`.
std::vector<Taps> taps_of(std::int64_t source, std::int64_t target, std::int64_t begin, std::int64_t count) {
  const double scale = static_cast<double>(source) / static_cast<double>(target);
  const double reach = std::max(scale, 1.0);
  std::vector<Taps> all;
  all.reserve(static_cast<std::size_t>(count));
  std::vector<double> exact;
  for (std::int64_t at = begin; at < begin + count; ++at) {
    const double center = (static_cast<double>(at) + 0.5) * scale;
    const std::int64_t first = std::max<std::int64_t>(static_cast<std::int64_t>(center - reach + 0.5), 0);
    const std::int64_t last = std::min(static_cast<std::int64_t>(center + reach + 0.5), source);
    exact.clear();
    double sum = 0;
    for (std::int64_t i = first; i < last; ++i) {
      exact.push_back(std::max(0.0, 1.0 - std::abs((static_cast<double>(i) - center + 0.5) * (1.0 / reach))));
      sum += exact.back();
    }
    Taps& taps = all.emplace_back(Taps{first, {}});
    for (const double weight : exact) {
      const double normal = sum == 0 ? weight : weight / sum;
      taps.weights.push_back(static_cast<std::int32_t>(normal * (1 << kWeightBits) + 0.5));
    }
  }
  return all;
}

/// The weighted sum of the pixels from .. from + step * (taps - 1), rounded to 8 bits.
std::uint8_t filtered(const std::uint8_t* from, std::int64_t step, const std::vector<std::int32_t>& weights) {
  std::int32_t sum = 1 << (kWeightBits - 1);
  for (const std::int32_t weight : weights) {
    sum += *from * weight;
    from += step;
  }
  return static_cast<std::uint8_t>(std::clamp(sum >> kWeightBits, 0, 255));
}

Tensor cut_out(const Tensor& image, const Region& region) {
  const std::int64_t w = image.shape()[1], c = image.shape()[2];
  Tensor part(DataType::kU8, {region.size.h, region.size.w, c});
  const std::uint8_t* from = image.values<std::uint8_t>().data() + (region.top * w + region.left) * c;
  std::uint8_t* to = part.values<std::uint8_t>().data();
  for (std::int64_t y = 0; y < region.size.h; ++y, from += w * c, to += region.size.w * c) {
    std::copy_n(from, region.size.w * c, to);
  }
  return part;
}

}  // namespace

Tensor resize_region(const Tensor& image, Extent full, const Region& region) {
  // The filter would give each pixel back.
  if (full == Extent{image.shape()[0], image.shape()[1]}) return cut_out(image, region);
  const std::int64_t w = image.shape()[1], c = image.shape()[2];
  const std::vector<Taps> columns = taps_of(w, full.w, region.left, region.size.w);
  const std::vector<Taps> rows = taps_of(image.shape()[0], full.h, region.top, region.size.h);

  // Columns first, for those source rows alone that the second pass reads.
  const std::int64_t top = rows.front().first;
  const std::int64_t bottom = rows.back().first + static_cast<std::int64_t>(rows.back().weights.size());
  Tensor narrow(DataType::kU8, {bottom - top, region.size.w, c});
  const std::uint8_t* from = image.values<std::uint8_t>().data() + top * w * c;
  std::uint8_t* to = narrow.values<std::uint8_t>().data();
  for (std::int64_t y = top; y < bottom; ++y, from += w * c) {
    for (const Taps& taps : columns) {
      for (std::int64_t k = 0; k < c; ++k) *to++ = filtered(from + taps.first * c + k, c, taps.weights);
    }
  }

  Tensor result(DataType::kU8, {region.size.h, region.size.w, c});
  const std::int64_t stride = region.size.w * c;
  to = result.values<std::uint8_t>().data();
  for (const Taps& taps : rows) {
    from = narrow.values<std::uint8_t>().data() + (taps.first - top) * stride;
    for (std::int64_t i = 0; i < stride; ++i) *to++ = filtered(from + i, stride, taps.weights);
  }
  return result;
}

Tensor resize_bilinear(const Tensor& image, Extent size) {
  if (image.type() != DataType::kU8 || image.shape().rank() != 3 || image.elements() == 0) {
    invalid("pixels are u8 [h, w, c], but this is {} {}", name_of(image.type()), to_string(image.shape()));
  }
  check_pixels({image.shape()[0], image.shape()[1]});
  check_pixels(size);
  return resize_region(image, size, {0, 0, size});
}

}  // namespace sepal
