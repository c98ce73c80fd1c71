#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "sepal/model/model.h"
#include "sepal/report/json.h"
#include "sepal/tensor/tensor.h"

namespace sepal::cli {

/// One output in a line. NaN values are counted and left out of the rest, which is NaN where nothing is left
/// (an empty tensor).
struct Summary {
  std::string name;
  Shape shape;
  DataType type = DataType::kF32;
  double min = 0;
  double max = 0;
  double mean = 0;
  std::int64_t nan = 0;
};
Summary summarize(std::string name, const Tensor& tensor);

/// The elements as doubles; bool as 0 and 1.
std::vector<double> to_doubles(const Tensor& tensor);

/// A table of name, shape, type, min, max and mean; with NaN counts where there are any.
std::string outputs_text(std::span<const Summary> outputs);
report::Json outputs_json(std::span<const Summary> outputs);
report::Json to_json(const Shape& shape);

/// `name` with every byte outside [A-Za-z0-9._-] replaced by '_'.
std::string file_name_of(std::string_view name);

/// folder/NAME.npy of every output. Throws Error(kInvalid) that names both outputs if two become one file.
std::vector<std::filesystem::path> output_files(const std::filesystem::path& folder,
                                                std::span<const ValueInfo> outputs);

}  // namespace sepal::cli
