#include "sepal/data/cifar.h"

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sepal/base/mapped_file.h"
#include "sepal/base/text.h"

// A file is records one after another: one label (CIFAR-100: the coarse one, then the fine one), then 1024 bytes of
// red, 1024 of green and 1024 of blue, each in rows of 32.

namespace sepal {
namespace {

constexpr std::int64_t kSide = 32;
constexpr std::size_t kPlane = kSide * kSide;
constexpr std::size_t kColours = 3;

struct Layout {
  std::string_view name;
  std::int64_t classes;
  std::size_t labels;  ///< bytes before the pixels, of which the last counts
  std::span<const std::string_view> train;
  std::string_view test;
  std::string_view class_names;

  std::size_t record() const { return labels + kColours * kPlane; }
};

constexpr std::string_view kTrain10[] = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
                                         "data_batch_5.bin"};
constexpr std::string_view kTrain100[] = {"train.bin"};
constexpr Layout kLayouts[] = {{"CIFAR-10", 10, 1, kTrain10, "test_batch.bin", "batches.meta.txt"},
                               {"CIFAR-100", 100, 2, kTrain100, "test.bin", "fine_label_names.txt"}};

const Layout* layout_of(const std::filesystem::path& folder) {
  for (const Layout& layout : kLayouts) {
    std::error_code ignored;
    if (std::filesystem::exists(folder / layout.train.front(), ignored)) return &layout;
  }
  return nullptr;
}

/// The records' pixels, red, green and blue together, into `pixels`, and their labels behind `labels`.
void read_records(std::span<const std::byte> bytes, const Layout& layout, std::uint8_t* pixels,
                  std::vector<std::int64_t>& labels) {
  for (; !bytes.empty(); bytes = bytes.subspan(layout.record())) {
    labels.push_back(std::to_integer<std::int64_t>(bytes[layout.labels - 1]));
    const std::byte* planes = bytes.data() + layout.labels;
    for (std::size_t i = 0; i < kPlane; ++i) {
      for (std::size_t colour = 0; colour < kColours; ++colour) {
        *pixels++ = std::to_integer<std::uint8_t>(planes[colour * kPlane + i]);
      }
    }
  }
}

LabelledImages read_part(const std::filesystem::path& folder, const Layout& layout,
                         std::span<const std::string_view> names) {
  std::vector<MappedFile> files;
  std::size_t count = 0;
  for (const std::string_view name : names) {
    const std::filesystem::path path = folder / name;
    const std::size_t size = files.emplace_back(path).bytes().size();
    if (size == 0 || size % layout.record() != 0) {
      invalid("{}: {} bytes are no whole number of images of {} bytes, as {} has them", printable(path.string()), size,
              layout.record(), layout.name);
    }
    count += size / layout.record();
  }
  Tensor pixels(DataType::kU8, {static_cast<std::int64_t>(count), kSide, kSide, kColours});
  std::vector<std::int64_t> labels;
  labels.reserve(count);
  for (std::size_t i = 0; i < files.size(); ++i) {
    const std::size_t before = labels.size();
    read_records(files[i].bytes(), layout, pixels.values<std::uint8_t>().data() + before * kColours * kPlane, labels);
    in_place(printable((folder / names[i]).string()),
             [&] { check_labels(std::span(labels).subspan(before), layout.classes); });
  }
  return {std::move(pixels), std::move(labels)};
}

/// A name a line, blank lines apart.
std::vector<std::string> read_names(const std::filesystem::path& path) {
  const MappedFile file(path);
  std::string_view text(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
  std::vector<std::string> names;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
    if (!line.empty()) names.push_back(printable(line));
  }
  return names;
}

std::vector<std::string> class_names(const std::filesystem::path& folder, const Layout& layout) {
  const std::filesystem::path path = folder / layout.class_names;
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return numbered_classes(layout.classes);
  std::vector<std::string> names = read_names(path);
  if (static_cast<std::int64_t>(names.size()) != layout.classes) {
    invalid("{}: {} names for {} classes", printable(path.string()), names.size(), layout.classes);
  }
  return names;
}

}  // namespace

bool is_cifar_folder(const std::filesystem::path& folder) { return layout_of(folder) != nullptr; }

DataSet read_cifar_folder(const std::filesystem::path& folder) {
  const Layout* layout = layout_of(folder);
  expect(layout != nullptr, "is_cifar_folder was asked before");
  DataSet set;
  set.name = layout->name;
  set.source = folder;
  set.classes = class_names(folder, *layout);
  set.train = read_part(folder, *layout, layout->train);
  set.test = read_part(folder, *layout, {&layout->test, 1});
  set.size = Extent{kSide, kSide};
  return set;
}

}  // namespace sepal
