#include "sepal/model/model.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <thread>

#include "sepal/base/mapped_file.h"
#include "sepal/formats/onnx_write.h"
#include "sepal/plan/plan.h"
#include "tests/formats/onnx_builder.h"
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
  EXPECT_TRUE(raises([&] { loaded({.memory_limit = 16}); },
                     "net: transpose: its output f32 1x8x8x3 takes 768 B, but the limit is 16 B", ErrorKind::kInvalid));
}

TEST(Model, IsSavedAsReadAndOptimised) {
  const auto path =
      std::filesystem::path(testing::TempDir()) / ("sepal_save_test." + std::to_string(::getpid()) + ".onnx");
  const Model model = loaded();
  const Tensor input = noise({1, 3, 8, 8}, 1);
  for (const Model::Form form : {Model::Form::kAsRead, Model::Form::kOptimized}) {
    model.save(path, form);
    const Model again = Model::load(path);
    EXPECT_EQ(again.properties(), model.properties());
    EXPECT_LE(distance(model.run(input), again.run(input)), 1e-6);
  }
  EXPECT_EQ(*Model::load(path).prepared().imported == *model.prepared().imported, false);
  model.save(path);
  EXPECT_TRUE(*Model::load(path).prepared().imported == *model.prepared().imported);
  std::filesystem::remove(path);
}

TEST(Model, PlansEachShapeOnce) {
  // Loading has planned the one shape that there is; a run finds that plan.
  const Model model = loaded();
  const auto before = model.prepared().plan;
  const Tensor output = model.run(noise({1, 3, 8, 8}, 1));
  EXPECT_EQ(model.prepared().plan, before);

  // The first axis free: plans are kept for four shapes.
  const std::vector<std::byte> bytes =
      onnx::Model{.nodes = {onnx::node("Relu", {"x"}, {"y"})}, .inputs = {onnx::value_info("x", {"N", 2})}}.bytes();
  const Model free = Model::from_bytes(bytes, {}, "free");
  EXPECT_TRUE(free.inputs()[0].is_free());
  for (int round = 0; round < 2; ++round) {
    for (const std::int64_t n : {1, 2, 3, 4, 5, 6}) {
      const Tensor input = noise({n, 2}, 7);
      const Tensor result = free.run(input);
      ASSERT_EQ(result.shape(), (Shape{n, 2}));
      for (std::size_t i = 0; i < result.values<float>().size(); ++i) {
        EXPECT_EQ(result.values<float>()[i], std::max(input.values<float>()[i], 0.0f));
      }
    }
  }
  EXPECT_TRUE(raises([&] { free.run(noise({2, 3}, 1)); },
                     "free: input \"x\" is f32 Nx2, but the tensor given is f32 2x3", ErrorKind::kInvalid));
  EXPECT_THROW(free.prepared(), Error);
  EXPECT_EQ(Model::from_bytes(bytes, {.shapes = {{"x", {3, 2}}}}, "free").prepared().plan->steps().size(), 1u);
}

TEST(Model, RunsWithoutItsGraphs) {
  const Model model = loaded({.keep_graphs = false});
  const Tensor input = noise({1, 3, 8, 8}, 1);
  EXPECT_TRUE(identical(model.run(input), loaded().run(input)));
  const Model::Prepared prepared = model.prepared();
  EXPECT_EQ(prepared.imported, nullptr);
  EXPECT_EQ(prepared.optimized, nullptr);
  EXPECT_FALSE(prepared.plan->steps().empty());
  EXPECT_EQ(prepared.output_shapes, (std::vector<Shape>{{1, 4}}));
  EXPECT_EQ(loaded().prepared().output_shapes, prepared.output_shapes);
  EXPECT_EQ(model.labels().size(), 5u) << "metadata stays";
  EXPECT_TRUE(raises([&] { model.save("never.onnx"); },
                     "net: cannot be saved, since it was loaded without keeping its graphs", ErrorKind::kInvalid));

  // With a free axis there may be more plans, so the file's own graph stays.
  const Model free = Model::from_bytes(
      onnx::Model{.nodes = {onnx::node("Relu", {"x"}, {"y"})}, .inputs = {onnx::value_info("x", {"N", 2})}}.bytes(),
      {.keep_graphs = false});
  for (const std::int64_t n : {1, 2, 3, 4, 5, 6, 1}) EXPECT_EQ(free.run(noise({n, 2}, 7)).shape(), (Shape{n, 2}));
}

TEST(Model, ThreadsMayAskForDifferentShapesAtOnce) {
  const std::vector<std::byte> bytes =
      onnx::Model{.nodes = {onnx::node("Relu", {"x"}, {"y"})}, .inputs = {onnx::value_info("x", {"N", 2})}}.bytes();
  const Model model = Model::from_bytes(bytes);
  std::array<int, 6> good{};
  std::vector<std::thread> callers;
  for (std::size_t i = 0; i < good.size(); ++i) {
    callers.emplace_back([&, i] {
      for (int round = 0; round < 10; ++round) {
        const Shape shape{static_cast<std::int64_t>(1 + (i + static_cast<std::size_t>(round)) % 3), 2};
        good[i] += model.run(noise(shape, 3)).shape() == shape ? 1 : 0;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  for (const int count : good) EXPECT_EQ(count, 10);
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

TEST(Model, ANetworkOfTheZooStandsWhereAFileWould) {
  const Model model = Model::load("ds_cnn_s:classes=3", {.threads = 1});
  EXPECT_EQ(model.name(), "ds_cnn_s:classes=3");
  EXPECT_EQ(model.run(noise({1, 49, 10, 1}, 1)).shape(), Shape({1, 3}));
  EXPECT_TRUE(
      raises([] { Model::load("ds_cnn_z"); }, "no model \"ds_cnn_z\"; did you mean \"ds_cnn_s\"?", ErrorKind::kUsage));
  EXPECT_TRUE(
      raises([] { Model::load("ds_cnn_s:size=3"); },
             "ds_cnn_s: size cannot be chosen: its input is 49 frames of 10 features; it has classes, batch, seed",
             ErrorKind::kUsage));
  EXPECT_TRUE(raises([] { Model::load("model"); },
                     "no model \"model\"; there is no such file, nor is it a network of the zoo", ErrorKind::kUsage));
  EXPECT_THROW(Model::load("no/mobilenet_v1"), Error);  // what looks like a path is one
}

TEST(Model, AFolderHidesNoNetwork) {
  const auto folder = std::filesystem::path(testing::TempDir()) / ("sepal_model_test." + std::to_string(::getpid()));
  std::filesystem::create_directories(folder / "ds_cnn_s");
  std::filesystem::create_directories(folder / "weights");
  std::filesystem::current_path(folder);
  EXPECT_EQ(Model::load("ds_cnn_s").name(), "ds_cnn_s");
  EXPECT_TRUE(raises([] { Model::load("weights"); }, "weights: is a folder, not a file", ErrorKind::kIo));
  onnx::write("ds_cnn_m", network());
  EXPECT_EQ(Model::load("ds_cnn_m").inputs()[0].name, "image") << "a file comes first";
  std::filesystem::current_path(folder.parent_path());
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace sepal
