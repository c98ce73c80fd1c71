#include <algorithm>
#include <cmath>

#include "sepal/base/text.h"
#include "sepal/formats/image.h"
#include "sepal/formats/image_codecs.h"
#include "sepal/formats/image_resize.h"

// From upright pixels to a model's input: channels, size, values, in that order. Colour becomes grey before
// the size changes, as in Pillow's convert("L").resize(...), which rounds in that order.

namespace sepal {
namespace {

struct Preset {
  std::string_view name;
  Normalisation normalisation;
};
constexpr Preset kPresets[] = {
    {"imagenet-torch", {{0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}}},
    {"imagenet-tf", {{0.5, 0.5, 0.5}, {0.5, 0.5, 0.5}}},
    {"unit", {{0, 0, 0}, {1, 1, 1}}},
    {"raw", {{0, 0, 0}, {1 / 255.0, 1 / 255.0, 1 / 255.0}}},
};

void check_format(const ImageFormat& format) {
  check_pixels(format.size);
  if (format.channels != 1 && format.channels != 3) {
    invalid("an image as input of {} channels; 1 and 3 are possible", format.channels);
  }
  if (!is_float(format.type) && format.type != DataType::kU8) {
    fail(ErrorKind::kUnsupported, "an image as input of type {}; f32, f16, bf16 and u8 are possible",
         name_of(format.type));
  }
  for (const double mean : format.normalisation.mean) {
    if (!std::isfinite(mean)) invalid("a mean of {} to subtract from pixels", mean);
  }
  for (const double std : format.normalisation.std) {
    if (std == 0 || !std::isfinite(std)) invalid("a std of {} to divide pixels by", std);
  }
}

/// ITU-R 601 luma in Pillow's fixed point of 16 bits.
Tensor grey_of(const Tensor& image) {
  Tensor grey(DataType::kU8, image.shape().with(2, 1));
  const std::uint8_t* from = image.values<std::uint8_t>().data();
  for (std::uint8_t& value : grey.values<std::uint8_t>()) {
    value = static_cast<std::uint8_t>((from[0] * 19595 + from[1] * 38470 + from[2] * 7471 + 0x8000) >> 16);
    from += 3;
  }
  return grey;
}

/// Multiplies a side by factor.numerator / factor.denominator, which in floating point might miss the next
/// integer by a hair.
struct Ratio {
  std::int64_t numerator;
  std::int64_t denominator;
  std::int64_t down(std::int64_t side) const { return std::max<std::int64_t>(side * numerator / denominator, 1); }
  std::int64_t nearest(std::int64_t side) const {
    return std::max<std::int64_t>((2 * side * numerator + denominator) / (2 * denominator), 1);
  }
};

/// Half of `spare` pixels, a half pixel rounded to the even neighbour as torchvision's center_crop and Pillow's
/// ImageOps.pad do.
std::int64_t half(std::int64_t spare) { return spare / 2 + (spare % 4 == 3 ? 1 : 0); }

Tensor cropped(const Tensor& image, Extent size) {
  const std::int64_t h = image.shape()[0], w = image.shape()[1];
  constexpr Ratio kMargin = {8, 7};  // 1 / 0.875
  const Extent cover = {kMargin.nearest(size.h), kMargin.nearest(size.w)};
  // The side that has to grow more is made to fit; the other comes out at least as long, rounded down as
  // torchvision's Resize does.
  const bool by_rows = cover.h * w >= cover.w * h;
  const Extent full = by_rows ? Extent{cover.h, std::max(Ratio{cover.h, h}.down(w), cover.w)}
                              : Extent{std::max(Ratio{cover.w, w}.down(h), cover.h), cover.w};
  return resize_region(image, full, {half(full.h - size.h), half(full.w - size.w), size});
}

/// A side of the image where `other`, the one across, becomes `fitted`: rounded where and how Pillow's
/// ImageOps.contain rounds it, in floating point and a half to the even neighbour.
std::int64_t contained(std::int64_t side, std::int64_t other, std::int64_t fitted, std::int64_t most) {
  const double ratio = static_cast<double>(side) / static_cast<double>(other);
  const auto rounded = static_cast<std::int64_t>(std::nearbyint(ratio * static_cast<double>(fitted)));
  return std::clamp<std::int64_t>(rounded, 1, most);
}

Tensor padded(const Tensor& image, Extent size) {
  const std::int64_t h = image.shape()[0], w = image.shape()[1], c = image.shape()[2];
  const bool by_rows = size.h * w <= size.w * h;
  const Extent inner =
      by_rows ? Extent{size.h, contained(w, h, size.h, size.w)} : Extent{contained(h, w, size.w, size.h), size.w};
  const Tensor small = resize_region(image, inner, {0, 0, inner});
  Tensor result(DataType::kU8, {size.h, size.w, c});
  const std::uint8_t* from = small.values<std::uint8_t>().data();
  std::uint8_t* to = result.values<std::uint8_t>().data();
  to += (half(size.h - inner.h) * size.w + half(size.w - inner.w)) * c;
  for (std::int64_t y = 0; y < inner.h; ++y, from += inner.w * c, to += size.w * c) std::copy_n(from, inner.w * c, to);
  return result;
}

Tensor fitted(const Tensor& image, const ImageFormat& format) {
  switch (format.fit) {
    case Fit::kCrop:
      return cropped(image, format.size);
    case Fit::kPad:
      return padded(image, format.size);
    case Fit::kStretch:
      break;
  }
  return resize_bilinear(image, format.size);
}

/// The pixels in the model's layout, each through the table of its colour.
template <typename T>
void write_values(const Tensor& image, const ImageFormat& format, Tensor& result) {
  const std::int64_t pixels = format.size.h * format.size.w;
  const std::int64_t stored = image.shape()[2];
  for (std::int64_t channel = 0; channel < format.channels; ++channel) {
    const std::int64_t colour = format.bgr ? format.channels - 1 - channel : channel;
    const double mean = format.normalisation.mean[static_cast<std::size_t>(colour)];
    const double std = format.normalisation.std[static_cast<std::size_t>(colour)];
    std::array<T, 256> table;
    for (std::size_t value = 0; value < table.size(); ++value) {
      if constexpr (std::is_integral_v<T>) {
        table[value] = static_cast<T>(value);
      } else {
        table[value] = T(static_cast<float>((static_cast<double>(value) / 255 - mean) / std));
      }
    }
    const std::uint8_t* from = image.values<std::uint8_t>().data() + std::min(colour, stored - 1);
    const std::int64_t step = format.channels_first ? 1 : format.channels;
    T* to = result.values<T>().data() + (format.channels_first ? channel * pixels : channel);
    for (std::int64_t i = 0; i < pixels; ++i) to[i * step] = table[from[i * stored]];
  }
}

}  // namespace

std::optional<Normalisation> normalisation(std::string_view preset) {
  for (const Preset& row : kPresets) {
    if (row.name == preset) return row.normalisation;
  }
  return std::nullopt;
}

std::string_view name_of(Fit fit) {
  switch (fit) {
    case Fit::kCrop:
      return "crop";
    case Fit::kStretch:
      return "stretch";
    case Fit::kPad:
      break;
  }
  return "pad";
}

std::optional<Fit> fit(std::string_view name) {
  if (name == "crop") return Fit::kCrop;
  if (name == "stretch") return Fit::kStretch;
  if (name == "pad") return Fit::kPad;
  return std::nullopt;
}

Tensor prepare_image(const Tensor& image, const ImageFormat& format) {
  check_format(format);
  const Shape& shape = image.shape();
  if (image.type() != DataType::kU8 || shape.rank() != 3 || (shape[2] != 1 && shape[2] != 3)) {
    invalid("pixels are u8 [h, w, 1 or 3], but this is {} {}", name_of(image.type()), to_string(shape));
  }
  check_pixels({shape[0], shape[1]});

  const Tensor pixels = format.channels == 1 && shape[2] == 3 ? fitted(grey_of(image), format) : fitted(image, format);
  const Extent size = format.size;
  Tensor result(format.type, format.channels_first ? Shape{1, format.channels, size.h, size.w}
                                                   : Shape{1, size.h, size.w, format.channels});
  switch (format.type) {
    case DataType::kF16:
      write_values<Float16>(pixels, format, result);
      break;
    case DataType::kBF16:
      write_values<BFloat16>(pixels, format, result);
      break;
    case DataType::kU8:
      write_values<std::uint8_t>(pixels, format, result);
      break;
    default:
      write_values<float>(pixels, format, result);
      break;
  }
  return result;
}

}  // namespace sepal
