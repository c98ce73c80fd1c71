// Reads from a model's declaration what a picture must become: the size and the place of the channels from
// the input's shape, the values from the properties that a trainer left in the file.

#include "sepal/model/image_input.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <vector>

#include "sepal/base/text.h"

namespace sepal {
namespace {

bool are_channels(std::int64_t dimension) { return dimension == 1 || dimension == 3; }

/// "0.5" or "0.485,0.456,0.406" (spaces allowed after commas).
std::array<double, 3> three_numbers(const std::string& name, const std::string& text) {
  std::vector<double> numbers;
  bool good = true;
  for (std::size_t begin = 0; good && begin <= text.size();) {
    const std::size_t comma = std::min(text.find(',', begin), text.size());
    while (begin < comma && text[begin] == ' ') ++begin;
    double number = 0;
    const auto [next, code] = std::from_chars(text.data() + begin, text.data() + comma, number);
    good = code == std::errc() && next == text.data() + comma && std::isfinite(number);
    numbers.push_back(number);
    begin = comma + 1;
  }
  if (!good || (numbers.size() != 1 && numbers.size() != 3)) {
    invalid("the property {} is \"{}\", but must be one number or three with commas between them", name,
            printable(text));
  }
  return numbers.size() == 1 ? std::array{numbers[0], numbers[0], numbers[0]}
                             : std::array{numbers[0], numbers[1], numbers[2]};
}

const ValueInfo& image_input(std::span<const ValueInfo> inputs, std::string_view name) {
  if (inputs.empty()) invalid("the model has no inputs, so none for an image");
  if (name.empty() && inputs.size() > 1) invalid("the model has {} inputs; say which takes the image", inputs.size());
  const auto found = name.empty() ? inputs.begin() : std::ranges::find(inputs, name, &ValueInfo::name);
  if (found == inputs.end()) invalid("the model has no input \"{}\"", printable(name));
  return *found;
}

}  // namespace

ImageFormat image_input_format(std::span<const ValueInfo> inputs, std::string_view name,
                               const std::map<std::string, Shape>& shapes,
                               const std::map<std::string, std::string>& properties) {
  const ValueInfo& input = image_input(inputs, name);
  std::vector<std::int64_t> dims = input.dimensions;
  if (const auto bound = shapes.find(input.name); bound != shapes.end())
    dims.assign(bound->second.begin(), bound->second.end());
  const auto refuse = [&](std::string_view why) {
    invalid("input \"{}\" is {} {}: {}", printable(input.name), name_of(input.type), input.text, why);
  };
  if (dims.size() != 4 || (!are_channels(dims[1]) && !are_channels(dims[3]))) {
    refuse("not an image of 1 or 3 channels; give it as an array");
  }
  ImageFormat format;
  format.type = input.type;
  if (format.type != DataType::kU8 && !is_float(format.type))
    refuse("images are f32, f16, bf16 or u8; give it as an array");
  format.channels_first = are_channels(dims[1]);
  format.channels = static_cast<int>(dims[format.channels_first ? 1 : 3]);
  format.size = format.channels_first ? Extent{dims[2], dims[3]} : Extent{dims[1], dims[2]};
  if (format.size.h < 0 || format.size.w < 0) {
    refuse(sepal::format("its size is free; give --shape {}={}", printable(input.name),
                         format.channels_first ? sepal::format("1x{}x224x224", format.channels)
                                               : sepal::format("1x224x224x{}", format.channels)));
  }
  if (dims[0] > 1) refuse(sepal::format("it takes {} images at once; give them as an array", dims[0]));

  if (const auto found = properties.find("sepal.mean"); found != properties.end()) {
    format.normalisation.mean = three_numbers(found->first, found->second);
  }
  if (const auto found = properties.find("sepal.std"); found != properties.end()) {
    format.normalisation.std = three_numbers(found->first, found->second);
    if (std::ranges::find(format.normalisation.std, 0.0) != format.normalisation.std.end()) {
      invalid("the property sepal.std is \"{}\", but pixels cannot be divided by 0", printable(found->second));
    }
  }
  if (const auto found = properties.find("sepal.resize"); found != properties.end()) {
    const std::optional<Fit> wanted = fit(found->second);
    if (!wanted)
      invalid("the property sepal.resize is \"{}\", but must be crop, stretch or pad", printable(found->second));
    format.fit = *wanted;
  }
  return format;
}

}  // namespace sepal
