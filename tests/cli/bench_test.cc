// sepal bench from the outside. What it measures is not looked at, only where it comes from and goes to.

#include <gtest/gtest.h>

#include <cstdlib>

#include "sepal/base/text.h"
#include "sepal/kernels/target.h"
#include "sepal/machine/machine_file.h"
#include "sepal/report/json.h"
#include "tests/cli/process.h"
#include "tests/cli/tiny_onnx.h"

namespace sepal::cli {

using report::Json;
namespace {

constexpr const char* kPhone =
    "sepal-machine 1\nprocessor Pocket 7\ncores 4\ntarget NEON\nflops 32e9\nall_flops 118500000000\n"
    "level L1 65536 1e11 4e11\nlevel memory 4294967296 1.25e10 2e10\nundisturbed no\n";

class Bench : public testing::Test {
 protected:
  Bench() {
    ::setenv("SEPAL_CACHE", (folder_ / "cache").c_str(), 1);
    ::unsetenv("SEPAL_MACHINE");
  }

  /// The tool's words for this machine, as the file in the cache names it.
  std::filesystem::path kept() const { return machine_file().value(); }
  /// The same machine as if it had been measured long ago, with figures that none has.
  Machine remembered() const {
    Machine machine = parse_machine(kPhone);
    const Machine here = read_machine(kept());
    machine.processor = here.processor;
    machine.cores = here.cores;
    machine.target = here.target;
    machine.flops = 12345;
    return machine;
  }

  TemporaryFolder folder_;
};

TEST_F(Bench, ShowsAMachine) {
  const std::string file = folder_.write("phone.txt", kPhone);
  ::setenv("SEPAL_MACHINE", file.c_str(), 1);
  const Outcome outcome = run_tool({"bench", "--machine"});
  EXPECT_TRUE(succeeds(outcome, "",
                       "sepal bench: SEPAL_MACHINE is set: this is the machine of that file\n"
                       "sepal bench: other programs had the cores while this machine was measured, so its figures are "
                       "low\n"));
  EXPECT_EQ(outcome.out, "processor        Pocket 7\ncores            4\ninstruction set  NEON\nfile             " +
                             file +
                             "\n\n"
                             "                        size           1 thread  4 cores\n"
                             "multiply-adds, f32            GFLOP/s      32.0    118.5\n"
                             "reading L1          64.0 KiB  GB/s        100.0    400.0\n"
                             "reading memory       4.0 GiB  GB/s         12.5     20.0\n");
}

TEST_F(Bench, JsonHoldsTheSame) {
  ::setenv("SEPAL_MACHINE", folder_.write("phone.txt", kPhone).c_str(), 1);
  const Outcome outcome = run_tool({"bench", "--machine", "--json", "--quiet"});
  EXPECT_TRUE(succeeds(outcome));
  EXPECT_EQ(outcome.err, "");
  const Json json = Json::parse(outcome.out);
  EXPECT_EQ(json["processor"], "Pocket 7");
  EXPECT_EQ(json["cores"], 4);
  EXPECT_EQ(json["target"], "NEON");
  EXPECT_EQ(json["flops_per_second"], 32e9);
  EXPECT_EQ(json["all_flops_per_second"], 118.5e9);
  ASSERT_EQ(json["levels"].size(), 2U);
  EXPECT_EQ(json["levels"][0],
            Json({{"name", "L1"}, {"bytes", 65536}, {"bytes_per_second", 1e11}, {"all_bytes_per_second", 4e11}}));
  EXPECT_EQ(json["undisturbed"], false);
  EXPECT_EQ(json["file"], folder_ / "phone.txt");
}

TEST_F(Bench, MeasuresOnceAndAgainWhenAsked) {
  const Json first = Json::parse(run_tool({"bench", "--machine", "--json"}).out);
  EXPECT_EQ(first["target"], available_targets().front());
  EXPECT_EQ(first["file"], kept().string());
  EXPECT_EQ(read_machine(kept()).flops, first["flops_per_second"]);
  EXPECT_EQ(Json::parse(run_tool({"bench", "--machine", "--json"}).out), first);

  ASSERT_TRUE(keep_machine(remembered(), kept()));
  EXPECT_EQ(Json::parse(run_tool({"bench", "--machine", "--json"}).out)["flops_per_second"], 12345);
  EXPECT_NE(Json::parse(run_tool({"bench", "--machine", "--again", "--json"}).out)["flops_per_second"], 12345);
  EXPECT_NE(read_machine(kept()).flops, 12345);
}

TEST_F(Bench, SaysThatFiguresAreLow) {
  ASSERT_TRUE(succeeds(run_tool({"bench", "--machine", "--quiet"})));
  Machine disturbed = remembered();
  disturbed.undisturbed = false;
  ASSERT_TRUE(keep_machine(disturbed, kept()));
  const std::string fact = "other programs had the cores while this machine was measured, so its figures are low";
  const std::string remedy = "; sepal bench --machine --again measures anew";
  const std::vector<std::string> layer = {"cost", "--layer", "in=4,out=8,kernel=3,size=4"};
  EXPECT_TRUE(succeeds(run_tool({"bench", "--machine"}), "reading L1", "sepal bench: " + fact + remedy + "\n"));
  EXPECT_TRUE(
      succeeds(run_tool({"bench", "ds_cnn_s", "--seconds", "0.01"}), "", "sepal bench: " + fact + remedy + "\n"));
  EXPECT_TRUE(succeeds(run_tool(layer), "", "sepal cost: " + fact + remedy + "\n"));
  EXPECT_TRUE(succeeds(run_tool({"cost", "ds_cnn_s", "--time"}), "", "sepal cost: " + fact + remedy + "\n"));
  EXPECT_EQ(run_tool({"cost", "ds_cnn_s"}).err, "") << "nothing is predicted";
  ::setenv("SEPAL_MACHINE", folder_.write("phone.txt", kPhone).c_str(), 1);
  EXPECT_TRUE(succeeds(run_tool(layer), "", "sepal cost: " + fact + "\n"));
}

TEST_F(Bench, EveryInstructionSetHasCeilingsOfItsOwn) {
  const std::string last = available_targets().back();
  const Json json = Json::parse(run_tool({"bench", "--machine", "--json", "--target", last}).out);
  EXPECT_EQ(json["target"], last);
  pin_target(last);
  EXPECT_EQ(json["file"], kept().string());
}

TEST_F(Bench, AFolderThatCannotBeIsNoError) {
  ::setenv("SEPAL_CACHE", (folder_.write("taken", "") + "/cache").c_str(), 1);
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"bench", "--machine"}, {"bench", "--machine", "--again"}}) {
    EXPECT_TRUE(succeeds(run_tool(words), "file             none\n",
                         "sepal bench: there is no cache folder that can be written; SEPAL_CACHE names another\n"));
  }
}

TEST_F(Bench, TimesANetwork) {
  ::setenv("SEPAL_MACHINE", folder_.write("phone.txt", kPhone).c_str(), 1);
  const Outcome outcome =
      run_tool({"bench", "ds_cnn_s:batch=2", "--threads", "1", "--seconds", "0.05", "--per-layer", "--json"});
  ASSERT_EQ(outcome.exit, 0) << outcome.err;
  const Json json = Json::parse(outcome.out);
  EXPECT_EQ(json["model"], "ds_cnn_s:batch=2");
  EXPECT_EQ(json["batch"], 2);
  EXPECT_EQ(json["threads"], 1);
  EXPECT_NE(json["target"], "");
  EXPECT_EQ(json["macs"], 2 * 2656768);
  EXPECT_GT(json["runs"].get<int>(), 0);
  EXPECT_GT(json["min_ms"].get<double>(), 0);
  EXPECT_LE(json["min_ms"].get<double>(), json["median_ms"].get<double>());
  const double rate = 2e-9 * json["macs"].get<double>() / (json["median_ms"].get<double>() * 1e-3);
  EXPECT_NEAR(json["gflops"].get<double>(), rate, 1e-6 * rate);
  EXPECT_NEAR(json["peak_share"].get<double>(), rate / 32, 1e-6 * rate);
  std::int64_t macs = 0;
  for (const Json& step : json["steps"]) macs += step["macs"].get<std::int64_t>();
  EXPECT_EQ(macs, 2 * 2656768);
  EXPECT_TRUE(succeeds(run_tool({"bench", "ds_cnn_s", "--threads", "1", "--seconds", "0.02", "--per-layer"}),
                       "of peak  bound    at least"));
}

TEST_F(Bench, TimesANetworkAgainstAnother) {
  ::setenv("SEPAL_MACHINE", folder_.write("phone.txt", kPhone).c_str(), 1);
  const auto timed = [&](const std::vector<std::string>& more) {
    std::vector<std::string> words = {"bench", "ds_cnn_s", "--threads", "1", "--seconds", "0.01", "--json", "--quiet"};
    words.insert(words.end(), more.begin(), more.end());
    const Outcome outcome = run_tool(words);
    EXPECT_EQ(outcome.exit, 0) << outcome.err;
    return Json::parse(outcome.out);
  };
  const Json standard = timed({"--against", "standard", "--batch", "2"});
  EXPECT_EQ(standard["model"], "ds_cnn_s:batch=2");
  EXPECT_EQ(standard["macs"], 2 * 2656768);
  EXPECT_GT(standard["load_ms"].get<double>(), 0);
  EXPECT_GT(standard["plan_ms"].get<double>(), 0);
  const Json& against = standard["against"];
  EXPECT_EQ(against["form"], "standard");
  EXPECT_EQ(against["blocks"].size(), 4u);
  const double promised = against["macs"].get<double>() / standard["macs"].get<double>();
  EXPECT_DOUBLE_EQ(against["promised"].get<double>(), promised);
  EXPECT_DOUBLE_EQ(against["kept"].get<double>(), against["speedup"].get<double>() / promised);
  EXPECT_FALSE(standard.contains("steps")) << "they were timed, but not asked for";
  const Json unfused = timed({"--against", "unfused"});
  EXPECT_EQ(unfused["against"]["form"], "unfused");
  EXPECT_FALSE(unfused["against"].contains("blocks"));
  EXPECT_TRUE(timed({"--against", "unfused", "--per-layer"})["against"].contains("blocks"));
  EXPECT_GT(timed({"--against", "reference"})["against"]["speedup"].get<double>(), 0);
  EXPECT_EQ(timed({"--no-fuse"})["fused"], false);
}

TEST_F(Bench, TunesANetwork) {
  const Outcome outcome =
      run_tool({"bench", "ds_cnn_s", "--tune", "--threads", "1", "--seconds", "0.05", "--json", "--quiet"});
  EXPECT_TRUE(succeeds(outcome));
  const Json json = Json::parse(outcome.out);
  EXPECT_EQ(json["model"], "ds_cnn_s");
  EXPECT_EQ(json["chains"], 1);
  EXPECT_GT(json["ranked_ms"].get<double>(), 0);
  EXPECT_GT(json["tuned_ms"].get<double>(), 0);
  // What is kept is there, and heard: a run by it gives what it gave.
  EXPECT_EQ(json["file"].is_null(), json["changed"] == 0);
  EXPECT_TRUE(json["file"].is_null() || std::filesystem::exists(json["file"].get<std::string>()));
  EXPECT_TRUE(succeeds(run_tool({"bench", "ds_cnn_s", "--tune", "--threads", "1", "--seconds", "0.05", "--quiet"}),
                       "chains of convolutions  1, of which "));
  EXPECT_TRUE(refuses({"bench", "ds_cnn_s", "--tune", "--per-layer"}, 2,
                      "sepal bench: --tune tries plans; --per-layer, --against, --html and --no-fuse are for one that "
                      "is timed"));
  EXPECT_TRUE(refuses({"bench", "--machine", "--tune"}, 2, "sepal bench: --tune is for a MODEL"));
}

TEST_F(Bench, WritesAPage) {
  ::setenv("SEPAL_MACHINE", folder_.write("phone.txt", kPhone).c_str(), 1);
  const std::string page = folder_ / "page.html";
  EXPECT_TRUE(succeeds(run_tool({"bench", "ds_cnn_s", "--threads", "1", "--seconds", "0.01", "--against", "standard",
                                 "--html", page, "--quiet"}),
                       "of the promise is kept"));
  const std::string text = read_text(page);
  for (const char* id : {"blocks", "steps", "roofline", "promise-kept"})
    EXPECT_NE(text.find(format("id=\"{}\"", id)), std::string::npos) << id;
  EXPECT_TRUE(refuses({"bench", "ds_cnn_s", "--html", folder_ / ""}, 1,
                      "sepal bench: " + (folder_ / "") + ": is a folder, not a file"));
}

TEST_F(Bench, ABatchGoesWhereTheFileLeavesItFree) {
  ::setenv("SEPAL_MACHINE", folder_.write("phone.txt", kPhone).c_str(), 1);
  const auto relu = [&](const char* file, const std::vector<std::string>& dims) {
    return folder_.write(file, tiny::encode(tiny::Model{{{"x", dims}}, {{"y", dims}}, {{"Relu", {"x"}, {"y"}}}}));
  };
  const auto words = [](const std::string& file, const char* batch) {
    return std::vector<std::string>{"bench", file, "--seconds", "0.01", "--batch", batch, "--json", "--threads", "1"};
  };
  const Outcome free = run_tool(words(relu("free.onnx", {"N", "3", "4"}), "5"));
  EXPECT_EQ(free.exit, 0) << free.err;
  EXPECT_EQ(free.err.find("taken as 1"), std::string::npos);
  EXPECT_EQ(Json::parse(free.out)["batch"], 5);
  const std::string fixed = relu("fixed.onnx", {"2", "3", "4"});
  EXPECT_EQ(Json::parse(run_tool(words(fixed, "2")).out)["batch"], 2);
  EXPECT_TRUE(
      refuses(words(fixed, "5"), 1, "sepal bench: " + fixed + ": the batch cannot be 5: its input \"x\" is 2x3x4"));
  const std::string scalar = relu("scalar.onnx", {});
  EXPECT_TRUE(
      refuses(words(scalar, "5"), 1, "sepal bench: " + scalar + ": the batch cannot be 5: its input \"x\" is scalar"));
  EXPECT_TRUE(refuses({"bench", "ds_cnn_s:batch=2", "--batch", "3"}, 2,
                      "sepal bench: --batch 3 and ds_cnn_s:batch=2 are two batches"));
  EXPECT_TRUE(
      refuses({"bench", "ds_cnn_s", "--batch", "0"}, 2, "sepal bench: --batch is a number from 1 to 65536, not \"0\""));
}

TEST_F(Bench, BadInputIsOneLine) {
  EXPECT_TRUE(
      refuses({"bench"}, 2, "sepal bench: one of MODEL and --machine is wanted, as in sepal bench mobilenet_v1"));
  EXPECT_TRUE(refuses({"bench", "--again"}, 2,
                      "sepal bench: one of MODEL and --machine is wanted, as in sepal bench mobilenet_v1"));
  EXPECT_TRUE(refuses({"bench", "ds_cnn_s", "--again"}, 2, "sepal bench: --again is for --machine"));
  EXPECT_TRUE(
      refuses({"bench", "ds_cnn_s", "--machine"}, 2, "sepal bench: MODEL and --machine are for one of them at a time"));
  EXPECT_TRUE(refuses({"bench", "--machine", "--seconds", "1"}, 2, "sepal bench: --seconds is for a MODEL"));
  EXPECT_TRUE(refuses({"bench", "--machine", "--batch", "1"}, 2, "sepal bench: --batch is for a MODEL"));
  EXPECT_TRUE(refuses({"bench", "--machine", "--html", "x"}, 2, "sepal bench: --html is for a MODEL"));
  EXPECT_TRUE(refuses({"bench", "--machine", "--against", "unfused"}, 2, "sepal bench: --against is for a MODEL"));
  EXPECT_TRUE(refuses({"bench", "ds_cnn_s", "--against", "unfused", "--no-fuse"}, 2,
                      "sepal bench: --against unfused and --no-fuse would time the same plan twice"));
  EXPECT_TRUE(refuses({"bench", "ds_cnn_s", "--against", "refrence"}, 2,
                      "sepal bench: --against is one of standard, unfused, reference, not \"refrence\"; did you mean "
                      "\"reference\"?"));
  EXPECT_TRUE(refuses({"bench", "resnet18:size=32", "--against", "standard"}, 1,
                      "sepal bench: resnet18:size=32: no depthwise convolution in f32 is followed by a pointwise one "
                      "alone"));
  EXPECT_TRUE(refuses({"bench", "--machine", "--per-layer"}, 2, "sepal bench: --per-layer is for a MODEL"));
  EXPECT_TRUE(refuses({"bench", "--machine", "--shape", "x=1"}, 2, "sepal bench: --shape is for a MODEL"));
  EXPECT_TRUE(refuses({"bench", "--machine", "--no-fuse"}, 2, "sepal bench: --no-fuse is for a MODEL"));
  EXPECT_TRUE(refuses({"bench", "--machine", "--threads", "1"}, 2,
                      "sepal bench: --threads is for a MODEL; --machine measures one thread and all"));
  for (const char* seconds : {"0", "x", "1e9", "1s", "nan"}) {
    EXPECT_TRUE(refuses({"bench", "ds_cnn_s", "--seconds", seconds}, 2,
                        format("sepal bench: --seconds is a number from 0.01 to 3600, not \"{}\"", seconds)));
  }
  const std::string bad = folder_.write("bad.txt", "sepal-machine 2\n");
  ::setenv("SEPAL_MACHINE", bad.c_str(), 1);
  EXPECT_TRUE(refuses(
      {"bench", "--machine"}, 1,
      "sepal bench: SEPAL_MACHINE: " + bad + ": line 1: \"sepal-machine 1\" belongs here, not \"sepal-machine 2\""));
  EXPECT_TRUE(refuses({"bench", "--machine", "--again"}, 2,
                      "sepal bench: --again measures this machine, but SEPAL_MACHINE names " + bad + "; unset it"));
  const std::string none = folder_ / "none.txt";
  ::setenv("SEPAL_MACHINE", none.c_str(), 1);
  EXPECT_TRUE(refuses({"bench", "--machine"}, 1,
                      "sepal bench: SEPAL_MACHINE: " + none + ": cannot be opened: No such file or directory"));
}

}  // namespace
}  // namespace sepal::cli
