// The ONNX project's own operator tests (test data: onnx-node-tests): each is a model of one or a few nodes
// with inputs and expected outputs. Every one that ONNX Runtime passes is run here through the reader and the
// reference kernels; at least 97 in a hundred must agree, and each that does not stands in docs/ONNX.md.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "sepal/base/mapped_file.h"
#include "sepal/base/text.h"
#include "sepal/formats/onnx_read.h"
#include "sepal/formats/onnx_tensor.h"
#include "tests/interpret.h"
#include "tests/test_data.h"

namespace sepal::onnx {
namespace {

namespace fs = std::filesystem;

// As the README of the test data says.
constexpr double kRelative = 1e-3;
constexpr double kAbsolute = 1e-5;

Tensor read_pb(const fs::path& path) {
  const MappedFile file(path);
  ExternalFiles none{{}};
  return to_tensor(parse_tensor(file.bytes()), none);
}

double value_at(const Tensor& tensor, std::size_t index) {
  return visit_type(tensor.type(), [&]<typename T>() {
    if constexpr (std::is_same_v<T, Float16> || std::is_same_v<T, BFloat16>) {
      return static_cast<double>(static_cast<float>(tensor.values<T>()[index]));
    } else {
      return static_cast<double>(tensor.values<T>()[index]);
    }
  });
}

/// What is wrong with `found`, or "".
std::string difference(const Tensor& found, const Tensor& expected) {
  if (found.type() != expected.type() || found.shape() != expected.shape()) {
    return format("{} {} instead of {} {}", name_of(found.type()), to_string(found.shape()), name_of(expected.type()),
                  to_string(expected.shape()));
  }
  for (std::size_t i = 0; i < static_cast<std::size_t>(found.elements()); ++i) {
    const double a = value_at(found, i);
    const double b = value_at(expected, i);
    const bool same =
        a == b || (std::isnan(a) && std::isnan(b)) || std::abs(a - b) <= kAbsolute + kRelative * std::abs(b);
    if (!same) return format("element {} is {} instead of {}", i, a, b);
  }
  return {};
}

/// Runs the test in that folder; what is wrong, or "".
std::string run(const fs::path& folder) {
  try {
    const Source source = Source::open(folder / "model.onnx");
    const fs::path data = folder / "test_data_set_0";
    std::vector<Tensor> inputs;
    Bindings bindings;
    for (std::size_t i = 0; i < source.inputs().size(); ++i) inputs.push_back(read_pb(data / format("input_{}.pb", i)));
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      bindings.emplace(source.inputs()[i].name, Binding{inputs[i].shape(), &inputs[i]});
    }
    std::vector<const Tensor*> pointers;
    for (const Tensor& input : inputs) pointers.push_back(&input);
    const std::vector<Tensor> outputs = interpret(source.graph(bindings), pointers);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const std::string wrong = difference(outputs[i], read_pb(data / format("output_{}.pb", i)));
      if (!wrong.empty()) return format("output {}: {}", i, wrong);
    }
    return {};
  } catch (const Error& error) {
    return error.what();
  }
}

/// Three spatial axes, strings and training are outside of what this library does.
bool is_outside(const std::string& name) {
  const auto has = [&](std::string_view part) { return name.find(part) != std::string::npos; };
  return has("onv3d") || has("Pool3d") || has("pool_3d") || has("convtranspose_3d") || has("STRING") ||
         has("training_mode") || (has("training_dropout") && !has("zero_ratio"));
}

struct Case {
  std::string name;
  bool passes = false;  ///< in ONNX Runtime
};

std::vector<Case> read_index(const fs::path& path) {
  std::ifstream file(path);
  std::vector<Case> cases;
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    std::istringstream columns(line);
    std::string name, op, opset, result;
    std::getline(columns, name, '\t');
    std::getline(columns, op, '\t');
    std::getline(columns, opset, '\t');
    std::getline(columns, result, '\t');
    cases.push_back({name, result == "pass"});
  }
  return cases;
}

TEST(OnnxNodeTests, NinetySevenInAHundredOfThoseThatOnnxRuntimePasses) {
  SEPAL_NEEDS_TEST_DATA();
  const fs::path root = test_data() / "onnx-node-tests";
  std::ifstream document(fs::path(SEPAL_SOURCE_DIR) / "docs" / "ONNX.md");
  const std::string documented((std::istreambuf_iterator<char>(document)), std::istreambuf_iterator<char>());
  int counted = 0, passed = 0, others = 0, others_passed = 0;
  for (const Case& test : read_index(root / "INDEX.tsv")) {
    if (is_outside(test.name)) continue;
    const std::string wrong = run(root / test.name);
    (test.passes ? counted : others) += 1;
    if (wrong.empty()) (test.passes ? passed : others_passed) += 1;
    if (wrong.empty()) continue;
    std::cout << (test.passes ? "fails: " : "fails, as in ONNX Runtime: ") << test.name << ": " << wrong << '\n';
    EXPECT_NE(documented.find(test.name), std::string::npos)
        << test.name << " fails, and docs/ONNX.md does not say why";
  }
  std::cout << passed << " of " << counted << " pass; of those that ONNX Runtime does not pass, " << others_passed
            << " of " << others << '\n';
  ASSERT_GT(counted, 500);
  EXPECT_GE(passed * 100, counted * 97);
}

}  // namespace
}  // namespace sepal::onnx
