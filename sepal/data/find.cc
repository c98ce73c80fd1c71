#include "sepal/data/find.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sepal/base/text.h"
#include "sepal/data/cifar.h"
#include "sepal/data/idx.h"
#include "sepal/data/image_folder.h"

namespace sepal {
namespace {

constexpr std::string_view kSystemFolder = "/usr/share/datasets";  // where Debian's packages of data sets are
constexpr const char* kVariable = "SEPAL_DATA_PATH";

constexpr std::string_view kFashion[] = {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                                         "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};
constexpr std::string_view kFashionFolders[] = {"fashion-mnist"};
constexpr std::string_view kMnistFolders[] = {"mnist"};
constexpr std::string_view kCifar10Folders[] = {"cifar10", "cifar-10-batches-bin"};
constexpr std::string_view kCifar100Folders[] = {"cifar100", "cifar-100-binary"};

struct Known {
  std::string_view name;
  std::string_view title;
  std::span<const std::string_view> folders;  ///< what its folder may be called
  std::span<const std::string_view> classes;  ///< where its files do not say
  std::string_view remedy;
};
constexpr Known kKnown[] = {
    {"fashion-mnist", "Fashion-MNIST", kFashionFolders, kFashion,
     "apt install dataset-fashion-mnist, or put its four IDX files into a folder fashion-mnist in one"},
    {"mnist", "MNIST", kMnistFolders, {}, "put its four IDX files into a folder mnist in one"},
    {"cifar10", "CIFAR-10", kCifar10Folders, {}, "put its binary version into a folder cifar10 in one"},
    {"cifar100", "CIFAR-100", kCifar100Folders, {}, "put its binary version into a folder cifar100 in one"},
};

/// The folders that the environment names, then Debian's.
std::vector<std::filesystem::path> usual_places() {
  std::vector<std::filesystem::path> all;
  const char* listed = std::getenv(kVariable);
  for (std::string_view rest = listed == nullptr ? "" : listed; !rest.empty();) {
    const std::string_view place = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(rest.size(), place.size() + 1));
    if (!place.empty()) all.emplace_back(place);
  }
  all.emplace_back(kSystemFolder);
  return all;
}

bool is_folder(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored);
}

std::optional<std::filesystem::path> folder_of(const Known& known, std::span<const std::filesystem::path> places) {
  for (const std::filesystem::path& place : places) {
    for (const std::string_view folder : known.folders) {
      if (is_folder(place / folder)) return place / folder;
    }
  }
  return std::nullopt;
}

/// What IDX files do not say of themselves, by what their folder is called.
void name_idx(DataSet& set) {
  const std::string folder = folder_name(set.source);
  for (const Known& known : kKnown) {
    if (std::ranges::find(known.folders, folder) == known.folders.end()) continue;
    set.name = known.title;
    if (set.classes.size() == known.classes.size()) set.classes.assign(known.classes.begin(), known.classes.end());
  }
}

DataSet read_folder(const std::filesystem::path& folder) {
  if (is_idx_folder(folder)) {
    DataSet set = read_idx_folder(folder);
    name_idx(set);
    return set;
  }
  if (is_cifar_folder(folder)) return read_cifar_folder(folder);
  if (is_image_folder(folder)) return read_image_folder(folder);
  invalid(
      "{}: holds no data set: neither train-images-idx3-ubyte (MNIST), nor data_batch_1.bin or train.bin (CIFAR), nor "
      "a sub-folder a class",
      printable(folder.string()));
}

[[noreturn]] void nowhere(std::string_view name) {
  std::array<std::string_view, std::size(kKnown)> names;
  std::ranges::transform(kKnown, names.begin(), &Known::name);
  const std::string_view near = nearest(name, names);
  fail(ErrorKind::kUsage, "no data set \"{}\"; {}", printable(name),
       near.empty() ? format("there is no such folder, and the names are {}", join(names, ", "))
                    : format("did you mean \"{}\"?", near));
}

}  // namespace

DataSet open_data(std::string_view name) { return open_data(name, usual_places()); }

DataSet open_data(std::string_view name, std::span<const std::filesystem::path> places) {
  const auto* known = std::ranges::find(kKnown, name, &Known::name);
  const bool is_known = known != std::end(kKnown);
  if (is_known) {
    if (const std::optional<std::filesystem::path> folder = folder_of(*known, places)) return read_folder(*folder);
  }
  const std::filesystem::path path(name);
  if (is_folder(path)) return read_folder(path);
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored)) {
    invalid("{}: is a file; a data set is the folder that it lies in", printable(name));
  }
  if (!is_known) nowhere(name);
  std::vector<std::string> looked;
  for (const std::filesystem::path& place : places) looked.push_back(printable(place.string()));
  fail(ErrorKind::kUsage, "no data set \"{}\" in {}; {} that {} lists", known->name, join(looked, ", "), known->remedy,
       kVariable);
}

}  // namespace sepal
