// Where the verbs write to, from the outside: folders, links, pipes, and the model that is being read.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "tests/cli/process.h"
#include "tests/cli/tiny_onnx.h"

namespace sepal::cli {
namespace {

class OutputFiles : public testing::Test {
 protected:
  OutputFiles() {
    // Nothing here is about time: any machine will do, and none is measured.
    ::setenv("SEPAL_MACHINE",
             folder_
                 .write("machine.txt",
                        "sepal-machine 1\nprocessor Test\ncores 1\ntarget AVX2\nflops 1e11\nall_flops 1e11\n"
                        "level memory 1000000000 1e10 1e10\nundisturbed yes\n")
                 .c_str(),
             1);
  }
  /// Everything that may be written besides the machine and what the test made.
  std::ptrdiff_t files() const { return std::distance(std::filesystem::directory_iterator(folder_.path()), {}); }

  TemporaryFolder folder_;
};

const std::vector<std::string> kLayer = {"cost", "--layer", "in=4,out=8,kernel=3,size=4"};

std::vector<std::string> with(std::vector<std::string> words, const std::vector<std::string>& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

TEST_F(OutputFiles, AFolderIsNoFile) {
  const std::string folder = folder_.path().string();
  const std::string none = folder + "/none/";
  for (const char* option : {"--html", "--svg"}) {
    EXPECT_TRUE(refuses(with(kLayer, {option, folder}), 1, "sepal cost: " + folder + ": is a folder, not a file"));
    EXPECT_TRUE(
        refuses(with(kLayer, {option, folder + "/"}), 1, "sepal cost: " + folder + "/: is a folder, not a file"));
    EXPECT_TRUE(
        refuses(with(kLayer, {option, none}), 1,
                "sepal cost: " + none + ": there is no such folder, and a file's name does not end in a slash"));
    EXPECT_TRUE(refuses(with(kLayer, {option, ""}), 2, std::string("sepal cost: ") + option + " is empty"));
  }
  EXPECT_EQ(files(), 1) << "junk was written";
}

TEST_F(OutputFiles, TheModelIsNotWrittenOver) {
  const std::string bytes = tiny::encode(tiny::colours());
  const std::string model = folder_.write("m.onnx", bytes);
  const std::string plot = folder_.write("m-macs-by-layer.onnx", bytes);
  std::filesystem::create_symlink("m.onnx", folder_ / "link.html");
  const std::string itself = ": is the model itself, which would be lost; write to another file";
  EXPECT_TRUE(refuses({"cost", model, "--html", model}, 1, "sepal cost: " + model + itself));
  EXPECT_TRUE(refuses({"cost", model, "--svg", model}, 1, "sepal cost: " + model + itself));
  const std::string link = folder_ / "link.html";
  EXPECT_TRUE(refuses({"cost", model, "--html", link}, 1, "sepal cost: " + link + itself));
  // Plots have names of their own, made from the one given.
  EXPECT_TRUE(refuses({"cost", plot, "--svg", model}, 1, "sepal cost: " + plot + itself));
  EXPECT_EQ(read_text(model), bytes);
  EXPECT_EQ(read_text(plot), bytes);
  EXPECT_EQ(files(), 4);
}

TEST_F(OutputFiles, LinksStay) {
  folder_.write("target", "old");
  std::filesystem::create_symlink("target", folder_ / "page.html");
  std::filesystem::create_symlink("early", folder_ / "net.onnx");
  EXPECT_TRUE(succeeds(run_tool(with(kLayer, {"--html", folder_ / "page.html"}))));
  EXPECT_TRUE(read_text(folder_ / "target").starts_with("<!DOCTYPE html>"));
  EXPECT_TRUE(std::filesystem::is_symlink(folder_ / "page.html"));
  EXPECT_TRUE(succeeds(run_tool({"zoo", "ds_cnn_s", "-o", folder_ / "net.onnx"})));
  EXPECT_GT(std::filesystem::file_size(folder_ / "early"), 90'000u);
  EXPECT_TRUE(std::filesystem::is_symlink(folder_ / "net.onnx"));
}

TEST_F(OutputFiles, APipeIsWrittenAsItIs) {
  const std::string pipe = folder_ / "pipe.svg";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const int reader = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  ASSERT_GE(reader, 0);
  EXPECT_TRUE(succeeds(run_tool(with(kLayer, {"--svg", pipe, "--plot", "ratio-seeds"}))));
  char head[4];
  EXPECT_EQ(::read(reader, head, sizeof(head)), 4);
  EXPECT_EQ(std::string(head, 4), "<svg");
  ::close(reader);
  EXPECT_TRUE(std::filesystem::is_fifo(pipe));
}

// A page lists every layer, and what is shown beside it is what would be shown without.
TEST_F(OutputFiles, APageLeavesTheTextAsItIs) {
  const std::string text = run_tool({"cost", "ds_cnn_s", "--time"}).out;
  EXPECT_NE(text.find("--all shows them"), std::string::npos);
  const Outcome outcome = run_tool({"cost", "ds_cnn_s", "--html", folder_ / "page.html"});
  EXPECT_NE(outcome.out.find("--all shows them"), std::string::npos);
  EXPECT_EQ(read_text(folder_ / "page.html").find("--all shows them"), std::string::npos);
}

}  // namespace
}  // namespace sepal::cli
