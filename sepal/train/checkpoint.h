#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sepal/base/storage.h"
#include "sepal/formats/safetensors.h"

namespace sepal {

/// What makes a run the one that it is, by name: network, data, options. A checkpoint of another is refused.
using Identity = std::map<std::string, std::string>;

/// A short text that depends on every bit of the buffers: 16 hexadecimal digits.
std::string checksum(std::span<const ConstBuffer> buffers);

/// The state of a run after a step.
struct Checkpoint {
  std::int64_t step = 0;
  std::map<std::string, std::string> text;  ///< all that is no array
  std::map<std::string, Tensor> tensors;
};

/// The checkpoints of one run: safetensors files "step-000001234.safetensors" in a folder, each with a checksum.
class Checkpoints {
 public:
  /// Keeps the last `keep` (at least 1).
  Checkpoints(std::filesystem::path folder, int keep, Storage& storage = disk());

  /// Steps of the checkpoints that there are, ascending. Throws Error(kIo) if the folder cannot be read; one that is
  /// not there has none.
  std::vector<std::int64_t> steps() const;
  std::filesystem::path path_of(std::int64_t step) const;

  /// Writes one as replace_file does, then removes those that are too many, and what a run that was killed left half
  /// written. The folder is made where it is missing. Throws Error(kIo) that names file and reason, and then the older
  /// ones are as they were.
  void save(std::int64_t step, const Identity& identity, const std::map<std::string, std::string>& text,
            std::span<const NamedTensor> tensors);

  /// The checkpoint of `step`. Throws Error(kInvalid) if it is damaged, is no checkpoint, or is of another run: then
  /// the message names the first thing that differs.
  Checkpoint load(std::int64_t step, const Identity& identity) const;

  /// The texts of the last checkpoint, of whatever run. Throws Error(kInvalid) where there is none.
  std::map<std::string, std::string> last_text() const;

 private:
  SafeTensors read(std::int64_t step) const;
  void clean();

  std::filesystem::path folder_;
  int keep_;
  Storage& storage_;
};

}  // namespace sepal
