// sepal inspect from the outside.

#include <gtest/gtest.h>

#include <set>

#include "sepal/report/json.h"
#include "tests/cli/process.h"
#include "tests/cli/tiny_onnx.h"

namespace sepal::cli {

using report::Json;
namespace {

class Inspect : public testing::Test {
 protected:
  std::string model(std::string_view name, const tiny::Model& model) const {
    return folder_.write(name, tiny::encode(model));
  }
  TemporaryFolder folder_;
};

TEST_F(Inspect, ShowsEndsOperatorsAndMetadata) {
  tiny::Model described = tiny::colours();
  described.properties = {{"sepal.mean", "0.5"}, {"note\n", std::string(200, 'x') + "\x1b"}};
  const std::string file = model("m.onnx", described);
  const Outcome outcome = run_tool({"inspect", file});
  EXPECT_TRUE(succeeds(outcome, file + "\ninputs\n  image  1x3x4x4  f32\noutputs\n  scores  1x3  f32\noperators"));
  EXPECT_TRUE(succeeds(outcome, "reduce_mean         1          1\n"));
  EXPECT_TRUE(succeeds(outcome, "parameters: 0\n"));
  EXPECT_TRUE(succeeds(outcome, "note\\x0a    " + std::string(72, 'x') + "...\n"));
  EXPECT_TRUE(succeeds(outcome, "sepal.mean  0.5\n"));
  EXPECT_EQ(outcome.out.find("plan:"), std::string::npos);
  EXPECT_EQ(outcome.err, "");
}

TEST_F(Inspect, JsonHoldsTheSame) {
  tiny::Model described = tiny::colours();
  described.properties = {{"note", "a\nb"}};
  const Json json = Json::parse(run_tool({"inspect", model("m.onnx", described), "--json", "--plan"}).out);
  EXPECT_EQ(json["inputs"][0]["name"], "image");
  EXPECT_EQ(json["inputs"][0]["shape"], (std::vector{1, 3, 4, 4}));
  EXPECT_EQ(json["outputs"][0]["type"], "f32");
  EXPECT_EQ(json["operators"]["reduce_mean"]["imported"], 1);
  EXPECT_EQ(json["parameters"], 0);
  EXPECT_EQ(json["metadata"]["note"], "a\nb");
  ASSERT_FALSE(json["plan"]["steps"].empty());
  EXPECT_EQ(json["plan"]["steps"].back()["outputs"][0]["place"], "output");
  EXPECT_EQ(json["plan"]["steps"].back()["outputs"][0]["bytes"], 12);
  EXPECT_GT(json["plan"]["activation_bytes"], 0);
  EXPECT_TRUE(json["plan"]["workspace_bytes"].is_number_unsigned());
}

TEST_F(Inspect, ThePlanShowsStepsMemoryAndWhatIsSlow) {
  const tiny::Model lrn = {{{"x", {"1", "4", "2", "2"}}},
                           {{"y", {"1", "4", "2", "2"}}},
                           {{"LRN", {"x"}, {"h"}, {}, {{"size", 3}}}, {"Relu", {"h"}, {"y"}}}};
  const std::string file = model("lrn.onnx", lrn);
  const Outcome outcome = run_tool({"inspect", file, "--plan", "--threads", "2"});
  EXPECT_TRUE(succeeds(outcome, " steps, 2 threads, instruction set "));
  EXPECT_TRUE(succeeds(outcome, "reference"));
  EXPECT_TRUE(succeeds(outcome, "the_LRN"));
  EXPECT_TRUE(succeeds(outcome, "workspace: "));
  EXPECT_TRUE(succeeds(outcome, "weights: "));
  EXPECT_TRUE(succeeds(outcome, "1 of "));
  EXPECT_EQ(Json::parse(run_tool({"inspect", file, "--plan", "--json"}).out)["plan"]["slow_steps"], 1);
  EXPECT_TRUE(succeeds(run_tool({"inspect", model("t.onnx", tiny::twice()), "--plan"}),
                       "no step runs by a reference kernel\n"));
}

TEST_F(Inspect, ThePlanShowsWhatAStepTakesAlong) {
  const auto kernels = [](const std::vector<std::string>& more) {
    std::vector<std::string> words = {"inspect", "mobilenet_v2:size=64", "--plan", "--json"};
    words.insert(words.end(), more.begin(), more.end());
    std::set<std::string> names;
    const Json json = Json::parse(run_tool(words).out);
    for (const Json& step : json["plan"]["steps"]) names.insert(step["kernel"].get<std::string>());
    return names;
  };
  EXPECT_TRUE(kernels({}).contains("pointwise f32, add"));
  EXPECT_FALSE(kernels({"--no-fuse"}).contains("pointwise f32, add"));
  EXPECT_TRUE(kernels({"--no-fuse"}).contains("binary f32"));
}

TEST_F(Inspect, ThePlanShowsHowStepsRun) {
  const Json json =
      Json::parse(run_tool({"inspect", "mobilenet_v1", "--plan", "--json", "--threads", "2", "--target", "AVX2"}).out);
  bool fused = false;
  for (const Json& step : json["plan"]["steps"]) {
    EXPECT_GT(step["predicted_ms"].get<double>(), 0);
    if (step["rows_at_once"].get<int>() == 0) continue;
    fused = true;
    EXPECT_EQ(step["tile"], "6x16 2x4");
    EXPECT_GT(step["kept_bytes"].get<int>(), 0);
    EXPECT_EQ(step["threads"], 2);
    EXPECT_EQ(step["split"], "rows");
  }
  EXPECT_TRUE(fused);
  EXPECT_EQ(json["plan"]["steps"].back()["split"], "channels") << "the classifier has one row";
  EXPECT_TRUE(succeeds(run_tool({"inspect", "mobilenet_v1", "--plan", "--threads", "2"}), "how each step runs"));
}

TEST_F(Inspect, ThePlanShowsThreeInputsOfAStep) {
  tiny::Model joined = {{}, {{"y", {"1", "10"}}}, {{"Concat", {}, {"y"}, {}, {{"axis", 1}}}}};
  for (const char* name : {"a", "b", "c", "d"}) {
    joined.nodes[0].inputs.emplace_back(name);
    joined.inputs.push_back({name, {"1", std::to_string(joined.inputs.size() + 1)}});
  }
  EXPECT_TRUE(succeeds(run_tool({"inspect", model("joined.onnx", joined), "--plan"}), " 1x1 1x2 1x3 and 1 more "));
  joined.nodes[0].inputs.pop_back();
  joined.inputs.pop_back();
  joined.outputs[0].dims[1] = "6";
  EXPECT_TRUE(succeeds(run_tool({"inspect", model("three.onnx", joined), "--plan"}), " 1x1 1x2 1x3  "));
}

TEST_F(Inspect, ManyPropertiesAreAllThere) {
  tiny::Model described = tiny::colours();
  for (int i = 0; i < 5'000; ++i) described.properties[std::to_string(i)] = "value";
  const Json json = Json::parse(run_tool({"inspect", model("m.onnx", described), "--json"}).out);
  EXPECT_EQ(json["metadata"].size(), described.properties.size() + 1);  // the name of the graph
  EXPECT_EQ(json["metadata"]["4999"], "value");
}

TEST_F(Inspect, AFreeBatchIsTakenAs1) {
  tiny::Model free = tiny::colours();
  free.inputs[0].dims[0] = free.outputs[0].dims[0] = "batch";
  const std::string file = model("free.onnx", free);
  const Outcome outcome = run_tool({"inspect", file, "--plan"});
  EXPECT_TRUE(succeeds(outcome, "image  batchx3x4x4  f32"));
  EXPECT_TRUE(
      succeeds(outcome, "plan: ", "sepal inspect: the free first axis of image taken as 1; --shape gives another\n"));
  const Outcome given = run_tool({"inspect", file, "--plan", "--shape", "image=5x3x4x4"});
  EXPECT_TRUE(succeeds(given, "5x3"));
  EXPECT_EQ(given.err, "");
}

TEST_F(Inspect, OtherFreeAxesNeedShape) {
  tiny::Model free = tiny::colours();
  free.inputs[0].dims = {"1", "3", "h", "w"};
  const std::string file = model("free.onnx", free);
  const std::string line = "shapes are free; operators, parameters and plan need --shape image=...";
  const Outcome plain = run_tool({"inspect", file});
  EXPECT_TRUE(succeeds(plain, "image  1x3xhxw  f32", "sepal inspect: " + line + "\n"));
  const Json json = Json::parse(run_tool({"inspect", file, "--json"}).out);
  EXPECT_TRUE(json["operators"].is_null());
  EXPECT_TRUE(json["inputs"][0]["shape"][2].is_null());
  EXPECT_EQ(json["inputs"][0]["declared"], "1x3xhxw");
  EXPECT_TRUE(refuses({"inspect", file, "--plan"}, 1, "sepal inspect: " + file + ": " + line));
  EXPECT_TRUE(succeeds(run_tool({"inspect", file, "--plan", "--shape", "image=1x3x8x8"}), "plan: "));
}

TEST_F(Inspect, AModelThatNeedsMoreMemoryThanThereIsIsBadInput) {
  const tiny::Model chain = {{{"x", {"h", "w"}}},
                             {{"y", {"h", "w"}}},
                             {{"Add", {"x", "x"}, {"h1"}}, {"Exp", {"h1"}, {"h2"}}, {"Add", {"h1", "h2"}, {"y"}}}};
  const std::string file = model("chain.onnx", chain);
  const Outcome outcome = run_tool({"inspect", file, "--plan", "--json", "--shape", "x=100000000x100000000"});
  EXPECT_EQ(outcome.exit, 1);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err.find("sepal inspect: " + file +
                             ": the_Add: its output f32 100000000x100000000 takes 35.5 PiB, but the limit is "),
            0U)
      << outcome.err;
  EXPECT_EQ(outcome.err.find('\n'), outcome.err.size() - 1);
}

TEST_F(Inspect, AModelThatIsNotOneIsRefused) {
  const std::string empty = folder_.write("empty", "");
  const Outcome outcome = run_tool({"inspect", empty, "--json"});
  EXPECT_EQ(outcome.exit, 1);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err.find("sepal inspect: " + empty + ": "), 0U) << outcome.err;
}

TEST_F(Inspect, UnknownOperatorsAreAllListed) {
  const tiny::Model unknown = {{{"x", {"2"}}}, {{"y", {"2"}}}, {{"Frob", {"x"}, {"h"}}, {"Nicate", {"h"}, {"y"}}}};
  const Outcome outcome = run_tool({"inspect", model("unknown.onnx", unknown)});
  EXPECT_EQ(outcome.exit, 1);
  EXPECT_NE(outcome.err.find("Frob"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("Nicate"), std::string::npos) << outcome.err;
}

}  // namespace
}  // namespace sepal::cli
