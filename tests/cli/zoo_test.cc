// sepal zoo from the outside.

#include <gtest/gtest.h>

#include "sepal/base/text.h"
#include "sepal/formats/onnx_read.h"
#include "sepal/graph/cost.h"
#include "sepal/model/model.h"
#include "sepal/optimize/optimize.h"
#include "sepal/report/json.h"
#include "sepal/zoo/zoo.h"
#include "tests/cli/process.h"

namespace sepal::cli {

using report::Json;
namespace {

TEST(ZooVerb, ListsEveryNetworkWithItsCost) {
  const Outcome outcome = run_tool({"zoo"});
  EXPECT_TRUE(succeeds(outcome, "network                what "));
  EXPECT_TRUE(succeeds(outcome, "\nmobilenet_v1  "));
  EXPECT_TRUE(succeeds(outcome, "  1x224x224x3     568,740,352    4,231,976\n"));
  EXPECT_TRUE(succeeds(outcome, "  1x49x10x1         2,656,768       23,180\n"));
  for (const ZooEntry& entry : zoo()) {
    EXPECT_TRUE(succeeds(outcome, format("\n{}  ", entry.name))) << entry.name;
  }
  EXPECT_EQ(outcome.err, "");
}

TEST(ZooVerb, JsonHoldsTheSame) {
  const Json json = Json::parse(run_tool({"zoo", "--json", "--quiet"}).out);
  ASSERT_EQ(json.size(), zoo().size());
  EXPECT_EQ(json[0]["network"], "mobilenet_v1");
  EXPECT_EQ(json[0]["source"], "Howard et al. 2017, arXiv 1704.04861, table 1");
  EXPECT_EQ(json[0]["input"], (std::vector{1, 224, 224, 3}));
  EXPECT_EQ(json[0]["output"], (std::vector{1, 1000}));
  EXPECT_EQ(json[0]["macs"], 568'740'352);
  EXPECT_EQ(json[0]["parameters"], 4'231'976);
  EXPECT_EQ(json.back()["options"],
            (std::vector<std::string>{"width", "size", "channels", "classes", "batch", "seed"}));
}

TEST(ZooVerb, ShowsOneNetwork) {
  const Outcome outcome = run_tool({"zoo", "mobilenet_v1:width=0.5,size=160,seed=9"});
  EXPECT_TRUE(succeeds(outcome, "mobilenet_v1:width=0.5,size=160,seed=9\n  what        separable convolutions\n"));
  EXPECT_TRUE(succeeds(outcome, "  output      1x1000\n  MACs        76,524,800\n  parameters  1,331,592\n"));
  EXPECT_TRUE(succeeds(outcome, "  options     width, size, channels, classes, batch, stem, unstrided, seed\n"));
  const Json json = Json::parse(run_tool({"zoo", "mobilenet_v1:size=128", "--json"}).out);
  EXPECT_EQ(json["network"], "mobilenet_v1:size=128");
  EXPECT_EQ(json["macs"], 186'400'768);
  EXPECT_FALSE(json.contains("file"));
}

constexpr const char* kSpec = "mobilenet_v2:width=0.35,size=32,stem=1,classes=10,seed=3";

TEST(ZooVerb, WritesTheNetworkAsOnnx) {
  const TemporaryFolder folder;
  const std::string file = folder.write("net.onnx", "what was there before");
  const Outcome outcome = run_tool({"zoo", kSpec, "-o", file});
  EXPECT_TRUE(succeeds(outcome, format("  file        {}\n", file)));

  const Graph graph = build(parse_zoo_spec(kSpec));
  EXPECT_TRUE(optimize(onnx::read(file)) == optimize(graph));
  EXPECT_EQ(cost_of(onnx::read(file)).total.macs, cost_of(graph).total.macs);
  const Model model = Model::load(file);
  EXPECT_EQ(model.inputs()[0].text, "1x32x32x3");
  EXPECT_EQ(model.run(Tensor(DataType::kF32, {1, 32, 32, 3})).shape(), Shape({1, 10}));
}

TEST(ZooVerb, TheOptionsSpellings) {
  const TemporaryFolder folder;
  const std::string file = folder / "net.onnx";
  const std::vector<std::vector<std::string>> spellings = {
      {"zoo", "ds_cnn_s", "--output", file},
      {"zoo", "--output=" + file, "ds_cnn_s"},
      {"zoo", "-o", file, "ds_cnn_s"},
  };
  for (const std::vector<std::string>& words : spellings) {
    EXPECT_TRUE(succeeds(run_tool(words), "ds_cnn_s\n")) << words[1];
    EXPECT_TRUE(std::filesystem::remove(file)) << words[1];
  }
  const Json json = Json::parse(run_tool({"zoo", "ds_cnn_s", "-o", file, "--json"}).out);
  EXPECT_EQ(json["file"], file);
}

TEST(ZooVerb, RefusesWithOneLine) {
  const TemporaryFolder folder;
  const std::string nowhere = folder / "no/such/folder/net.onnx";
  EXPECT_TRUE(
      refuses({"zoo", "mobilnet_v2"}, 2, "sepal zoo: no network \"mobilnet_v2\"; did you mean \"mobilenet_v2\"?"));
  EXPECT_TRUE(refuses({"zoo", "vgg16:stem=1"}, 2,
                      "sepal zoo: vgg16: stem cannot be chosen: its first convolution has stride 1; it has width, "
                      "size, channels, classes, batch, seed"));
  EXPECT_TRUE(refuses({"zoo", "vgg16:size=31", "-o", folder / "net.onnx"}, 1,
                      "sepal zoo: vgg16:size=31: pool5: a stride of 2x2 over a map of 1x1; the network needs a larger "
                      "size"));
  EXPECT_FALSE(std::filesystem::exists(folder / "net.onnx"));
  EXPECT_TRUE(refuses({"zoo", "-o", "x.onnx"}, 2,
                      "sepal zoo: --output is for one network, as in sepal zoo mobilenet_v2 --output "
                      "mobilenet_v2.onnx"));
  EXPECT_TRUE(refuses({"zoo", "--output", "", "ds_cnn_s"}, 2, "sepal zoo: --output is empty"));
  EXPECT_TRUE(refuses({"zoo", "ds_cnn_s", "-o", folder.path().string()}, 1,
                      "sepal zoo: " + folder.path().string() + ": is a folder, not a file"));
  EXPECT_TRUE(refuses({"zoo", "ds_cnn_s", "-o"}, 2, "sepal zoo: --output wants FILE after it"));
  EXPECT_TRUE(refuses({"zoo", "ds_cnn_s", "ds_cnn_m"}, 2,
                      "sepal zoo: \"ds_cnn_m\" is one word too many; see sepal zoo --help"));
  const Outcome outcome = run_tool({"zoo", "ds_cnn_s", "-o", nowhere});
  EXPECT_EQ(outcome.exit, 1);
  EXPECT_EQ(outcome.out, "");
  EXPECT_TRUE(outcome.err.starts_with("sepal zoo: " + nowhere + ": ")) << outcome.err;
}

TEST(ZooVerb, HelpHasExamplesAndTheLetter) {
  const Outcome outcome = run_tool({"zoo", "--help"});
  EXPECT_TRUE(succeeds(outcome, "sepal zoo [OPTIONS] [NETWORK]"));
  EXPECT_TRUE(succeeds(outcome, "-o,--output FILE"));
  EXPECT_TRUE(succeeds(outcome, "sepal zoo mobilenet_v2:width=0.5,size=160\n"));
}

}  // namespace
}  // namespace sepal::cli
