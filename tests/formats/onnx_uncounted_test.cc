// Files with nodes that are not handled, read all the same: what is left out and why, and what is still counted.

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "sepal/base/text.h"
#include "sepal/formats/onnx_read.h"
#include "tests/formats/onnx_builder.h"
#include "tests/raises.h"
#include "tests/test_data.h"

namespace sepal::onnx {
namespace {

namespace fs = std::filesystem;
using List = std::vector<std::int64_t>;

/// "name type: why", joined by " | ".
std::string told(const std::vector<Uncounted>& left_out) {
  std::vector<std::string> lines;
  for (const auto& [name, type, why] : left_out) lines.push_back(format("{} {}: {}", name, type, why));
  return format("{}", join(lines, " | "));
}

/// What is counted: inputs with their shapes, nodes by name, outputs: "x 1x2x3x4 > a b > y".
std::string told(const Graph& graph) {
  std::string text;
  for (const Port& input : graph.inputs()) text += format("{} {} ", input.name, to_string(graph.shape(input.value)));
  text += ">";
  for (const Node& node : graph.nodes()) text += " " + node.name;
  text += " >";
  for (const Port& output : graph.outputs()) text += " " + output.name;
  return text;
}

Source lenient(const std::vector<std::byte>& bytes) { return Source::from_bytes(bytes, "m", {}, Unhandled::kLeaveOut); }

struct Case {
  const char* why;
  Model model;
  std::string left_out;
  std::string counted;
  Bindings bindings = {};
};

void expect_counted(const std::vector<Case>& table) {
  for (const Case& test : table) {
    SCOPED_TRACE(test.why);
    const Source source = lenient(test.model.bytes());
    const Countable countable = source.countable(test.bindings);
    EXPECT_EQ(told(countable.left_out), test.left_out);
    EXPECT_EQ(told(countable.graph), test.counted);
    EXPECT_FALSE(countable.left_out.empty());
    try {
      (void)source.graph(test.bindings);
      ADD_FAILURE() << "a graph that cannot be run";
    } catch (const Error&) {
    }
  }
}

// x -> a -> (not handled) b -> y
const Message kBefore = node("Relu", {"x"}, {"a"});
const Message kUnknown = node("Frob", {"a"}, {"b"}, {}, "frob");
const Message kAfter = node("Relu", {"b"}, {"y"});
const std::vector<Message> kMiddle = {kBefore, kUnknown, kAfter};
const char* const kFrob = "frob Frob: its operator is not handled";

/// Left out: frob, and y after it, of whose input the file says this.
std::string both(const std::string& says) {
  return format("{} | y Relu: its input \"b\" comes from \"frob\" (Frob), and the file {}", kFrob, says);
}

TEST(OnnxUncounted, AStandInHasTheShapeThatTheFileTells) {
  const std::vector<Message> free_x = {value_info("x", {"N", 2, "H", 4})};
  const Bindings bound = {{"x", {.shape = {5, 2, 3, 4}}}};
  const std::string only_before = "x 1x2x3x4 > a >";
  expect_counted({
      {"told", {.nodes = kMiddle, .between = {value_info("b", {1, 7})}}, kFrob, "x 1x2x3x4 b 1x7 > a y > y"},
      {"not told", {.nodes = kMiddle}, both("does not say its shape"), only_before},
      {"told of others",
       {.nodes = kMiddle, .between = {value_info("a", {9}), value_info("q", {9})}},
       both("does not say its shape"),
       only_before},
      {"told as an output of the graph",
       {.nodes = kMiddle, .outputs = {untyped("y"), value_info("b", {3})}},
       kFrob,
       "x 1x2x3x4 b 3 > a y > y b"},
      {"an output itself, told",
       {.nodes = {node("Frob", {"x"}, {"y"}, {}, "frob")}, .outputs = {value_info("y", {3})}},
       kFrob,
       "x 1x2x3x4 y 3 > > y"},
      {"an output itself, not told", {.nodes = {node("Frob", {"x"}, {"y"}, {}, "frob")}}, kFrob, "x 1x2x3x4 > >"},
      {"read by nobody",
       {.nodes = {node("Frob", {"x"}, {"b"}, {}, "frob"), node("Relu", {"x"}, {"y"})},
        .between = {value_info("b", {3})}},
       kFrob,
       "x 1x2x3x4 > y > y"},
      {"names of sizes that the input gives",
       {.nodes = kMiddle, .inputs = free_x, .between = {value_info("b", {"N", 6, "H"})}},
       kFrob,
       "x 5x2x3x4 b 5x6x3 > a y > y",
       bound},
      {"a name that nothing gives",
       {.nodes = kMiddle, .inputs = free_x, .between = {value_info("b", {"N", 6, "W\n"})}},
       both("says its shape only as Nx6xW\\x0a"),
       "x 5x2x3x4 > a >",
       bound},
      {"a size without a name",
       {.nodes = kMiddle, .between = {value_info("b", {-1, 7})}},
       both("says its shape only as ?x7"),
       only_before},
      {"what stands for a size that is not known",
       {.nodes = kMiddle, .between = {value_info("b", {0, 7})}},
       both("says its shape only as 0x7"),
       only_before},
      {"a shape larger than anything",
       {.nodes = kMiddle, .between = {value_info("b", {std::int64_t{1} << 62, std::int64_t{1} << 62})}},
       both("says its shape only as 4611686018427387904x4611686018427387904"),
       only_before},
      {"a type without a shape",
       {.nodes = kMiddle, .between = {Message().text(1, "b").add(2, Message().add(1, Message().number(1, kFloat)))}},
       both("does not say its shape"),
       only_before},
      {"a type that is not handled",
       {.nodes = kMiddle, .between = {value_info("b", {1, 7}, kUint32)}},
       both("does not say its shape"),
       only_before},
      {"a type of no standard",
       {.nodes = kMiddle, .between = {value_info("b", {1, 7}, 99)}},
       both("does not say its shape"),
       only_before},
      {"more dimensions than are handled",
       {.nodes = kMiddle, .between = {value_info("b", std::vector<Dim>(7, 1))}},
       both("does not say its shape"),
       only_before},
      {"more dimensions than are read",
       {.nodes = kMiddle, .between = {value_info("b", std::vector<Dim>(65, 1))}},
       both("does not say its shape"),
       only_before},
      {"no name, no message, another wire type",
       {.nodes = kMiddle, .between = {Message(), Message().number(1, 1), Message().text(1, "b").text(2, "nonsense")}},
       both("does not say its shape"),
       only_before},
      {"told twice",
       {.nodes = kMiddle, .between = {value_info("b", {1, 7}), value_info("b", {8})}},
       kFrob,
       "x 1x2x3x4 b 1x7 > a y > y"},
  });
}

TEST(OnnxUncounted, WhatIsLeftOutAndWhy) {
  const Message branch = Message().text(1, "then_branch").add(6, Message()).number(20, 5);
  const Message sequence = Message().text(1, "s").add(2, Message().add(4, Message()));
  const Message sparse = Message().add(1, tensor("w", kFloat, {1}));
  const auto one = [](const Message& node) { return std::vector<Message>{node}; };
  const std::string nothing = "x 1x2x3x4 > >";
  expect_counted({
      {"another domain",
       {.nodes = one(node("FusedGemm", {"x"}, {"y"}).text(7, "com.microsoft"))},
       "y com.microsoft.FusedGemm: its operator is not handled",
       nothing},
      {"a known name of another domain",
       {.nodes = one(node("Relu", {"x"}, {"y"}).text(7, "com.microsoft"))},
       "y com.microsoft.Relu: its operator is not handled",
       nothing},
      {"another opset of the operator",
       {.nodes = one(node("Upsample", {"x"}, {"y"}))},
       "y Upsample: not handled in opset 21",
       nothing},
      {"another opset of all",
       {.nodes = one(node("Relu", {"x"}, {"y"})), .opset = 99},
       "y Relu: not handled in opset 99",
       nothing},
      {"an attribute",
       {.nodes = one(node("Relu", {"x"}, {"y"}, {attribute("slope", 1.0f)}))},
       "y Relu: attribute \"slope\"",
       nothing},
      {"the value of an attribute",
       {.nodes = one(node("Mod", {"x", "x"}, {"y"}, {attribute("fmod", 1)}))},
       "y Mod: fmod = 1",
       nothing},
      {"a window that is 3-D",
       {.nodes = one(node("MaxPool", {"x"}, {"y"}, {attribute("kernel_shape", List{2, 2, 2})}))},
       "y MaxPool: a 3-D pooling",
       nothing},
      {"an attribute's tensor",
       {.nodes = one(node("Constant", {}, {"y"}, {tensor_attribute("value", tensor("", kUint32, {}))}))},
       "y Constant: a constant: elements of uint32 are not handled",
       nothing},
      {"a subgraph",
       {.nodes = one(node("If", {"x"}, {"y"}, {branch}, "choose"))},
       "choose If: its operator is not handled",
       nothing},
      {"a chain",
       {.nodes = {node("If", {"x"}, {"a"}, {branch}, "choose"), node("Relu", {"a"}, {"b"}),
                  node("Add", {"x", "b"}, {"y"}), node("Relu", {"x"}, {"z"})},
        .outputs = {untyped("y"), untyped("z")}},
       "choose If: its operator is not handled | b Relu: its input \"a\" comes from \"choose\" (If), and the file does "
       "not "
       "say its shape | y Add: its input \"b\" comes from \"b\" (Relu), and the file does not say its shape",
       "x 1x2x3x4 > z > z"},
      {"an input of strings",
       {.nodes = {node("Relu", {"s"}, {"a"}), node("Relu", {"x"}, {"y"})},
        .inputs = {value_info("s", {1}, kString), value_info("x", {2})},
        .between = {value_info("s", {1}), value_info("a", {1})}},
       "a Relu: its input \"s\": elements of string are not handled",
       "x 2 > y > y"},
      {"an input that is a sequence",
       {.nodes = {node("SequenceAt", {"s"}, {"y"})}, .inputs = {value_info("x", {2}), sequence}},
       "y SequenceAt: its operator is not handled",
       "x 2 > >"},
      {"an initialiser",
       {.nodes = {node("Add", {"x", "w"}, {"y"})}, .initializers = {tensor("w", kUint32, {}), floats("v", {}, {1})}},
       "y Add: its input \"w\": elements of uint32 are not handled",
       nothing},
      {"values that are computed while running",
       {.nodes = {node("ArgMax", {"x"}, {"s"}), node("Expand", {"x", "s"}, {"b"}), node("Relu", {"b"}, {"y"})},
        .inputs = {value_info("x", {2})},
        .between = {value_info("b", {5, 2})}},
       "b Expand: its input \"s\" is computed while running",
       "x 2 b 5x2 > s y > y"},
      {"values of an input that are not given",
       {.nodes = {node("Expand", {"x", "s"}, {"y"})}, .inputs = {value_info("x", {2}), value_info("s", {1}, kInt64)}},
       "y Expand: its input \"s\" is computed while running",
       "x 2 s 1 > >"},
      {"a declared type of an output that is not handled",
       {.nodes = {node("Frob", {"x"}, {"y"})}, .outputs = {value_info("y", {1}, kUint32)}},
       "y Frob: its operator is not handled",
       nothing},
  });
  // Outside of the table, since what surrounds the graph differs.
  const Message graph = Model{.nodes = {node("Add", {"x", "w"}, {"y"})}}.graph().add(15, sparse);
  EXPECT_EQ(
      told(lenient(Message().number(1, 8).add(7, graph).add(8, Message().number(2, 21)).bytes()).countable().left_out),
      "y Add: its input \"w\": sparse initialisers are not handled");
  const Message foreign = Model{.nodes = {node("Frob", {"x"}, {"y"}).text(7, "own")}}.graph();
  const Source source = lenient(Message().number(1, 8).add(7, foreign).add(8, Message().text(1, "own")).bytes());
  EXPECT_EQ(source.opset(), 0);
  EXPECT_EQ(told(source.countable().left_out), "y own.Frob: its operator is not handled");
}

TEST(OnnxUncounted, ANodeThatDoesNotSuitDeclaredShapesIsLeftOut) {
  // The first convolution puts a transpose into the graph before it fails; it goes, and the second makes its own.
  const Model model{
      .nodes = {node("Frob", {"x"}, {"b"}, {}, "frob"), node("Conv", {"b", "w5"}, {"c"}),
                node("Conv", {"b", "w2"}, {"d"}), node("Add", {"x", "d"}, {"e"}), node("Relu", {"e"}, {"y"})},
      .initializers = {floats("w5", {1, 5, 1, 1}, std::vector<float>(5)),
                       floats("w2", {1, 2, 1, 1}, std::vector<float>(2))},
      .outputs = {untyped("y"), value_info("d", {}, kInt64)},
      .between = {value_info("b", {1, 2, 6, 6})}};
  const Countable countable = lenient(model.bytes()).countable();
  EXPECT_EQ(
      told(countable.left_out),
      "frob Frob: its operator is not handled | c Conv: the filter 1x1x1x5 takes 5 channels in each of 1 group, but "
      "the "
      "input has 2 (by the shapes that the file declares) | e Add: 1x2x3x4 and 1x1x6x6 do not broadcast (by the "
      "shapes that the file declares) | y Relu: its input \"e\" comes from \"e\" (Add), and the file does not say its "
      "shape");
  EXPECT_EQ(told(countable.graph), "x 1x2x3x4 b 1x2x6x6 >  d  > d");
  // A stand-in that only such a node reads is of no use.
  const Model alone{.nodes = {node("Frob", {"x"}, {"b"}, {}, "frob"), node("Add", {"x", "b"}, {"y"})},
                    .between = {value_info("b", {9})}};
  EXPECT_EQ(told(lenient(alone.bytes()).countable().graph), "x 1x2x3x4 > >");
  // Where no declared shape has a part in it, the file is refused as ever, and so is what is unsound.
  const auto refused = [](const Model& bad, const char* message) {
    EXPECT_TRUE(raises([&] { (void)lenient(bad.bytes()).countable(); }, message));
  };
  refused({.nodes = {node("Frob", {"x"}, {"b"}), node("Add", {"x", "w"}, {"y"})},
           .initializers = {floats("w", {9}, std::vector<float>(9))}},
          "m: y: 1x2x3x4 and 9 do not broadcast");
  refused({.nodes = {node("Frob", {"z"}, {"y"})}}, "m: y: uses \"z\" before anything gives it");
  refused({.nodes = {node("Frob", {"x"}, {"y"})}, .ir = 99}, "m: IR version 99 is not handled; those from 3 to 13 are");
}

TEST(OnnxUncounted, TheFileOfSoundNodesIsReadAsEver) {
  const Model model{.nodes = kMiddle, .between = {value_info("b", {1, 7})}};
  EXPECT_TRUE(raises([&] { (void)lenient(model.bytes()).graph(); },
                     "m: not handled: frob (Frob: its operator is not handled)", ErrorKind::kUnsupported));
  // Opened to be refused, it refuses at once; what shows only with shapes can be left out still.
  EXPECT_TRUE(raises([&] { (void)Source::from_bytes(model.bytes(), "m"); }, "m: not handled: frob (Frob)"));
  const Model later{.nodes = {node("Mod", {"x", "x"}, {"a"}, {attribute("fmod", 1)}), node("Relu", {"a"}, {"y"})},
                    .between = {value_info("a", {1, 2, 3, 4})}};
  EXPECT_EQ(told(Source::from_bytes(later.bytes(), "m").countable().left_out),
            "a Mod: fmod = 1 | y Relu: its input \"a\" comes from \"a\" (Mod), and the file does not say its shape");
  const Model unread{.nodes = {node("Relu", {"x"}, {"y"})}, .initializers = {tensor("w", kUint32, {})}};
  EXPECT_TRUE(lenient(unread.bytes()).countable().left_out.empty());
  EXPECT_TRUE(raises([&] { (void)lenient(unread.bytes()).graph(); },
                     "m: not handled: w (elements of uint32 are not handled)", ErrorKind::kUnsupported));
}

TEST(OnnxUncounted, ManyStandInsAreRefusedRatherThanSlow) {
  Model model{.nodes = {}, .outputs = {untyped("r0")}};
  for (int i = 0; i < 10'000; ++i) {
    const std::string number = std::to_string(i);
    model.nodes.push_back(node("Frob", {"x"}, {"b" + number}));
    model.nodes.push_back(node("Relu", {"b" + number}, {"r" + number}));
    model.between.push_back(value_info("b" + number, {1}));
  }
  EXPECT_TRUE(raises([&] { (void)lenient(model.bytes()).countable(); },
                     "m: more than 10000 inputs and values of nodes that are not handled", ErrorKind::kUnsupported));
}

/// Each free dimension as 1.
Bindings ones(const Source& source) {
  Bindings bindings;
  for (const Declaration& input : source.inputs()) {
    List dims;
    for (const Dimension& dimension : input.dimensions) dims.push_back(dimension.size.value_or(1));
    bindings.insert_or_assign(input.name, Binding{Shape(dims)});
  }
  return bindings;
}

TEST(OnnxUncounted, EveryNodeTestIsReadWithWhatIsRefusedLeftOut) {
  SEPAL_NEEDS_TEST_DATA();
  int refused = 0, read = 0;
  for (const auto& entry : fs::directory_iterator(test_data() / "onnx-node-tests")) {
    const fs::path path = entry.path() / "model.onnx";
    if (!fs::exists(path)) continue;
    SCOPED_TRACE(path.string());
    bool handled = true;
    try {
      const Source source = Source::open(path);
      (void)source.graph(ones(source));
    } catch (const Error& error) {
      // Not what lacks the values of an input.
      handled = error.kind() != ErrorKind::kUnsupported;
    }
    try {
      const Source source = Source::open(path, Unhandled::kLeaveOut);
      const Countable countable = source.countable(ones(source));
      EXPECT_TRUE(handled || !countable.left_out.empty());
      ++read;
    } catch (const Error& error) {
      ADD_FAILURE() << error.what();
    }
    refused += handled ? 0 : 1;
  }
  EXPECT_GT(read, 600);
  EXPECT_GT(refused, 30);
}

TEST(OnnxUncounted, NothingIsLeftOutOfTheModelsOfTheTestData) {
  SEPAL_NEEDS_TEST_DATA();
  int count = 0;
  for (const auto& entry : fs::recursive_directory_iterator(test_data() / "models")) {
    if (entry.path().filename() != "model.onnx") continue;
    SCOPED_TRACE(entry.path().string());
    const Source source = Source::open(entry.path(), Unhandled::kLeaveOut);
    const Countable countable = source.countable(ones(source));
    EXPECT_EQ(told(countable.left_out), "");
    EXPECT_EQ(countable.graph, Source::open(entry.path()).graph(ones(source)));
    ++count;
  }
  EXPECT_EQ(count, 38);
}

}  // namespace
}  // namespace sepal::onnx
