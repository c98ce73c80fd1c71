#include "sepal/data/batches.h"

#include <algorithm>
#include <array>
#include <utility>

#include "sepal/base/text.h"
#include "sepal/formats/image.h"

// An epoch's order is a permutation by (seed, epoch); what is done to an image depends on its place in that order, what
// is done to a batch on its step. An image becomes values in the very way in which one is read to be run
// (prepare_image), so a network sees in training what it sees later; only a change of colour needs values from 0 to 1
// in between.

namespace sepal {
namespace {

const LabelledImages& images_of(const DataSet& set, Part part) { return part == Part::kTrain ? set.train : set.test; }

/// What a pixel value becomes.
float normalised(float value, const Normalisation& by, std::size_t channel) {
  return static_cast<float>((static_cast<double>(value) - by.mean[channel]) / by.std[channel]);
}

void normalise(TensorView<float> image, const Normalisation& by) {
  const auto channels = static_cast<std::size_t>(image.shape[2]);
  const auto count = static_cast<std::size_t>(image.shape.elements());
  for (std::size_t i = 0; i < count; ++i) image.data[i] = normalised(image.data[i], by, i % channels);
}

Tensor one_hot(std::span<const std::int64_t> labels, std::int64_t classes) {
  Tensor targets(DataType::kF32, {std::ssize(labels), classes});
  float* row = targets.values<float>().data();
  for (const std::int64_t label : labels) {
    row[label] = 1;
    row += classes;
  }
  return targets;
}

}  // namespace

Batches::Batches(const DataSet& set, Part part, std::vector<std::int64_t> indices, const BatchOptions& options)
    : images_(images_of(set, part)),
      classes_(std::ssize(set.classes)),
      indices_(std::move(indices)),
      options_(options) {
  if (!options_.fit) options_.fit = set.fit;
  const std::int64_t count = std::ssize(indices_);
  if (options_.batch < 1) invalid("a batch of {} images", options_.batch);
  if (count == 0) invalid("{}: no images to make batches of", set.name);
  if (options_.full_only && count < options_.batch) {
    invalid("{}: {} images do not fill a batch of {}; take a smaller one", set.name, count, options_.batch);
  }
  expect(std::ranges::all_of(indices_, [&](std::int64_t i) { return i >= 0 && i < images_.count(); }),
         "an index is one of the part's");
  check_augmentation(options_.augmentation, options_.size);
  static_cast<void>(prepare_image(Tensor(DataType::kU8, {1, 1, 1}), format()));  // throws where the format cannot be
  steps_ = (count + (options_.full_only ? 0 : options_.batch - 1)) / options_.batch;
}

/// What prepare_image does: all but the normalisation where the colours change before.
ImageFormat Batches::format() const {
  return {.size = options_.size,
          .channels = options_.channels,
          .channels_first = false,
          .fit = *options_.fit,
          .normalisation = options_.augmentation.colour ? Normalisation{} : options_.normalisation};
}

Batches::Order Batches::order_of(std::int64_t epoch) const {
  const std::lock_guard lock(mutex_);
  Kept& kept = kept_[static_cast<std::size_t>(epoch) % kept_.size()];
  if (kept.epoch != epoch) {
    std::vector<std::int64_t> order = indices_;
    if (options_.shuffle) {
      Random random(options_.seed, {Purpose::kOrder, epoch});
      const std::vector<std::int64_t> places = random.permutation(std::ssize(order));
      std::ranges::transform(places, order.begin(),
                             [&](std::int64_t i) { return indices_[static_cast<std::size_t>(i)]; });
    }
    kept = {epoch, std::make_shared<const std::vector<std::int64_t>>(std::move(order))};
  }
  return kept.order;
}

void Batches::load_image(std::int64_t index, std::int64_t epoch, std::int64_t place, TensorView<float> image) const {
  const Augmentation& augmentation = options_.augmentation;
  Random random(options_.seed, {Purpose::kImage, epoch, place});
  Tensor pixels = images_.image(index);
  if (augmentation.resized_crop) pixels = resized_crop(pixels, options_.size, *augmentation.resized_crop, random);
  ImageFormat wanted = format();
  if (augmentation.resized_crop) wanted.fit = Fit::kStretch;  // it has the size already
  const Tensor values = prepare_image(pixels, wanted);
  std::ranges::copy(values.values<float>(), image.data);
  if (augmentation.colour) {
    colour_jitter(image, *augmentation.colour, random);
    normalise(image, options_.normalisation);
  }
  if (augmentation.flip) flip(image, *augmentation.flip, random);
  if (augmentation.padded_crop) {
    std::array<float, 3> black{};
    for (std::size_t channel = 0; channel < 3; ++channel)
      black[channel] = normalised(0, options_.normalisation, channel);
    padded_crop(image, black.data(), *augmentation.padded_crop, random);
  }
  if (augmentation.erase) erase(image, *augmentation.erase, random);
}

Batch Batches::load(Position position) const { return *load(position, {}); }

std::optional<Batch> Batches::load(Position position, const std::stop_token& stop) const {
  expect(position.epoch >= 0 && position.step >= 0 && position.step < steps_, "a position is in its epoch");
  const Order order = order_of(position.epoch);
  const std::int64_t begin = position.step * options_.batch;
  const std::int64_t n = std::min(options_.batch, std::ssize(*order) - begin);

  Batch batch;
  batch.position = position;
  batch.indices.assign(order->begin() + begin, order->begin() + begin + n);
  const Shape one = {options_.size.h, options_.size.w, options_.channels};
  batch.images = Tensor(DataType::kF32, {n, one[0], one[1], one[2]});
  batch.labels = Tensor(DataType::kI64, {n});
  float* to = batch.images.values<float>().data();
  for (std::int64_t i = 0; i < n; ++i, to += one.elements()) {
    if (stop.stop_requested()) return std::nullopt;
    const std::int64_t index = batch.indices[static_cast<std::size_t>(i)];
    load_image(index, position.epoch, begin + i, {to, one});
    batch.labels.values<std::int64_t>()[static_cast<std::size_t>(i)] =
        images_.labels()[static_cast<std::size_t>(index)];
  }
  if (const auto& mixing = options_.augmentation.mix) {
    Random random(options_.seed, {Purpose::kMix, position.epoch, position.step});
    batch.targets = one_hot(batch.labels.values<std::int64_t>(), classes_);
    mix(batch.images.view<float>(), batch.targets.view<float>(), *mixing, random);
  }
  return batch;
}

}  // namespace sepal
