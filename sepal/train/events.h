#pragma once

// What a run has seen, as TensorBoard reads it.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>

#include "sepal/train/history.h"

namespace sepal {

/// CRC-32C (Castagnoli), as RFC 3720, appendix B.4, has it: of "123456789" 0xe3069283.
std::uint32_t crc32c(std::string_view bytes);

/// A number with a name: "loss/train". TensorBoard groups names by what stands before the slash.
struct Scalar {
  std::string_view tag;
  double value = 0;
};

/// A record of an event file: what was seen at `step`, at `time` (seconds since 1970), framed.
std::string event_record(double time, std::int64_t step, std::span<const Scalar> scalars);

/// Writes an event file, one record after another: TFRecord framing around tensorflow.Event messages. Every record is
/// handed to the system as it is made, so that TensorBoard can follow a run, and what was written outlives it.
class EventWriter {
 public:
  /// Begins a new file in `folder`, which is made where it is missing. A run that goes on after `done` steps begins
  /// another file beside the first; TensorBoard then forgets what older files say of later steps.
  /// Throws Error(kIo), the file's name in front.
  explicit EventWriter(const std::filesystem::path& folder, std::int64_t done = 0);

  /// loss/train, accuracy/train, rate, images_per_second. Throws Error(kIo), as below.
  void add(const StepRecord& record);
  /// loss/train_epoch, loss/validation, accuracy/train_epoch, accuracy/validation, epoch_seconds.
  void add(const EpochRecord& record);

  const std::filesystem::path& path() const { return path_; }

 private:
  void write(const std::string& record);

  std::filesystem::path path_;
  std::ofstream file_;
};

}  // namespace sepal
