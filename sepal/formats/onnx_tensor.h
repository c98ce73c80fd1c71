#pragma once

// ONNX tensors into ours: element types, inline elements, external files.

#include <filesystem>
#include <map>
#include <optional>

#include "sepal/base/mapped_file.h"
#include "sepal/formats/onnx_proto.h"
#include "sepal/tensor/tensor.h"

namespace sepal::onnx {

/// The type that elements of ONNX's `type` have here: the same one, f32 for float64. Throws
/// Error(kUnsupported) for uint32, uint64 (whose arithmetic wraps where no type here would), strings,
/// complex numbers and those of 8 and 4 bits that are not integers here.
DataType element_type(ElementType type);

/// The files beside a model that hold its larger tensors, each mapped once. Not to be shared by threads.
class ExternalFiles {
 public:
  /// With an empty folder every request is refused.
  explicit ExternalFiles(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// `size` bytes of the file and offset that `where` tells. Throws Error(kInvalid) if the file does not lie
  /// under the folder (links followed), if it is too short, or if tensors ask for more than kShares times
  /// its bytes: a file may be shared, but a small one must not fill the memory.
  Bytes read(const StringPairs& where, std::size_t size);

 private:
  static constexpr std::size_t kShares = 4;
  struct File {
    MappedFile file;
    std::size_t taken = 0;
  };
  std::filesystem::path folder_;
  std::map<std::string, File, std::less<>> files_;  ///< by the path with all links followed
};

/// The tensor with its elements, all sizes checked before memory is taken; float64 is rounded to f32.
/// Throws Error(kInvalid) if its parts contradict each other, Error(kUnsupported) as element_type,
/// Error(kIo) if an external file cannot be read. Messages do not name the tensor.
Tensor to_tensor(const TensorProto& proto, ExternalFiles& files);

}  // namespace sepal::onnx
