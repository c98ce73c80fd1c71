#include "sepal/model/model.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <thread>

#include "sepal/base/mapped_file.h"
#include "sepal/formats/onnx_write.h"
#include "sepal/plan/plan.h"
#include "tests/optimize/same.h"
#include "tests/raises.h"

namespace sepal {
namespace {

/// x [1, 3, 8, 8] -> a 3 x 3 convolution, relu, the mean over the image: scores [1, 4].
Graph network() {
  Graph graph;
  const ValueId x = graph.add_input("image", {DataType::kF32, {1, 3, 8, 8}});
  const ValueId last = graph.add(Transpose{channels_last(4)}, {x});
  const Conv2d op{.window = {.kernel = {3, 3}, .padding = {1, 1, 1, 1}}};
  const ValueId conv =
      graph.add(op, {last, graph.add_constant(noise({4, 3, 3, 3}, 1)), graph.add_constant(noise({4}, 2))}, "conv");
  const ValueId relu = graph.add(Unary{UnaryKind::kRelu}, {graph.add(Transpose{channels_first(4)}, {conv})}, "relu");
  graph.add_output("scores", graph.add(Reduce{ReduceKind::kMean, {2, 3}, false}, {relu}, "mean"));
  graph.about.properties = {{"sepal.labels", "cat\ndog\r\nbird\n\nlast"},
                            {"sepal.mean", "0.5"},
                            {"sepal.std", "0.5"},
                            {"sepal.resize", "stretch"}};
  return graph;
}

Model loaded(const LoadOptions& options = {}) { return Model::from_bytes(onnx::write(network()), options, "net"); }

TEST(Model, RunsAndTellsOfItself) {
  const Model model = loaded({.threads = 2});
  EXPECT_EQ(model.name(), "net");
  EXPECT_EQ(model.threads(), 2);
  ASSERT_EQ(model.inputs().size(), 1u);
  EXPECT_EQ(model.inputs()[0].name, "image");
  EXPECT_EQ(model.inputs()[0].text, "1x3x8x8");
  EXPECT_FALSE(model.inputs()[0].is_free());
  EXPECT_EQ(model.outputs()[0].name, "scores");
  const ImageFormat format = model.image_format();
  EXPECT_EQ(format.size, (Extent{8, 8}));
  EXPECT_EQ(format.fit, Fit::kStretch);
  EXPECT_EQ(model.labels(), (std::vector<std::string>{"cat", "dog", "bird", "", "last"}));
  EXPECT_LE(distance(outputs_of(network())[0], model.run(noise({1, 3, 8, 8}, 1))), 1e-6);
  EXPECT_GT(Model(model).threads(), 0);  // a copy shares everything
}

TEST(Model, IsLoadedFromAFile) {
  const auto path =
      std::filesystem::path(testing::TempDir()) / ("sepal_model_test." + std::to_string(::getpid()) + ".onnx");
  onnx::write(path, network());
  const Model model = Model::load(path);
  EXPECT_EQ(model.name(), path.string());
  EXPECT_EQ(model.run(noise({1, 3, 8, 8}, 1)).shape(), (Shape{1, 4}));
  std::filesystem::remove(path);
  EXPECT_TRUE(raises([&] { Model::load(path); }, path.string() + ": cannot be opened: No such file or directory",
                     ErrorKind::kIo));
}

TEST(Model, SaysWhatDoesNotSuitIt) {
  const Model model = loaded();
  EXPECT_TRUE(raises([&] { model.run(noise({1, 3, 8, 9}, 1)); },
                     "net: input \"image\" is f32 1x3x8x8, but the tensor given is f32 1x3x8x9", ErrorKind::kInvalid));
  EXPECT_TRUE(raises([&] { model.run(Tensor(DataType::kI64, {1, 3, 8, 8})); },
                     "net: input \"image\" is f32 1x3x8x8, but the tensor given is i64 1x3x8x8"));
  EXPECT_TRUE(
      raises([&] { model.run(std::span<const Tensor* const>()); }, "net: 0 tensors for 1 inputs", ErrorKind::kInvalid));
  EXPECT_TRUE(raises([&] { loaded({.shapes = {{"imgae", {1}}}}); },
                     "net: a shape is given for \"imgae\", but the inputs are \"image\"; did you mean \"image\"?",
                     ErrorKind::kInvalid));
  EXPECT_TRUE(raises([&] { loaded({.memory_limit = 16}); }, "net: activations need 1.8 KiB, but the limit is 16 B",
                     ErrorKind::kMemory));
}

TEST(Model, ManyThreadsMayRunIt) {
  const Model model = loaded({.threads = 2});
  const Tensor input = noise({1, 3, 8, 8}, 1);
  const Tensor expected = model.run(input);
  std::array<int, 4> same{};
  std::vector<std::thread> callers;
  for (std::size_t i = 0; i < same.size(); ++i) {
    callers.emplace_back([&, i] {
      for (int round = 0; round < 20; ++round) same[i] += identical(model.run(input), expected) ? 1 : 0;
    });
  }
  for (std::thread& caller : callers) caller.join();
  for (const int count : same) EXPECT_EQ(count, 20);
}

}  // namespace
}  // namespace sepal
