#include "sepal/data/image_folder.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sepal/base/text.h"

namespace sepal {
namespace {

/// What is in a folder and not hidden, sorted.
struct Listing {
  std::vector<std::string> folders;
  std::vector<std::string> files;
};

Listing list(const std::filesystem::path& folder) {
  Listing found;
  std::error_code problem;
  for (std::filesystem::directory_iterator entry(folder, problem), end; !problem && entry != end;
       entry.increment(problem)) {
    const std::string name = entry->path().filename().string();
    std::error_code ignored;  // a link that leads nowhere is neither
    if (name.starts_with('.')) continue;
    if (entry->is_directory(ignored)) found.folders.push_back(name);
    if (entry->is_regular_file(ignored)) found.files.push_back(name);
  }
  if (problem) fail(ErrorKind::kIo, "{}: cannot be read: {}", printable(folder.string()), problem.message());
  std::ranges::sort(found.folders);
  std::ranges::sort(found.files);
  return found;
}

bool is_image_name(const std::string& name) {
  std::string ending = std::filesystem::path(name).extension().string();
  std::ranges::transform(ending, ending.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return ending == ".jpg" || ending == ".jpeg" || ending == ".png";
}

/// The images below `folder`, whose sub-folders are among `classes`.
LabelledImages read_part(const std::filesystem::path& folder, std::span<const std::string> folders,
                         std::span<const std::string> classes) {
  std::vector<std::filesystem::path> files;
  std::vector<std::int64_t> labels;
  for (const std::string& name : folders) {
    const auto found = std::ranges::lower_bound(classes, name);
    if (found == classes.end() || *found != name) {
      invalid("{}: the class \"{}\" has no images to learn from", printable(folder.string()), printable(name));
    }
    const std::filesystem::path place = folder / name;
    const std::vector<std::string> names = list(place).files;
    const std::size_t before = files.size();
    for (const std::string& file : names) {
      if (is_image_name(file)) files.push_back(place / file);
    }
    if (files.size() == before) {
      invalid("{}: no image among {} files; .jpg, .jpeg and .png are read", printable(place.string()), names.size());
    }
    labels.resize(files.size(), found - classes.begin());
  }
  return {std::move(files), std::move(labels)};
}

/// The sub-folder that holds a part: the first of `names` that has sub-folders itself.
std::optional<std::string> part_among(const std::filesystem::path& folder, const Listing& inside,
                                      std::span<const std::string_view> names) {
  for (const std::string_view name : names) {
    const auto found = std::ranges::find(inside.folders, name);
    if (found != inside.folders.end() && is_image_folder(folder / *found)) return *found;
  }
  return std::nullopt;
}

}  // namespace

bool is_image_folder(const std::filesystem::path& folder) { return !list(folder).folders.empty(); }

DataSet read_image_folder(const std::filesystem::path& folder) {
  constexpr std::array<std::string_view, 1> kTrain = {"train"};
  constexpr std::array<std::string_view, 2> kTest = {"test", "val"};
  const Listing inside = list(folder);
  const std::optional<std::string> train = part_among(folder, inside, kTrain);
  const std::optional<std::string> test = train ? part_among(folder, inside, kTest) : std::nullopt;
  const std::filesystem::path place = train ? folder / *train : folder;

  DataSet set;
  set.name = printable(folder_name(folder));
  set.source = folder;
  set.fit = Fit::kCrop;
  set.classes = train ? list(place).folders : inside.folders;
  if (set.classes.size() < 2) {
    invalid("{}: {} sub-folders; there must be two or more, one a class", printable(place.string()),
            set.classes.size());
  }
  set.train = read_part(place, set.classes, set.classes);
  if (test) set.test = read_part(folder / *test, list(folder / *test).folders, set.classes);
  for (std::string& name : set.classes) name = printable(name);
  return set;
}

}  // namespace sepal
