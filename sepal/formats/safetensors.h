#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "sepal/tensor/tensor.h"

namespace sepal {

/// What a safetensors file holds: arrays by name, and text besides. Format: https://github.com/huggingface/safetensors
struct SafeTensors {
  std::map<std::string, std::string> metadata;
  std::map<std::string, Tensor> tensors;
};

/// Believes no size: the header must lie in the file, every array's offsets must be as its shape says, and all arrays
/// together must fill what follows the header without a hole or an overlap, before memory is taken for any.
/// Throws Error(kInvalid) that names the array, and Error(kUnsupported) for element types that a tensor does not have
/// (F64, U32, U64, F8).
SafeTensors read_safetensors(std::span<const std::byte> bytes);

/// The same from a file, whose name stands in front of every message. Throws Error(kIo) as well.
SafeTensors read_safetensors(const std::filesystem::path& path);

/// An array to be written, which must live until it is.
struct NamedTensor {
  std::string name;
  ConstBuffer tensor;
};

/// What stands before the arrays' bytes, one after another in their order, in a file of them: its length is a multiple
/// of 8. Throws Error(kInvalid) if two have the same name, or one is called "__metadata__".
std::vector<std::byte> safetensors_header(std::span<const NamedTensor> tensors,
                                          const std::map<std::string, std::string>& metadata);

}  // namespace sepal
