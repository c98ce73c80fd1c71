// `sepal run MODEL --input input_K.npy --output-dir DIR` over the third-party models: what it writes against
// what the test data expect, as models/README.md there says to compare.

#include <gtest/gtest.h>

#include "sepal/base/text.h"
#include "sepal/formats/npy.h"
#include "sepal/report/json.h"
#include "tests/cli/process.h"
#include "tests/third_party.h"

namespace sepal::cli {

using report::Json;
namespace {

class ModelsInTheShell : public testing::TestWithParam<ThirdParty> {};

TEST_P(ModelsInTheShell, GiveTheExpectedOutputs) {
  const ThirdParty& row = GetParam();
  for (const auto& model : {row.model(), row.dynamic_model()}) {
    if (!std::filesystem::exists(model)) continue;
    for (const int sample : row.samples) {
      SCOPED_TRACE(format("{} on input {}", model.filename().string(), sample));
      const TemporaryFolder out;
      const Outcome outcome =
          run_tool({"run", model, "--input", row.input(sample), "--output-dir", out.path(), "--json"});
      ASSERT_EQ(outcome.exit, 0) << outcome.err;
      const Json outputs = Json::parse(outcome.out)["outputs"];
      ASSERT_EQ(outputs.size(), static_cast<std::size_t>(row.outputs));
      for (int j = 0; j < row.outputs; ++j) {
        SCOPED_TRACE(format("output {}", j));
        expect_output(row, sample, j, read_npy(outputs[static_cast<std::size_t>(j)]["file"].get<std::string>()));
      }
    }
  }
}

TEST(ModelsInTheShellToo, GiveTheExpectedOutputsNodeByNode) {
  SEPAL_NEEDS_TEST_DATA();
  int models = 0;
  for (const ThirdParty& row : third_party_models()) {
    if (row.name != "mobilenet_v2_100_224_float" && row.name != "vww_96_float") continue;
    ++models;
    const int sample = row.samples.at(0);
    SCOPED_TRACE(row.name);
    const TemporaryFolder out;
    const Outcome outcome =
        run_tool({"run", row.model(), "--input", row.input(sample), "--output-dir", out.path(), "--json", "--no-fuse"});
    ASSERT_EQ(outcome.exit, 0) << outcome.err;
    expect_output(row, sample, 0, read_npy(Json::parse(outcome.out)["outputs"][0]["file"].get<std::string>()));
  }
  EXPECT_EQ(models, 2);
}

INSTANTIATE_TEST_SUITE_P(ThirdParty, ModelsInTheShell, testing::ValuesIn(third_party_models()),
                         [](const auto& row) { return row.param.name; });
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ModelsInTheShell);

TEST(ModelsInTheShellToo, SoftmaxesInEightBitsGetNoSecondOne) {
  SEPAL_NEEDS_TEST_DATA();
  int models = 0;
  for (const ThirdParty& row : third_party_models()) {
    const std::string_view name = row.name;
    const bool is_eight_bit = name.ends_with("int8") || name.ends_with("uint8") || name.ends_with("_qlinear");
    const bool is_classifier = name.starts_with("mobilenet_") || name.starts_with("kws_") ||
                               name.starts_with("micro_speech") || name.starts_with("vww_");
    if (!is_eight_bit || !is_classifier) continue;
    ++models;
    for (const int sample : row.samples) {
      SCOPED_TRACE(format("{} on input {}", name, sample));
      const Outcome outcome = run_tool({"run", row.model(), "--input", row.input(sample), "--top", "1", "--json"});
      ASSERT_EQ(outcome.exit, 0) << outcome.err;
      const Json json = Json::parse(outcome.out);
      ASSERT_TRUE(json.contains("softmax"));
      EXPECT_EQ(json["softmax"], false);
      EXPECT_EQ(json["classes"][0]["probability"], json["outputs"][0]["max"]);
    }
  }
  EXPECT_EQ(models, 8);
}

TEST(ModelsInTheShellToo, AreThere) {
  SEPAL_NEEDS_TEST_DATA();
  EXPECT_EQ(third_party_models().size(), 38u);
}

}  // namespace
}  // namespace sepal::cli
