#include "sepal/data/augment.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <utility>

#include "sepal/base/range.h"
#include "sepal/base/text.h"
#include "sepal/formats/image.h"
#include "sepal/formats/image_resize.h"

// Everything random comes from the generator, and the order of the draws is part of what a seed means: whoever changes
// it changes what a run that is resumed goes on with.

namespace sepal {
namespace {

void check(std::string_view what, double value, double least, double most) {
  if (!(value >= least && value <= most)) invalid("{} of {}; it is from {} to {}", what, value, least, most);
}

void check_areas(std::string_view what, double least, double most, double ratio) {
  if (!(least > 0 && least <= most && most <= 1)) {
    invalid("{} of {} to {} of the image; the first is above 0, the second no less and at most 1", what, least, most);
  }
  if (!(ratio >= 1 && std::isfinite(ratio)))
    invalid("{} with sides of 1 to {}; the longer side is at least 1", what, ratio);
}

/// A rectangle of a random part of `image`, if one of ten tries lies inside.
std::optional<Region> random_region(Extent image, double least_area, double most_area, double ratio, Random& random) {
  constexpr int kTries = 10;
  const auto area = static_cast<double>(image.h * image.w);
  const double reach = std::log(ratio);
  for (int i = 0; i < kTries; ++i) {
    const double part = area * random.uniform(least_area, most_area);
    const double proportion = std::exp(random.uniform(-reach, reach));
    const Extent size = {std::llround(std::sqrt(part / proportion)), std::llround(std::sqrt(part * proportion))};
    if (size.h < 1 || size.w < 1 || size.h > image.h || size.w > image.w) continue;
    const std::int64_t top = random.below(image.h - size.h + 1);
    const std::int64_t left = random.below(image.w - size.w + 1);
    return Region{top, left, size};
  }
  return std::nullopt;
}

/// The largest part in the middle whose longer side is at most `ratio` times the shorter.
Region middle(Extent image, double ratio) {
  const auto limit = [&](std::int64_t other) {
    return std::max<std::int64_t>(std::llround(static_cast<double>(other) * ratio), 1);
  };
  const Extent size = {std::min(image.h, limit(image.w)), std::min(image.w, limit(image.h))};
  return {(image.h - size.h) / 2, (image.w - size.w) / 2, size};
}

/// ITU-R 601 luma of a pixel, or its one value.
float grey(const float* pixel, std::int64_t channels) {
  return channels == 1 ? pixel[0] : 0.299f * pixel[0] + 0.587f * pixel[1] + 0.114f * pixel[2];
}

/// x = target + factor (x - target), within 0 to 1, where target(pixel) is a pixel's.
template <typename Target>
void blend(TensorView<float> image, float factor, const Target& target) {
  const std::int64_t c = image.shape[2];
  for (float *pixel = image.data, *end = pixel + image.shape.elements(); pixel != end; pixel += c) {
    const float towards = target(pixel);
    for (std::int64_t k = 0; k < c; ++k) pixel[k] = std::clamp(towards + factor * (pixel[k] - towards), 0.0f, 1.0f);
  }
}

float mean_grey(TensorView<float> image) {
  const std::int64_t c = image.shape[2];
  const std::int64_t pixels = image.shape[0] * image.shape[1];
  double sum = 0;
  for (std::int64_t i = 0; i < pixels; ++i) sum += static_cast<double>(grey(image.data + i * c, c));
  return static_cast<float>(sum / static_cast<double>(pixels));
}

/// Calls work(a, b) for the images, or their targets, of each pair.
template <typename Work>
void for_pairs(TensorView<float> rows, const Work& work) {
  const std::int64_t n = rows.shape[0];
  const std::int64_t size = rows.shape.elements() / std::max<std::int64_t>(n, 1);
  for (std::int64_t i = 0; i < n / 2; ++i) work(rows.data + i * size, rows.data + (n - 1 - i) * size, size);
}

/// Each of a pair becomes lambda of itself and the rest of the other.
void blend_pairs(TensorView<float> rows, float lambda) {
  for_pairs(rows, [lambda](float* a, float* b, std::int64_t size) {
    for (std::int64_t i = 0; i < size; ++i) {
      const float x = a[i];
      const float y = b[i];
      a[i] = lambda * x + (1 - lambda) * y;
      b[i] = lambda * y + (1 - lambda) * x;
    }
  });
}

/// Exchanges a rectangle of 1 - lambda of the area, cut at the border; returns what stays of each image.
float swap_rectangles(TensorView<float> images, float lambda, Random& random) {
  const std::int64_t h = images.shape.h(), w = images.shape.w(), c = images.shape.c();
  const double side = std::sqrt(1 - static_cast<double>(lambda));
  const auto along = [&](std::int64_t length) {
    const auto half = static_cast<std::int64_t>(static_cast<double>(length) * side) / 2;
    const std::int64_t centre = random.below(length);
    return Range{std::max<std::int64_t>(centre - half, 0), std::min(centre + half, length)};
  };
  const Range rows = along(h);
  const Range columns = along(w);
  for_pairs(images, [&](float* a, float* b, std::int64_t) {
    for (std::int64_t y = rows.begin; y < rows.end; ++y) {
      const std::int64_t at = (y * w + columns.begin) * c;
      std::swap_ranges(a + at, a + at + columns.size() * c, b + at);
    }
  });
  return 1 - static_cast<float>(rows.size() * columns.size()) / static_cast<float>(h * w);
}

}  // namespace

void check_augmentation(const Augmentation& augmentation, Extent size) {
  if (const auto& crop = augmentation.resized_crop) {
    check_areas("a crop", crop->least_area, crop->most_area, crop->ratio);
  }
  if (const auto& colour = augmentation.colour) {
    check("a change of brightness", colour->brightness, 0, 1);
    check("a change of contrast", colour->contrast, 0, 1);
    check("a change of saturation", colour->saturation, 0, 1);
  }
  if (const auto& flip = augmentation.flip) check("a flip with a probability", flip->probability, 0, 1);
  if (const auto& crop = augmentation.padded_crop) {
    if (crop->padding < 0 || crop->padding >= std::min(size.h, size.w)) {
      invalid("a border of {} pixels to crop from, around images of {} x {}; it is from 0 to less than a side",
              crop->padding, size.w, size.h);
    }
  }
  if (const auto& erase = augmentation.erase) {
    check("an erasure with a probability", erase->probability, 0, 1);
    check_areas("an erasure", erase->least_area, erase->most_area, erase->ratio);
  }
  if (const auto& mix = augmentation.mix) {
    constexpr double kMostAlpha = 1000;  // from there on lambda is 1/2 but for a hundredth
    check("a mixup with an alpha", mix->mixup_alpha, 0, kMostAlpha);
    check("a CutMix with an alpha", mix->cutmix_alpha, 0, kMostAlpha);
    check("a mix with a probability", mix->probability, 0, 1);
  }
}

Tensor resized_crop(const Tensor& image, Extent size, const ResizedCrop& options, Random& random) {
  const Extent whole = {image.shape()[0], image.shape()[1]};
  const std::optional<Region> region =
      random_region(whole, options.least_area, options.most_area, options.ratio, random);
  return resize_bilinear(resize_region(image, whole, region ? *region : middle(whole, options.ratio)), size);
}

void colour_jitter(TensorView<float> image, const ColourJitter& options, Random& random) {
  const std::array<double, 3> strengths = {options.brightness, options.contrast, options.saturation};
  for (const std::int64_t property : random.permutation(std::ssize(strengths))) {
    const double strength = strengths[static_cast<std::size_t>(property)];
    const auto factor = static_cast<float>(random.uniform(1 - strength, 1 + strength));
    if (strength == 0) continue;
    if (property == 0) {
      blend(image, factor, [](const float*) { return 0.0f; });
    } else if (property == 1) {
      blend(image, factor, [mean = mean_grey(image)](const float*) { return mean; });
    } else if (image.shape[2] == 3) {
      blend(image, factor, [](const float* pixel) { return grey(pixel, 3); });
    }
  }
}

void flip(TensorView<float> image, const Flip& options, Random& random) {
  if (!random.chance(options.probability)) return;
  const std::int64_t h = image.shape[0], w = image.shape[1], c = image.shape[2];
  for (std::int64_t y = 0; y < h; ++y) {
    float* row = image.data + y * w * c;
    for (std::int64_t x = 0; x < w / 2; ++x) std::swap_ranges(row + x * c, row + (x + 1) * c, row + (w - 1 - x) * c);
  }
}

void padded_crop(TensorView<float> image, const float* black, const PaddedCrop& options, Random& random) {
  const std::int64_t h = image.shape[0], w = image.shape[1], c = image.shape[2];
  const std::int64_t down = random.below(2 * options.padding + 1) - options.padding;
  const std::int64_t right = random.below(2 * options.padding + 1) - options.padding;
  const auto paint = [&](float* to, std::int64_t pixels) {
    for (; pixels > 0; --pixels, to += c) std::copy_n(black, c, to);
  };
  // Row y takes row y + down, `right` pixels on, in the order in which none is overwritten before it is taken.
  const std::int64_t kept = w - std::abs(right);
  for (std::int64_t i = 0; i < h; ++i) {
    const std::int64_t y = down > 0 ? i : h - 1 - i;
    float* row = image.data + y * w * c;
    if (y + down < 0 || y + down >= h) {
      paint(row, w);
      continue;
    }
    const float* from = image.data + (y + down) * w * c;
    if (right >= 0) {
      std::copy(from + right * c, from + w * c, row);
      paint(row + kept * c, right);
    } else {
      std::copy_backward(from, from + kept * c, row + w * c);
      paint(row, -right);
    }
  }
}

void erase(TensorView<float> image, const Erase& options, Random& random) {
  if (!random.chance(options.probability)) return;
  const std::int64_t h = image.shape[0], w = image.shape[1], c = image.shape[2];
  const std::optional<Region> region =
      random_region({h, w}, options.least_area, options.most_area, options.ratio, random);
  if (!region) return;
  for (std::int64_t y = region->top; y < region->top + region->size.h; ++y) {
    float* row = image.data + (y * w + region->left) * c;
    std::generate_n(row, region->size.w * c, [&] { return options.noise ? random.normal() : 0.0f; });
  }
}

void mix(TensorView<float> images, TensorView<float> targets, const Mix& options, Random& random) {
  const bool both = options.mixup_alpha > 0 && options.cutmix_alpha > 0;
  if (!random.chance(options.probability)) return;
  const bool cuts = both ? random.chance(0.5) : options.cutmix_alpha > 0;
  const double alpha = cuts ? options.cutmix_alpha : options.mixup_alpha;
  if (alpha == 0) return;
  float lambda = random.beta(alpha);
  if (cuts) {
    lambda = swap_rectangles(images, lambda, random);
  } else {
    blend_pairs(images, lambda);
  }
  blend_pairs(targets, lambda);
}

}  // namespace sepal
