// sepal train and sepal eval from the outside, on a few small images in IDX files.

#include <gtest/gtest.h>

#include <fstream>

#include "sepal/report/json.h"
#include "tests/cli/process.h"
#include "tests/test_data.h"

namespace sepal::cli {
namespace {

/// The folder of a data set as MNIST's: 8 x 8, three classes told apart by which rows are bright.
std::string small_set(const TemporaryFolder& folder) {
  std::filesystem::create_directories(folder.path() / "rows");
  const auto part = [&](const std::string& name, int count) {
    std::string images =
        std::string("\0\0\x08\x03\0\0\0", 7) + static_cast<char>(count) + std::string("\0\0\0\x08\0\0\0\x08", 8);
    std::string labels = std::string("\0\0\x08\x01\0\0\0", 7) + static_cast<char>(count);
    for (int i = 0; i < count; ++i) {
      labels += static_cast<char>(i % 3);
      for (int at = 0; at < 64; ++at) {
        images += static_cast<char>((at / 8 / 3 == i % 3 ? 160 : 20) + (i * 31 + at * 17) % 60);
      }
    }
    folder.write("rows/" + name + "-images-idx3-ubyte", images);
    folder.write("rows/" + name + "-labels-idx1-ubyte", labels);
  };
  part("train", 100);
  part("t10k", 30);
  return folder / "rows";
}

std::vector<std::string> command(const std::string& data, const std::string& out) {
  return {"train",     "mobilenet_v1_shallow:width=0.1,size=16",
          "--data",    data,
          "--out",     out,
          "--batch",   "16",
          "--epochs",  "2",
          "--threads", "1"};
}

TEST(Train, WritesAModelThatRunsWithNoFlag) {
  const TemporaryFolder folder;
  const std::string data = small_set(folder);
  const std::string out = folder / "run";
  std::vector<std::string> words = command(data, out);
  words.insert(words.end(), {"--log", folder / "log.jsonl", "--augment", "flip,crop=2,mixup", "--resize", "pad"});
  const Outcome outcome = run_tool(words);
  EXPECT_TRUE(succeeds(outcome, out + "/model.onnx: ", "sepal train: epoch 2: loss "));
  EXPECT_TRUE(succeeds(outcome, " % of 30 test images are told right, loss "));
  const auto history = report::Json::parse(read_text(folder / "run/history.json"));
  EXPECT_EQ(history["epochs"].size(), 2u);
  EXPECT_EQ(history["steps"].size(), 10u);
  EXPECT_EQ(history["network"], "mobilenet_v1_shallow:width=0.1,size=16,channels=1,classes=3,stem=1");
  EXPECT_EQ(history["command"], "sepal train mobilenet_v1_shallow:width=0.1,size=16 --data " + data +
                                    " --epochs 2 --batch 16 --augment flip,crop=2,mixup --resize pad --out " + out);
  EXPECT_EQ(history["test"]["images"], 30);
  std::ifstream log(folder / "log.jsonl");
  int lines = 0;
  for (std::string line; std::getline(log, line); ++lines) EXPECT_TRUE(report::Json::accept(line));
  EXPECT_EQ(lines, 12);

  const Outcome judged = run_tool({"eval", out + "/model.onnx", "--data", data, "--json"});
  EXPECT_TRUE(succeeds(judged));
  const auto json = report::Json::parse(judged.out);
  EXPECT_EQ(json["images"], 30);
  EXPECT_EQ(json["confusion"].size(), 3u);
  EXPECT_TRUE(succeeds(run_tool({"eval", out + "/model.onnx", "--data", data, "--part", "train"}),
                       "what it is, and how often it was told to be each:"));
  EXPECT_TRUE(succeeds(run_tool({"inspect", out + "/model.onnx"}), "sepal.labels"));
  EXPECT_TRUE(succeeds(run_tool({"inspect", out + "/model.onnx"}), "pad"));

  // The very same from where the first epoch ended.
  std::filesystem::remove(folder / "run/checkpoints/step-000000010.safetensors");
  const std::string first = read_text(folder / "run/model.onnx");
  EXPECT_TRUE(succeeds(run_tool({"train", "--resume", out, "--threads", "2", "--fold"}), out + "/model.onnx: "));
  EXPECT_NE(read_text(folder / "run/model.onnx"), first) << "folded";
  std::filesystem::remove(folder / "run/checkpoints/step-000000010.safetensors");
  EXPECT_TRUE(succeeds(run_tool({"train", "--resume", out, "--threads", "2"}), out + "/model.onnx: "));
  EXPECT_EQ(read_text(folder / "run/model.onnx"), first);

  EXPECT_TRUE(refuses(command(data, out), 1,
                      "sepal train: " + out + ": holds a run already; go on with sepal train --resume " + out +
                          ", or give another folder"));
  EXPECT_TRUE(refuses({"train", "--resume", out, "--rate", "1", "--quiet"}, 1,
                      "sepal train: " + out +
                          "/checkpoints/step-000000010.safetensors: is of another run: rate is "
                          "\"0.1\" there and \"1\" here"));
}

TEST(Train, GoesOnFromAModelAndInStandardConvolutions) {
  const TemporaryFolder folder;
  const std::string data = small_set(folder);
  std::vector<std::string> words = command(data, folder / "standard");
  words.insert(words.end(), {"--standard", "--quiet"});
  EXPECT_TRUE(succeeds(run_tool(words), "% of 30 test images"));
  const std::string net = folder / "net.onnx";
  EXPECT_TRUE(succeeds(run_tool({"zoo", "mobilenet_v2:width=0.1,size=32,classes=7", "-o", net})));
  EXPECT_TRUE(succeeds(run_tool({"train", "--from", net, "--freeze", "stem", "--data", data, "--out", folder / "fine",
                                 "--batch", "16", "--epochs", "1", "--rate", "0.01", "--quiet"}),
                       "% of 30 test images"));
}

TEST(Train, MakesANewLastLayerWhereClassesAreAskedFor) {
  const TemporaryFolder folder;
  const std::string data = small_set(folder);
  const std::string net = folder / "net.onnx";
  EXPECT_TRUE(succeeds(run_tool({"zoo", "mobilenet_v2:width=0.1,size=32,classes=3,seed=5", "-o", net})));
  const auto tuned = [&](const std::string& name, std::vector<std::string> more) {
    std::vector<std::string> words = {"train",   "--from", net,      "--data", data,           "--out", folder / name,
                                      "--batch", "16",     "--rate", "1e-12",  "--time-limit", "1e-6s", "--quiet"};
    words.insert(words.end(), more.begin(), more.end());
    EXPECT_TRUE(succeeds(run_tool(words)));
    const Outcome judged = run_tool({"eval", folder / name + "/model.onnx", "--data", data, "--json"});
    EXPECT_TRUE(succeeds(judged));
    return report::Json::parse(judged.out)["loss"].get<double>();
  };
  const double kept = tuned("kept", {});
  EXPECT_EQ(tuned("again", {}), kept);
  EXPECT_NE(tuned("anew", {"--classes", "3"}), kept);
  EXPECT_TRUE(refuses({"train", "--from", net, "--classes", "4", "--data", data, "--out", folder / "x"}, 1,
                      "sepal train: --classes is 4, but rows has 3"));
  EXPECT_TRUE(refuses({"train", "--from", net, "--classes", "some", "--data", data, "--out", folder / "x"}, 2,
                      "sepal train: --classes is a whole number from 1 to 1000000, not \"some\""));
  EXPECT_TRUE(refuses({"train", "mobilenet_v1", "--classes", "3", "--data", data, "--out", folder / "x"}, 2,
                      "sepal train: --classes is for --from; a network of the zoo has the data's"));
}

TEST(Train, StopsByTheTimeLimitAndGoesOn) {
  const TemporaryFolder folder;
  const std::string data = small_set(folder);
  const std::string out = folder / "run";
  std::vector<std::string> words = command(data, out);
  words.insert(words.end(), {"--time-limit", "0.000001s"});
  EXPECT_TRUE(succeeds(run_tool(words),
                       "stopped by the time limit after step 1 of 10; go on with sepal train --resume " + out));
  EXPECT_TRUE(succeeds(run_tool({"train", "--resume", out}), "2 epochs in "));
}

TEST(Train, KeepsAsManyCheckpointsAfterAStop) {
  const TemporaryFolder folder;
  const std::string data = small_set(folder);
  const std::string out = folder / "run";
  std::vector<std::string> words = command(data, out);
  words.insert(words.end(), {"--keep", "4", "--save-every", "2", "--time-limit", "1e-6s", "--quiet"});
  EXPECT_TRUE(succeeds(run_tool(words)));
  EXPECT_TRUE(succeeds(run_tool({"train", "--resume", out, "--quiet"})));
  const auto files = std::filesystem::directory_iterator(folder.path() / "run/checkpoints");
  EXPECT_EQ(std::distance(files, {}), 4);  // of steps 5 (the epoch), 6, 8 and 10
}

TEST(Train, ShowsItsRun) {
  const TemporaryFolder folder;
  const std::string data = small_set(folder);
  std::vector<std::string> words = command(data, folder / "run");
  words.insert(words.end(), {"--tensorboard", folder / "events", "--decay-depthwise", "--quiet"});
  EXPECT_TRUE(succeeds(run_tool(words), "% of 30 test images"));
  const std::string page = read_text(folder / "run/report.html");
  EXPECT_NE(page.find("sepal train mobilenet_v1_shallow:width=0.1,size=16 --data " + data), std::string::npos);
  EXPECT_NE(page.find("--decay-depthwise"), std::string::npos);
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path() / "events")) {
    EXPECT_GT(entry.file_size(), 200u);
    ++files;
  }
  EXPECT_EQ(files, 1);
}

TEST(Train, TheBundledModelTellsRealPictures) {
  if (!std::filesystem::exists("/usr/share/datasets/fashion-mnist")) {
    if (test_data_required()) FAIL() << "apt install dataset-fashion-mnist";
    GTEST_SKIP() << "dataset-fashion-mnist is not installed";
  }
  const Outcome outcome =
      run_tool({"eval", SEPAL_SOURCE_DIR "/models/fashion_mnist.onnx", "--data", "fashion-mnist", "--json", "--quiet"});
  EXPECT_TRUE(succeeds(outcome));
  const auto json = report::Json::parse(outcome.out);
  EXPECT_EQ(json["images"], 10000);
  EXPECT_GE(json["accuracy"], 0.925);
}

TEST(Compare, TellsHowAPairDoes) {
  const TemporaryFolder folder;
  const std::string data = small_set(folder);
  const std::vector<std::string> words = {"compare",
                                          "--net",
                                          "mobilenet_v1_shallow:width=0.25,size=16",
                                          "--data",
                                          data,
                                          "--out",
                                          folder / "pair",
                                          "--epochs",
                                          "1",
                                          "--batch",
                                          "16",
                                          "--seeds",
                                          "2",
                                          "--threads",
                                          "1",
                                          "--html",
                                          folder / "pair.html",
                                          "--log",
                                          folder / "pair.jsonl"};
  const Outcome outcome = run_tool(words);
  EXPECT_TRUE(succeeds(outcome,
                       "At equal width, mobilenet_v1_shallow:width=0.25,size=16,channels=1,classes=3,stem=1 in "
                       "separable convolutions tells ",
                       "sepal compare: standard seed 2: "));
  EXPECT_NE(read_text(folder / "pair.html").find("Accuracy by seed"), std::string::npos);
  EXPECT_TRUE(read_text(folder / "pair.jsonl").starts_with("{\"event\":\"step\""));
  // What is done is not done again.
  std::vector<std::string> again = words;
  again.push_back("--json");
  const Outcome second = run_tool(again);
  EXPECT_TRUE(succeeds(second));
  const auto json = report::Json::parse(second.out);
  EXPECT_EQ(json["budget"], "width");
  EXPECT_EQ(json["separable"]["runs"].size(), 2u);
  EXPECT_EQ(json["standard"]["runs"].size(), 2u);
  EXPECT_GT(json["standard"]["macs"], json["separable"]["macs"]);
  EXPECT_EQ(report::Json::parse(read_text(folder / "pair/width.json")), json);
  EXPECT_TRUE(refuses({"compare", "--data", data}, 2, "sepal compare: --out is missing: the folder for the runs"));
  EXPECT_TRUE(
      refuses({"compare", "--out", folder / "x"}, 2, "sepal compare: --data is missing: the images to learn from"));
}

TEST(Train, RefusesWithOneLine) {
  const TemporaryFolder folder;
  const std::string data = small_set(folder);
  const std::string out = folder / "run";
  const std::string net = "mobilenet_v1:width=0.1";
  EXPECT_TRUE(refuses({"train", net, "--data", data}, 2,
                      "sepal train: --out is missing: the folder for model, history and checkpoints"));
  EXPECT_TRUE(refuses({"train", net, "--out", out}, 2, "sepal train: --data is missing: the images to learn from"));
  EXPECT_TRUE(refuses({"train", "--data", data, "--out", out}, 2,
                      "sepal train: NET is missing, as in sepal train mobilenet_v1 --data D --out DIR"));
  EXPECT_TRUE(refuses({"train", net, "--from", "x.onnx", "--data", data, "--out", out}, 2,
                      "sepal train: NET and --from are two networks"));
  EXPECT_TRUE(refuses({"train", "--resume", out, "--out", out}, 2,
                      "sepal train: --resume goes on in its own folder; --out is for a new run"));
  EXPECT_TRUE(
      refuses({"train", "--resume", out}, 1, "sepal train: " + out + "/checkpoints: no checkpoint to go on from"));
  EXPECT_TRUE(refuses({"train", net, "--data", data, "--out", out, "--rate", "fast"}, 2,
                      "sepal train: --rate is a number from 1e-12 to 1000000, not \"fast\""));
  EXPECT_TRUE(refuses({"train", net, "--data", data, "--out", out, "--epochs", "0"}, 2,
                      "sepal train: --epochs is a whole number from 1 to 100000, not \"0\""));
  EXPECT_TRUE(refuses({"train", net, "--data", data, "--out", out, "--time-limit", "soon"}, 2,
                      "sepal train: --time-limit is a time as 90s, 10m or 2h, not \"soon\""));
  EXPECT_TRUE(refuses({"train", net, "--data", data, "--out", out, "--augment", "flip,flop"}, 2,
                      "sepal train: --augment knows flip, crop, resized-crop, jitter, erase, mixup and cutmix, not "
                      "\"flop\""));
  EXPECT_TRUE(refuses({"train", net, "--data", data, "--out", out, "--augment", "flip,crop=0"}, 2,
                      "sepal train: --augment crop is a number from 1 to 64, not \"0\""));
  EXPECT_TRUE(refuses({"eval", net}, 2, "sepal eval: --data is missing: the images to judge by"));
  EXPECT_TRUE(refuses({"eval", net, "--data", data}, 1,
                      "sepal eval: mobilenet_v1:width=0.1: tells 1000 classes apart, rows has 3"));
}

}  // namespace
}  // namespace sepal::cli
