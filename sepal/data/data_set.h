#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "sepal/formats/image.h"
#include "sepal/tensor/tensor.h"
#include "sepal/tensor/window.h"

namespace sepal {

/// Images with a class each: one part of a data set. Immutable; many threads may read it.
class LabelledImages {
 public:
  /// None.
  LabelledImages() = default;
  /// `pixels` u8 [count, h, w, c]. Throws Error(kInvalid) unless there is one label an image.
  LabelledImages(Tensor pixels, std::vector<std::int64_t> labels);
  /// JPEG or PNG files, each read when it is asked for.
  LabelledImages(std::vector<std::filesystem::path> files, std::vector<std::int64_t> labels);

  std::int64_t count() const noexcept { return static_cast<std::int64_t>(labels_.size()); }
  /// The class of each image.
  std::span<const std::int64_t> labels() const noexcept { return labels_; }
  /// Image `index`, u8 [h, w, c], as it is stored. Throws Error as MappedFile and decode_image do, the file's name in
  /// front.
  Tensor image(std::int64_t index) const;
  /// What an image is called: its file's path, else its number in the part.
  std::string name(std::int64_t index) const;

 private:
  std::variant<Tensor, std::vector<std::filesystem::path>> images_;
  std::vector<std::int64_t> labels_;
};

/// Images to learn from and images to be judged by, which no step of training may look at.
struct DataSet {
  std::string name;                  ///< "Fashion-MNIST", or what the folder is called
  std::filesystem::path source;      ///< the folder
  std::vector<std::string> classes;  ///< a label is an index into them; as the name fit for a terminal
  LabelledImages train;
  LabelledImages test;         ///< none where a folder of images has no such part
  std::optional<Extent> size;  ///< of every image; nothing where each has its own
  int channels = 3;            ///< 1 where all are grey
  Fit fit = Fit::kStretch;     ///< how an image of another size is brought to a network's, unless said otherwise
};

/// Images of the training part to learn from, and those held back to see how it goes. Both ascending.
struct Split {
  std::vector<std::int64_t> train;
  std::vector<std::int64_t> validation;
};

/// A tenth of `count` images held back, rounded, at least one of two or more; which, `seed` says.
Split hold_back_tenth(std::int64_t count, std::uint64_t seed);

/// 0 .. count - 1: every image.
std::vector<std::int64_t> all_of(std::int64_t count);

/// The folder's own name, also where the path ends in a slash or in a dot.
std::string folder_name(const std::filesystem::path& folder);

/// "0" .. "count - 1", for classes without names.
std::vector<std::string> numbered_classes(std::int64_t count);

/// Throws Error(kInvalid) that names the first label which is none of 0 .. classes - 1.
void check_labels(std::span<const std::int64_t> labels, std::int64_t classes);

}  // namespace sepal
