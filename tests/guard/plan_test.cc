// Whole networks in guarded memory: workspace, packed weights and constants are there as everything is in this program;
// inputs and outputs lie against a page with nothing between, so that the slack a plan may read is not read.

#include "sepal/plan/plan.h"

#include <gtest/gtest.h>

#include "sepal/optimize/optimize.h"
#include "sepal/zoo/zoo.h"
#include "tests/guard/guarded.h"
#include "tests/kernels/kernel_test.h"
#include "tests/optimize/same.h"

namespace sepal {
namespace {

/// The graph's outputs from seeded noise, one after another.
std::vector<float> outputs_of(const Graph& graph, const PlanOptions& options, Against against) {
  std::vector<GuardedMemory> memory;
  const auto place = [&](ValueId value) {
    const TensorType& type = graph.type(value);
    memory.emplace_back(static_cast<std::size_t>(type.shape.elements()) * size_of(type.type), against);
    return Buffer{memory.back().data(), type.type, type.shape};
  };
  std::vector<ConstBuffer> inputs;
  for (const Port& port : graph.inputs()) {
    const Buffer buffer = place(port.value);
    const Tensor values = noise(buffer.shape, inputs.size() + 1);
    std::memcpy(buffer.data, values.data(), values.bytes());
    inputs.push_back({buffer.data, buffer.type, buffer.shape});
  }
  std::vector<Buffer> outputs;
  for (const Port& port : graph.outputs()) outputs.push_back(place(port.value));

  const Plan plan(graph, options);
  plan.run(Workspace(plan.workspace_bytes()), inputs, outputs);
  std::vector<float> values;
  for (const Buffer& output : outputs) {
    const auto* begin = reinterpret_cast<const float*>(output.data);
    values.insert(values.end(), begin, begin + output.shape.elements());
  }
  for (const GuardedMemory& one : memory) EXPECT_TRUE(one.intact()) << "wrote beside an input or output";
  return values;
}

TEST(GuardedPlan, NetworksKeepToTheirMemory) {
  struct Case {
    const char* why;
    const char* spec;
  };
  constexpr Case kCases[] = {
      {"separable layers, a map between stages that is computed in pieces", "mobilenet_v1:width=0.25,size=224"},
      {"odd sizes throughout", "mobilenet_v1:width=0.25,size=75,batch=2"},
      {"inverted residuals with shortcuts", "mobilenet_v2:width=0.35,size=96"},
      {"inverted residuals of few pixels, two images", "mobilenet_v2:width=0.35,size=33,batch=2"},
      {"squeeze and excitation, hard swish, windows of 5", "mobilenet_v3_small:size=64"},
      {"squeeze and excitation, functions that no register does", "mnasnet_a1:width=0.35,size=48"},
      {"windows of 5 with stride 2", "efficientnet_lite0:size=64"},
      {"a window of 10 x 4, not square", "ds_cnn_s"},
      {"standard convolutions with shortcuts", "resnet18:width=0.25,size=64"},
  };
  for (const Case& test : kCases) {
    SCOPED_TRACE(format("{}: {}", test.spec, test.why));
    const Graph graph = optimize(build(parse_zoo_spec(test.spec)));
    on_every_target([&] {
      const std::vector<float> apart = outputs_of(graph, {.fuse = false}, Against::kEnd);
      for (const bool fuse : {false, true}) {
        for (const int threads : {1, 3}) {
          for (const Against against : {Against::kEnd, Against::kBeginning}) {
            SCOPED_TRACE(format("{}, {} threads", fuse ? "fused" : "apart", threads));
            const std::vector<float> values = outputs_of(graph, {.threads = threads, .fuse = fuse}, against);
            ASSERT_EQ(values.size(), apart.size());
            for (std::size_t i = 0; i < values.size(); ++i) ASSERT_NEAR(values[i], apart[i], 1e-4) << "element " << i;
          }
        }
      }
    });
  }
}

}  // namespace
}  // namespace sepal
