#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "sepal/tensor/tensor.h"
#include "sepal/tensor/window.h"

#pragma GCC visibility push(default)

namespace sepal {

/// How a pixel (0 to 255) becomes a value: (pixel / 255 - mean) / std, for red, green and blue each. A grey
/// model takes the first of the three.
struct Normalisation {
  std::array<double, 3> mean{};
  std::array<double, 3> std = {1, 1, 1};  ///< none may be 0
  friend bool operator==(const Normalisation&, const Normalisation&) = default;
};

/// The normalisation called `preset`, or nothing:
///   "imagenet-torch"  mean .485 .456 .406, std .229 .224 .225: torchvision's models
///   "imagenet-tf"     mean .5, std .5: values from -1 to 1, as Keras' MobileNets take them
///   "unit"            values from 0 to 1
///   "raw"             values from 0 to 255
std::optional<Normalisation> normalisation(std::string_view preset);

/// How an image of any size is brought to the model's. "crop", "stretch" and "pad" on the command line.
enum class Fit : std::uint8_t {
  kCrop,     ///< keeping its proportions, until it just covers the model's size / 0.875 (for a square model: short
             ///< side to size / 0.875, rounded); then the centre is cut out (Szegedy et al. 2016 evaluate so)
  kStretch,  ///< each side by itself, whatever becomes of the proportions
  kPad,      ///< keeping its proportions, until it just fits; centred between black borders
};

/// "crop", "stretch", "pad".
std::string_view name_of(Fit fit);
/// The Fit called `name`, or nothing.
std::optional<Fit> fit(std::string_view name);

/// What a model wants of an image: layout, size and values.
struct ImageFormat {
  Extent size = {224, 224};
  int channels = 3;                ///< 3 (colour) or 1 (grey)
  bool channels_first = true;      ///< the model takes [1, c, h, w], else [1, h, w, c]
  bool bgr = false;                ///< the channels are blue, green, red
  DataType type = DataType::kF32;  ///< f32, f16, bf16; u8 takes the pixels as they are, whatever the normalisation
  Fit fit = Fit::kCrop;
  Normalisation normalisation = {{0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}};
  friend bool operator==(const ImageFormat&, const ImageFormat&) = default;
};

/// Reads a JPEG or PNG file into the tensor that a model of that format takes: decode_image, then
/// prepare_image. Throws Error as they do, and Error(kIo); the file's name stands in front of the message.
Tensor read_image(const std::filesystem::path& path, const ImageFormat& format);

/// The pixels of a JPEG or PNG (told by its first bytes), u8 [h, w, c]: c is 1 for a grey image, else 3 for
/// red, green, blue; turned upright as its EXIF orientation says. Transparency is dropped, not composed over
/// a background, as in Pillow's convert("RGB"); of 16 bits a sample the upper 8 are kept; CMYK is converted
/// without its colour profile, as Adobe stores it (inverted).
///
/// Throws Error(kInvalid) if the data are not whole: an image cut off, a wrong checksum in a PNG, bits that
/// a JPEG decoder would have to guess. The size is checked before memory is taken: at most 2^28 pixels,
/// 2^20 a side, and no more than the file's length can hold (1032 bytes from one of a PNG, the most that deflate can
/// do; one bit for each 8 x 8 block of a JPEG). Throws Error(kUnsupported) for other formats, and for JPEG with
/// arithmetic coding, 12 bits or more than 100 scans.
Tensor decode_image(std::span<const std::byte> bytes);

/// `image`, u8 [h, w, c] with 1 (grey) or 3 channels (red, green, blue), as a PNG file that decode_image reads as the
/// same pixels. Throws Error(kInvalid) if the image is empty, larger than decode_image reads, or of another type or
/// shape.
std::vector<std::byte> to_png(const Tensor& image);

/// `image`, u8 [h, w, c], at another size: bilinear, the filter widened when shrinking so that every pixel
/// counts ("antialias"). Equal to Pillow's Image.resize with BILINEAR in every bit.
/// Throws Error(kInvalid) if the image or `size` is empty or larger than decode_image reads.
Tensor resize_bilinear(const Tensor& image, Extent size);

/// Pixels, u8 [h, w, c] with 1 or 3 channels, as the tensor that a model of that format takes. Colour
/// becomes grey by ITU-R 601 luma in Pillow's fixed point, grey becomes colour by repetition.
/// Throws Error(kInvalid) if the format cannot be: a size of 0 or larger than decode_image
/// reads, other than 1 or 3 channels, a std of 0, values that are not finite; Error(kUnsupported) for another type.
Tensor prepare_image(const Tensor& image, const ImageFormat& format);

}  // namespace sepal

#pragma GCC visibility pop
