#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sepal/model/model.h"
#include "sepal/tensor/tensor.h"

namespace sepal::cli {

/// What `[NAME=]FILE` says. NAME= is only taken for a name where the model has an input called so, else it
/// belongs to the file's name.
struct Given {
  std::optional<std::size_t> input;  ///< its place in Model::inputs()
  std::string file;
};
Given parse_given(std::string_view text, std::span<const ValueInfo> inputs);

/// Reads the arrays of `--input`: one tensor or nothing for each input of the model, converted to its type.
/// A file without NAME= belongs to the only input, or to the only one that is left. float64 is rounded for an input
/// declared in double precision. Throws Error: kUsage if it is not clear which, one is given twice, or a file's name
/// is empty; what read_npy throws.
std::vector<std::optional<Tensor>> read_arrays(std::span<const std::string> texts, std::span<const ValueInfo> inputs);

/// "x" (1x3x224x224 f32), as errors show it.
std::string describe(const ValueInfo& info);
std::string describe(std::span<const ValueInfo> infos);

}  // namespace sepal::cli
