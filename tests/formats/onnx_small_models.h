#pragma once

// Models to damage: small ones of our own making, and the smallest of the test data.

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <vector>

#include "sepal/base/mapped_file.h"
#include "tests/formats/onnx_builder.h"
#include "tests/test_data.h"

namespace sepal::onnx {

/// Small models that between them have most parts of the format in them.
inline std::vector<std::vector<std::byte>> small_models() {
  using List = std::vector<std::int64_t>;
  std::vector<std::vector<std::byte>> models;
  models.push_back(Model{
      .nodes = {node("Conv", {"x", "w", "b"}, {"a"},
                     {attribute("pads", List{1, 1, 1, 1}), attribute("strides", List{2, 1})}, "conv"),
                node("BatchNormalization", {"a", "b", "b", "b", "b"}, {"n"}), node("Clip", {"n", "low", "high"}, {"c"}),
                node("MaxPool", {"c"}, {"p"},
                     {attribute("kernel_shape", List{2, 2}), attribute("auto_pad", "SAME_UPPER")}),
                node("ConvTranspose", {"p", "w"}, {"t"},
                     {attribute("output_padding", List{1, 1}), attribute("strides", List{2, 2})}),
                node("GlobalAveragePool", {"t"}, {"g"}), node("Flatten", {"g"}, {"f"}),
                node("Gemm", {"f", "m", "b"}, {"s"}, {attribute("alpha", 0.5f), attribute("transB", 1)}),
                node("Softmax", {"s"}, {"y"}, {attribute("axis", -1)})},
      .inputs = {value_info("x", {"N", 2, 8, 8})},
      .initializers = {floats("w", {2, 2, 3, 3}, std::vector<float>(36, 0.5f)), floats("b", {2}, {1, 2}),
                       floats("low", {}, {0}), floats("high", {}, {6}), floats("m", {2, 2}, {1, 2, 3, 4})}}
                       .bytes());
  models.push_back(Model{
      .nodes = {node("Shape", {"x"}, {"s"}), node("Slice", {"s", "l0", "l2", "l0", "l1"}, {"d"}),
                node("Cast", {"d"}, {"e"}, {attribute("to", kFloat)}),
                node("Cast", {"e"}, {"h"}, {attribute("to", kInt64)}),
                node("Concat", {"h", "rest"}, {"t"}, {attribute("axis", 0)}), node("Reshape", {"x", "t"}, {"r"}),
                node("ConstantOfShape", {"t2"}, {"o"}, {tensor_attribute("value", floats("", {1}, {2}))}),
                node("Expand", {"o", "t2"}, {"z"}), node("Tile", {"z", "t2"}, {"u"}),
                node("Range", {"i0", "i9", "i1"}, {"q"}), node("Gather", {"q", "l2"}, {"v"}),
                node("Resize", {"r", "", "", "sizes"}, {"k"}, {attribute("mode", "linear")}),
                node("Split", {"k"}, {"y", "y2"}, {attribute("axis", 2), attribute("num_outputs", 2)}),
                node("Pad", {"y2", "pads"}, {"y3"}, {attribute("mode", "edge")})},
      .inputs = {value_info("x", {1, 2, 3, 4})},
      .initializers = {list("l0", {0}), list("l1", {1}), list("l2", {2}), list("rest", {-1, 4}), list("t2", {2, 3}),
                       integers("i0", {}, {0}), integers("i9", {}, {9}), integers("i1", {}, {1}),
                       list("sizes", {1, 2, 6, 8}), list("pads", {0, 0, 1, 1, 0, 0, 1, 1})},
      .outputs = {value_info("y", {}), value_info("y3", {}), value_info("u", {}), value_info("v", {}, kInt64)}}
                       .bytes());
  models.push_back(
      Model{.nodes = {node("QuantizeLinear", {"x", "scale", "zero"}, {"a"}),
                      node("QLinearConv", {"a", "scale", "zero", "w", "scale", "zero", "scale", "zero"}, {"b"}),
                      node("DequantizeLinear", {"b", "scale", "zero"}, {"c"}), node("Mul", {"c", "scale"}, {"d"}),
                      node("ReduceMean", {"d", "axes"}, {"y"}, {attribute("keepdims", 0)})},
            .initializers = {floats("scale", {}, {0.1f}), tensor("zero", kUint8, {}).numbers(5, {128}),
                             tensor("w", kUint8, {1, 2, 1, 1}).text(9, "ab"), list("axes", {2, 3})}}
          .bytes());
  return models;
}

/// Models and operator tests of others, each of less than 300 KB; none without test data.
inline std::vector<std::vector<std::byte>> small_models_of_others() {
  if (test_data().empty()) return {};
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(test_data() / "models")) {
    if (entry.path().extension() == ".onnx" && entry.file_size() < 300'000) paths.push_back(entry.path());
  }
  for (const char* test : {"test_layer_normalization_2d_axis0_expanded", "test_Conv1d", "test_operator_chunk",
                           "test_resize_upsample_sizes_cubic"}) {
    paths.push_back(test_data() / "onnx-node-tests" / test / "model.onnx");
  }
  std::sort(paths.begin(), paths.end());
  std::vector<std::vector<std::byte>> models;
  for (const std::filesystem::path& path : paths) {
    const MappedFile file(path);
    models.emplace_back(file.bytes().begin(), file.bytes().end());
  }
  return models;
}

}  // namespace sepal::onnx
