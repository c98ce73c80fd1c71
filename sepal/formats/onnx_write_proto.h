#pragma once

#include <cstddef>
#include <string>

#include "sepal/formats/onnx_proto.h"

namespace sepal::onnx {

/// Protobuf's limit: readers count the bytes of a message in 31 bits.
inline constexpr std::size_t kMostBytes = (std::size_t{1} << 31) - 1;

/// The wire format of the model; parse_model reads it back. Tensors have their elements in `raw`.
/// Throws Error(kInvalid) if it would take more than `limit` bytes, before memory for them is taken.
std::string serialise(const ModelProto& model, std::size_t limit = kMostBytes);

}  // namespace sepal::onnx
