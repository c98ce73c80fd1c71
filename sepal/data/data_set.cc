#include "sepal/data/data_set.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "sepal/base/mapped_file.h"
#include "sepal/base/text.h"
#include "sepal/base/visit.h"
#include "sepal/data/random.h"

namespace sepal {

LabelledImages::LabelledImages(Tensor pixels, std::vector<std::int64_t> labels) : labels_(std::move(labels)) {
  expect(pixels.type() == DataType::kU8 && pixels.shape().rank() == 4, "images are u8 [count, h, w, c]");
  if (pixels.shape().n() != count()) invalid("{} images, but {} labels", pixels.shape().n(), count());
  images_ = std::move(pixels);
}

LabelledImages::LabelledImages(std::vector<std::filesystem::path> files, std::vector<std::int64_t> labels)
    : images_(std::move(files)), labels_(std::move(labels)) {
  expect(std::get<1>(images_).size() == labels_.size(), "one label a file");
}

Tensor LabelledImages::image(std::int64_t index) const {
  expect(index >= 0 && index < count(), "an image is one of the part's");
  return std::visit(Overload{[&](const Tensor& pixels) {
                               const Shape& all = pixels.shape();
                               const Shape one = {all.h(), all.w(), all.c()};
                               const auto from = pixels.values<std::uint8_t>().subspan(
                                   static_cast<std::size_t>(index * one.elements()));
                               return Tensor::of(one, from.first(static_cast<std::size_t>(one.elements())));
                             },
                             [&](const std::vector<std::filesystem::path>& files) {
                               const std::filesystem::path& path = files[static_cast<std::size_t>(index)];
                               const MappedFile file(path);
                               return in_place(printable(path.string()), [&] { return decode_image(file.bytes()); });
                             }},
                    images_);
}

std::string LabelledImages::name(std::int64_t index) const {
  expect(index >= 0 && index < count(), "an image is one of the part's");
  const auto* files = std::get_if<std::vector<std::filesystem::path>>(&images_);
  return files == nullptr ? format("image {}", index) : printable((*files)[static_cast<std::size_t>(index)].string());
}

Split hold_back_tenth(std::int64_t count, std::uint64_t seed) {
  const std::vector<std::int64_t> order = Random(seed, {Purpose::kValidation}).permutation(count);
  const std::int64_t held = count < 2 ? 0 : std::max<std::int64_t>((count + 5) / 10, 1);
  Split split;
  split.validation.assign(order.begin(), order.begin() + held);
  split.train.assign(order.begin() + held, order.end());
  std::ranges::sort(split.validation);
  std::ranges::sort(split.train);
  return split;
}

std::vector<std::int64_t> all_of(std::int64_t count) {
  std::vector<std::int64_t> indices(static_cast<std::size_t>(count));
  std::iota(indices.begin(), indices.end(), std::int64_t{0});
  return indices;
}

std::string folder_name(const std::filesystem::path& folder) {
  std::error_code ignored;
  const std::filesystem::path whole = std::filesystem::absolute(folder, ignored).lexically_normal();
  return (whole.has_filename() ? whole : whole.parent_path()).filename().string();
}

std::vector<std::string> numbered_classes(std::int64_t count) {
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < count; ++i) names.push_back(format("{}", i));
  return names;
}

void check_labels(std::span<const std::int64_t> labels, std::int64_t classes) {
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < 0 || labels[i] >= classes) {
      invalid("the label of image {} is {}, but there are {} classes", i, labels[i], classes);
    }
  }
}

}  // namespace sepal
