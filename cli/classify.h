#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sepal/tensor/tensor.h"

namespace sepal::cli {

/// Lines of a labels file: ends of line as on any system, the last one may be missing, a byte order mark is
/// dropped. Throws Error(kIo), or Error(kInvalid) on more than 2^20 lines.
std::vector<std::string> read_labels(const std::filesystem::path& path);

/// The classes of a classifier: how many values the output has, if it has one axis longer than 1 and no
/// empty one; else nothing.
std::optional<std::int64_t> class_count(const Shape& output);

/// One answer of a classifier.
struct Class {
  std::int64_t index = 0;
  double probability = 0;
};
struct Ranking {
  std::vector<Class> best;    ///< the most probable first; of equals the lower index first
  bool used_softmax = false;  ///< the values were no probabilities yet
};

/// Whether the values are the result of a softmax: all in [0, 1], and their sum within 1e-3 of 1; or, where all are
/// multiples of 1/256 (within 1e-3 of one step), between 0.5 and 1.5. That is a softmax in eight bits, which rounds
/// away many small probabilities.
bool are_probabilities(std::span<const double> values);

/// The `count` best classes. Values that are no probabilities yet go through softmax. Nothing if a value is NaN or
/// +infinity, or all are -infinity.
std::optional<Ranking> rank_classes(std::span<const double> values, std::size_t count);

/// Labels for the indices of a classifier.
class Labels {
 public:
  Labels() = default;  ///< none
  /// `lines`, without empty ones at the end, must be `classes` many, or one fewer: then class 0 is the background.
  /// `source` stands in the error. Throws Error(kInvalid).
  Labels(std::vector<std::string> lines, std::int64_t classes, const std::string& source);

  bool empty() const { return lines_.empty(); }
  bool background() const { return background_; }
  /// "background" for the class that has no line.
  std::string operator[](std::int64_t index) const;

 private:
  std::vector<std::string> lines_;
  bool background_ = false;
};

}  // namespace sepal::cli
