// What the writer says beside the operators: opsets, names, constants, metadata; and what it refuses.

#include "sepal/formats/onnx_write.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "sepal/formats/onnx_read.h"
#include "sepal/formats/onnx_write_proto.h"
#include "tests/formats/onnx_write_graphs.h"
#include "tests/raises.h"

namespace sepal::onnx {
namespace {

using enum DataType;

TEST(OnnxWrite, ReductionsTakeTheirAxesAsTheOpsetHasIt) {
  // Mish lifts the opset to 18, where axes are inputs.
  for (const bool mish : {false, true}) {
    Graph graph;
    graph.about.name = "g";
    ValueId x = graph.add_input("x", f32({2, 3, 4}));
    if (mish) x = graph.add(Unary{UnaryKind::kMish}, {x}, "mish");
    graph.add_output("y", graph.add(Reduce{ReduceKind::kMin, {0, 2}, true}, {x}, "least"));
    graph.add_output("z", graph.add(Reduce{ReduceKind::kSum, {1}, false}, {x}, "sum"));
    const std::vector<std::byte> bytes = write(graph);
    const ModelProto model = parse_model(Bytes(bytes));
    const std::vector<NodeProto>& nodes = model.graph->nodes;
    EXPECT_EQ(model.opsets[0].version, mish ? 18 : 17);
    EXPECT_EQ(nodes[nodes.size() - 2].inputs.size(), mish ? 2u : 1u);
    EXPECT_EQ(nodes.back().inputs.size(), 2u);
    EXPECT_TRUE(read(bytes) == graph);
  }
}

TEST(OnnxWrite, AnIrVersionThatKnowsTheOpset) {
  const auto ir_version = [](const Op& op, const std::vector<TensorType>& inputs) {
    const std::vector<std::byte> bytes = write(single(op, inputs));
    return parse_model(Bytes(bytes)).ir_version;
  };
  EXPECT_EQ(ir_version(Unary{UnaryKind::kRelu}, {f32({2})}), 8);
  EXPECT_EQ(ir_version(Unary{UnaryKind::kMish}, {f32({2})}), 8);
  EXPECT_EQ(ir_version(Unary{UnaryKind::kGelu}, {f32({2})}), 9);
  EXPECT_EQ(ir_version(GroupNorm{1, 1e-3f}, {f32({2, 2}), f32({2}), f32({2})}), 10);
}

TEST(OnnxWrite, WhatIsAbsorbedBecomesNodesAgain) {
  struct Activation {
    Unary function;
    std::vector<std::string> operators;
  };
  const Activation activations[] = {
      {{}, {"Conv"}},
      {{UnaryKind::kRelu}, {"Conv", "Relu"}},
      {{UnaryKind::kClip, 0, 6}, {"Conv", "Clip"}},
      {{UnaryKind::kHardSwish}, {"Conv", "HardSwish"}},
      {{UnaryKind::kSwish, 1}, {"Conv", "Sigmoid", "Mul"}},
      {{UnaryKind::kSwish, 1.702f}, {"Conv", "Mul", "Sigmoid", "Mul"}},
      {{UnaryKind::kGelu}, {"Conv", "Gelu"}},
  };
  for (const auto& [function, operators] : activations) {
    SCOPED_TRACE(name_of(function.kind));
    const Graph graph = single(Conv2d{kWindow, 1, function}, {f32({1, 2, 7, 6}), f32({3, 2, 3, 2}), f32({3})});
    EXPECT_EQ(operators_of(graph), operators);
    expect_same_results(graph, read(write(graph)));
  }
}

TEST(OnnxWrite, SwishAndIdentityComputeTheSame) {
  for (const Unary function : {Unary{UnaryKind::kSwish, 1}, Unary{UnaryKind::kSwish, 0.5f}, Unary{}}) {
    const Graph graph = single(function, {f32({2, 3})});
    EXPECT_EQ(opset_of(graph), 17);
    expect_same_results(graph, read(write(graph)));
  }
}

TEST(OnnxWrite, EndsOfTheGraphKeepTheirNames) {
  Graph graph;
  graph.about.name = "ends";
  const ValueId x = graph.add_input("x", f32({2, 3}));
  const ValueId unused = graph.add_input("unused", {kI64, {1}});
  const ValueId y = graph.add(Unary{UnaryKind::kRelu}, {x}, "relu");
  graph.add_output("y", y);
  graph.add_output("y again", y);
  graph.add_output("x", x);
  graph.add_output("x under another name", x);
  graph.add_output("constant", graph.add_constant(numbers({2})));
  graph.add_output("unused too", unused);
  const Graph again = read(write(graph));
  EXPECT_TRUE(graph == again);
  expect_same_results(graph, again);
}

TEST(OnnxWrite, NamesOfTheWritersOwnNeverCollide) {
  Graph graph;
  graph.about.name = "names";
  const ValueId x = graph.add_input("node", f32({2, 3}));
  const ValueId a = graph.add(Binary{}, {x, graph.add_constant(numbers({3}))}, "node/1");
  const ValueId b = graph.add(Reshape{{3, 2}}, {a}, "node");
  graph.add_output("node/shape", graph.add(Unary{UnaryKind::kAbs}, {b}, "abs"));
  graph.add_output("y", graph.add(Unary{UnaryKind::kAbs}, {b}, "node/shape"));
  EXPECT_TRUE(read(write(graph)) == graph);
}

TEST(OnnxWrite, NodesOfOneNameAreToldApart) {
  Graph graph;
  const ValueId x = graph.add_input("x", f32({2, 3}));
  graph.add_output("y", graph.add(Unary{UnaryKind::kAbs}, {graph.add(Unary{UnaryKind::kExp}, {x}, "node")}, "node"));
  const Graph again = read(write(graph));
  EXPECT_EQ(again.nodes()[0].name, "node");
  EXPECT_EQ(again.nodes()[1].name, "node.1");
}

TEST(OnnxWrite, AConstantIsWrittenOnceInEachOrder) {
  Graph graph;
  const ValueId x = graph.add(Transpose{channels_last(4)}, {graph.add_input("x", f32({1, 2, 4, 6}))});
  const Constant shared = std::make_shared<const Tensor>(numbers({2, 1, 1, 2}));
  const ValueId a = graph.add(Conv2d{}, {x, graph.add_constant(shared)}, "a");
  const ValueId b = graph.add(Conv2d{}, {a, graph.add_constant(shared)}, "b");
  graph.add_output("y", graph.add(Transpose{channels_first(4)}, {b}));
  graph.add_output("filter", graph.add(Unary{UnaryKind::kAbs}, {graph.add_constant(shared)}, "abs"));
  const std::vector<std::byte> bytes = write(graph);
  EXPECT_EQ(parse_model(Bytes(bytes)).graph->initializers.size(), 2u);
  expect_same_results(graph, read(bytes));
}

TEST(OnnxWrite, WhatAFileSaysAboutItselfSurvives) {
  Graph graph = single(Unary{UnaryKind::kRelu}, {f32({2})});
  graph.about = {.name = "a network",
                 .documentation = "two\nlines",
                 .producer = "someone",
                 .producer_version = "1.2",
                 .domain = "org.example",
                 .version = 7,
                 .properties = {{"sepal.labels", "cat\ndog"}, {"empty", ""}, {"name", "caf\xc3\xa9"}}};
  EXPECT_TRUE(read(write(graph)).about == graph.about);
}

TEST(OnnxWrite, EveryTypeOfConstantSurvives) {
  for (const DataType type : {kF32, kF16, kBF16, kI8, kU8, kI16, kU16, kI32, kI64, kBool}) {
    SCOPED_TRACE(name_of(type));
    Graph graph;
    graph.about.name = "constants";
    graph.add_input("x", f32({1}));
    graph.add_output("scalar", graph.add_constant(random_tensor({type, {}}, 0)));
    graph.add_output("matrix", graph.add_constant(random_tensor({type, {2, 3}}, 0)));
    graph.add_output("nothing", graph.add_constant(random_tensor({type, {2, 0}}, 0)));
    EXPECT_TRUE(read(write(graph)) == graph);
  }
}

TEST(OnnxWrite, ToAFile) {
  const std::filesystem::path path = std::filesystem::path(testing::TempDir()) / "sepal_onnx_write_test.onnx";
  const Graph graph = single(Unary{UnaryKind::kRelu}, {f32({2})});
  write(path, graph);
  EXPECT_TRUE(read(path) == graph);
  std::filesystem::remove(path);
}

TEST(OnnxWrite, RefusesWhatOnnxCannotSay) {
  Graph graph;
  const ValueId x = graph.add_input("x", f32({2}));
  graph.add_output("x", graph.add(Unary{UnaryKind::kRelu}, {x}, "relu"));
  EXPECT_TRUE(raises([&] { write(graph); }, "\"x\" is the name of an input and of an output that differs from it",
                     ErrorKind::kInvalid));
  EXPECT_TRUE(raises([&] { write("some/where.onnx", graph); },
                     "some/where.onnx: \"x\" is the name of an input and of an output that differs from it",
                     ErrorKind::kInvalid));
  EXPECT_TRUE(raises([&] { write(single(Reduce{.axes = {}}, {f32({2})})); },
                     "node: a reduction over no axes has no ONNX form", ErrorKind::kUnsupported));
  EXPECT_TRUE(raises([&] { write(single(BatchMoments{}, {f32({2, 3})})); },
                     "node: batch_moments belongs to training and has no ONNX form", ErrorKind::kUnsupported));
  EXPECT_TRUE(raises([&] { write(single(resize({5, 5}, {2, 3, 1, 1, 1, 1}, {}), {f32({2, 2})})); },
                     "node: a resize of 2x2 to 5x5 by other scales has no ONNX form", ErrorKind::kUnsupported));
}

TEST(OnnxWrite, RefusesMoreBytesThanProtobufHas) {
  Graph graph;
  graph.add_output("y",
                   graph.add(Binary{}, {graph.add_input("x", f32({1})), graph.add_constant(numbers({100}))}, "add"));
  const Lowered lowered = lower(graph);
  const std::size_t size = serialise(lowered.model).size();
  EXPECT_EQ(serialise(lowered.model, size).size(), size);
  EXPECT_TRUE(raises([&] { serialise(lowered.model, size - 1); },
                     format("{} bytes, but an ONNX file has at most {}", size, size - 1), ErrorKind::kInvalid));
  // Before anything is copied.
  EXPECT_TRUE(raises([&] { serialise(lowered.model, 399); }, "400 bytes, but an ONNX file has at most 399",
                     ErrorKind::kInvalid));
}

}  // namespace
}  // namespace sepal::onnx
