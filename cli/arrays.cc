#include "cli/arrays.h"

#include <algorithm>
#include <filesystem>

#include "sepal/base/text.h"
#include "sepal/formats/npy.h"

namespace sepal::cli {
namespace {

/// A file that is not there may be a name that is not there: says both.
void check_name(std::string_view text, std::span<const ValueInfo> inputs) {
  const std::size_t equals = text.find('=');
  std::error_code ignored;
  if (equals == std::string_view::npos || std::filesystem::exists(std::filesystem::path(text), ignored)) return;
  invalid("{}: there is no such file, and the model has no input \"{}\", but {}", printable(text),
          printable(text.substr(0, equals)), describe(inputs));
}

}  // namespace

Given parse_given(std::string_view text, std::span<const ValueInfo> inputs) {
  Given given{std::nullopt, std::string(text)};
  std::size_t longest = 0;  // one input may be called "x", another "x=y"
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const std::string& name = inputs[i].name;
    if (!text.starts_with(name) || text.size() <= name.size() || text[name.size()] != '=') continue;
    if (given.input && name.size() < longest) continue;
    longest = name.size();
    given = {i, std::string(text.substr(name.size() + 1))};
  }
  return given;
}

std::vector<std::optional<Tensor>> read_arrays(std::span<const std::string> texts, std::span<const ValueInfo> inputs) {
  std::vector<std::optional<Given>> by_input(inputs.size());
  std::vector<std::string> nameless;
  for (const std::string& text : texts) {
    const Given given = parse_given(text, inputs);
    if (given.file.empty()) fail(ErrorKind::kUsage, "--input {}: the file's name is empty", printable(text));
    if (!given.input) {
      check_name(text, inputs);
      nameless.push_back(text);
    } else if (by_input[*given.input]) {
      fail(ErrorKind::kUsage, "--input gives \"{}\" twice", printable(inputs[*given.input].name));
    } else {
      by_input[*given.input] = given;
    }
  }
  const auto left = std::ranges::count_if(by_input, [](const auto& given) { return !given.has_value(); });
  if (nameless.size() == 1 && left == 1) {
    *std::ranges::find_if(by_input, [](const auto& given) { return !given.has_value(); }) =
        Given{std::nullopt, nameless.front()};
  } else if (!nameless.empty() && left <= 1) {
    fail(ErrorKind::kUsage, "{}: one --input too many; the model takes {}", printable(nameless.back()),
         describe(inputs));
  } else if (!nameless.empty()) {
    fail(ErrorKind::kUsage, "{}: say which input this is, as --input NAME=FILE; the model takes {}",
         printable(nameless.front()), describe(inputs));
  }

  std::vector<std::optional<Tensor>> tensors(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!by_input[i]) continue;
    // Who computes a double in f32 rounds it anyway.
    const Doubles doubles = inputs[i].is_double ? Doubles::kRounded : Doubles::kExact;
    tensors[i] = read_npy(std::filesystem::path(by_input[i]->file), inputs[i].type, doubles);
  }
  return tensors;
}

std::string describe(const ValueInfo& info) {
  return format("\"{}\" ({} {})", printable(info.name), printable(info.text), name_of(info.type));
}

std::string describe(std::span<const ValueInfo> infos) {
  if (infos.empty()) return "no inputs";
  std::vector<std::string> texts;
  for (const ValueInfo& info : infos) texts.push_back(describe(info));
  return format("{}", join(texts, ", "));
}

}  // namespace sepal::cli
