// sepal cost from the outside.

#include <gtest/gtest.h>

#include <cstdlib>

#include "sepal/base/text.h"
#include "sepal/report/json.h"
#include "tests/cli/process.h"
#include "tests/cli/tiny_onnx.h"
#include "tests/test_data.h"

namespace sepal::cli {

using report::Json;
namespace {

/// A machine of round numbers, so that predictions are the same everywhere.
constexpr const char* kMachine = R"(sepal-machine 1
processor Test
cores 2
target AVX3
flops 1e+11
all_flops 2e+11
level L1 32768 4e+11 8e+11
level memory 1000000000 1e+10 2e+10
undisturbed yes
)";

class CostVerb : public testing::Test {
 protected:
  CostVerb() { setenv("SEPAL_MACHINE", folder_.write("machine.txt", kMachine).c_str(), 1); }
  std::string model(const tiny::Model& model) const { return folder_.write("m.onnx", tiny::encode(model)); }
  static Json json(std::vector<std::string> words) {
    words.insert(words.end(), {"--json", "--quiet", "--threads", "1"});
    const Outcome outcome = run_tool(words);
    EXPECT_EQ(outcome.exit, 0) << outcome.err;
    return Json::parse(outcome.out);
  }

  TemporaryFolder folder_;
};

TEST_F(CostVerb, ALayerInBothForms) {
  const Json layer = json({"cost", "--layer", "in=512,out=512,kernel=3,size=14"});
  EXPECT_EQ(layer["standard"]["macs"], 462422016);
  EXPECT_EQ(layer["standard"]["parameters"], 2359296);
  EXPECT_EQ(layer["separable"]["macs"], 52283392);
  EXPECT_EQ(layer["separable"]["parameters"], 266752);
  EXPECT_EQ(layer["depthwise"]["macs"].get<std::int64_t>() + layer["pointwise"]["macs"].get<std::int64_t>(), 52283392);
  EXPECT_NEAR(layer["ratio"]["macs"].get<double>(), 1.0 / 512 + 1.0 / 9, 1e-12);
  EXPECT_NEAR(layer["break_even_multiplier"].get<double>(), 512.0 * 9 / 521, 1e-12);
  // 924,743,680 FLOPs at 100 GFLOP/s.
  EXPECT_NEAR(layer["predicted"]["standard"]["ms"].get<double>(), 9.2474368, 1e-6);
  EXPECT_EQ(layer["predicted"]["undisturbed"], true);
  EXPECT_EQ(layer["predicted"]["standard"]["bound"], "compute");

  const Outcome text = run_tool({"cost", "--layer", "in=512,out=512,kernel=3,size=14"});
  EXPECT_TRUE(succeeds(text, "462,422,016"));
  EXPECT_TRUE(succeeds(text, "0.113064 of the MACs (8.84 times less)"));
  EXPECT_TRUE(succeeds(run_tool({"cost", "--layer", "in=8,out=1,kernel=3,size=14"}), "separating does not pay"));
}

TEST_F(CostVerb, TheSeedsLayerWithAndWithoutBiases) {
  const Json plain = json({"cost", "--layer", "in=3,out=32,kernel=3,size=1"});
  EXPECT_EQ(plain["standard"]["parameters"], 864);
  EXPECT_EQ(plain["separable"]["parameters"], 123);
  const Json biased = json({"cost", "--layer", "in=3,out=32,kernel=3,size=1,bias=1"});
  EXPECT_EQ(biased["standard"]["parameters"], 896);
  EXPECT_EQ(biased["separable"]["parameters"], 158);
}

TEST_F(CostVerb, MeasuringTellsHowMuchOfThePromiseIsKept) {
  const Json layer = json({"cost", "--layer", "in=16,out=32,kernel=3,size=8", "--measure"});
  const Json& measured = layer["measured"];
  EXPECT_NEAR(measured["kept"].get<double>(), measured["speedup"].get<double>() / measured["promised"].get<double>(),
              1e-9);
  EXPECT_NEAR(measured["promised"].get<double>() * layer["ratio"]["macs"].get<double>(), 1, 1e-9);
  EXPECT_GT(measured["standard"]["median_ms"].get<double>(), 0);
  EXPECT_TRUE(succeeds(run_tool({"cost", "--layer", "in=16,out=32,kernel=3,size=8", "--measure", "--threads", "1"}),
                       "Measured with 1 thread: "));
}

TEST_F(CostVerb, ANetworkOfTheZoo) {
  const Json cost = json({"cost", "mobilenet_v1"});
  EXPECT_EQ(cost["total"]["macs"], 568740352);
  EXPECT_EQ(cost["total"]["parameters"], 4231976);
  EXPECT_EQ(cost["convention"]["operations"], 568740352);
  EXPECT_FALSE(cost.contains("predicted"));
  EXPECT_LE(cost["memory"]["planned"].get<std::int64_t>(), cost["memory"]["activations"].get<std::int64_t>());
  EXPECT_GT(cost["memory"]["planned"].get<std::int64_t>(), 0);
  std::int64_t macs = 0;
  for (const Json& layer : cost["layers"]) macs += layer["macs"].get<std::int64_t>();
  EXPECT_EQ(macs, 568740352);
  const Outcome text = run_tool({"cost", "mobilenet_v1"});
  EXPECT_TRUE(succeeds(text, "pointwise            13  539,492,352  94.86 %"));
  EXPECT_TRUE(succeeds(text, "56 operators without MACs are not shown; --all shows them."));
  EXPECT_TRUE(succeeds(run_tool({"cost", "mobilenet_v1", "--all"}), "clip"));
}

// The paper's table 4: the network with each separable pair made standard is the standard network, stem and classifier
// as they are.
TEST_F(CostVerb, TheStandardTwinIsTheStandardNetwork) {
  const Json twins = json({"cost", "mobilenet_v1", "--standard"})["twins"];
  EXPECT_EQ(twins["layers"].size(), 13u);
  EXPECT_EQ(twins["separable_macs"], 568740352);
  EXPECT_EQ(twins["standard_macs"], json({"cost", "mobilenet_v1_standard"})["total"]["macs"]);
  EXPECT_EQ(twins["layers"][0]["name"], "block1/depthwise + pointwise");

  const Json back = json({"cost", "mobilenet_v1_standard", "--separable"})["twins"];
  EXPECT_EQ(back["layers"].size(), 14u);  // the stem too
  EXPECT_EQ(back["standard_macs"], twins["standard_macs"]);
  EXPECT_TRUE(succeeds(run_tool({"cost", "mobilenet_v1", "--separable"}), "1 layer: 10,838,016 MACs as they are"));
  EXPECT_TRUE(succeeds(run_tool({"cost", "vgg16:size=64", "--standard"}),
                       "The network has no depthwise convolution followed by a pointwise one."));
}

// For ptflops' own table, which prints 1.82 GMac for ResNet-18 and 0.32 GMac for MobileNetV2, see
// docs/conventions.md.
TEST_F(CostVerb, ConventionsGiveTheirOwnTotals) {
  struct Case {
    const char* network;
    std::int64_t paper, fvcore, ptflops, tensorflow;
  };
  const Case cases[] = {
      {"resnet18", 1'814'073'344, 1'819'065'856, 1'822'177'768, 3'630'731'752},
      {"mobilenet_v1", 568'740'352, 578'875'904, 583'919'592, 1'137'531'880},
      {"mobilenet_v2", 300'774'272, 314'193'216, 320'300'008, 601'828'648},
      {"efficientnet_lite0", 385'187'552, 398'725'664, 404'884'200, 770'648'936},
      {"mobilenet_v3_large", 216'589'760, 226'033'824, 228'356'576, 434'852'096},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.network);
    const Json cost = json({"cost", test.network, "--convention", "fvcore"});
    EXPECT_EQ(cost["convention"]["operations"], test.fvcore);
    const Json& counts = cost["conventions"];
    const std::int64_t expected[] = {test.paper, test.fvcore, test.ptflops, test.tensorflow};
    for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(counts[i]["operations"], expected[i]) << counts[i]["name"];
  }
}

TEST_F(CostVerb, PredictionsFollowTheMachineGiven) {
  const Json cost = json({"cost", "mobilenet_v1", "--time"});
  EXPECT_EQ(cost["predicted"]["processor"], "Test");
  double whole = 0;
  for (const Json& layer : cost["layers"]) {
    const Json& time = layer["predicted"];
    EXPECT_NEAR(time["compute_ms"].get<double>(), layer["flops"].get<double>() / 1e8, 1e-9);
    EXPECT_EQ(time["ms"], std::max(time["compute_ms"].get<double>(), time["memory_ms"].get<double>()));
    whole += time["ms"].get<double>();
  }
  EXPECT_NEAR(cost["predicted"]["ms"].get<double>(), whole, 1e-9);
}

TEST_F(CostVerb, PairsOfRealNetworksAreFound) {
  SEPAL_NEEDS_TEST_DATA();
  struct Case {
    const char* why;
    const char* network;
    std::size_t pairs;
  };
  const Case cases[] = {{"activations in steps", "yolox_nano", 30},
                        {"integers from end to end", "kws_dscnn_qlinear", 4},
                        {"the same, thirteen times", "vww_96_qlinear", 13},
                        {"quantised and back at each step", "kws_dscnn_int8", 4}};
  for (const Case& test : cases) {
    SCOPED_TRACE(test.why);
    const std::string file = (test_data() / "models" / test.network / "model.onnx").string();
    EXPECT_EQ(json({"cost", file, "--standard"})["twins"]["layers"].size(), test.pairs);
  }
  const std::string file = (test_data() / "models/fastestdet/model.onnx").string();
  EXPECT_TRUE(succeeds(run_tool({"cost", file, "--standard"}),
                       "22 of 28 depthwise convolutions form a pair with a pointwise one."));
}

TEST_F(CostVerb, TransposesThatNoFileHasAreNotLayers) {
  const tiny::Model image{.inputs = {{"x", {"1", "2", "8", "6"}}},
                          .outputs = {{"y", {"1", "2", "4", "3"}}},
                          .nodes = {{"MaxPool", {"x"}, {"y"}, {{"kernel_shape", {2, 2}}, {"strides", {2, 2}}}}}};
  const Json cost = json({"cost", model(image)});
  ASSERT_EQ(cost["layers"].size(), 1u);
  EXPECT_EQ(cost["layers"][0]["operator"], "max_pool");
  EXPECT_EQ(cost["memory"]["activations"], 4 * (2 * 8 * 6 + 2 * 4 * 3));
  EXPECT_EQ(cost["total"]["bytes"]["traffic"], 4 * (2 * 8 * 6 + 2 * 4 * 3));
}

TEST_F(CostVerb, EmptyMapsAreSaidToBeEmpty) {
  const tiny::Model empty{.inputs = {{"x", {"0", "2", "8", "6"}}, {"w", {"4", "2", "3", "3"}}},
                          .outputs = {{"y", {"0", "4", "6", "4"}}},
                          .nodes = {{"Conv", {"x", "w"}, {"y"}}}};
  EXPECT_TRUE(succeeds(run_tool({"cost", model(empty), "--separable"}),
                       "Its maps hold no values at these shapes, so there is nothing to compare."));
}

TEST_F(CostVerb, TotalsOfParametersAndWhatIsStored) {
  const Json cost = json({"cost", "mobilenet_v1"});
  EXPECT_EQ(cost["memory"]["weights"], 4 * 4253864);
  const Json& roles = cost["total"]["parameters_by_role"];
  EXPECT_EQ(roles["weights"], 4209088);
  EXPECT_EQ(roles["slopes"], 0);
  EXPECT_EQ(roles["quantization"], 0);
  EXPECT_EQ(roles["constants"], 0);
  EXPECT_EQ(roles["stored"], 4253864);
  const Outcome text = run_tool({"cost", "mobilenet_v1"});
  for (const char* row : {"weights                  4,209,088", "weights and biases       4,210,088",
                          "all that is trained      4,231,976", "and running statistics   4,253,864"})
    EXPECT_TRUE(succeeds(text, row));
  EXPECT_TRUE(succeeds(text, "A plan can take less than what is alive at once"));
}

TEST_F(CostVerb, IntegersAreSaidToBeTimedAndMovedAsF32) {
  SEPAL_NEEDS_TEST_DATA();
  const std::string file = (test_data() / "models/kws_dscnn_int8/model.onnx").string();
  const std::string page = folder_ / "page.html";
  EXPECT_TRUE(succeeds(run_tool({"cost", file, "--html", page}), "bit-operations take the integers that are stored."));
  const std::string html = read_text(page);
  EXPECT_NE(html.find("The peak rate is that of f32, also for layers that multiply integers."), std::string::npos);
  EXPECT_NE(html.find("without FLOPs are not drawn."), std::string::npos);
}

tiny::Model nasty() {
  // Names that a page, a plot or a spreadsheet might take for something else.
  tiny::Node pool{"MaxPool", {"x"}, {"p"}, {{"kernel_shape", {2, 2}}, {"strides", {2, 2}}}};
  pool.name = "<script>alert(1)</script>";
  tiny::Node relu{"Relu", {"p"}, {"y"}};
  relu.name = "=1+1";
  return {.inputs = {{"x", {"1", "2", "8", "8"}}}, .outputs = {{"y", {"1", "2", "4", "4"}}}, .nodes = {pool, relu}};
}

TEST_F(CostVerb, NamesFromAFileAreHarmless) {
  const std::string file = model(nasty());
  const Outcome csv = run_tool({"cost", file, "--csv"});
  EXPECT_TRUE(succeeds(csv, "'=1+1,"));
  EXPECT_EQ(csv.out.find("\n=1+1"), std::string::npos);
  const std::string page = folder_ / "page.html";
  EXPECT_EQ(run_tool({"cost", file, "--html", page, "--svg", folder_ / "plot.svg"}).exit, 0);
  EXPECT_EQ(read_text(page).find("<script>alert"), std::string::npos);
  EXPECT_NE(read_text(page).find("&lt;script&gt;alert"), std::string::npos);
  const std::string plot = read_text(folder_ / "plot-bytes-by-layer.svg");
  EXPECT_EQ(plot.find("<script"), std::string::npos);
  EXPECT_NE(plot.find("&lt;scri"), std::string::npos);
}

TEST_F(CostVerb, WritesPagesAndPlots) {
  const std::string page = folder_ / "page.html";
  const std::string plots = folder_ / "cost.svg";
  EXPECT_EQ(run_tool({"cost", "mobilenet_v2", "--standard", "--html", page, "--svg", plots}).exit, 0);
  const std::string html = read_text(page);
  EXPECT_TRUE(html.starts_with("<!DOCTYPE html>"));
  EXPECT_LT(html.size(), 2u * 1024 * 1024);
  for (const char* plot : {"macs-by-layer", "parameters-by-layer", "bytes-by-layer", "share-by-kind", "memory-over-run",
                           "roofline", "standard-against-separable", "ratio", "ratio-seeds"}) {
    EXPECT_NE(html.find(format("id=\"{}\"", plot)), std::string::npos) << plot;
    EXPECT_TRUE(read_text(folder_ / format("cost-{}.svg", plot)).starts_with("<svg ")) << plot;
  }
  const std::string one = folder_ / "one.svg";
  EXPECT_EQ(run_tool({"cost", "--layer", "in=3,out=3,kernel=3,size=8", "--svg", one, "--plot", "ratio-seeds"}).exit, 0);
  EXPECT_NE(read_text(one).find(".334310"), std::string::npos);
}

TEST_F(CostVerb, WhatCannotBeRunIsListedAndNotZero) {
  tiny::Node strange{"Frobnicate", {"a"}, {"b"}};
  strange.name = "mid/frob";
  const std::string file = model({.inputs = {{"x", {"1", "4"}}},
                                  .outputs = {{"y", {"1", "4"}}},
                                  .nodes = {{"Relu", {"x"}, {"a"}}, strange, {"Sigmoid", {"b"}, {"y"}}}});
  const Json cost = json({"cost", file});
  EXPECT_EQ(cost["layers"].size(), 1u);
  ASSERT_EQ(cost["uncounted"].size(), 2u);
  EXPECT_EQ(cost["uncounted"][0]["name"], "mid/frob");
  EXPECT_EQ(cost["uncounted"][0]["operator"], "Frobnicate");
  EXPECT_TRUE(cost["memory"]["planned"].is_null());
  const Outcome text = run_tool({"cost", file});
  EXPECT_TRUE(succeeds(text, "2 nodes could not be counted and are in no total."));
  const tiny::Model one{
      .inputs = {{"x", {"1", "4"}}}, .outputs = {{"b", {"1", "4"}}}, .nodes = {{"Relu", {"x"}, {"a"}}, strange}};
  EXPECT_TRUE(succeeds(run_tool({"cost", folder_.write("one.onnx", tiny::encode(one))}),
                       "1 node could not be counted and is in no total."));
  EXPECT_TRUE(succeeds(text, "mid/frob     Frobnicate"));
  EXPECT_TRUE(succeeds(text, "There is no plan: some of its nodes cannot be run here."));
}

TEST_F(CostVerb, AFreeBatchIsOneAndOtherFreeShapesAreAskedFor) {
  const tiny::Model batch{
      .inputs = {{"x", {"N", "4"}}}, .outputs = {{"y", {"N", "4"}}}, .nodes = {{"Relu", {"x"}, {"y"}}}};
  const std::string file = model(batch);
  EXPECT_TRUE(succeeds(run_tool({"cost", file}), {}, "the free first axis of x taken as 1; --shape gives another"));
  EXPECT_EQ(json({"cost", file, "--shape", "x=3x4"})["total"]["comparisons"], 12);
  const tiny::Model free{
      .inputs = {{"x", {"1", "W"}}}, .outputs = {{"y", {"1", "W"}}}, .nodes = {{"Relu", {"x"}, {"y"}}}};
  const std::string open = model(free);
  EXPECT_TRUE(
      refuses({"cost", open}, 1, format("sepal cost: {}: shapes are free; counting needs --shape x=...", open)));
}

TEST_F(CostVerb, BadUsageAndBadLayersAreOneLine) {
  struct Case {
    std::vector<std::string> words;
    int exit;
    std::string line;
  };
  const Case cases[] = {
      {{},
       2,
       "one of MODEL and --layer is wanted, as in sepal cost mobilenet_v1 or sepal cost --layer "
       "in=512,out=512,kernel=3,size=14"},
      {{"mobilnet_v2"}, 2, "no model \"mobilnet_v2\"; did you mean \"mobilenet_v2\"?"},
      {{"mobilenet_v2", "--separable", "--standard"}, 2, "--separable and --standard are for one of them at a time"},
      {{"mobilenet_v2", "--json", "--csv"}, 2, "--json and --csv are for one of them at a time"},
      {{"mobilenet_v2", "--plot", "x"}, 2, "--plot is for --svg FILE"},
      {{"mobilenet_v2", "--measure"}, 2, "--measure times layers in both forms; it wants --separable or --standard"},
      {{"mobilenet_v2", "--shape", "x=1x2"},
       2,
       "--shape is for a file; a network of the zoo has size, as in mobilenet_v1:size=160"},
      {{"--layer", "in=4,out=8,kernel=3,size=4", "--standard"},
       2,
       "--layer shows both forms; --separable and --standard are for a MODEL"},
      {{"--layer", "in=4,out=8,kernel=3,size=4", "--convention", "paper"}, 2, "--convention is for a MODEL"},
      {{"--layer", "in=4,out=8,kernel=3,size=4", "--all"}, 2, "--all is for a MODEL"},
      {{"--layer", "in=4,out=8,kernel=3,size=4", "--shape", "x=1"}, 2, "--shape is for a MODEL"},
      {{"--layer", "in=4,out=8,kernel=3"}, 2, "a layer needs size, as in in=512,out=512,kernel=3,size=14"},
      {{"--layer", "in=4,out=8,kernel=7,size=3,padding=valid"},
       1,
       "7x7 4 -> 8 at 3x3: a kernel of 7 with dilation 1 spans 7 rows, but the padded input has 3"},
      {{"--layer", "in=0,out=8,kernel=3,size=3"},
       1,
       "3x3 0 -> 8 at 3x3: the input channels are 0; at least 1 and less than 2^31 is wanted"},
      {{"--layer", "in=2147483647,out=2147483647,kernel=3,size=2147483647"},
       1,
       "3x3 2147483647 -> 2147483647 at 2147483647x2147483647: 1x2147483647x2147483647x2147483647 holds too many "
       "elements"},
  };
  for (const Case& test : cases) {
    std::vector<std::string> words = {"cost"};
    words.insert(words.end(), test.words.begin(), test.words.end());
    EXPECT_TRUE(refuses(words, test.exit, "sepal cost: " + test.line));
  }
  const std::string svg = folder_ / "x.svg";
  EXPECT_TRUE(refuses({"cost", "--layer", "in=4,out=8,kernel=3,size=4", "--svg", svg, "--plot", "pie"}, 2,
                      "sepal cost: no plot \"pie\"; there are ratio, ratio-seeds"));
  EXPECT_TRUE(
      refuses({"cost", "mobilenet_v2", "--html", folder_ / "no/where.html"}, 1,
              format("sepal cost: {}: cannot be written: No such file or directory", folder_ / "no/where.html")));
}

}  // namespace
}  // namespace sepal::cli
