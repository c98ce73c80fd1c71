#pragma once

// Graphs made by hand for the writer's tests, and how two graphs are compared by what they compute.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "sepal/base/text.h"
#include "sepal/formats/onnx_proto.h"
#include "sepal/formats/onnx_write.h"
#include "sepal/formats/onnx_write_node.h"
#include "tests/interpret.h"

namespace sepal::onnx {

/// Seeded numbers: from -1 to 1 as a graph's first input, else above 0; integers of -3 to 3, or 0 and 1 where
/// they may be indices.
inline Tensor random_tensor(const TensorType& type, std::size_t input) {
  std::mt19937 random(static_cast<unsigned>(7 + input));
  Tensor tensor(type.type, type.shape);
  visit_type(type.type, [&]<typename T>() {
    for (T& value : tensor.values<T>()) {
      const float unit = static_cast<float>(random() % 2001) / 1000 - 1;
      if constexpr (std::is_same_v<T, bool>) {
        value = unit > 0;
      } else if constexpr (std::is_same_v<T, std::int64_t> || std::is_unsigned_v<T>) {
        value = static_cast<T>(random() % 2);
      } else if constexpr (std::is_integral_v<T>) {
        value = static_cast<T>(static_cast<int>(random() % 7) - 3);
      } else {
        value = T(input == 0 ? unit : std::abs(unit) + 0.05f);
      }
    }
  });
  return tensor;
}

inline std::vector<Tensor> run(const Graph& graph) {
  std::vector<Tensor> inputs;
  for (std::size_t i = 0; i < graph.inputs().size(); ++i)
    inputs.push_back(random_tensor(graph.type(graph.inputs()[i].value), i));
  std::vector<const Tensor*> pointers;
  for (const Tensor& input : inputs) pointers.push_back(&input);
  return interpret(graph, pointers);
}

inline double value_at(const Tensor& tensor, std::size_t index) {
  return visit_type(tensor.type(), [&]<typename T>() {
    if constexpr (std::is_same_v<T, Float16> || std::is_same_v<T, BFloat16>) {
      return static_cast<double>(static_cast<float>(tensor.values<T>()[index]));
    } else {
      return static_cast<double>(tensor.values<T>()[index]);
    }
  });
}

inline void expect_same_results(const Graph& expected, const Graph& found) {
  const std::vector<Tensor> a = run(expected);
  const std::vector<Tensor> b = run(found);
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(expected.outputs()[i].name, found.outputs()[i].name);
    ASSERT_EQ(a[i].type(), b[i].type());
    ASSERT_EQ(a[i].shape(), b[i].shape());
    for (std::size_t k = 0; k < static_cast<std::size_t>(a[i].elements()); ++k) {
      const double x = value_at(a[i], k);
      const double y = value_at(b[i], k);
      if (std::isnan(x) && std::isnan(y)) continue;
      ASSERT_NEAR(x, y, 1e-5 * std::max(1.0, std::abs(x))) << "element " << k << " of output " << i;
    }
  }
}

inline std::vector<std::string> operators_of(const Graph& graph) {
  const std::vector<std::byte> bytes = write(graph);
  const ModelProto model = parse_model(Bytes(bytes));
  std::vector<std::string> types;
  for (const NodeProto& node : model.graph->nodes) types.push_back(node.op_type);
  return types;
}

inline std::int64_t opset_of(const Graph& graph) {
  const std::vector<std::byte> bytes = write(graph);
  return parse_model(Bytes(bytes)).opsets.at(0).version;
}

/// One operator between inputs and outputs of the graph, as a reader makes it: what an image operator takes
/// and gives is transposed on the way, by nodes without a name.
inline Graph single(Op op, const std::vector<TensorType>& inputs) {
  Graph graph;
  graph.about.name = "single";
  std::vector<ValueId> values;
  for (std::size_t i = 0; i < inputs.size(); ++i) values.push_back(graph.add_input(format("x{}", i), inputs[i]));
  const std::uint32_t images = image_inputs(op);
  const auto is_image = [&](ValueId value) { return images != 0 && graph.shape(value).rank() > 2; };
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if ((images >> i & 1) != 0 && is_image(values[i])) {
      values[i] = graph.add(Transpose{channels_last(graph.shape(values[i]).rank())}, {values[i]});
    }
  }
  const auto results = graph.add_node(std::move(op), values, "node");
  std::vector<ValueId> outputs(results.begin(), results.end());
  for (ValueId& output : outputs) {
    if (is_image(output)) output = graph.add(Transpose{channels_first(graph.shape(output).rank())}, {output});
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) graph.add_output(format("y{}", i), outputs[i]);
  return graph;
}

inline TensorType f32(const Shape& shape) { return {DataType::kF32, shape}; }
inline TensorType i8(const Shape& shape) { return {DataType::kI8, shape}; }

inline Tensor numbers(const Shape& shape) { return random_tensor({DataType::kF32, shape}, 1); }

inline const Window kWindow{{3, 2}, {2, 1}, {1, 2}, {1, 0, 2, 1}};

inline Resize resize(const Shape& size, std::array<float, 6> scales, Resample how) {
  how.scales = scales;
  return {how, size};
}

}  // namespace sepal::onnx
