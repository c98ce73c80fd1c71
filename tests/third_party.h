#pragma once

// The third-party models of the test data: what is in a folder, and how its outputs are to be compared
// (models/README.md there).

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <ostream>
#include <sstream>
#include <string>
#include <vector>

#include "sepal/formats/npy.h"
#include "sepal/tensor/tensor.h"
#include "tests/test_data.h"

namespace sepal {

/// A row of models/INDEX.tsv.
struct ThirdParty {
  std::string name;
  int outputs = 0;
  /// How far ONNX Runtime's optimised run is from its plain one, relative to the largest output: yunet_n's sigmoids
  /// near zero carry more noise than 1e-4 in the expected values themselves.
  double noise = 0;
  std::vector<int> samples{};  ///< the numbers K of input_K.npy, ascending

  std::filesystem::path folder() const { return test_data() / "models" / name; }
  std::filesystem::path model() const { return folder() / "model.onnx"; }
  std::filesystem::path dynamic_model() const { return folder() / "model_dynamic.onnx"; }
  std::filesystem::path input(int sample) const { return folder() / ("input_" + std::to_string(sample) + ".npy"); }
  /// "expected" or "f64".
  std::filesystem::path output(const char* kind, int sample, int output) const {
    std::string file = std::string(kind) + "_" + std::to_string(sample);
    if (outputs > 1) file += "_" + std::to_string(output);
    return folder() / (file + ".npy");
  }
  bool is_quantized() const { return std::filesystem::exists(output("f64", samples.at(0), 0)); }
};

/// gtest shows a parameter by this.
inline void PrintTo(const ThirdParty& row, std::ostream* out) { *out << row.name; }

/// All rows; none without test data.
inline std::vector<ThirdParty> third_party_models() {
  std::vector<ThirdParty> rows;
  if (test_data().empty()) return rows;
  std::ifstream index(test_data() / "models" / "INDEX.tsv");
  std::string line;
  std::getline(index, line);
  while (std::getline(index, line)) {
    std::istringstream fields(line);
    std::vector<std::string> cells;
    for (std::string cell; std::getline(fields, cell, '\t');) cells.push_back(cell);
    ThirdParty row{cells.at(0), std::stoi(cells.at(6)), std::stod(cells.at(12))};
    for (int sample = 0; sample < 100; ++sample) {
      if (std::filesystem::exists(row.input(sample))) row.samples.push_back(sample);
    }
    // Sanitizer builds take one.
    if (const char* most = std::getenv("SEPAL_SAMPLES")) {
      row.samples.resize(std::min(row.samples.size(), static_cast<std::size_t>(std::atoi(most))));
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

/// Largest difference over the largest expected magnitude.
inline double relative_difference(std::span<const float> actual, std::span<const float> expected) {
  double most = 0;
  double scale = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double difference = std::abs(static_cast<double>(actual[i]) - static_cast<double>(expected[i]));
    most = std::isnan(difference) ? 1e30 : std::max(most, difference);
    scale = std::max(scale, static_cast<double>(std::abs(expected[i])));
  }
  return scale == 0 ? most : most / scale;
}

inline double cosine(std::span<const float> a, std::span<const float> b) {
  double ab = 0;
  double aa = 0;
  double bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ab += static_cast<double>(a[i]) * static_cast<double>(b[i]);
    aa += static_cast<double>(a[i]) * static_cast<double>(a[i]);
    bb += static_cast<double>(b[i]) * static_cast<double>(b[i]);
  }
  return aa == 0 || bb == 0 ? (aa == bb ? 1 : 0) : ab / std::sqrt(aa * bb);
}

inline std::ptrdiff_t largest(std::span<const float> values) {
  return std::max_element(values.begin(), values.end()) - values.begin();
}

/// Smallest step between different values: what one quantisation step of an output is worth.
inline double step_of(std::span<const float> values) {
  std::vector<float> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  double step = 1e30;
  for (std::size_t i = 1; i < sorted.size(); ++i) {
    const double gap = static_cast<double>(sorted[i]) - static_cast<double>(sorted[i - 1]);
    if (gap > 0) step = std::min(step, gap);
  }
  return step;
}

/// Checks one output of one sample against the data, by the rule of its kind of model.
inline void expect_output(const ThirdParty& model, int sample, int output, const Tensor& actual) {
  const Tensor expected = read_npy(model.output("expected", sample, output));
  ASSERT_EQ(actual.shape(), expected.shape());
  ASSERT_EQ(actual.type(), DataType::kF32);
  const std::span<const float> ours = actual.values<float>();
  const std::span<const float> theirs = expected.values<float>();
  if (model.is_quantized()) {
    // One flipped rounding grows through the layers: the distance to the same graph in double is the noise.
    const Tensor exact = read_npy(model.output("f64", sample, output));
    const double noise = cosine(exact.values<float>(), theirs);
    const bool classifier =
        theirs.size() == static_cast<std::size_t>(*std::ranges::max_element(expected.shape().dims()));
    EXPECT_TRUE(cosine(ours, theirs) >= noise - 0.001 || (classifier && largest(ours) == largest(theirs)))
        << "cosine " << cosine(ours, theirs) << ", noise " << noise;
  } else if (model.name.ends_with("_qlinear")) {
    // Integer arithmetic: exact, or one step of the output.
    for (std::size_t i = 0; i < theirs.size(); ++i) {
      ASSERT_LE(std::abs(static_cast<double>(ours[i]) - static_cast<double>(theirs[i])), 1.001 * step_of(theirs)) << i;
    }
  } else {
    EXPECT_LE(relative_difference(ours, theirs), std::max(1e-4, model.noise));
  }
}

}  // namespace sepal
