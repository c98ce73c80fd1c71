// sepal run from the outside, on models of a node or two whose answers can be had in the head.

#include <gtest/gtest.h>

#include <fstream>

#include "sepal/formats/npy.h"
#include "sepal/report/json.h"
#include "tests/cli/process.h"
#include "tests/cli/tiny_onnx.h"
#include "tests/formats/image_encode.h"

namespace sepal::cli {

using report::Json;
namespace {

/// A folder with models, arrays and images for every test.
class Run : public testing::Test {
 protected:
  std::string model(std::string_view name, const tiny::Model& model) const {
    return folder_.write(name, tiny::encode(model));
  }
  std::string array(std::string_view name, const Tensor& tensor) const {
    write_npy(folder_ / name, tensor.buffer());
    return folder_ / name;
  }
  /// A picture of one colour, 4 x 4.
  std::string picture(std::string_view name, std::uint8_t red, std::uint8_t green, std::uint8_t blue) const {
    Tensor pixels(DataType::kU8, {4, 4, 3});
    for (std::size_t i = 0; i < 16; ++i) {
      pixels.values<std::uint8_t>()[3 * i] = red;
      pixels.values<std::uint8_t>()[3 * i + 1] = green;
      pixels.values<std::uint8_t>()[3 * i + 2] = blue;
    }
    const Bytes png = encode_png(pixels);
    return folder_.write(name, {reinterpret_cast<const char*>(png.data()), png.size()});
  }

  TemporaryFolder folder_;
  std::string twice_ = model("twice.onnx", tiny::twice());
  std::string colours_ = model("colours.onnx", tiny::colours());
  std::string x_ = array("x.npy", Tensor::of<float>({2, 3}, {0, 1, 2, 3, 4, -5}));
  std::string red_ = picture("red.png", 255, 0, 0);
  std::string blue_ = picture("blue.png", 0, 0, 255);
};

/// y = a + b, and z = a - b under a name that needs washing.
tiny::Model two_inputs(const std::string& second = "z") {
  return {{{"a", {"2"}}, {"b", {"2"}}},
          {{"y", {"2"}}, {second, {"2"}}},
          {{"Add", {"a", "b"}, {"y"}}, {"Sub", {"a", "b"}, {second}}}};
}

TEST_F(Run, AnArrayGivesATableOfOutputs) {
  for (const std::string& input : {x_, "x=" + x_}) {
    const Outcome outcome = run_tool({"run", twice_, "--input", input});
    EXPECT_TRUE(succeeds(outcome));
    EXPECT_EQ(outcome.out, "name  shape  type  min  max  mean\ny     2x3    f32   -10  8    1.66667\n");
    EXPECT_EQ(outcome.err, "");
  }
}

TEST_F(Run, JsonIsOneDocumentWithTheSameNumbers) {
  const Outcome outcome = run_tool({"run", twice_, "--input", x_, "--json"});
  ASSERT_TRUE(succeeds(outcome));
  const Json json = Json::parse(outcome.out);
  EXPECT_EQ(json["model"], twice_);
  ASSERT_EQ(json["outputs"].size(), 1U);
  EXPECT_EQ(json["outputs"][0]["name"], "y");
  EXPECT_EQ(json["outputs"][0]["shape"], (std::vector{2, 3}));
  EXPECT_EQ(json["outputs"][0]["type"], "f32");
  EXPECT_EQ(json["outputs"][0]["min"], -10);
  EXPECT_EQ(json["outputs"][0]["max"], 8);
  EXPECT_EQ(json["outputs"][0]["nan"], 0);
  EXPECT_FALSE(json.contains("classes"));
}

TEST_F(Run, NaNIsCountedAndIsNullInJson) {
  const std::string x = array("nan.npy", Tensor::of<float>({2, 3}, {0, 1, 2, 3, 4, std::nanf("")}));
  EXPECT_TRUE(succeeds(run_tool({"run", twice_, "--input", x}), "mean  NaN\ny     2x3    f32   0    8    4     1\n"));
  Tensor all(DataType::kF32, {2, 3});
  for (float& value : all.values<float>()) value = std::nanf("");
  const Json json = Json::parse(run_tool({"run", twice_, "--json", "--input", array("all.npy", all)}).out);
  EXPECT_EQ(json["outputs"][0]["nan"], 6);
  EXPECT_TRUE(json["outputs"][0]["mean"].is_null());
}

TEST_F(Run, AnotherTypeIsConvertedWhereEveryValueSurvives) {
  const std::string whole = array("whole.npy", Tensor::of<std::int64_t>({2, 3}, {1, 2, 3, 4, 5, 6}));
  EXPECT_TRUE(succeeds(run_tool({"run", twice_, "--input", whole}), "f32   2    12   7"));
  const std::string large =
      array("large.npy", Tensor::of<std::int64_t>({2, 3}, {1, 2, 3, 4, 5, (std::int64_t{1} << 24) + 1}));
  const Outcome outcome = run_tool({"run", twice_, "--input", large});
  EXPECT_EQ(outcome.exit, 1);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err.find("sepal run: " + large + ": "), 0U) << outcome.err;
  EXPECT_NE(outcome.err.find("16777217"), std::string::npos) << outcome.err;
}

TEST_F(Run, OutputsAreWrittenUnderWashedNames) {
  const std::string two = model("two.onnx", two_inputs("z/..:0"));
  const std::string a = array("a.npy", Tensor::of<float>({2}, {1, 2}));
  const std::string b = array("b.npy", Tensor::of<float>({2}, {10, 20}));
  const std::string out = folder_ / "deep/er";
  const Outcome outcome = run_tool({"run", two, "--input", "b=" + b, "a=" + a, "--output-dir", out, "--json"});
  ASSERT_TRUE(succeeds(outcome));
  EXPECT_TRUE(identical(read_npy(std::filesystem::path(out) / "y.npy"), Tensor::of<float>({2}, {11, 22})));
  EXPECT_TRUE(identical(read_npy(std::filesystem::path(out) / "z_.._0.npy"), Tensor::of<float>({2}, {-9, -18})));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(out), {}), 2) << "nothing temporary stays";
  EXPECT_EQ(Json::parse(outcome.out)["outputs"][1]["file"], out + "/z_.._0.npy");
  EXPECT_TRUE(succeeds(run_tool({"run", two, "--input", "b=" + b, a})));  // the only one left needs no name
}

TEST_F(Run, OutputsThatCollideLeaveNothingBehind) {
  tiny::Model collides = two_inputs("y:");
  collides.outputs[0].name = collides.nodes[0].outputs[0] = "y/";
  const std::string file = model("collides.onnx", collides);
  const std::string a = array("a.npy", Tensor::of<float>({2}, {1, 2}));
  const std::string out = folder_ / "out";
  EXPECT_TRUE(refuses({"run", file, "--input", "a=" + a, "b=" + a, "--output-dir", out}, 1,
                      "sepal run: the outputs \"y/\" and \"y:\" would both be written to " + out + "/y_.npy"));
  EXPECT_FALSE(std::filesystem::exists(out));
}

TEST_F(Run, AFolderThatCannotBeMadeIsSaid) {
  EXPECT_TRUE(refuses({"run", twice_, "--input", x_, "--output-dir", x_ + "/out", "--json"}, 1,
                      "sepal run: " + x_ + "/out: cannot be created: Not a directory"));
  // Before any run: the array would not suit the model.
  const std::string wrong = array("wrong.npy", Tensor(DataType::kF32, {3, 3}));
  EXPECT_TRUE(refuses({"run", twice_, "--input", wrong, "--output-dir", x_ + "/out"}, 1,
                      "sepal run: " + x_ + "/out: cannot be created: Not a directory"));
}

TEST_F(Run, BadInputIsOneLineAndExitCode1) {
  const std::string none = folder_ / "none.onnx";
  EXPECT_TRUE(
      refuses({"run", none, "--input", x_}, 1, "sepal run: " + none + ": cannot be opened: No such file or directory"));
  EXPECT_TRUE(refuses({"run", twice_, "--input", none}, 1,
                      "sepal run: " + none + ": cannot be opened: No such file or directory"));
  EXPECT_TRUE(refuses({"run", folder_.path(), "--input", x_}, 1,
                      "sepal run: " + folder_.path().string() + ": is a folder, not a file"));
  EXPECT_TRUE(
      refuses({"run", twice_, "--input", "q=" + x_}, 1,
              "sepal run: q=" + x_ + ": there is no such file, and the model has no input \"q\", but \"x\" (2x3 f32)"));
  const std::string wrong = array("wrong.npy", Tensor(DataType::kF32, {3, 3}));
  EXPECT_TRUE(refuses({"run", twice_, "--input", wrong}, 1,
                      "sepal run: " + twice_ + ": input \"x\" is f32 2x3, but the tensor given is f32 3x3"));

  struct Case {
    const char* why;
    std::vector<std::string> words;
    const char* part;
  };
  const std::string empty = folder_.write("empty", "");
  const std::string text =
      folder_.write("text", "This is no model, no array and no image, but it is long enough to be one.\n");
  const std::string cut = folder_.write("cut.onnx", tiny::encode(tiny::twice()).substr(0, 40));
  const std::string huge =
      folder_.write("huge.npy", std::string("\x93NUMPY\x01\x00\x76\x00", 10) +
                                    "{'descr': '<f4', 'fortran_order': False, 'shape': (999999999, 999999), }          "
                                    "                                    \n");
  const std::string big_shape = [&] {
    tiny::Model big = tiny::twice();
    big.inputs[0].dims = big.outputs[0].dims = {"1000000000", "1000000000000"};
    return model("big.onnx", big);
  }();
  const Case kCases[] = {
      {"an empty model", {"run", empty, "--input", x_}, "empty"},
      {"a model that is text", {"run", text, "--input", x_}, "text"},
      {"half a model", {"run", cut, "--input", x_}, "cut.onnx"},
      {"a model of an absurd size", {"run", big_shape, "--input", x_}, "big.onnx"},
      {"an empty array", {"run", twice_, "--input", empty}, "empty"},
      {"an array that is text", {"run", twice_, "--input", text}, "text"},
      {"an array that claims to be huge", {"run", twice_, "--input", huge}, "huge.npy"},
      {"an empty image", {"run", colours_, "--image", empty}, "empty"},
      {"an image that is text", {"run", colours_, "--image", text}, "text"},
      {"a model where an image should be", {"run", colours_, "--image", colours_}, "colours.onnx"},
      {"an image for a model that takes none", {"run", twice_, "--image", red_}, "not an image"},
      {"a shape for an input that is not there",
       {"run", twice_, "--input", x_, "--shape", "q=1"},
       "a shape is given for \"q\""},
  };
  for (const Case& test : kCases) {
    SCOPED_TRACE(test.why);
    const Outcome outcome = run_tool(test.words);
    EXPECT_EQ(outcome.exit, 1);
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(outcome.err.find("sepal run: "), 0U) << outcome.err;
    EXPECT_EQ(outcome.err.find('\n'), outcome.err.size() - 1) << "not one line: " << outcome.err;
    EXPECT_NE(outcome.err.find(test.part), std::string::npos) << outcome.err;
  }
}

TEST_F(Run, WhatIsNotSaidAboutInputsIsBadUsage) {
  const std::string two = model("two.onnx", two_inputs());
  const std::string both = "\"a\" (2 f32), \"b\" (2 f32)";
  EXPECT_TRUE(refuses({"run", twice_, "--output-dir", folder_ / "none"}, 2,
                      "sepal run: nothing given for \"x\" (2x3 f32); see --input and --image"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "none"));
  EXPECT_TRUE(refuses({"run", two, "--input", "a=" + x_}, 2,
                      "sepal run: nothing given for \"b\" (2 f32); see --input and --image"));
  EXPECT_TRUE(refuses({"run", two, "--input", x_}, 2,
                      "sepal run: " + x_ + ": say which input this is, as --input NAME=FILE; the model takes " + both));
  EXPECT_TRUE(refuses({"run", twice_, "--input", "x="}, 2, "sepal run: --input x=: the file's name is empty"));
  EXPECT_TRUE(
      refuses({"run", colours_, "--image", "image="}, 2, "sepal run: --image image=: the file's name is empty"));
  EXPECT_TRUE(refuses({"run", two, "--input", "a=" + x_, "a=" + x_}, 2, "sepal run: --input gives \"a\" twice"));
  EXPECT_TRUE(refuses({"run", twice_, "--input", x_, x_}, 2,
                      "sepal run: " + x_ + ": one --input too many; the model takes \"x\" (2x3 f32)"));
  EXPECT_TRUE(refuses({"run", colours_, "--input", x_, "--image", red_}, 2,
                      "sepal run: --image and --input give the same input; the model takes \"image\" (1x3x4x4 f32)"));
  EXPECT_TRUE(refuses({"run", two, "--image", "a=" + red_, "b=" + red_}, 2,
                      "sepal run: --image gives two inputs, \"a\" and \"b\"; a run takes one image"));
}

TEST_F(Run, AnImageIsClassified) {
  const std::string labels = folder_.write("labels.txt", "red\ngreen\nblue\n");
  const Outcome outcome =
      run_tool({"run", colours_, "--image", red_, "--labels", labels, "--preset", "unit", "--top", "2"});
  EXPECT_TRUE(succeeds(outcome));
  EXPECT_EQ(outcome.out, "1.0000  0  red\n0.0000  1  green\n");
  EXPECT_EQ(outcome.err,
            "sepal run: images: crop to 4x4 (the default); mean 0 0 0 (preset unit), std 1 1 1 (preset unit)\n");
}

TEST_F(Run, LogitsGoThroughSoftmaxAndThatIsSaid) {
  const Outcome outcome = run_tool({"run", colours_, "--image", "image=" + red_, "--mean", "0", "--std", "0.5"});
  EXPECT_TRUE(succeeds(outcome));  // the scores are 2 0 0
  EXPECT_EQ(outcome.out, "0.7870  0\n0.1065  1\n0.1065  2\n");
  EXPECT_EQ(outcome.err,
            "sepal run: images: crop to 4x4 (the default); mean 0 0 0 (--mean), std 0.5 0.5 0.5 (--std)\n"
            "sepal run: softmax applied: the output is not probabilities yet\n");
  const Outcome quiet = run_tool({"run", colours_, "--image", red_, "--mean", "0", "--std", "0.5", "--quiet"});
  EXPECT_EQ(quiet.out, outcome.out);
  EXPECT_EQ(quiet.err, "");
}

TEST_F(Run, TheDefaultIsWhatTorchvisionTrainsWith) {
  const Outcome outcome = run_tool({"run", colours_, "--image", red_, "--json"});
  ASSERT_TRUE(succeeds(outcome, "",
                       "mean 0.485 0.456 0.406 (preset imagenet-torch, the default), std 0.229 0.224 0.225 (preset"));
  const Json json = Json::parse(outcome.out);
  EXPECT_NEAR(json["outputs"][0]["max"], (1 - 0.485) / 0.229, 1e-5);
  EXPECT_EQ(json["image"], red_);
  EXPECT_EQ(json["softmax"], true);
  EXPECT_EQ(json["classes"][0]["index"], 0);
  EXPECT_FALSE(json["classes"][0].contains("label"));
}

TEST_F(Run, MetadataComesBeforeThePresetAndAfterTheFlag) {
  tiny::Model described = tiny::colours();
  described.properties = {
      {"sepal.mean", "0"}, {"sepal.std", "1,1,1"}, {"sepal.resize", "stretch"}, {"sepal.labels", "r\ng\nb"}};
  const std::string file = model("described.onnx", described);
  EXPECT_TRUE(
      succeeds(run_tool({"run", file, "--image", blue_, "--preset", "raw", "--top", "1"}), "1.0000  2  b\n",
               "sepal run: images: stretch to 4x4 (the model's sepal.resize); mean 0 0 0 (the model's sepal.mean), "
               "std 1 1 1 (the model's sepal.std); --preset raw was not needed\nsepal run: labels from the model's "
               "sepal.labels\n"));
  EXPECT_TRUE(succeeds(run_tool({"run", file, "--image", blue_, "--std", "2", "--resize", "pad"}), "",
                       "pad to 4x4 (--resize); mean 0 0 0 (the model's sepal.mean), std 2 2 2 (--std)\n"));
  described.properties["sepal.std"] = "0";
  const std::string zero = model("zero.onnx", described);
  EXPECT_TRUE(refuses({"run", zero, "--image", blue_}, 1,
                      "sepal run: " + zero + ": the property sepal.std is \"0\", but pixels cannot be divided by 0"));
  EXPECT_TRUE(succeeds(run_tool({"run", zero, "--image", blue_, "--std", "2"}), "", "std 2 2 2 (--std)\n"))
      << "what a flag replaces is not looked at";
  described.properties.erase("sepal.std");
  const std::string half = model("half.onnx", described);
  EXPECT_TRUE(succeeds(run_tool({"run", half, "--image", blue_, "--preset", "imagenet-tf"}), "",
                       "mean 0 0 0 (the model's sepal.mean), std 0.5 0.5 0.5 (preset imagenet-tf)\n"));
}

TEST_F(Run, LabelsMustMatchTheClasses) {
  const std::string two = folder_.write("two.txt", "green\r\nblue\r\n");
  const Outcome shifted = run_tool({"run", colours_, "--image", blue_, "--labels", two, "--preset", "unit"});
  EXPECT_TRUE(
      succeeds(shifted, "1.0000  2  blue\n0.0000  0  background\n0.0000  1  green\n",
               "sepal run: --labels has one label fewer than there are classes: class 0 taken as background\n"));
  const std::string one = folder_.write("one.txt", "red\n");
  EXPECT_TRUE(refuses({"run", colours_, "--image", blue_, "--labels", one}, 1,
                      "sepal run: " + one + ": 1 labels, but the model has 3 classes"));
  EXPECT_TRUE(
      refuses({"run", twice_, "--input", x_, "--labels", one}, 1,
              "sepal run: " + one + ": labels are for a classifier, but the model's outputs are \"y\" (2x3 f32)"));
  tiny::Model described = tiny::colours();
  described.properties = {{"sepal.labels", "a\nb\nc\nd\ne"}};
  const std::string file = model("described.onnx", described);
  EXPECT_TRUE(refuses({"run", file, "--image", blue_}, 1,
                      "sepal run: " + file + ": sepal.labels: 5 labels, but the model has 3 classes"));
}

TEST_F(Run, NoLabelsAtAllAreWrong) {
  const std::string empty = folder_.write("empty.txt", "");
  const std::string blank = folder_.write("blank.txt", "\n\r\n\n");
  for (const std::string& labels : {empty, blank}) {
    EXPECT_TRUE(refuses({"run", colours_, "--image", red_, "--labels", labels}, 1,
                        "sepal run: " + labels + ": 0 labels, but the model has 3 classes"));
  }
  tiny::Model described = tiny::colours();
  described.properties = {{"sepal.labels", ""}};
  const std::string file = model("described.onnx", described);
  EXPECT_TRUE(refuses({"run", file, "--image", red_}, 1,
                      "sepal run: " + file + ": sepal.labels: 0 labels, but the model has 3 classes"));
  EXPECT_TRUE(
      succeeds(run_tool({"run", file, "--image", red_, "--labels", folder_.write("3", "r\ng\nb\n\n\n")}), " r\n"));
}

TEST_F(Run, LabelsAreReadBeforeAnyRun) {
  const std::string none = folder_ / "none.txt";
  const std::string out = folder_ / "out";
  const std::string no_image = folder_.write("no.png", "no image");
  EXPECT_TRUE(refuses({"run", colours_, "--image", no_image, "--labels", none, "--output-dir", out}, 1,
                      "sepal run: " + none + ": cannot be opened: No such file or directory"));
  const std::string one = folder_.write("one.txt", "red\n");
  EXPECT_TRUE(refuses({"run", colours_, "--image", no_image, "--labels", one, "--output-dir", out}, 1,
                      "sepal run: " + one + ": 1 labels, but the model has 3 classes"));
  EXPECT_FALSE(std::filesystem::exists(out));
  // How many classes there are, is only known from the first image here; it is not the image's fault either.
  tiny::Model free = tiny::colours();
  free.inputs[0].dims[0] = free.outputs[0].dims[0] = "N";
  EXPECT_TRUE(refuses({"run", model("free.onnx", free), "--image", red_, "--labels", one}, 1,
                      "sepal run: " + one + ": 1 labels, but the model has 3 classes"));
}

TEST_F(Run, AnEightBitSoftmaxIsLeftAsItIs) {
  // A mean of the pixels, all multiples of 1/256; their sum is 240/256.
  Tensor image(DataType::kF32, {1, 3, 4, 4});
  for (std::size_t i = 0; i < 48; ++i) image.values<float>()[i] = i < 16 ? 0.75F : i < 32 ? 0.125F : 0.0625F;
  const Outcome outcome = run_tool({"run", colours_, "--input", array("image.npy", image), "--top", "3"});
  EXPECT_TRUE(succeeds(outcome, "0.7500  0\n0.1250  1\n0.0625  2\n"));
  EXPECT_EQ(outcome.err, "");
}

TEST_F(Run, DoublesAreConvertedByWhatTheModelDeclares) {
  const auto doubles = [&](std::string_view name, double value) {
    std::string file("\x93NUMPY\x01\x00\x40\x00", 10);
    file += "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }";
    file.resize(10 + 63, ' ');
    file += '\n';
    return folder_.write(name, file.append(reinterpret_cast<const char*>(&value), sizeof(value)));
  };
  // y = x + x in the type of that ONNX number.
  const auto twice = [&](std::string_view name, int type) {
    return model(name, {{{"x", {"1"}, type}}, {{"y", {"1"}, type}}, {{"Add", {"x", "x"}, {"y"}}}});
  };
  const std::string tenth = doubles("tenth.npy", 0.1);
  const std::string whole = doubles("whole.npy", 123456789.0);
  EXPECT_TRUE(
      succeeds(run_tool({"run", twice("f64.onnx", 11), "--input", tenth}), "y     1      f32   0.2  0.2  0.2\n"));
  EXPECT_TRUE(succeeds(run_tool({"run", twice("i32.onnx", 6), "--input", whole, "--json"}), "\"max\": 246913578.0"));
  EXPECT_TRUE(refuses(
      {"run", twice("f32.onnx", 1), "--input", tenth}, 1,
      "sepal run: " + tenth + ": the float64 0.1 does not fit f32; round it first, as in array.astype('float32')"));
}

TEST_F(Run, AnImageMayBeOneOfSeveralInputs) {
  // scores = mean(image) + bias
  const tiny::Model biased = {{{"image", {"1", "3", "4", "4"}}, {"bias", {"1", "3"}}},
                              {{"scores", {"1", "3"}}},
                              {{"ReduceMean", {"image"}, {"mean"}, {{"axes", {2, 3}}}, {{"keepdims", 0}}},
                               {"Add", {"mean", "bias"}, {"scores"}}}};
  const std::string file = model("biased.onnx", biased);
  const std::string bias = array("bias.npy", Tensor::of<float>({1, 3}, {0, 7, 0}));
  const std::vector<std::string> rest = {"--preset", "unit", "--json"};
  for (const std::string& image : {red_, "image=" + red_}) {
    std::vector<std::string> words = {"run", file, "--image", image, "--input", "bias=" + bias};
    words.insert(words.end(), rest.begin(), rest.end());
    const Json json = Json::parse(run_tool(words).out);
    EXPECT_EQ(json["outputs"][0]["max"], 7);
    EXPECT_EQ(json["classes"][0]["index"], 1);
    EXPECT_EQ(json["classes"][1]["index"], 0);
  }
  EXPECT_TRUE(refuses({"run", file, "--image", red_}, 2,
                      "sepal run: " + red_ +
                          ": say which input this is, as --image NAME=FILE; the model takes "
                          "\"image\" (1x3x4x4 f32), \"bias\" (1x3 f32)"));
  EXPECT_TRUE(refuses({"run", file, "--image", "bias=" + red_}, 1,
                      "sepal run: " + file +
                          ": input \"bias\" is f32 1x3: not an image of 1 or 3 channels; give it as "
                          "an array"));
  const std::string constant =
      model("constant.onnx", {{}, {{"y", {}, 7}}, {{"Constant", {}, {"y"}, {}, {{"value_int", 3}}}}});
  EXPECT_TRUE(refuses({"run", constant, "--image", red_}, 1,
                      "sepal run: " + constant + ": the model has no inputs, so none for an image"));
}

TEST_F(Run, SeveralImagesGiveOneResultEach) {
  const Outcome outcome = run_tool({"run", colours_, "--image", red_, blue_, "--preset", "unit", "--top", "1"});
  EXPECT_TRUE(succeeds(outcome));
  EXPECT_EQ(outcome.out, red_ + "\n  1.0000  0\n" + blue_ + "\n  1.0000  2\n");
  const std::string out = folder_ / "out";
  const Json json = Json::parse(
      run_tool({"run", colours_, "--image", red_, "--image", blue_, "--preset", "unit", "--json", "--output-dir", out})
          .out);
  ASSERT_EQ(json.size(), 2U);
  EXPECT_EQ(json[0]["image"], red_);
  EXPECT_EQ(json[1]["classes"][0]["index"], 2);
  EXPECT_EQ(json[1]["outputs"][0]["file"], out + "/blue.png/scores.npy");
  EXPECT_TRUE(
      identical(read_npy(std::filesystem::path(out) / "blue.png/scores.npy"), Tensor::of<float>({1, 3}, {0, 0, 1})));
  EXPECT_TRUE(refuses({"run", colours_, "--image", red_, red_, "--output-dir", folder_ / "again"}, 1,
                      "sepal run: the outputs of " + red_ + " and " + red_ + " would both be written to " +
                          (folder_ / "again/red.png")));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "again"));
}

TEST_F(Run, OneBadImageOfManyLeavesStdoutEmptyAndNoTorso) {
  const std::string bad = folder_.write("bad.png", "no image");
  const Outcome outcome = run_tool({"run", colours_, "--image", red_, bad, "--json", "--output-dir", folder_ / "out"});
  EXPECT_EQ(outcome.exit, 1);
  EXPECT_EQ(outcome.out, "");
  EXPECT_NE(outcome.err.find("bad.png"), std::string::npos);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "out/red.png/scores.npy")) << "those before it are written";
  EXPECT_FALSE(std::filesystem::exists(folder_ / "out/bad.png"));
}

TEST_F(Run, AnImageOfANetworkThatIsNoClassifierGivesTheSummary) {
  const tiny::Model doubled = {
      {{"image", {"1", "3", "4", "4"}}}, {{"y", {"1", "3", "4", "4"}}}, {{"Add", {"image", "image"}, {"y"}}}};
  const Outcome outcome =
      run_tool({"run", model("doubled.onnx", doubled), "--image", red_, "--preset", "unit", "--top", "3"});
  EXPECT_TRUE(succeeds(outcome, "y     1x3x4x4  f32   0    2    0.666667\n", "--top is for a classifier"));
}

TEST_F(Run, ArraysAreRankedOnRequest) {
  const std::string x = array("image.npy", [] {
    Tensor image(DataType::kF32, {1, 3, 4, 4});
    for (std::size_t i = 16; i < 32; ++i) image.values<float>()[i] = 1;
    return image;
  }());
  EXPECT_TRUE(succeeds(run_tool({"run", colours_, "--input", x, "--top", "1"}), "0.333333\n1.0000  1\n"));
  const Outcome plain = run_tool({"run", colours_, "--input", x});
  EXPECT_EQ(plain.out.find("1.0000"), std::string::npos);
}

TEST_F(Run, AFreeBatchIsOneImageARun) {
  tiny::Model model_ = tiny::colours();
  model_.inputs[0].dims[0] = "N";
  model_.outputs[0].dims[0] = "N";
  EXPECT_TRUE(succeeds(run_tool({"run", model("free.onnx", model_), "--image", red_, "--preset", "unit", "--verbose"}),
                       "1.0000  0\n", "sepal run: the free first axis of image taken as 1: one image a run\n"));
}

TEST_F(Run, FreeSizesComeFromTheArrayOrFromShape) {
  tiny::Model model_ = tiny::colours();
  model_.inputs[0].dims = {"1", "3", "H", "W"};
  const std::string file = model("free.onnx", model_);
  const std::string x = array("image.npy", Tensor(DataType::kF32, {1, 3, 5, 7}));
  EXPECT_TRUE(succeeds(run_tool({"run", file, "--input", x}), "scores  1x3"));
  EXPECT_TRUE(succeeds(run_tool({"run", file, "--image", red_, "--shape", "image=1x3x2x8", "--preset", "unit"}),
                       "1.0000  0\n", "crop to 2x8"));
  const Outcome outcome = run_tool({"run", file, "--image", red_});
  EXPECT_EQ(outcome.exit, 1);
  EXPECT_NE(outcome.err.find("--shape image=1x3x224x224"), std::string::npos) << outcome.err;
}

TEST_F(Run, VerboseSaysWhichStepsWereSlow) {
  EXPECT_TRUE(succeeds(run_tool({"run", twice_, "--input", x_, "--verbose", "--threads", "1"}), "y ",
                       " ms on 1 threads, instruction set "));
  EXPECT_TRUE(
      succeeds(run_tool({"run", twice_, "--input", x_, "--verbose"}), "", "no step ran by a reference kernel\n"));
  const tiny::Model lrn = {
      {{"x", {"1", "4", "2", "2"}}}, {{"y", {"1", "4", "2", "2"}}}, {{"LRN", {"x"}, {"y"}, {}, {{"size", 3}}}}};
  const std::string x = array("image.npy", Tensor(DataType::kF32, {1, 4, 2, 2}));
  EXPECT_TRUE(succeeds(run_tool({"run", model("lrn.onnx", lrn), "--input", x, "--verbose"}), "",
                       "1 steps ran by a reference kernel, which is slow: the_LRN"));
}

TEST_F(Run, TheTargetIsPinned) {
  const Json version = Json::parse(run_tool({"--version", "--json"}).out);
  for (const Json& target : version["targets"]) {
    EXPECT_TRUE(succeeds(run_tool({"run", twice_, "--input", x_, "--verbose", "--target", target}), "1.66667",
                         "instruction set " + target.get<std::string>()));
  }
}

TEST_F(Run, NamesFromAFileCannotSpeakToTheTerminal) {
  tiny::Model hostile = tiny::twice();
  hostile.outputs[0].name = hostile.nodes[0].outputs[0] = "\x1b[2J\ny";
  EXPECT_TRUE(succeeds(run_tool({"run", model("hostile.onnx", hostile), "--input", x_}), "\\x1b[2J\\x0ay  2x3"));
}

}  // namespace
}  // namespace sepal::cli
