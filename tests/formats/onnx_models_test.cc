// Networks that others made (test data: models): every one is read and gives a graph, and the small ones give
// the numbers expected of them, by the reference kernels alone. That all do so through plans is tested in
// tests/model.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "sepal/formats/npy.h"
#include "sepal/formats/onnx_read.h"
#include "tests/interpret.h"
#include "tests/test_data.h"
#include "tests/third_party.h"

namespace sepal::onnx {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> models() {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::recursive_directory_iterator(test_data() / "models")) {
    if (entry.path().extension() == ".onnx") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

/// Numbers of the inputs input_K.npy in that folder, and each input.
std::map<std::string, Tensor> inputs_of(const fs::path& folder) {
  std::map<std::string, Tensor> inputs;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("input_")) inputs.emplace(name.substr(6, name.size() - 10), read_npy(entry.path()));
  }
  return inputs;
}

TEST(OnnxModels, AllGiveAGraph) {
  SEPAL_NEEDS_TEST_DATA();
  int count = 0;
  for (const fs::path& path : models()) {
    SCOPED_TRACE(path.string());
    const Source source = Source::open(path);
    EXPECT_TRUE(source.value_inputs().empty());
    ASSERT_EQ(source.inputs().size(), 1u);
    const std::map<std::string, Tensor> inputs = inputs_of(path.parent_path());
    ASSERT_FALSE(inputs.empty());
    const Graph graph = source.graph({{source.inputs()[0].name, {.shape = inputs.begin()->second.shape()}}});
    EXPECT_EQ(graph.outputs().size(), source.outputs().size());
    EXPECT_GT(graph.nodes().size(), 5u);
    for (const Port& output : graph.outputs()) EXPECT_FALSE(graph.is_constant(output.value)) << output.name;
    ++count;
  }
  EXPECT_EQ(count, 41);
}

TEST(OnnxModels, TheSmallOnesGiveTheExpectedNumbers) {
  SEPAL_NEEDS_TEST_DATA();
  const struct {
    const char* folder;
    const char* file;
    double tolerance;  ///< float networks 1e-4; quantised ones a step or two of their output
  } table[] = {
      {"mini_xception_gender", "model.onnx", 1e-4},     {"ppocr_mobile_cls", "model.onnx", 1e-4},
      {"ppocr_mobile_cls", "model_dynamic.onnx", 1e-4}, {"kws_dscnn_qlinear", "model.onnx", 1.0 / 128},
      {"kws_dscnn_int8", "model.onnx", 0.02},           {"micro_speech_int8", "model.onnx", 0.02},
  };
  for (const auto& [folder, file, tolerance] : table) {
    SCOPED_TRACE(std::string(folder) + "/" + file);
    const fs::path root = test_data() / "models" / folder;
    const Source source = Source::open(root / file);
    for (const auto& [number, input] : inputs_of(root)) {
      const Graph graph = source.graph({{source.inputs()[0].name, {.shape = input.shape()}}});
      const Tensor* pointer = &input;
      const std::vector<Tensor> outputs = interpret(graph, std::span(&pointer, 1));
      for (std::size_t i = 0; i < outputs.size(); ++i) {
        const std::string suffix = outputs.size() > 1 ? "_" + std::to_string(i) : "";
        const Tensor expected = read_npy(root / ("expected_" + number + suffix + ".npy"));
        ASSERT_EQ(outputs[i].shape(), expected.shape());
        EXPECT_LE(relative_difference(outputs[i].values<float>(), expected.values<float>()), tolerance)
            << "input " << number << ", output " << i;
      }
    }
  }
}

}  // namespace
}  // namespace sepal::onnx
