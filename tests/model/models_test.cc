// Every third-party model through the front door: optimised, planned, run on two threads, fused and not.

#include <gtest/gtest.h>

#include "sepal/model/model.h"
#include "sepal/plan/plan.h"
#include "tests/third_party.h"

namespace sepal {
namespace {

/// By steps that compute several nodes and node by node: both as expected, and the same but for rounding.
void run_all(const ThirdParty& row, const std::filesystem::path& path) {
  const Model fused = Model::load(path, {.threads = 2});
  const Model apart = Model::load(path, {.threads = 2, .fuse = false});
  ASSERT_EQ(fused.inputs().size(), 1u);
  ASSERT_EQ(fused.outputs().size(), static_cast<std::size_t>(row.outputs));
  for (const int sample : row.samples) {
    SCOPED_TRACE(sample);
    const Tensor input = read_npy(row.input(sample));
    const Tensor* const only = &input;
    const std::vector<Tensor> outputs = fused.run(std::span(&only, 1));
    const std::vector<Tensor> others = apart.run(std::span(&only, 1));
    for (int j = 0; j < row.outputs; ++j) {
      SCOPED_TRACE(j);
      const auto at = static_cast<std::size_t>(j);
      expect_output(row, sample, j, outputs[at]);
      expect_output(row, sample, j, others[at]);
      EXPECT_LE(relative_difference(outputs[at].values<float>(), others[at].values<float>()), 1e-5);
    }
  }
}

class Models : public testing::TestWithParam<ThirdParty> {};

TEST_P(Models, GiveTheExpectedOutputs) {
  run_all(GetParam(), GetParam().model());
  if (std::filesystem::exists(GetParam().dynamic_model())) {
    SCOPED_TRACE("free dimensions");
    run_all(GetParam(), GetParam().dynamic_model());
  }
}

INSTANTIATE_TEST_SUITE_P(ThirdParty, Models, testing::ValuesIn(third_party_models()),
                         [](const auto& row) { return row.param.name; });
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Models);

TEST(ThirdPartyModels, AreThere) {
  SEPAL_NEEDS_TEST_DATA();
  EXPECT_EQ(third_party_models().size(), 38u);
}

TEST(ThirdPartyModels, AMobileNetKeepsOneTransposeAtMost) {
  SEPAL_NEEDS_TEST_DATA();
  for (const char* name : {"mobilenet_v1_025_128_float", "mobilenet_v2_100_224_float", "vww_96_float"}) {
    const Model model = Model::load(test_data() / "models" / name / "model.onnx");
    const auto prepared = model.prepared();
    int transposes = 0;
    for (const Step& step : prepared.plan->steps()) transposes += std::holds_alternative<Transpose>(step.op) ? 1 : 0;
    EXPECT_LE(transposes, 1) << name;
    for (const Step& step : prepared.plan->steps()) EXPECT_NE(step.kernel, "reference") << name << ": " << step.node;
  }
}

}  // namespace
}  // namespace sepal
