#include "sepal/model/zoo_name.h"

#include <algorithm>
#include <cctype>
#include <string>
#include <system_error>
#include <vector>

#include "sepal/base/text.h"

namespace sepal {
namespace {

/// Letters, digits and underscores up to a colon: paths mostly have a dot or a slash.
bool looks_like_a_name(std::string_view text) {
  const std::string_view name = text.substr(0, text.find(':'));
  return !name.empty() && std::ranges::all_of(name, [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
}

}  // namespace

std::optional<ZooSpec> zoo_spec_of(const std::filesystem::path& path) {
  std::error_code ignored;
  const bool exists = std::filesystem::exists(std::filesystem::symlink_status(path, ignored));
  const bool is_folder = std::filesystem::is_directory(path, ignored);  // which is no model, so the network is meant
  if (exists && !is_folder) return std::nullopt;
  const std::string& text = path.native();
  if (std::optional<ZooSpec> spec = find_zoo_spec(text)) return spec;
  if (is_folder || !looks_like_a_name(text)) return std::nullopt;
  std::vector<std::string_view> names;
  for (const ZooEntry& entry : zoo()) names.push_back(entry.name);
  const std::string_view near = nearest(text.substr(0, text.find(':')), names);
  fail(ErrorKind::kUsage, "no model \"{}\"; {}", printable(text),
       near.empty() ? "there is no such file, nor is it a network of the zoo" : format("did you mean \"{}\"?", near));
}

}  // namespace sepal
