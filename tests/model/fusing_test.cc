// Networks of the zoo at the size at which they are used, where steps take most nodes along: with and without that the
// outputs are the same but for rounding.

#include <gtest/gtest.h>

#include "sepal/formats/onnx_write.h"
#include "sepal/model/model.h"
#include "sepal/plan/plan.h"
#include "sepal/zoo/zoo.h"
#include "tests/optimize/same.h"
#include "tests/third_party.h"

namespace sepal {
namespace {

TEST(Fusing, ChangesNoOutputOfTheZoo) {
  constexpr const char* kSpecs[] = {"mobilenet_v1",
                                    "mobilenet_v1_vww:batch=3",
                                    "mobilenet_v2",
                                    "mobilenet_v2:width=0.5,size=96",
                                    "mobilenet_v3_large",
                                    "mobilenet_v3_small",
                                    "xception:size=160",
                                    "mnasnet_a1",
                                    "mnasnet_b1:size=192",
                                    "efficientnet_lite0",
                                    "efficientnet_lite4:size=96",
                                    "ds_cnn_s:batch=2",
                                    "ds_cnn_l",
                                    "resnet18",
                                    "vgg16:width=0.25"};
  for (const char* spec : kSpecs) {
    SCOPED_TRACE(spec);
    const Graph graph = build(parse_zoo_spec(spec));
    const std::vector<std::byte> bytes = onnx::write(graph);
    const Model fused = Model::from_bytes(bytes, {.threads = 2});
    const Model apart = Model::from_bytes(bytes, {.threads = 1, .fuse = false});
    EXPECT_LE(fused.prepared().plan->steps().size(), apart.prepared().plan->steps().size());
    const Tensor input = noise(graph.shape(graph.inputs()[0].value), 3);
    const Tensor one = fused.run(input);
    const Tensor other = apart.run(input);
    EXPECT_LE(relative_difference(one.values<float>(), other.values<float>()), 1e-5);
  }
}

TEST(Fusing, IsForNoStepWhereItIsNotWanted) {
  const std::vector<std::byte> bytes = onnx::write(build(parse_zoo_spec("mobilenet_v2:size=64")));
  for (const bool fuse : {true, false}) {
    const Model model = Model::from_bytes(bytes, {.fuse = fuse});
    const std::shared_ptr<const Plan> plan = model.prepared().plan;
    const bool takes_along = std::ranges::any_of(plan->steps(), [](const Step& step) { return step.nodes.size() > 1; });
    EXPECT_EQ(takes_along, fuse);
  }
}

}  // namespace
}  // namespace sepal
