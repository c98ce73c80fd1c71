#include "cli/summary.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "sepal/base/text.h"
#include "sepal/report/columns.h"

namespace sepal::cli {

using report::Json;
using report::to_text;
namespace {

template <typename T>
double to_double(T value) {
  if constexpr (std::is_arithmetic_v<T>) {
    return static_cast<double>(value);
  } else {
    return static_cast<double>(static_cast<float>(value));
  }
}

}  // namespace

std::vector<double> to_doubles(const Tensor& tensor) {
  return visit_type(tensor.type(), [&]<typename T>() {
    std::vector<double> out;
    out.reserve(static_cast<std::size_t>(tensor.elements()));
    for (const T value : tensor.values<T>()) out.push_back(to_double(value));
    return out;
  });
}

Summary summarize(std::string name, const Tensor& tensor) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  Summary summary{std::move(name), tensor.shape(), tensor.type(), kInf, -kInf, 0, 0};
  double sum = 0;
  visit_type(tensor.type(), [&]<typename T>() {
    for (const T element : tensor.values<T>()) {
      const double value = to_double(element);
      if (std::isnan(value)) {
        ++summary.nan;
      } else {
        summary.min = std::min(summary.min, value);
        summary.max = std::max(summary.max, value);
        sum += value;
      }
    }
  });
  const std::int64_t count = tensor.elements() - summary.nan;
  if (count == 0) {
    summary.min = summary.max = summary.mean = std::numeric_limits<double>::quiet_NaN();
  } else {
    summary.mean = sum / static_cast<double>(count);
  }
  return summary;
}

std::string outputs_text(std::span<const Summary> outputs) {
  const bool any_nan = std::ranges::any_of(outputs, [](const Summary& output) { return output.nan > 0; });
  std::vector<std::vector<std::string>> rows = {{"name", "shape", "type", "min", "max", "mean"}};
  if (any_nan) rows.front().emplace_back("NaN");
  for (const Summary& output : outputs) {
    rows.push_back({printable(output.name), to_string(output.shape), std::string(name_of(output.type)),
                    format("{:.6g}", output.min), format("{:.6g}", output.max), format("{:.6g}", output.mean)});
    if (any_nan) rows.back().push_back(format("{}", output.nan));
  }
  return to_text(rows);
}

Json to_json(const Shape& shape) {
  Json dims = Json::array();
  for (const std::int64_t dim : shape) dims.push_back(dim);
  return dims;
}

Json outputs_json(std::span<const Summary> outputs) {
  Json all = Json::array();
  for (const Summary& output : outputs) {
    all.push_back({{"name", output.name},
                   {"shape", to_json(output.shape)},
                   {"type", name_of(output.type)},
                   {"min", output.min},
                   {"max", output.max},
                   {"mean", output.mean},
                   {"nan", output.nan}});
  }
  return all;
}

std::string file_name_of(std::string_view name) {
  std::string out(name);
  for (char& c : out) {
    const bool kept =
        (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    if (!kept) c = '_';
  }
  return out;
}

std::vector<std::filesystem::path> output_files(const std::filesystem::path& folder,
                                                std::span<const ValueInfo> outputs) {
  std::vector<std::filesystem::path> files;
  std::map<std::string, std::string> owners;
  for (const ValueInfo& output : outputs) {
    const std::string name = file_name_of(output.name) + ".npy";
    const auto [owner, is_new] = owners.emplace(name, output.name);
    if (!is_new) {
      invalid("the outputs \"{}\" and \"{}\" would both be written to {}", printable(owner->second),
              printable(output.name), printable((folder / name).string()));
    }
    files.push_back(folder / name);
  }
  return files;
}

}  // namespace sepal::cli
