#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <vector>

#include "sepal/data/augment.h"
#include "sepal/data/data_set.h"

namespace sepal {

/// Where a run is in its data.
struct Position {
  std::int64_t epoch = 0;
  std::int64_t step = 0;  ///< of the epoch
  friend auto operator<=>(const Position&, const Position&) = default;
};

/// Images for one step, and what they are.
struct Batch {
  Position position;
  std::vector<std::int64_t> indices;  ///< of the images, in their part
  Tensor images;                      ///< f32 [n, h, w, c], normalised
  Tensor labels;                      ///< i64 [n]; where images are mixed, the class that each image was before
  Tensor targets;                     ///< f32 [n, classes], rows of sum 1; [0] unless Augmentation::mix is asked for
};

struct BatchOptions {
  std::int64_t batch = 64;
  Extent size = {224, 224};  ///< what the network takes
  int channels = 3;          ///< 1 or 3
  Normalisation normalisation{};
  std::optional<Fit> fit{};     ///< how images of another size are brought to it; else as the data set says
  Augmentation augmentation{};  ///< for training; nothing otherwise
  std::uint64_t seed = 0;
  bool shuffle = true;    ///< each epoch in another order, else in that of the indices
  bool full_only = true;  ///< leaves out what fills no batch at an epoch's end, else the last batch is smaller
};

enum class Part : std::uint8_t { kTrain, kTest };

/// The batches of a part, as a function of (seed, epoch, step): who asks, in which order and on how many threads makes
/// no difference to any bit. Several threads may load at once.
class Batches {
 public:
  /// Of the images `indices` of `part`. `set` must live as long. Throws Error(kInvalid) if there is no image, fewer
  /// than a batch where only full ones are made, or an option is out of its range.
  Batches(const DataSet& set, Part part, std::vector<std::int64_t> indices, const BatchOptions& options);
  Batches(DataSet&&, Part, std::vector<std::int64_t>, const BatchOptions&) = delete;

  std::int64_t steps_per_epoch() const noexcept { return steps_; }
  const BatchOptions& options() const noexcept { return options_; }

  /// The batch at `position`: its step is below steps_per_epoch(). Throws Error that names an image which cannot be
  /// read.
  Batch load(Position position) const;
  /// The same, given up between two images when `stop` asks for it: nothing.
  std::optional<Batch> load(Position position, const std::stop_token& stop) const;

 private:
  using Order = std::shared_ptr<const std::vector<std::int64_t>>;
  Order order_of(std::int64_t epoch) const;
  void load_image(std::int64_t index, std::int64_t epoch, std::int64_t place, TensorView<float> image) const;
  ImageFormat format() const;

  const LabelledImages& images_;
  std::int64_t classes_;
  std::vector<std::int64_t> indices_;
  BatchOptions options_;
  std::int64_t steps_ = 0;

  /// An epoch's order, and whose; two, as the batches around an epoch's end are asked for in turns.
  struct Kept {
    std::int64_t epoch = -1;
    Order order;
  };
  mutable std::mutex mutex_;
  mutable std::array<Kept, 2> kept_;
};

}  // namespace sepal
