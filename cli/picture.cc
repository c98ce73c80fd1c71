#include "cli/picture.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "sepal/base/text.h"
#include "sepal/model/image_input.h"

namespace sepal::cli {
namespace {

constexpr std::string_view kDefaultPreset = "imagenet-torch";

std::array<double, 3> parse_std(const std::string& text) {
  const std::array<double, 3> std = parse_channels("--std", text);
  if (std::ranges::find(std, 0.0) != std.end()) fail(ErrorKind::kUsage, "--std cannot be 0: \"{}\"", printable(text));
  return std;
}

}  // namespace

std::array<double, 3> parse_channels(const std::string& option, const std::string& text) {
  std::array<double, 3> values{};
  std::size_t count = 0;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    double value = 0;
    const auto [stop, problem] = std::from_chars(text.data() + at, text.data() + end, value);
    if (count == 3 || problem != std::errc() || stop != text.data() + end || !std::isfinite(value)) {
      count = 0;
      break;
    }
    values[count++] = value;
    at = end + 1;
  }
  if (count == 1) return {values[0], values[0], values[0]};
  if (count == 3) return values;
  fail(ErrorKind::kUsage, "{} is one number or three with commas between them, not \"{}\"", option, printable(text));
}

void PictureOptions::check() const {
  if (mean) parse_channels("--mean", *mean);
  if (std) parse_std(*std);
}

void declare(Options& options, PictureOptions& picture) {
  options.text({"--preset",
                "NAME",
                "Normalisation where neither flag nor metadata give it (default: imagenet-torch)",
                Complete::kChoices,
                {"imagenet-torch", "imagenet-tf", "unit", "raw"}},
               picture.preset);
  options.text({"--mean", "R,G,B", "Value = (pixel / 255 - mean) / std; one number or three"}, picture.mean);
  options.text({"--std", "R,G,B", "The same for std"}, picture.std);
  options.text({"--resize", "HOW", "crop (default), stretch or pad", Complete::kChoices, {"crop", "stretch", "pad"}},
               picture.resize);
}

PictureFormat picture_format(const Model& model, std::string_view input, const std::map<std::string, Shape>& shapes,
                             const PictureOptions& options) {
  // What a flag replaces may be as wrong as it likes.
  std::map<std::string, std::string> properties = model.properties();
  if (options.mean) properties.erase("sepal.mean");
  if (options.std) properties.erase("sepal.std");
  if (options.resize) properties.erase("sepal.resize");
  PictureFormat picture{
      in_place(model.name(), [&] { return image_input_format(model.inputs(), input, shapes, properties); }), ""};
  ImageFormat& wanted = picture.format;
  const std::string preset = options.preset.value_or(std::string(kDefaultPreset));
  const Normalisation fallback = normalisation(preset).value();
  const std::string preset_origin = format("preset {}{}", preset, options.preset ? "" : ", the default");

  // Which of flag, metadata and preset decides, for each by itself.
  const auto choose = [&](const std::optional<std::string>& flag, const char* flag_name, const char* property) {
    if (flag) return std::string(flag_name);
    return model.properties().contains(property) ? std::string("the model's ") + property : std::string();
  };
  std::string mean_origin = choose(options.mean, "--mean", "sepal.mean");
  std::string std_origin = choose(options.std, "--std", "sepal.std");
  std::string resize_origin = choose(options.resize, "--resize", "sepal.resize");
  if (options.mean) wanted.normalisation.mean = parse_channels("--mean", *options.mean);
  if (options.std) wanted.normalisation.std = parse_std(*options.std);
  if (options.resize) wanted.fit = fit(*options.resize).value();
  const bool preset_idle = options.preset && !mean_origin.empty() && !std_origin.empty();
  if (mean_origin.empty()) {
    wanted.normalisation.mean = fallback.mean;
    mean_origin = preset_origin;
  }
  if (std_origin.empty()) {
    wanted.normalisation.std = fallback.std;
    std_origin = preset_origin;
  }
  if (resize_origin.empty()) resize_origin = "the default";

  const std::string size = format("{} to {}x{} ({})", name_of(wanted.fit), wanted.size.h, wanted.size.w, resize_origin);
  if (wanted.type == DataType::kU8) {
    picture.origin = format("images: {}; pixels as they are, because the model takes u8", size);
  } else {
    const Normalisation& used = wanted.normalisation;
    picture.origin = format("images: {}; mean {} ({}), std {} ({})", size, join(used.mean, " "), mean_origin,
                            join(used.std, " "), std_origin);
  }
  if (preset_idle) picture.origin += format("; --preset {} was not needed", preset);
  return picture;
}

}  // namespace sepal::cli
