#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "cli/options.h"
#include "sepal/formats/image.h"
#include "sepal/model/model.h"

namespace sepal::cli {

/// How `--image` turns pixels into values.
struct PictureOptions {
  std::optional<std::string> preset;
  std::optional<std::string> mean;
  std::optional<std::string> std;
  std::optional<std::string> resize;

  bool any() const { return preset || mean || std || resize; }
  /// Throws Error(kUsage) if a value does not parse.
  void check() const;
};
void declare(Options& options, PictureOptions& picture);

/// The format of the model's image, and where it came from, for a remark.
struct PictureFormat {
  ImageFormat format;
  std::string origin;
};

/// What the model's input called `input` wants. Each of mean, std and resize by itself: from its flag, else from the
/// model's metadata, else from the preset (imagenet-torch, crop); metadata that a flag replaces is not looked at.
/// `shapes` bind free dimensions. Throws as Model::image_format.
PictureFormat picture_format(const Model& model, std::string_view input, const std::map<std::string, Shape>& shapes,
                             const PictureOptions& options);

/// "0.485,0.456,0.406", or one number for all three. Throws Error(kUsage) that names `option`.
std::array<double, 3> parse_channels(const std::string& option, const std::string& text);

}  // namespace sepal::cli
