// Plans against the reference: every kernel row in a graph of its own, memory that is shared and reused, and
// the promise that threads change no bit.

#include "sepal/plan/plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <thread>

#include "tests/optimize/same.h"
#include "tests/plan/count_allocations.h"
#include "tests/plan/net.h"
#include "tests/raises.h"

namespace sepal {
namespace {

struct Row {
  const char* why;
  const char* kernel;
  std::function<ValueId(Net&)> build;
};

TEST(Plan, EveryRowOfTheTableAgreesWithTheReference) {
  const Unary hard_swish{UnaryKind::kHardSwish};
  const std::vector<Row> kRows = {
      {"1 x 1", "pointwise f32",
       [&](Net& n) { return n.conv(n.input({2, 7, 9, 13}), {.activation = hard_swish}, 37); }},
      {"no bias", "pointwise f32", [](Net& n) { return n.conv(n.input({1, 7, 9, 13}), {}, 5, false); }},
      {"few rows, many channels: threads divide channels", "pointwise f32",
       [](Net& n) { return n.conv(n.input({1, 3, 3, 700}), {}, 500); }},
      {"3 x 3 per channel", "depthwise f32",
       [&](Net& n) {
         return n.conv(n.input({2, 11, 9, 13}),
                       {.window = {.kernel = {3, 3}, .stride = {2, 1}, .padding = {0, 1, 2, 0}},
                        .groups = 13,
                        .activation = hard_swish},
                       13);
       }},
      {"two filters a channel", "depthwise f32",
       [](Net& n) {
         return n.conv(n.input({1, 11, 9, 6}), {.window = {.kernel = {5, 3}, .dilation = {2, 1}}, .groups = 6}, 12,
                       false);
       }},
      {"dense 3 x 3", "direct f32",
       [](Net& n) {
         return n.conv(n.input({2, 11, 9, 3}),
                       {.window = {.kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1, 1, 1}}}, 33);
       }},
      {"1 x 1 with stride", "direct f32",
       [](Net& n) { return n.conv(n.input({1, 11, 9, 5}), {.window = {.stride = {2, 3}}}, 7); }},
      {"grouped", "direct f32",
       [](Net& n) { return n.conv(n.input({1, 6, 6, 12}), {.window = {.kernel = {3, 1}}, .groups = 3}, 9); }},
      {"small groups, as many out as in", "grouped f32",
       [](Net& n) { return n.conv(n.input({2, 6, 9, 12}), {.window = {.kernel = {3, 1}}, .groups = 3}, 12); }},
      {"groups of more channels", "direct f32",
       [](Net& n) { return n.conv(n.input({1, 6, 6, 18}), {.window = {.kernel = {3, 1}}, .groups = 2}, 18); }},
      {"filter given at run time", "reference",
       [](Net& n) {
         return n.graph.add(Conv2d{.window = {.kernel = {3, 3}}}, {n.input({1, 6, 6, 2}), n.input({4, 3, 3, 2})});
       }},
      {"gemm", "dense f32",
       [](Net& n) {
         return n.graph.add(Gemm{.alpha = 0.5f, .beta = 2}, {n.input({3, 40}), n.constant({40, 50}), n.constant({50})});
       }},
      {"gemm, turned, one bias for all", "dense f32",
       [](Net& n) {
         return n.graph.add(Gemm{.transpose_b = true}, {n.input({3, 40}), n.constant({50, 40}), n.constant({1})});
       }},
      {"gemm with a bias a row", "reference",
       [](Net& n) { return n.graph.add(Gemm{}, {n.input({3, 4}), n.constant({4, 5}), n.constant({3, 1})}); }},
      {"matmul of a stack", "dense f32",
       [](Net& n) { return n.graph.add(MatMul{}, {n.input({2, 3, 5, 8}), n.constant({8, 9})}); }},
      {"matmul of two inputs", "reference",
       [](Net& n) { return n.graph.add(MatMul{}, {n.input({2, 5, 8}), n.input({8, 9})}); }},
      {"a function", "unary f32", [](Net& n) { return n.graph.add(Unary{UnaryKind::kSigmoid}, {n.input({2, 77})}); }},
      {"sum of equals", "binary f32",
       [](Net& n) { return n.graph.add(Binary{}, {n.input({2, 3, 7}), n.input({2, 3, 7})}); }},
      {"a vector", "binary f32",
       [](Net& n) { return n.graph.add(Binary{BinaryKind::kSubtract}, {n.constant({7}), n.input({2, 3, 7})}); }},
      {"a scalar", "binary f32",
       [](Net& n) { return n.graph.add(Binary{BinaryKind::kDivide}, {n.constant({}), n.input({2, 3, 7})}); }},
      {"a value a row", "binary f32",
       [](Net& n) { return n.graph.add(Binary{BinaryKind::kMultiply}, {n.input({2, 3, 7}), n.constant({3, 1})}); }},
      {"a gate an image", "binary f32",
       [](Net& n) {
         return n.graph.add(Binary{BinaryKind::kMultiply}, {n.input({2, 5, 4, 7}), n.input({2, 1, 1, 7})});
       }},
      {"a value an image", "binary f32",
       [](Net& n) {
         return n.graph.add(Binary{BinaryKind::kMaximum}, {n.input({3, 5, 4, 7}), n.constant({3, 1, 1, 1})});
       }},
      {"two runs of repetition", "reference",
       [](Net& n) { return n.graph.add(Binary{}, {n.input({2, 5, 4, 7}), n.constant({2, 1, 4, 1})}); }},
      {"both widen", "reference", [](Net& n) { return n.graph.add(Binary{}, {n.input({2, 1}), n.input({1, 3})}); }},
      {"largest", "pool f32",
       [](Net& n) {
         return n.graph.add(Pool{.window = {.kernel = {3, 2}, .stride = {2, 2}, .padding = {1, 0, 0, 1}}, .ceil = true},
                            {n.input({2, 8, 7, 5})});
       }},
      {"mean", "pool f32",
       [](Net& n) {
         return n.graph.add(Pool{.kind = PoolKind::kAverage,
                                 .window = {.kernel = {3, 3}, .padding = {1, 1, 1, 1}},
                                 .count_padding = true},
                            {n.input({2, 8, 7, 5})});
       }},
      {"global mean", "spatial mean f32",
       [](Net& n) { return n.graph.add(Reduce{ReduceKind::kMean, {1, 2}, false}, {n.input({2, 8, 7, 45})}); }},
      {"mean over rows alone", "reference",
       [](Net& n) { return n.graph.add(Reduce{ReduceKind::kMean, {1}, false}, {n.input({2, 8, 7, 5})}); }},
      {"softmax", "softmax f32", [](Net& n) { return n.graph.add(Softmax{.axis = 1}, {n.input({3, 100, 1})}); }},
      {"softmax across rows", "reference",
       [](Net& n) { return n.graph.add(Softmax{.axis = 0, .log = true}, {n.input({3, 10})}); }},
      {"layer norm", "layer norm f32",
       [](Net& n) {
         return n.graph.add(LayerNorm{.axis = 2}, {n.input({2, 9, 100}), n.constant({100}), n.constant({100})});
       }},
      {"layer norm over two axes, no bias", "layer norm f32",
       [](Net& n) { return n.graph.add(LayerNorm{.axis = 1}, {n.input({3, 5, 7}), n.constant({5, 7})}); }},
      {"layer norm with one scale for all", "reference",
       [](Net& n) { return n.graph.add(LayerNorm{.axis = 1}, {n.input({3, 7}), n.constant({1})}); }},
      {"layer norm with a scale a row", "reference",
       [](Net& n) { return n.graph.add(LayerNorm{.axis = 1}, {n.input({4, 4}), n.constant({4, 1})}); }},
      {"channels last", "transpose 32",
       [](Net& n) { return n.graph.add(Transpose{channels_last(4)}, {n.input({2, 3, 17, 33})}); }},
      {"channels first", "transpose 32",
       [](Net& n) { return n.graph.add(Transpose{channels_first(4)}, {n.input({2, 17, 33, 70})}); }},
      {"units between", "transpose 32",
       [](Net& n) { return n.graph.add(Transpose{Permutation::of({2, 1, 0})}, {n.input({5, 1, 7})}); }},
      {"rows inside out", "transpose",
       [](Net& n) { return n.graph.add(Transpose{Permutation::of({2, 1, 0})}, {n.input({5, 2, 7})}); }},
  };
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.why);
    Net net;
    net.graph.add_output("y", row.build(net));
    const Plan plan(net.graph, {});
    ASSERT_EQ(plan.steps().size(), 1u);
    EXPECT_EQ(plan.steps()[0].kernel, row.kernel);
    const Tensor expected = std::move(outputs_of(net.graph)[0]);
    EXPECT_LE(distance(expected, outputs_of(net.graph, PlanOptions{})[0]), 1e-5);
  }
}

/// A small MobileNetV3-like network: convolutions, gates, a shortcut, two outputs.
Graph network() {
  Net n;
  const auto depthwise = [&](ValueId x, std::int64_t stride) {
    const std::int64_t c = n.graph.shape(x).c();
    return n.conv(x,
                  {.window = {.kernel = {3, 3}, .stride = {stride, stride}, .padding = {1, 1, 1, 1}},
                   .groups = c,
                   .activation = {UnaryKind::kRelu}},
                  c);
  };
  ValueId x =
      n.conv(n.input({1, 96, 96, 3}),
             {.window = {.kernel = {3, 3}, .padding = {1, 1, 1, 1}}, .activation = {UnaryKind::kHardSwish}}, 16);
  for (int block = 0; block < 3; ++block) {
    const ValueId wide = depthwise(n.conv(x, {.activation = {UnaryKind::kRelu}}, 48), 1);
    const ValueId gate = n.graph.add(Unary{UnaryKind::kHardSigmoid, 1.0f / 6, 0.5f},
                                     {n.conv(n.graph.add(Reduce{ReduceKind::kMean, {1, 2}}, {wide}), {}, 48)});
    const ValueId gated = n.graph.add(Binary{BinaryKind::kMultiply}, {wide, gate});
    x = n.graph.add(Binary{BinaryKind::kAdd}, {x, n.conv(gated, {}, 16)});
  }
  n.graph.add_output("features", x);
  const ValueId flat =
      n.graph.add(Reshape{{1, 16}}, {n.graph.add(Reduce{ReduceKind::kMean, {1, 2}}, {depthwise(x, 2)})});
  n.graph.add_output("scores", n.graph.add(Softmax{.axis = 1}, {n.graph.add(Gemm{}, {flat, n.constant({16, 10})})}));
  return n.graph;
}

TEST(Plan, ANetworkAgreesWithTheReference) {
  const Graph graph = network();
  const std::vector<Tensor> expected = outputs_of(graph);
  const std::vector<Tensor> actual = outputs_of(graph, PlanOptions{});
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_LE(distance(expected[i], actual[i]), 1e-5);
}

TEST(Plan, ThreadsChangeNoBit) {
  const Graph graph = network();
  const std::vector<Tensor> one = outputs_of(graph, {.threads = 1});
  for (const int threads : {2, 3, 8}) {
    const std::vector<Tensor> many = outputs_of(graph, {.threads = threads});
    for (std::size_t i = 0; i < one.size(); ++i)
      EXPECT_TRUE(identical(one[i], many[i])) << threads << " threads, output " << i;
  }
}

TEST(Plan, SharesMemory) {
  const Graph graph = network();
  const Plan plan(graph, {});
  // Three large tensors live at once at most, of a dozen.
  EXPECT_LT(plan.workspace_bytes(), plan.activation_bytes() / 3);
  EXPECT_GT(plan.weight_bytes(), 0u);
  EXPECT_TRUE(std::ranges::any_of(plan.steps(), [](const Step& step) { return step.in_place; }));
}

TEST(Plan, ReshapesAreFree) {
  Net net;
  const ValueId x = net.input({2, 12});
  const ValueId y =
      net.graph.add(Unary{UnaryKind::kTanh}, {net.graph.add(Reshape{{4, 6}}, {net.graph.add(Reshape{{24}}, {x})})});
  net.graph.add_output("y", net.graph.add(Reshape{{3, 8}}, {y}));
  EXPECT_EQ(Plan(net.graph, {}).steps().size(), 1u);
  EXPECT_LE(distance(outputs_of(net.graph)[0], outputs_of(net.graph, PlanOptions{})[0]), 1e-6);
}

TEST(Plan, OverwritesOnlyWhatNobodyReadsAgain) {
  // relu(a) must not destroy a, which a reshape of it still reads; nor x, which is the caller's.
  Net net;
  const ValueId x = net.input({4, 6});
  const ValueId a = net.graph.add(Unary{UnaryKind::kTanh}, {x});
  const ValueId view = net.graph.add(Reshape{{6, 4}}, {a});
  const ValueId relu = net.graph.add(Unary{UnaryKind::kRelu}, {a});
  const ValueId twice = net.graph.add(Binary{}, {a, a});
  net.graph.add_output(
      "y", net.graph.add(MatMul{}, {net.graph.add(Binary{}, {relu, twice}),
                                    net.graph.add(Reshape{{6, 4}}, {net.graph.add(Unary{UnaryKind::kAbs}, {view})})}));
  EXPECT_LE(distance(outputs_of(net.graph)[0], outputs_of(net.graph, PlanOptions{})[0]), 1e-6);
}

TEST(Plan, OutputsMayBeInputsConstantsAndEachOther) {
  Net net;
  const ValueId x = net.input({2, 3});
  const ValueId y = net.graph.add(Unary{UnaryKind::kRelu}, {x});
  net.graph.add_output("x itself", x);
  net.graph.add_output("x reshaped", net.graph.add(Reshape{{3, 2}}, {x}));
  net.graph.add_output("a constant", net.constant({5}));
  net.graph.add_output("y", y);
  net.graph.add_output("y again", y);
  net.graph.add_output("-y", net.graph.add(Unary{UnaryKind::kNegate}, {y}));
  const std::vector<Tensor> outputs = outputs_of(net.graph, PlanOptions{});
  EXPECT_TRUE(identical(outputs[0], noise({2, 3}, 1)));
  EXPECT_TRUE(identical(outputs[1], noise({2, 3}, 1).reshaped({3, 2})));
  EXPECT_TRUE(identical(outputs[2], noise({5}, 51)));
  EXPECT_TRUE(identical(outputs[3], outputs[4]));
  for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(outputs[5].values<float>()[i], -outputs[3].values<float>()[i]);
}

TEST(Plan, DoesNotComputeWhatNobodyAsksFor) {
  Net net;
  const ValueId x = net.input({2, 3});
  net.graph.add(Unary{UnaryKind::kExp}, {x});
  net.graph.add_output("y", net.graph.add(Unary{UnaryKind::kRelu}, {x}));
  EXPECT_EQ(Plan(net.graph, {}).steps().size(), 1u);
}

TEST(Plan, AcceptsEmptyTensors) {
  Net net;
  const ValueId x = net.input({0, 4});
  net.graph.add_output("y", net.graph.add(Binary{}, {net.graph.add(Unary{UnaryKind::kRelu}, {x}), net.constant({4})}));
  net.graph.add_output("z", net.graph.add(MatMul{}, {x, net.constant({4, 5})}));
  net.graph.add_output("i", net.conv(net.input({0, 5, 5, 3}), {.window = {.kernel = {3, 3}}}, 4));
  const std::vector<Tensor> outputs = outputs_of(net.graph, PlanOptions{});
  EXPECT_EQ(outputs[1].shape(), (Shape{0, 5}));
  EXPECT_EQ(outputs[2].shape(), (Shape{0, 3, 3, 4}));
}

TEST(Plan, RunsAllocateNothing) {
  Graph graph = network();
  // A step by the reference with many inputs, too.
  const ValueId features = graph.outputs()[0].value;
  graph.add_output("joined", graph.add(Concat{.axis = 1}, {features, features, features, features, features}));
  const Plan plan(graph, {.threads = 2});
  const Workspace workspace(plan.workspace_bytes());
  const Tensor input = noise({1, 96, 96, 3}, 1);
  const ConstBuffer from = input.buffer();
  std::vector<Tensor> outputs;
  std::vector<Buffer> to;
  for (const Port& port : graph.outputs()) outputs.emplace_back(DataType::kF32, graph.shape(port.value));
  for (Tensor& output : outputs) to.push_back(output.buffer());
  const long before = allocations();
  plan.run(workspace, {&from, 1}, to);
  EXPECT_EQ(allocations(), before);
}

TEST(Plan, OneServesManyThreads) {
  const Graph graph = network();
  const Plan plan(graph, {.threads = 2});
  const Tensor input = noise({1, 96, 96, 3}, 1);
  const std::vector<Tensor> expected = outputs_of(graph, PlanOptions{});
  std::vector<std::thread> callers;
  std::array<bool, 4> same{};
  for (std::size_t i = 0; i < same.size(); ++i) {
    callers.emplace_back([&, i] {
      const Workspace workspace(plan.workspace_bytes());
      bool all = true;
      for (int round = 0; round < 3; ++round) {
        Tensor features(DataType::kF32, expected[0].shape());
        Tensor scores(DataType::kF32, expected[1].shape());
        const ConstBuffer from = input.buffer();
        const std::array<Buffer, 2> to = {features.buffer(), scores.buffer()};
        plan.run(workspace, {&from, 1}, to);
        all = all && identical(features, expected[0]) && identical(scores, expected[1]);
      }
      same[i] = all;
    });
  }
  for (std::thread& caller : callers) caller.join();
  for (const bool one : same) EXPECT_TRUE(one);
}

TEST(Plan, RefusesMoreMemoryThanAllowed) {
  const Graph graph = network();
  EXPECT_TRUE(raises([&] { Plan(graph, {.memory_limit = 3900 << 10, .fuse = false}); },
                     "activations need 3.4 MiB and outputs 576.0 KiB, but the limit is 3.8 MiB", ErrorKind::kInvalid));
  EXPECT_TRUE(raises([&] { Plan(graph, {.memory_limit = 1 << 20}); },
                     "conv2d: its output f32 1x96x96x48 takes 1.7 MiB, but the limit is 1.0 MiB", ErrorKind::kInvalid));
  Net vast;
  ValueId y = vast.graph.add(Expand{{std::int64_t{1} << 58}}, {vast.input({1})});
  for (int i = 0; i < 9; ++i) y = vast.graph.add(Softmax{.axis = 0}, {vast.graph.add(Tile{}, {y})});
  vast.graph.add_output("y", y);
  EXPECT_TRUE(raises([&] { Plan(vast.graph, {}); },
                     "tile: with its output f32 288230376151711744 all activations take more than 8 EiB",
                     ErrorKind::kInvalid));
}

TEST(Plan, TakesNoGigabytesOnAConstantsWord) {
  Net net;
  const ValueId large = net.graph.add(Expand{{1 << 14, 1 << 14}}, {net.constant({1})}, "fill");
  net.graph.add_output("y", net.graph.add(Reduce{ReduceKind::kMax, {0, 1}, false}, {large}));
  EXPECT_TRUE(
      raises([&] { Plan(net.graph, {}); },
             "fill: its output f32 16384x16384 takes 1.0 GiB, more than the constants that it is computed from justify",
             ErrorKind::kInvalid));
}

TEST(Plan, ListsNodesWithoutAKernel) {
  Graph graph;
  const ValueId x = graph.add_input("x", {DataType::kF16, {1, 2, 2, 3}});
  const ValueId y = graph.add(Conv2d{}, {x, graph.add_constant(Tensor(DataType::kF16, {4, 1, 1, 3}))}, "stem");
  graph.add_output("y", graph.add(Softmax{.axis = 3}, {y}));
  EXPECT_TRUE(raises([&] { Plan(graph, {}); },
                     "no kernel for stem (conv2d of f16 1x2x2x3), softmax (softmax of f16 1x2x2x4)",
                     ErrorKind::kUnsupported));
}

TEST(Plan, TellsItsMemoryWithoutPackingAnything) {
  Net net;
  const ValueId x = net.input({1, 8, 8, 3});
  const ValueId a = net.conv(x, {.window = {.kernel = {3, 3}}}, 16);
  net.graph.add_output("y", net.conv(net.conv(a, {}, 4), {}, 8));
  const Plan plan(net.graph, {});
  // Two maps of 6 x 6 lie in the workspace, the ends are the caller's.
  EXPECT_EQ(planned_bytes(net.graph, {}), (6 * 6 * 16 + 6 * 6 * 4 + 8 * 8 * 3 + 6 * 6 * 8) * sizeof(float));
  EXPECT_LE(planned_bytes(net.graph, {}), plan.workspace_bytes() + (8 * 8 * 3 + 6 * 6 * 8) * sizeof(float));
  EXPECT_THROW(planned_bytes(net.graph, {.memory_limit = 1000}), Error);
}

TEST(Plan, RunsStepByStepAsInOneGo) {
  Net net;
  net.graph.add_output("y", net.conv(net.conv(net.input({1, 6, 6, 5}), {}, 7), {}, 9));
  const Plan plan(net.graph, {});
  const Workspace workspace(plan.workspace_bytes());
  const Tensor x = noise({1, 6, 6, 5}, 3);
  Tensor whole(DataType::kF32, {1, 6, 6, 9});
  Tensor stepwise(DataType::kF32, {1, 6, 6, 9});
  const std::array from = {x.buffer()};
  plan.run(workspace, from, std::array{whole.buffer()});
  for (std::size_t i = 0; i < plan.steps().size(); ++i) {
    EXPECT_EQ(plan.steps()[i].nodes, std::vector{i});
    plan.run_step(i, workspace, from, std::array{stepwise.buffer()});
  }
  EXPECT_TRUE(identical(whole, stepwise));
}

}  // namespace
}  // namespace sepal
