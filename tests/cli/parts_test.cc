// The small pieces from the inside: what the outside cannot reach, or not in so many ways.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <stdexcept>

#include "cli/arrays.h"
#include "cli/classify.h"
#include "cli/console.h"
#include "cli/options.h"
#include "cli/outputs.h"
#include "cli/picture.h"
#include "cli/shapes.h"
#include "cli/summary.h"
#include "sepal/report/columns.h"
#include "tests/cli/process.h"
#include "tests/raises.h"

namespace sepal::cli {

using report::Json;
using report::to_text;
namespace {

ValueInfo value(std::string name, std::vector<std::int64_t> dimensions = {1}, std::string text = "1") {
  return {std::move(name), DataType::kF32, std::move(dimensions), std::move(text)};
}

TEST(Options, TheModelMayStandAnywhere) {
  struct Case {
    const char* why;
    std::vector<std::string> words;
    std::vector<std::string> list;
  };
  const Case kCases[] = {
      {"first", {"model", "--list", "a", "b"}, {"a", "b"}},
      {"last, after a list", {"--list", "a", "b", "model"}, {"a", "b"}},
      {"after a list, before a flag", {"--list", "a", "model", "--flag"}, {"a"}},
      {"after one with an equals sign", {"--list=a", "model"}, {"a"}},
      {"after a flag", {"--list", "a", "--flag", "model"}, {"a"}},
      {"after two dashes", {"--list", "a", "b", "--", "model"}, {"a", "b"}},
      {"a list in two places", {"model", "--list", "a", "--flag", "--list", "b", "c"}, {"a", "b", "c"}},
      {"words in brackets", {"model", "--list", "[a,b]", "{}"}, {"[a,b]", "{}"}},
      {"a word of dashes and a number", {"model", "--list", "-1"}, {"-1"}},
  };
  for (const Case& test : kCases) {
    SCOPED_TRACE(test.why);
    std::string model;
    std::vector<std::string> list;
    bool flag = false;
    Options options("sepal test", "");
    options.argument({"MODEL", "FILE", ""}, model);
    options.list({"--list", "WORD", ""}, list);
    options.flag({"--flag", "", ""}, flag);
    ASSERT_TRUE(options.parse(test.words));
    EXPECT_EQ(model, "model");
    EXPECT_EQ(list, test.list);
  }
}

TEST(Options, TheLastOfTwoCounts) {
  std::optional<int> number;
  std::optional<std::string> text;
  Options options("sepal test", "");
  options.number({"--number", "N", ""}, 1, 9, number);
  options.text({"--text", "T", ""}, text);
  ASSERT_TRUE(options.parse({"--number", "3", "--text=a", "--number=5", "--text", "-b"}));
  EXPECT_EQ(number, 5);
  EXPECT_EQ(text, "-b");
}

TEST(Outputs, WhatMayBeWritten) {
  const TemporaryFolder folder;
  const std::string model = folder.write("m.onnx", "model");
  std::filesystem::create_hard_link(model, folder / "hard");
  std::filesystem::create_symlink("m.onnx", folder / "soft");
  std::filesystem::create_symlink("nowhere", folder / "early");
  check_output(folder / "new.html", model);
  check_output(folder / "early", model);
  check_output(model, "mobilenet_v1");  // a network of the zoo, no file
  check_output(model);
  struct Case {
    const char* why;
    std::string path;
    std::string message;
    ErrorKind kind;
  };
  const std::string itself = ": is the model itself, which would be lost; write to another file";
  const Case kCases[] = {
      {"a folder", folder.path().string(), ": is a folder, not a file", ErrorKind::kIo},
      {"a folder with a slash", folder / "", ": is a folder, not a file", ErrorKind::kIo},
      {"the folder that one is in", ".", ": is a folder, not a file", ErrorKind::kIo},
      {"a folder that is not there", folder / "none/",
       ": there is no such folder, and a file's name does not end in a slash", ErrorKind::kIo},
      {"the model", model, itself, ErrorKind::kInvalid},
      {"the model by a detour", folder / "./m.onnx", itself, ErrorKind::kInvalid},
      {"the model by a link", folder / "soft", itself, ErrorKind::kInvalid},
      {"the model by its other name", folder / "hard", itself, ErrorKind::kInvalid},
  };
  for (const Case& test : kCases) {
    SCOPED_TRACE(test.why);
    EXPECT_TRUE(raises([&] { check_output(test.path, model); }, test.path + test.message, test.kind));
  }
}

TEST(CommonOptions, ANameMayHoldAnEqualsSign) {
  CommonOptions common;
  common.shapes = {"a=b=1x3", "s=scalar"};
  common.threads = 3;
  const LoadOptions options = common.load_options();
  EXPECT_EQ(options.shapes.at("a=b"), (Shape{1, 3}));
  EXPECT_EQ(options.shapes.at("s").rank(), 0);
  EXPECT_EQ(options.threads, 3);
}

TEST(Arrays, APrefixIsANameOnlyIfTheModelHasIt) {
  const std::vector<ValueInfo> inputs = {value("x"), value("x=y"), value("z")};
  struct Case {
    const char* why;
    const char* text;
    std::optional<std::size_t> input;
    const char* file;
  };
  const Case kCases[] = {
      {"an input", "z=a.npy", 2, "a.npy"},
      {"a file with an equals sign", "lr=0.1.npy", std::nullopt, "lr=0.1.npy"},
      {"an input and such a file", "z=lr=0.1.npy", 2, "lr=0.1.npy"},
      {"the longest name", "x=y=a.npy", 1, "a.npy"},
      {"the shorter of two names", "x=z.npy", 0, "z.npy"},
      {"no equals sign", "z", std::nullopt, "z"},
      {"no file", "z=", 2, ""},
  };
  for (const Case& test : kCases) {
    SCOPED_TRACE(test.why);
    const Given given = parse_given(test.text, inputs);
    EXPECT_EQ(given.input, test.input);
    EXPECT_EQ(given.file, test.file);
  }
}

TEST(Labels, LinesEndAsOnAnySystem) {
  const TemporaryFolder folder;
  const std::vector<std::string> two = {"cat", "dog"};
  EXPECT_EQ(read_labels(folder.write("unix", "cat\ndog\n")), two);
  EXPECT_EQ(read_labels(folder.write("cut", "cat\ndog")), two);
  EXPECT_EQ(read_labels(folder.write("windows", "cat\r\ndog\r\n")), two);
  EXPECT_EQ(read_labels(folder.write("marked",
                                     "\xEF\xBB\xBF"
                                     "cat\ndog\n")),
            two);
  EXPECT_EQ(read_labels(folder.write("gap", "cat\n\ndog\n")), (std::vector<std::string>{"cat", "", "dog"}));
  EXPECT_TRUE(read_labels(folder.write("empty", "")).empty());
  const std::string many = folder.write("many", std::string((1 << 20) + 1, '\n'));
  EXPECT_TRUE(raises([&] { read_labels(many); }, many + ": more than 1,048,576 lines; labels are one a class",
                     ErrorKind::kInvalid));
}

TEST(Labels, OneFewerLeavesClass0ToTheBackground) {
  const Labels exact({"a", "b", "c"}, 3, "l.txt");
  EXPECT_FALSE(exact.background());
  EXPECT_EQ(exact[0], "a");
  const Labels shifted({"a", "b"}, 3, "l.txt");
  EXPECT_TRUE(shifted.background());
  EXPECT_EQ(shifted[0], "background");
  EXPECT_EQ(shifted[2], "b");
  const Labels ended({"a", "", "c", "", ""}, 3, "l.txt");
  EXPECT_FALSE(ended.background()) << "empty lines at the end do not count, others do";
  EXPECT_EQ(ended[2], "c");
  EXPECT_TRUE(Labels().empty());
  EXPECT_FALSE(Labels().background()) << "no labels are no background";
  EXPECT_TRUE(raises([] { Labels({}, 3, "l.txt"); }, "l.txt: 0 labels, but the model has 3 classes"));
  EXPECT_TRUE(raises([] { Labels({""}, 2, "l.txt"); }, "l.txt: 0 labels, but the model has 2 classes"));
  EXPECT_TRUE(
      raises([] { Labels({"a"}, 3, "l.txt"); }, "l.txt: 1 labels, but the model has 3 classes", ErrorKind::kInvalid));
  EXPECT_TRUE(raises([] { Labels({"a", "b", "c", "d"}, 3, "l.txt"); }, "l.txt: 4 labels, but the model has 3 classes"));
}

TEST(Classifier, IsOneAxisLongerThanOne) {
  EXPECT_EQ(class_count({1, 1001}), 1001);
  EXPECT_EQ(class_count({1, 7, 1, 1}), 7);
  EXPECT_EQ(class_count({2}), 2);
  EXPECT_EQ(class_count({1, 1}), std::nullopt) << "one value ranks nothing";
  EXPECT_EQ(class_count({2, 3}), std::nullopt);
  EXPECT_EQ(class_count({5, 0}), std::nullopt);
  EXPECT_EQ(class_count(Shape{}), std::nullopt);
}

TEST(Classifier, ProbabilitiesStayAndOthersGoThroughSoftmax) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  struct Case {
    const char* why;
    std::vector<double> values;
    bool softmax;
    std::int64_t best;
    double probability;
  };
  const Case kCases[] = {
      {"probabilities", {0.25, 0.75}, false, 1, 0.75},
      {"a sum within 1e-3 of 1", {0.25, 0.7509}, false, 1, 0.7509},
      {"a sum that misses 1 by more", {0.25, 0.752}, true, 1, std::exp(0.752) / (std::exp(0.25) + std::exp(0.752))},
      {"a softmax in eight bits that lost a tenth", {0.25, 0.64453125}, false, 1, 0.64453125},
      {"one in eight bits that gained", {0.75, 0.5}, false, 0, 0.75},
      {"multiples of 1/256 that sum to too little", {0, 0.25}, true, 1, 1 / (1 + std::exp(-0.25))},
      {"to too much", {0.75, 1}, true, 1, 1 / (1 + std::exp(-0.25))},
      {"a negative value, though the sum is 1", {1.5, -0.5}, true, 0, 1 / (1 + std::exp(-2.0))},
      {"logits too large for exp", {1000, 1000}, true, 0, 0.5},
      {"a class that is ruled out", {-kInf, 3}, true, 1, 1},
      {"equal values: the lower index", {0.5, 0.5}, false, 0, 0.5},
  };
  for (const Case& test : kCases) {
    SCOPED_TRACE(test.why);
    const std::optional<Ranking> ranking = rank_classes(test.values, 1);
    ASSERT_TRUE(ranking);
    EXPECT_EQ(ranking->used_softmax, test.softmax);
    ASSERT_EQ(ranking->best.size(), 1U);
    EXPECT_EQ(ranking->best[0].index, test.best);
    EXPECT_NEAR(ranking->best[0].probability, test.probability, 1e-12);
  }
}

TEST(Classifier, ValuesWithoutOrderAreNotRanked) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  EXPECT_FALSE(rank_classes(std::vector{0.5, std::nan("")}, 5));
  EXPECT_FALSE(rank_classes(std::vector{0.5, kInf}, 5));
  EXPECT_FALSE(rank_classes(std::vector{-kInf, -kInf}, 5));
  EXPECT_FALSE(rank_classes({}, 5));
}

TEST(Classifier, ShowsAtMostWhatThereIs) {
  const std::optional<Ranking> ranking = rank_classes(std::vector{0.1, 0.6, 0.3}, 1'000'000);
  ASSERT_TRUE(ranking);
  ASSERT_EQ(ranking->best.size(), 3U);
  EXPECT_EQ(ranking->best[0].index, 1);
  EXPECT_EQ(ranking->best[1].index, 2);
  EXPECT_EQ(ranking->best[2].index, 0);
}

TEST(Summary, LeavesNaNOutAndCountsIt) {
  const Summary summary = summarize("y", Tensor::of<float>({4}, {1, std::nanf(""), -2, 4}));
  EXPECT_EQ(summary.min, -2);
  EXPECT_EQ(summary.max, 4);
  EXPECT_EQ(summary.mean, 1);
  EXPECT_EQ(summary.nan, 1);
  EXPECT_TRUE(std::isnan(summarize("y", Tensor(DataType::kF32, {0})).mean));
  EXPECT_EQ(summarize("y", Tensor::of<std::uint8_t>({2}, {255, 0})).mean, 127.5);
  EXPECT_EQ(summarize("y", Tensor::of<BFloat16>({1}, {BFloat16(0.5F)})).max, 0.5);
}

TEST(Summary, ShowsAColumnOfNaNOnlyWhereThereAreAny) {
  const Summary clean = summarize("y\n", Tensor::of<float>({2}, {1, 2}));
  EXPECT_EQ(outputs_text({&clean, 1}), "name   shape  type  min  max  mean\ny\\x0a  2      f32   1    2    1.5\n");
  const Summary mixed = summarize("y", Tensor::of<float>({2}, {std::nanf(""), 2}));
  EXPECT_EQ(outputs_text({&mixed, 1}),
            "name  shape  type  min  max  mean  NaN\ny     2      f32   2    2    2     1\n");
}

TEST(Summary, NamesBecomeFileNamesOrCollide) {
  EXPECT_EQ(file_name_of("a/b:c d-e_f.9\xC3\xA4"), "a_b_c_d-e_f.9__");
  const std::vector<ValueInfo> good = {value("a/b"), value("..")};
  EXPECT_EQ(output_files("out", good), (std::vector<std::filesystem::path>{"out/a_b.npy", "out/...npy"}));
  const std::vector<ValueInfo> bad = {value("a/b"), value("a:b")};
  EXPECT_TRUE(raises([&] { output_files("out", bad); },
                     "the outputs \"a/b\" and \"a:b\" would both be written to out/a_b.npy", ErrorKind::kInvalid));
}

TEST(Json, WhatJsonCannotSayBecomesNullOrAReplacement) {
  const Json json{{"nan", std::nan("")}, {"bytes", "\xFF"}, {"control", "\x1b"}};
  EXPECT_EQ(to_text(json), "{\n  \"nan\": null,\n  \"bytes\": \"\xEF\xBF\xBD\",\n  \"control\": \"\\u001b\"\n}\n");
}

TEST(Table, AlignsByCharactersAndEndsWithoutBlanks) {
  EXPECT_EQ(to_text({{"\xC3\xA4", "1", "x"}, {"bb", "22", ""}}, 1, "lr"), " \xC3\xA4    1  x\n bb  22\n");
}

TEST(Shapes, OnlyAFreeBatchIsGuessed) {
  const std::vector<ValueInfo> inputs = {value("fixed", {1, 3}, "1x3"),  value("batch", {-1, 3}, "Nx3"),
                                         value("wide", {1, -1}, "1xW"),  value("both", {-1, -1}, "NxW"),
                                         value("any", {}, "any shape"),  value("scalar", {}, "scalar"),
                                         value("given", {-1, -1}, "?x?")};
  const GuessedShapes guess = guess_shapes(inputs, {{"given", Shape{2, 2}}});
  EXPECT_EQ(guess.batches, std::vector<std::string>{"batch"});
  EXPECT_EQ(guess.open, (std::vector<std::string>{"wide", "both", "any"}));
  EXPECT_EQ(guess.shapes.at("batch"), (Shape{1, 3}));
  EXPECT_EQ(guess.shapes.at("given"), (Shape{2, 2}));
  EXPECT_EQ(guess_shapes(inputs, {}, 7).shapes.at("batch"), (Shape{7, 3}));
}

TEST(Picture, ChannelsAreOneNumberOrThree) {
  EXPECT_EQ(parse_channels("--mean", "0.5"), (std::array{0.5, 0.5, 0.5}));
  EXPECT_EQ(parse_channels("--mean", "1,-2,3e-1"), (std::array{1.0, -2.0, 0.3}));
  for (const char* bad : {"", "1,2", "1,2,3,4", "1,2,", "nan", "1 2 3", "0x1", "1e999"}) {
    EXPECT_TRUE(raises([&] { parse_channels("--mean", bad); },
                       std::string("--mean is one number or three with commas between them, not \"") + bad + "\"",
                       ErrorKind::kUsage));
  }
}

}  // namespace
}  // namespace sepal::cli
