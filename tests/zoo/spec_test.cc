#include <gtest/gtest.h>

#include <algorithm>

#include "sepal/base/text.h"
#include "sepal/graph/cost.h"
#include "sepal/zoo/zoo.h"
#include "tests/raises.h"

namespace sepal {
namespace {

TEST(ZooSpec, IsReadFromText) {
  const ZooSpec spec =
      parse_zoo_spec("mobilenet_v2:width=0.5,size=160,classes=10,stem=1,unstrided=2,seed=18446744073709551615");
  EXPECT_EQ(spec.entry->name, "mobilenet_v2");
  EXPECT_EQ(
      spec.options,
      (ZooOptions{
          .width = 0.5, .size = 160, .classes = 10, .stem_stride = 1, .unstrided = 2, .seed = ~std::uint64_t{0}}));
  EXPECT_EQ(parse_zoo_spec("xception").options, (ZooOptions{.size = 299}));
  EXPECT_EQ(parse_zoo_spec("mobilenet_v1_vww:classes=3").options,
            (ZooOptions{.width = 0.25, .size = 96, .classes = 3}));
  EXPECT_EQ(parse_zoo_spec("mobilenet_v1:width=1e-1").options.width, 0.1);
}

TEST(ZooSpec, IsWrittenWithWhatIsNotDefault) {
  for (const char* text : {"mobilenet_v2", "mobilenet_v2:width=0.35,size=96", "vgg16:classes=10,seed=0",
                           "mobilenet_v1_vww:width=1,size=224,classes=1000", "resnet18:stem=1"}) {
    EXPECT_EQ(to_string(parse_zoo_spec(text)), text);
  }
  EXPECT_EQ(to_string(parse_zoo_spec("ds_cnn_s:seed=1,classes=12")), "ds_cnn_s");
}

TEST(ZooSpec, IsNoneWhereTheNameIsAnother) {
  for (const char* text : {"", ":", "mobilenet_v2.onnx", "models/mobilenet_v2", "mobilenet_v", ":size=3"}) {
    EXPECT_FALSE(find_zoo_spec(text)) << text;
  }
  EXPECT_TRUE(find_zoo_spec("mobilenet_v2"));
  EXPECT_EQ(find_zoo_spec("mobilenet_v2:size=96")->options.size, 96);
}

struct Bad {
  const char* text;
  const char* message;
};

constexpr Bad kBad[] = {
    {"mobilnet_v2", "no network \"mobilnet_v2\"; did you mean \"mobilenet_v2\"?"},
    {"vgg61:size=64", "no network \"vgg61\"; did you mean \"vgg16\"?"},
    {"mobilenet_v2:widht=1", "mobilenet_v2: no option \"widht\"; did you mean \"width\"?"},
    {"mobilenet_v2:dropout=1",
     "mobilenet_v2: no option \"dropout\"; it has width, size, channels, classes, batch, stem, unstrided, seed"},
    {"mobilenet_v2:",
     "mobilenet_v2: an option is NAME=VALUE, not \"\"; it has width, size, channels, classes, batch, stem, unstrided, "
     "seed"},
    {"vgg16:size=64,", "vgg16: an option is NAME=VALUE, not \"\"; it has width, size, channels, classes, batch, seed"},
    {"vgg16:64", "vgg16: an option is NAME=VALUE, not \"64\"; it has width, size, channels, classes, batch, seed"},
    {"mobilenet_v2:size=64,size=96", "mobilenet_v2: size is given twice"},
    {"mobilenet_v2:width=0", "mobilenet_v2: width is a number from 0.01 to 4, not \"0\""},
    {"mobilenet_v2:width=nan", "mobilenet_v2: width is a number from 0.01 to 4, not \"nan\""},
    {"mobilenet_v2:width=4.01", "mobilenet_v2: width is a number from 0.01 to 4, not \"4.01\""},
    {"mobilenet_v2:width=0.5x", "mobilenet_v2: width is a number from 0.01 to 4, not \"0.5x\""},
    {"mobilenet_v2:size=0", "mobilenet_v2: size is a whole number from 1 to 8192, not \"0\""},
    {"mobilenet_v2:size=99999999999999999999",
     "mobilenet_v2: size is a whole number from 1 to 8192, not \"99999999999999999999\""},
    {"mobilenet_v2:classes=", "mobilenet_v2: classes is a whole number from 1 to 1000000, not \"\""},
    {"mobilenet_v2:channels=0", "mobilenet_v2: channels is a whole number from 1 to 4, not \"0\""},
    {"mobilenet_v1:unstrided=5", "mobilenet_v1: unstrided is how many rows that stride do not, 0 to 4, not \"5\""},
    {"mobilenet_v2:stem=3", "mobilenet_v2: stem is the stem's stride, 1 or 2, not \"3\""},
    {"mobilenet_v2:seed=-1", "mobilenet_v2: seed is a whole number below 2^64, not \"-1\""},
    {"vgg16:stem=1",
     "vgg16: stem cannot be chosen: its first convolution has stride 1; it has width, size, channels, classes, batch, "
     "seed"},
    {"ds_cnn_s:size=64",
     "ds_cnn_s: size cannot be chosen: its input is 49 frames of 10 features; it has classes, batch, seed"},
    {"ds_cnn_s:channels=3", "ds_cnn_s: channels cannot be chosen: its input has one; it has classes, batch, seed"},
    {"ds_cnn_s:width=2",
     "ds_cnn_s: width cannot be chosen: ds_cnn_s, ds_cnn_m and ds_cnn_l differ in it; it has classes, batch, seed"},
    {"efficientnet_lite0:width=2",
     "efficientnet_lite0: width cannot be chosen: efficientnet_lite0 to efficientnet_lite4 differ in it; it has size, "
     "channels, classes, batch, stem, unstrided, seed"},
};

TEST(ZooSpec, SaysWhatIsWrong) {
  for (const Bad& bad : kBad) {
    EXPECT_TRUE(raises([&] { parse_zoo_spec(bad.text); }, bad.message, ErrorKind::kUsage)) << bad.text;
  }
  std::string names;
  for (const ZooEntry& entry : zoo()) names += format("{}{}", names.empty() ? "" : ", ", entry.name);
  EXPECT_TRUE(raises([&] { parse_zoo_spec("unheard\nof"); },
                     format("no network \"unheard\\x0aof\"; there are {}", names), ErrorKind::kUsage));
}

struct Small {
  const char* text;
  const char* message;
};

TEST(Build, NamesTheLayerThatDoesNotFit) {
  constexpr Small kTooSmall[] = {
      {"mobilenet_v1:size=16",
       "mobilenet_v1:size=16: block12/depthwise: a stride of 2x2 over a map of 1x1; the network needs a larger size"},
      {"mobilenet_v2:size=1,stem=1",
       "mobilenet_v2:size=1,stem=1: block2/depthwise: a stride of 2x2 over a map of 1x1; the network needs a larger "
       "size"},
      {"resnet18:size=3",
       "resnet18:size=3: block3/conv1: a stride of 2x2 over a map of 1x1; the network needs a larger size"},
      {"xception:size=2",
       "xception:size=2: stem: a kernel of 3 with dilation 1 spans 3 rows, but the padded input has 2"},
      {"vgg16:size=31", "vgg16:size=31: pool5: a stride of 2x2 over a map of 1x1; the network needs a larger size"},
  };
  for (const Small& small : kTooSmall) {
    EXPECT_TRUE(raises([&] { build(parse_zoo_spec(small.text), Weights::kNone); }, small.message, ErrorKind::kInvalid));
  }
}

TEST(Build, TheSmallestSizesFit) {
  for (const char* text : {"mobilenet_v1:size=17", "mobilenet_v3_small:size=17", "mnasnet_a1:size=9,stem=1",
                           "resnet18:size=17", "resnet18:size=5,stem=1", "vgg16:size=32", "xception:size=33"}) {
    EXPECT_NO_THROW(build(parse_zoo_spec(text), Weights::kNone)) << text;
  }
}

/// Rows of the map that the network takes the mean of before its classifier.
std::int64_t last_rows(const std::string& spec) {
  const Graph graph = build(parse_zoo_spec(spec), Weights::kNone);
  std::int64_t rows = 0;
  for (const Node& node : graph.nodes()) {
    if (std::holds_alternative<Reduce>(node.op)) rows = graph.shape(node.inputs[0]).h();
  }
  return rows;
}

TEST(Build, RowsKeepTheSizeWhereTheyDoNotStride) {
  int networks = 0;
  for (const ZooEntry& entry : zoo()) {
    const std::vector<std::string_view> options = options_of(entry);
    if (std::ranges::find(options, std::string_view("unstrided")) == options.end()) continue;
    ++networks;
    const std::string spec = format("{}:size=64,stem=1", entry.name);
    EXPECT_EQ(last_rows(spec), 4) << spec;
    for (const std::int64_t unstrided : {1, 2, 4}) {
      EXPECT_EQ(last_rows(format("{},unstrided={}", spec, unstrided)), std::int64_t{4} << unstrided) << spec;
    }
  }
  EXPECT_EQ(networks, 14);
  // It is from the front: the layers behind the first that does not stride see four times as many places.
  const auto macs = [](const char* text) { return cost_of(build(parse_zoo_spec(text), Weights::kNone)).total.macs; };
  EXPECT_EQ(macs("mobilenet_v1:size=32,stem=1,unstrided=1"), 176'570'368u);
}

TEST(Build, RefusesWhatNoMachineHolds) {
  try {
    build(parse_zoo_spec("vgg16:width=2,size=8192"), Weights::kNone);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
    const std::string message = error.what();
    EXPECT_TRUE(message.starts_with("vgg16:width=2,size=8192: hidden1: ")) << message;
    EXPECT_NE(message.find(" of weights with those before it, more than this machine's "), std::string::npos);
    EXPECT_TRUE(message.ends_with("; a smaller width or size is needed")) << message;
  }
}

TEST(Zoo, EveryNetworkIsDescribedAndHasItsEnds) {
  for (const ZooEntry& entry : zoo()) {
    SCOPED_TRACE(entry.name);
    EXPECT_FALSE(entry.what.empty());
    EXPECT_FALSE(entry.source.empty());
    const Graph graph = build({&entry, entry.defaults}, Weights::kNone);
    ASSERT_EQ(graph.inputs().size(), 1U);
    ASSERT_EQ(graph.outputs().size(), 1U);
    const bool is_sound = entry.name.starts_with("ds_cnn");
    const std::int64_t size = entry.defaults.size;
    EXPECT_EQ(graph.inputs()[0].name, "input");
    EXPECT_EQ(graph.shape(graph.inputs()[0].value), is_sound ? Shape({1, 49, 10, 1}) : Shape({1, size, size, 3}));
    EXPECT_EQ(graph.outputs()[0].name, "output");
    EXPECT_EQ(graph.shape(graph.outputs()[0].value), Shape({1, entry.defaults.classes}));
    EXPECT_EQ(graph.about.name, entry.name);
  }
}

}  // namespace
}  // namespace sepal
