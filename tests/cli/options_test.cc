// What a command line may be, from the outside: help, version, verbs and options, and every way to get them
// wrong. No test here opens a model.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "sepal/kernels/target.h"
#include "sepal/report/json.h"
#include "sepal/version.h"
#include "tests/cli/process.h"
#include "tests/cli/tiny_onnx.h"

namespace sepal::cli {

using report::Json;
namespace {

struct Refusal {
  const char* why;
  std::vector<std::string> words;
  const char* line;
};

TEST(CommandLine, BadUsageIsOneLineAndExitCode2) {
  const Refusal kCases[] = {
      {"letters swapped", {"rnu"}, "sepal: no verb \"rnu\"; did you mean \"run\"?"},
      {"nothing near",
       {"teach", "m.onnx"},
       "sepal: no verb \"teach\"; there are run, inspect, cost, bench, train, eval, compare, zoo, learn, completion"},
      {"a verb from a hostile terminal",
       {"\x1b[2Jx\nyzzy"},
       "sepal: no verb \"\\x1b[2Jx\\x0ayzzy\"; there are run, inspect, cost, bench, train, eval, compare, zoo, learn, "
       "completion"},
      {"an empty verb",
       {""},
       "sepal: no verb \"\"; there are run, inspect, cost, bench, train, eval, compare, zoo, learn, completion"},
      {"an option instead of a verb", {"--jsn"}, "sepal: no option \"--jsn\"; did you mean \"--json\"?"},
      {"only an option", {"--json"}, "sepal: a verb is missing; options stand after it, as in sepal run MODEL --json"},
      {"options before the verb",
       {"--json", "run", "m.onnx"},
       "sepal: options stand after the verb: sepal run ... --json"},
      {"no model", {"run"}, "sepal run: MODEL is missing; see sepal run --help"},
      {"no model, but an option", {"run", "--input", "x.npy"}, "sepal run: MODEL is missing; see sepal run --help"},
      {"two models", {"run", "a.onnx", "b.onnx"}, "sepal run: \"b.onnx\" is one word too many; see sepal run --help"},
      {"a misspelt option",
       {"run", "m.onnx", "--lables", "l.txt"},
       "sepal run: no option \"--lables\"; did you mean \"--labels\"?"},
      {"a misspelt option with its value",
       {"run", "m.onnx", "--labls=l.txt"},
       "sepal run: no option \"--labls\"; did you mean \"--labels\"?"},
      {"an option like none",
       {"run", "m.onnx", "--frobnicate"},
       "sepal run: no option \"--frobnicate\"; see sepal run --help"},
      {"an option of another verb",
       {"inspect", "m.onnx", "--image", "x.png"},
       "sepal inspect: no option \"--image\"; see sepal inspect --help"},
      {"a value that is not there", {"run", "m.onnx", "--labels"}, "sepal run: --labels wants FILE after it"},
      {"a list that is empty", {"run", "m.onnx", "--image"}, "sepal run: --image wants [NAME=]FILE after it"},
      {"no threads", {"run", "m.onnx", "--threads", "0"}, "sepal run: --threads is a number from 1 to 1024, not \"0\""},
      {"threads below nothing",
       {"run", "m.onnx", "--threads", "-4"},
       "sepal run: --threads is a number from 1 to 1024, not \"-4\""},
      {"threads beyond reason",
       {"run", "m.onnx", "--threads=1025"},
       "sepal run: --threads is a number from 1 to 1024, not \"1025\""},
      {"threads beyond an int",
       {"run", "m.onnx", "--threads", "99999999999999999999"},
       "sepal run: --threads is a number from 1 to 1024, not \"99999999999999999999\""},
      {"threads with a tail",
       {"inspect", "m.onnx", "--threads", "2x"},
       "sepal inspect: --threads is a number from 1 to 1024, not \"2x\""},
      {"no classes", {"run", "m.onnx", "--top", "0"}, "sepal run: --top is a number from 1 to 1000000, not \"0\""},
      {"an unknown preset",
       {"run", "m.onnx", "--preset", "imagenet"},
       "sepal run: --preset is one of imagenet-torch, imagenet-tf, unit, raw, not \"imagenet\""},
      {"a misspelt preset",
       {"run", "m.onnx", "--preset", "imagenet-tr"},
       "sepal run: --preset is one of imagenet-torch, imagenet-tf, unit, raw, not \"imagenet-tr\"; did you mean "
       "\"imagenet-tf\"?"},
      {"an unknown fit",
       {"run", "m.onnx", "--resize", "x"},
       "sepal run: --resize is one of crop, stretch, pad, not \"x\""},
      {"two means",
       {"run", "m.onnx", "--image", "a.png", "--mean", "1,2"},
       "sepal run: --mean is one number or three with commas between them, not \"1,2\""},
      {"four means",
       {"run", "m.onnx", "--image", "a.png", "--mean", "1,2,3,4"},
       "sepal run: --mean is one number or three with commas between them, not \"1,2,3,4\""},
      {"a mean without end",
       {"run", "m.onnx", "--image", "a.png", "--mean", "inf"},
       "sepal run: --mean is one number or three with commas between them, not \"inf\""},
      {"a mean of nothing",
       {"run", "m.onnx", "--image", "a.png", "--mean", ""},
       "sepal run: --mean is one number or three with commas between them, not \"\""},
      {"a std of 0",
       {"run", "m.onnx", "--image", "a.png", "--std", "1,0,1"},
       "sepal run: --std cannot be 0: \"1,0,1\""},
      {"normalisation of no image",
       {"run", "m.onnx", "--input", "x.npy", "--mean", "0"},
       "sepal run: --preset, --mean, --std and --resize are for --image, which is missing"},
      {"a shape without a name",
       {"run", "m.onnx", "--shape", "1x3"},
       "sepal run: --shape is NAME=1x3x320x320, not \"1x3\""},
      {"a shape without dimensions",
       {"inspect", "m.onnx", "--shape", "x="},
       "sepal inspect: --shape is NAME=1x3x320x320, not \"x=\""},
      {"a shape with a sign",
       {"inspect", "m.onnx", "--shape", "x=1x-3"},
       "sepal inspect: --shape is NAME=1x3x320x320, not \"x=1x-3\""},
      {"a shape given twice",
       {"inspect", "m.onnx", "--shape", "x=1", "--shape", "x=2"},
       "sepal inspect: --shape names \"x\" twice"},
      {"a shape that ends early",
       {"inspect", "m.onnx", "--shape", "x=1x"},
       "sepal inspect: --shape: \"1x\" is not a shape; write it as 1x3x224x224"},
      {"a shape with a gap",
       {"inspect", "m.onnx", "--shape", "x=1xx3"},
       "sepal inspect: --shape: \"1xx3\" is not a shape; write it as 1x3x224x224"},
      {"a dimension beyond 64 bits",
       {"inspect", "m.onnx", "--shape", "x=99999999999999999999"},
       "sepal inspect: --shape: \"99999999999999999999\" is not a shape; write it as 1x3x224x224"},
      {"a shape that no tensor can have",
       {"inspect", "m.onnx", "--shape", "x=99999999999x99999999999"},
       "sepal inspect: --shape: 99999999999x99999999999 holds too many elements"},
      {"seven dimensions",
       {"run", "m.onnx", "--shape", "x=1x1x1x1x1x1x1"},
       "sepal run: --shape: the shape \"1x1x1x1x1x1x1\" has more than 6 dimensions"},
      {"a folder without a name", {"run", "m.onnx", "--output-dir", ""}, "sepal run: --output-dir is empty"},
      {"labels without a name", {"run", "m.onnx", "--labels", ""}, "sepal run: --labels is empty"},
      {"an array without a name", {"run", "m.onnx", "--input", ""}, "sepal run: --input is empty"},
      {"an image without a name", {"run", "m.onnx", "--image", "a.png", ""}, "sepal run: --image is empty"},
      {"an array without a name after its sign",
       {"run", "m.onnx", "--input="},
       "sepal run: --input wants [NAME=]FILE.npy after it"},
      {"a model to run without a name", {"run", ""}, "sepal run: MODEL is empty"},
      {"a model to look at without a name", {"inspect", ""}, "sepal inspect: MODEL is empty"},
      {"a model to count without a name", {"cost", ""}, "sepal cost: MODEL is empty"},
      {"a model to time without a name", {"bench", ""}, "sepal bench: MODEL is empty"},
      {"a page without a name", {"cost", "vgg16", "--html", ""}, "sepal cost: --html is empty"},
      {"a plot without a name after its sign", {"cost", "vgg16", "--svg="}, "sepal cost: --svg wants FILE after it"},
      {"a lesson without a name", {"learn", "--html", ""}, "sepal learn: --html is empty"},
      {"a network written to no name", {"zoo", "vgg16", "-o", ""}, "sepal zoo: --output is empty"},
      {"an unknown shell", {"completion", "fish"}, "sepal completion: SHELL is one of bash, zsh, not \"fish\""},
      {"no shell", {"completion"}, "sepal completion: SHELL is missing; see sepal completion --help"},
  };
  for (const Refusal& test : kCases) {
    SCOPED_TRACE(test.why);
    EXPECT_TRUE(refuses(test.words, 2, test.line));
  }
}

TEST(CommandLine, AnUnknownTargetListsThoseThatThereAre) {
  const Outcome outcome = run_tool({"--version", "--target", "ABACUS"});
  EXPECT_EQ(outcome.exit, 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_NE(outcome.err.find("ABACUS"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find(available_targets().front()), std::string::npos) << outcome.err;
}

TEST(CommandLine, HelpComesOnStdout) {
  EXPECT_TRUE(succeeds(run_tool({"--help"}), "Usage: sepal VERB [OPTIONS]"));
  EXPECT_TRUE(succeeds(run_tool({"-h"}), "Exit codes: 0 done; 1 bad input; 2 bad usage"));
  EXPECT_TRUE(succeeds(run_tool({"help"}), "Verbs:"));
  EXPECT_TRUE(succeeds(run_tool({"run", "--help"}), "Examples:\n  sepal run mobilenet.onnx --image cat.jpg"));
  EXPECT_TRUE(succeeds(run_tool({"help", "inspect"}), "--plan"));
  EXPECT_TRUE(succeeds(run_tool({"completion", "--help"}), "source <(sepal completion bash)"));
}

TEST(CommandLine, NothingIsHelpAndBadUsage) {
  const Outcome outcome = run_tool({});
  EXPECT_EQ(outcome.exit, 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_NE(outcome.err.find("Verbs:\n  run "), std::string::npos) << outcome.err;
}

TEST(CommandLine, TheVersionNamesTheInstructionSetInUse) {
  const std::string head = std::string("sepal ") + kVersion + ", instruction set ";
  const std::vector<std::string> targets = available_targets();
  EXPECT_TRUE(succeeds(run_tool({"--version"}), head + targets.front()));
  EXPECT_TRUE(succeeds(run_tool({"--version", "--target", targets.back()}), head + targets.back()));
  const Json json = Json::parse(run_tool({"--version", "--json", "--target", targets.back()}).out);
  EXPECT_EQ(json["version"], kVersion);
  EXPECT_EQ(json["target"], targets.back());
  EXPECT_EQ(json["targets"], targets);
}

TEST(CommandLine, AFullDiskIsSaid) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "this system has no /dev/full";
  const Outcome outcome = run_tool({"--version"}, "/dev/full");
  EXPECT_EQ(outcome.exit, 1);
  EXPECT_EQ(outcome.err, "sepal: cannot write to standard output: No space left on device\n");
}

int exit_of(pid_t child) {
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

TEST(CommandLine, AReaderThatLeavesIsNoError) {
  const Outcome outcome = run_tool({"--version"});
  ASSERT_EQ(outcome.exit, 0);
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  ::close(ends[0]);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    ::execl(SEPAL_TOOL, SEPAL_TOOL, "--version", nullptr);
    ::_exit(127);
  }
  ::close(ends[1]);
  EXPECT_EQ(exit_of(child), 0);
}

TEST(CommandLine, AnInterruptIsExitCode130) {
  // Nothing here depends on time: the remark on stderr says that the tool is past its start, and stdout is a
  // pipe already full, so it cannot come to its end.
  const TemporaryFolder folder;
  tiny::Model model = tiny::colours();
  model.inputs[0].dims[0] = "N";
  model.outputs[0].dims[0] = "N";
  const std::string file = folder.write("m.onnx", tiny::encode(model));
  int out[2];
  int err[2];
  ASSERT_EQ(::pipe2(out, O_CLOEXEC), 0);
  ASSERT_EQ(::pipe2(err, O_CLOEXEC), 0);
  ASSERT_EQ(::fcntl(out[1], F_SETFL, O_NONBLOCK), 0);
  const std::string filler(4096, 'x');
  while (::write(out[1], filler.data(), filler.size()) > 0) {
  }
  while (::write(out[1], "x", 1) > 0) {
  }
  ASSERT_EQ(::fcntl(out[1], F_SETFL, 0), 0);

  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(out[1], STDOUT_FILENO);
    ::dup2(err[1], STDERR_FILENO);
    ::execl(SEPAL_TOOL, SEPAL_TOOL, "inspect", file.c_str(), nullptr);
    ::_exit(127);
  }
  ::close(err[1]);
  char first = 0;
  ASSERT_EQ(::read(err[0], &first, 1), 1) << "no remark came";
  ::kill(child, SIGINT);
  EXPECT_EQ(exit_of(child), 130);
  ::close(err[0]);
  ::close(out[0]);
  ::close(out[1]);
}

TEST(Completion, BashOffersVerbsOptionsAndChoices) {
  const TemporaryFolder folder;
  const Outcome script = run_tool({"completion", "bash"});
  ASSERT_TRUE(succeeds(script, "complete -F _sepal sepal"));
  struct Case {
    const char* why;
    const char* words;
    const char* offered;
  };
  const Case kCases[] = {{"verbs", "sepal in", "inspect"},
                         {"options of the verb", "sepal run m.onnx --outp", "--output-dir"},
                         {"choices of an option", "sepal run m.onnx --resize st", "stretch"},
                         {"choices after an equals sign", "sepal run m.onnx --preset = un", "unit"},
                         {"shells", "sepal completion z", "zsh"},
                         {"files", "sepal inspect abc", "abcdef"},
                         {"the second of several files", "sepal run m.onnx --image x abc", "abcdef"}};
  folder.write("abcdef", "");
  for (const Case& test : kCases) {
    SCOPED_TRACE(test.why);
    const std::string file = folder.write(
        "try", script.out + "\ncd " + folder.path().string() + "\nCOMP_WORDS=(" + test.words +
                   ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_sepal\necho \"${COMPREPLY[@]}\" > answer\n");
    ASSERT_EQ(std::system(("bash " + file + " 2>/dev/null").c_str()), 0) << "bash is needed for this test";
    EXPECT_EQ(read_text(folder / "answer"), std::string(test.offered) + "\n");
  }
}

TEST(Completion, ZshKnowsEveryVerbAndOption) {
  const Outcome script = run_tool({"completion", "zsh"});
  ASSERT_TRUE(succeeds(script, "#compdef sepal"));
  for (const char* word :
       {"'run:", "'inspect:", "'completion:", "--output-dir=", "--plan[", "(imagenet-torch imagenet-tf unit raw)"}) {
    EXPECT_NE(script.out.find(word), std::string::npos) << word;
  }
}

}  // namespace
}  // namespace sepal::cli
