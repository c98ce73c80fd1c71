// What holds of a file before any operator is looked at: the wire format, versions, names, tensors, bindings.

#include "sepal/formats/onnx_read.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/formats/onnx_builder.h"
#include "tests/raises.h"

namespace sepal::onnx {
namespace {

namespace fs = std::filesystem;
using std::string_literals::operator""s;

const Message kRelu = node("Relu", {"x"}, {"y"});

std::vector<std::byte> bytes_of(std::string_view text) {
  const auto view = std::as_bytes(std::span(text));
  return {view.begin(), view.end()};
}

struct Bad {
  const char* why;
  std::vector<std::byte> bytes;
  std::string message;
  ErrorKind kind = ErrorKind::kInvalid;
};

void expect_refused(const std::vector<Bad>& table) {
  for (const Bad& bad : table) {
    SCOPED_TRACE(bad.why);
    EXPECT_TRUE(
        raises([&] { (void)Source::from_bytes(bad.bytes, "m.onnx").graph(); }, "m.onnx: " + bad.message, bad.kind));
  }
}

/// A model whose graph is this message.
std::vector<std::byte> with_graph(const Message& graph) {
  return Message().number(1, 8).add(7, graph).add(8, Message().number(2, 21)).bytes();
}

TEST(OnnxRead, RefusesWhatIsNoModel) {
  std::vector<std::byte> cut = Model{.nodes = {kRelu}}.bytes();
  cut.resize(cut.size() - 3);
  expect_refused({
      {"an empty file", {}, "not an ONNX model: the file is empty"},
      {"text", bytes_of("hello, world"),
       "not an ONNX model: unknown pbf field type exception within 12 bytes of protobuf"},
      {"a file cut short", cut,
       "not an ONNX model: end of buffer exception within " + std::to_string(cut.size()) + " bytes of protobuf"},
      {"a length beyond the end", bytes_of("\x3a\xff\xff\xff\xff\x0f"),
       "not an ONNX model: end of buffer exception within 6 bytes of protobuf"},
      {"a number that never ends", bytes_of("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
       "not an ONNX model: varint too long exception within 12 bytes of protobuf"},
      {"a number where the graph is", Message().number(1, 8).number(7, 1).bytes(),
       "not an ONNX model: field 7 is written as wire type 0 instead of 2"},
      {"a message where a number is", Message().text(1, "8").bytes(),
       "not an ONNX model: field 1 is written as wire type 2 instead of 0"},
      {"no graph", Message().number(1, 8).bytes(), "not an ONNX model: it has no graph"},
      {"unknown fields only", Message().number(99, 8).text(98, "x").bytes(), "not an ONNX model: it has no graph"},
      {"a node without an operator", with_graph(Message().add(1, Message().text(2, "y"))),
       "a node \"\" without an operator"},
      {"an attribute without a name",
       with_graph(Message().add(1, Message().text(4, "Relu").add(5, Message().number(3, 1)))),
       "an attribute without a name"},
      {"an initialiser without a name", with_graph(Message().add(5, Message().number(2, kFloat))),
       "an initialiser without a name"},
      {"an input without a name", with_graph(Message().add(11, Message())), "an input or output without a name"},
      {"more dimensions than anybody has",
       Model{.nodes = {kRelu}, .inputs = {value_info("x", std::vector<Dim>(65, 1))}}.bytes(),
       "\"x\" has more than 64 dimensions"},
  });
}

TEST(OnnxRead, RefusesVersionsItDoesNotKnow) {
  expect_refused({
      {"an old IR", Model{.nodes = {kRelu}, .ir = 2}.bytes(), "IR version 2 is not handled; those from 3 to 13 are",
       ErrorKind::kUnsupported},
      {"an IR to come", Model{.nodes = {kRelu}, .ir = 99}.bytes(),
       "IR version 99 is not handled; those from 3 to 13 are", ErrorKind::kUnsupported},
      {"an opset to come", Model{.nodes = {kRelu}, .opset = 25}.bytes(),
       "opset 25 is not handled; those from 1 to 24 are", ErrorKind::kUnsupported},
      {"no opset", Message().number(1, 8).add(7, Model{.nodes = {kRelu}}.graph()).bytes(),
       "no opset for the operators of ONNX"},
      {"two opsets",
       Message()
           .number(1, 8)
           .add(7, Model{.nodes = {kRelu}}.graph())
           .add(8, Message().number(2, 13))
           .add(8, Message().text(1, "ai.onnx").number(2, 14))
           .bytes(),
       "two opsets, 13 and 14"},
  });
}

TEST(OnnxRead, RefusesGraphsThatDoNotHangTogether) {
  const std::vector<Message> many(10'001, value_info("x", {1}));
  const Message sequence = Message().text(1, "x").add(2, Message().add(4, Message()));
  expect_refused({
      {"a cycle",
       Model{.nodes = {node("Add", {"x", "b"}, {"a"}, {}, "first"), node("Relu", {"a"}, {"b"}),
                       node("Relu", {"b"}, {"y"})}}
           .bytes(),
       "first: uses \"b\" before anything gives it"},
      {"a name from nowhere", Model{.nodes = {node("Relu", {"z"}, {"y"})}}.bytes(),
       "y: uses \"z\" before anything gives it"},
      {"a value given twice", Model{.nodes = {kRelu, kRelu}}.bytes(), "y: \"y\" is given twice"},
      {"an input given again", Model{.nodes = {node("Relu", {"x"}, {"x"})}}.bytes(), "x: \"x\" is given twice"},
      {"two inputs of one name",
       Model{.nodes = {kRelu}, .inputs = {value_info("x", {1}), value_info("x", {1})}}.bytes(), "\"x\" is given twice"},
      {"two initialisers of one name",
       Model{.nodes = {kRelu}, .initializers = {floats("w", {1}, {1}), floats("w", {1}, {1})}}.bytes(),
       "\"w\" is given twice"},
      {"an output from nowhere", Model{.nodes = {kRelu}, .outputs = {value_info("z", {})}}.bytes(),
       "nothing gives the output \"z\""},
      {"two outputs of one name",
       Model{.nodes = {kRelu}, .outputs = {value_info("y", {}), value_info("y", {})}}.bytes(),
       "two outputs are called \"y\""},
      {"no outputs", Model{.nodes = {kRelu}, .outputs = {}}.bytes(), "the graph has no outputs"},
      {"more inputs than anybody has", Model{.nodes = {kRelu}, .inputs = many}.bytes(),
       "10001 inputs and 1 outputs, but at most 10000 are handled"},
      {"a sequence as an input", Model{.nodes = {kRelu}, .inputs = {sequence}}.bytes(),
       "not handled: x (a value that is no tensor is not handled)", ErrorKind::kUnsupported},
      {"an input of seven dimensions",
       Model{.nodes = {kRelu}, .inputs = {value_info("x", {1, 1, 1, 1, 1, 1, 1})}}.bytes(),
       "x: 7 dimensions, but at most 6 are handled"},
      {"an input of strings", Model{.nodes = {kRelu}, .inputs = {value_info("x", {1}, kString)}}.bytes(),
       "not handled: x (elements of string are not handled)", ErrorKind::kUnsupported},
      {"an input too large for anything",
       Model{.nodes = {kRelu}, .inputs = {value_info("x", {std::int64_t{1} << 40, std::int64_t{1} << 40})}}.bytes(),
       "x: 1099511627776x1099511627776 holds too many elements"},
      {"sparse initialisers", with_graph(Message().add(1, kRelu).add(15, Message())),
       "sparse initialisers are not handled", ErrorKind::kUnsupported},
  });
}

TEST(OnnxRead, RefusesNodesThatDoNotFitTheirOperator) {
  const auto one = [](const Message& node) { return Model{.nodes = {node}}.bytes(); };
  expect_refused({
      {"an input too many", one(node("Relu", {"x", "x"}, {"y"})), "y: Relu with 2 inputs instead of 1"},
      {"an input too few", one(node("Clip", {}, {"y"})), "y: Clip with 0 inputs instead of 1 to 3"},
      {"no input at all", one(node("Sum", {}, {"y"})), "y: Sum with 0 inputs, but at least 1 are needed"},
      {"an input left out", one(node("Relu", {""}, {"y"})), "y: Relu without its input 0"},
      {"an output too many", one(node("Relu", {"x"}, {"y", "z"})), "y: Relu with 2 outputs instead of 1"},
      {"no output", one(node("Relu", {"x"}, {""})), "Relu: Relu without an output"},
      {"an attribute of another type", one(node("Softmax", {"x"}, {"y"}, {attribute("axis", "1")})),
       "y: attribute \"axis\" is a string instead of an integer"},
      {"an attribute twice", one(node("Softmax", {"x"}, {"y"}, {attribute("axis", 1), attribute("axis", 1)})),
       "y: attribute \"axis\" is given twice"},
      {"a tensor that is not there", one(node("Constant", {}, {"y"}, {Message().text(1, "value").number(20, 4)})),
       "y: attribute \"value\" has no tensor"},
  });
}

TEST(OnnxRead, ListsAllThatIsNotHandled) {
  const Message foreign = node("Gelu", {"x"}, {"c"}).text(7, "com.microsoft");
  const Message loop =
      node("If", {"x"}, {"a"}, {Message().text(1, "then_branch").add(6, Message()).number(20, 5)}, "choose");
  const auto bytes =
      Model{.nodes = {loop, node("Relu", {"a"}, {"b"}), foreign, node("Frob\n", {"c"}, {"d"}),
                      node("Upsample", {"d"}, {"e"}), node("Relu", {"e"}, {"y"}, {attribute("slope", 1.0f)})}}
          .bytes();
  EXPECT_TRUE(
      raises([&] { (void)Source::from_bytes(bytes, "m.onnx"); },
             "m.onnx: not handled: choose (If), c (Gelu of com.microsoft), d (Frob\\x0a), e (Upsample of opset 21), "
             "y (Relu: attribute \"slope\")",
             ErrorKind::kUnsupported));
  // As are tensors, ends of the graph, and windows that are seen to be 3-D before any shape is known.
  const auto all =
      Model{.nodes = {node("Frob", {"x"}, {"a"}), node("Conv", {"a", "deep"}, {"b"}),
                      node("MaxPool", {"b"}, {"c"}, {attribute("kernel_shape", std::vector<std::int64_t>{2, 2, 2})}),
                      node("Constant", {}, {"y"}, {tensor_attribute("value", tensor("", kUint32, {}))})},
            .inputs = {value_info("x", {1}, kString)},
            .initializers = {tensor("w", kUint32, {}), floats("deep", {1, 1, 1, 1, 1}, {1})},
            .outputs = {value_info("y", {}, kUint32)}}
          .bytes();
  EXPECT_TRUE(raises([&] { (void)Source::from_bytes(all, "m.onnx"); },
                     "m.onnx: not handled: x (elements of string are not handled), w (elements of uint32 are not "
                     "handled), a (Frob), b (Conv: a 3-D convolution), c (MaxPool: a 3-D pooling), y (a constant: "
                     "elements of uint32 are not handled), y (elements of uint32 are not handled)",
                     ErrorKind::kUnsupported));
  // What shows only with shapes is gathered too; what hangs on it is passed over.
  const auto later =
      Model{.nodes = {node("Conv", {"x", "w"}, {"a"}), node("Relu", {"a"}, {"b"}), node("Reshape", {"b", "s"}, {"c"}),
                      node("Mod", {"x", "x"}, {"y"}, {attribute("fmod", 1)})},
            .inputs = {value_info("x", {1, 2, 3, 4, 5})},
            .initializers = {floats("w", {1}, {1}), list("s", {-1})}}
          .bytes();
  EXPECT_TRUE(raises([&] { (void)Source::from_bytes(later, "m.onnx").graph(); },
                     "m.onnx: not handled: a (Conv: a 3-D convolution), y (Mod: fmod = 1)", ErrorKind::kUnsupported));
  const auto many = Model{.nodes = std::vector<Message>(201, node("If", {}, {}, {}, "i"))}.bytes();
  try {
    (void)Source::from_bytes(many);
    FAIL();
  } catch (const Error& error) {
    EXPECT_TRUE(std::string_view(error.what()).ends_with("i (If), i (If) and 1 more")) << error.what();
  }
}

TEST(OnnxRead, RefusesTensorsWhosePartsContradict) {
  const auto with = [](const Message& tensor) { return Model{.nodes = {kRelu}, .initializers = {tensor}}.bytes(); };
  const auto external = [](const char* location) { return Message().text(1, "location").text(2, location); };
  expect_refused({
      {"too few raw bytes", with(tensor("w", kFloat, {2}).text(9, "1234")),
       "w: 4 bytes of elements for a shape of 2, which needs 8"},
      {"a shape of which nothing is there", with(tensor("w", kFloat, {1 << 30, 1 << 20}).text(9, "")),
       "w: 0 bytes of elements for a shape of 1073741824x1048576, which needs 4503599627370496"},
      {"too few floats", with(floats("w", {3}, {1})), "w: 1 elements for a shape of 3"},
      {"floats in the field of integers", with(tensor("w", kFloat, {1}).numbers(7, {1})),
       "w: 0 elements for a shape of 1"},
      {"a byte that is none", with(tensor("w", kUint8, {1}).numbers(5, {256})),
       "w: an element 256 that does not fit u8"},
      {"half precision that is wider", with(tensor("w", kFloat16, {1}).numbers(5, {-1})),
       "w: an element -1 that does not fit u16"},
      {"a negative dimension", with(floats("w", {-1}, {})), "w: a dimension of -1 in -1"},
      {"no type", with(tensor("w", 0, {})), "not handled: w (elements of no type are not handled)",
       ErrorKind::kUnsupported},
      {"a type of no standard", with(tensor("w", 99, {})), "not handled: w (elements of type 99 are not handled)",
       ErrorKind::kUnsupported},
      {"a type that would wrap", with(tensor("w", kUint32, {})), "not handled: w (elements of uint32 are not handled)",
       ErrorKind::kUnsupported},
      {"a constant's tensor",
       Model{.nodes = {node("Constant", {}, {"y"}, {tensor_attribute("value", tensor("", kFloat, {1}))})}}.bytes(),
       "y: a constant: 0 elements for a shape of 1"},
      {"external data without a place", with(tensor("w", kFloat, {1}).number(14, 1)),
       "w: external data without a location"},
      {"external data without a folder", with(tensor("w", kFloat, {1}).number(14, 1).add(13, external("w.bin"))),
       "w: external data in \"w.bin\", but the model was not read from a folder"},
  });
}

TEST(OnnxRead, ReadsElementsAsTheyAre) {
  const std::string doubles("\0\0\0\0\0\0\xf8\x3f", 8);  // 1.5
  const struct {
    const char* why;
    Message tensor;
    Tensor value;
  } table[] = {
      {"raw floats", tensor("y", kFloat, {1}).text(9, "\0\0\xc0\x3f"s), Tensor::of<float>({1}, {1.5f})},
      {"floats one by one", tensor("y", kFloat, {2}).real(4, 1).real(4, 2), Tensor::of<float>({2}, {1, 2})},
      {"raw doubles", tensor("y", kDouble, {1}).text(9, doubles), Tensor::of<float>({1}, {1.5f})},
      {"small integers", tensor("y", kInt8, {2}).numbers(5, {-1, 7}), Tensor::of<std::int8_t>({2}, {-1, 7})},
      {"raw truth is 0 or 1", tensor("y", kBool, {2}).text(9, "\0\7"s), Tensor::of<bool>({2}, {false, true})},
      {"integers", integers("y", {}, {-5}), Tensor::of<std::int64_t>({}, {-5})},
      {"nothing", tensor("y", kFloat, {0, 3}), Tensor(DataType::kF32, {0, 3})},
  };
  for (const auto& [why, proto, value] : table) {
    SCOPED_TRACE(why);
    const Graph graph = read(Model{.nodes = {}, .initializers = {proto}}.bytes());
    ASSERT_TRUE(graph.is_constant(graph.outputs()[0].value));
    EXPECT_TRUE(identical(*graph.constant(graph.outputs()[0].value), value));
  }
}

/// A folder of its own that goes when the test ends.
struct Folder {
  fs::path path = fs::temp_directory_path() / ("sepal_onnx_read_" + std::to_string(::getpid()));
  Folder() { fs::create_directories(path / "model"); }
  ~Folder() { fs::remove_all(path); }
  void write(const fs::path& name, std::string_view text) const {
    std::ofstream(path / name, std::ios::binary) << text;
  }
};

TEST(OnnxRead, ExternalDataStaysUnderTheFolder) {
  const Folder folder;
  const fs::path root = folder.path / "model";
  folder.write("model/w.bin", "0123456789abcdef");
  folder.write("outside.bin", "0123456789abcdef");
  fs::create_symlink("../outside.bin", root / "link.bin");
  fs::create_directory(root / "sub");
  folder.write("model/sub/w.bin", "sub_");
  const auto model = [](const std::vector<std::pair<std::string, std::string>>& where, int copies = 1,
                        int elements = 1) {
    Model result{.nodes = {kRelu}};
    for (int i = 0; i < copies; ++i) {
      Message w = tensor("w" + std::to_string(i), kFloat, {elements}).number(14, 1);
      for (const auto& [key, value] : where) w.add(13, Message().text(1, key).text(2, value));
      result.initializers.push_back(w);
      result.outputs.push_back(value_info("w" + std::to_string(i), {}));
    }
    return result.bytes();
  };
  const auto first = [&](const std::vector<std::pair<std::string, std::string>>& where) {
    const Graph graph = Source::from_bytes(model(where), "m", root).graph();
    const Tensor& w = *graph.constant(graph.outputs()[1].value);
    return std::string(reinterpret_cast<const char*>(w.data()), w.bytes());
  };
  EXPECT_EQ(first({{"location", "w.bin"}}), "0123");
  EXPECT_EQ(first({{"location", "w.bin"}, {"offset", "4"}, {"length", "4"}, {"checksum", "ignored"}}), "4567");
  EXPECT_EQ(first({{"location", "sub/w.bin"}}), "sub_");
  const auto message = [&](const std::vector<std::byte>& bytes, const std::string& text,
                           ErrorKind kind = ErrorKind::kInvalid) {
    EXPECT_TRUE(raises([&] { (void)Source::from_bytes(bytes, "m", root); }, "m: w0: " + text, kind));
  };
  for (const char* outside : {"../outside.bin", "sub/../../outside.bin", "link.bin", "/etc/passwd"}) {
    message(model({{"location", outside}}),
            "external data in \"" + std::string(outside) + "\", which does not lie under the model's folder");
  }
  message(model({{"location", "w.bin"}, {"offset", "14"}}),
          "external data at 14 .. 18 of \"w.bin\", which has 16 bytes");
  message(model({{"location", "w.bin"}, {"offset", "18446744073709551615"}}),
          "external data at 18446744073709551615 .. 3 of \"w.bin\", which has 16 bytes");
  message(model({{"location", "w.bin"}, {"length", "5"}}), "external data of 5 bytes where the shape needs 4");
  message(model({{"location", "w.bin"}, {"offset", "-1"}}), "external data with the offset \"-1\"");
  message(model({{"location", "none.bin"}}),
          (fs::canonical(root) / "none.bin").string() + ": cannot be opened: No such file or directory",
          ErrorKind::kIo);
  EXPECT_TRUE(raises([&] { (void)Source::from_bytes(model({{"location", "w.bin"}}, 17), "m", root); },
                     "m: w16: tensors take more than 4 times the 16 bytes of \"w.bin\""));
  // As a file on disk, found beside the model.
  const auto bytes = model({{"location", "w.bin"}});
  folder.write("model/net.onnx", {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  EXPECT_EQ(read(root / "net.onnx").outputs().size(), 2u);
  EXPECT_TRUE(raises([&] { (void)read(root / "no.onnx"); },
                     (root / "no.onnx").string() + ": cannot be opened: No such file or directory", ErrorKind::kIo));
}

TEST(OnnxRead, FreeDimensionsComeFromBindings) {
  const Source source =
      Source::from_bytes(Model{.nodes = {node("Add", {"x", "z"}, {"y"})},
                               .inputs = {value_info("x", {"N", 3, -1}), value_info("z", {"N", 1, 1})}}
                             .bytes(),
                         "m");
  EXPECT_EQ(to_string(source.inputs()[0]), "Nx3x?");
  EXPECT_TRUE(source.inputs()[0].is_free());
  const Graph graph = source.graph({{"x", {.shape = {2, 3, 5}}}});  // z takes its N from x
  EXPECT_EQ(graph.shape(graph.inputs()[1].value), (Shape{2, 1, 1}));
  EXPECT_EQ(graph.shape(graph.outputs()[0].value), (Shape{2, 3, 5}));
  EXPECT_TRUE(
      raises([&] { (void)source.graph(); }, "m: the input \"x\" is Nx3x? in the file; its shape must be given"));
  EXPECT_TRUE(raises([&] { (void)source.graph({{"x", {.shape = {2, 4, 5}}}}); },
                     "m: the input \"x\" is Nx3x? in the file, not 2x4x5"));
  EXPECT_TRUE(raises([&] { (void)source.graph({{"x", {.shape = {2, 3}}}}); },
                     "m: the input \"x\" is Nx3x? in the file, not 2x3"));
  EXPECT_TRUE(raises([&] { (void)source.graph({{"x", {.shape = {2, 3, 5}}}, {"z", {.shape = {4, 1, 1}}}}); },
                     "m: the dimension N is 2 in \"x\", but 4 in \"z\""));
  EXPECT_TRUE(
      raises([&] { (void)source.graph({{"q", {.shape = {2}}}}); }, "m: no input \"q\"; the model has \"x\", \"z\""));

  const Message unranked = Message().text(1, "x").add(2, Message().add(1, Message().number(1, kFloat)));
  const Source any = Source::from_bytes(Model{.nodes = {kRelu}, .inputs = {unranked}}.bytes(), "m");
  EXPECT_EQ(to_string(any.inputs()[0]), "any shape");
  EXPECT_EQ(to_string(Declaration{}), "scalar");
  const Graph bound = any.graph({{"x", {.shape = {7}}}});
  EXPECT_EQ(bound.shape(bound.outputs()[0].value), (Shape{7}));
}

TEST(OnnxRead, InputsWhoseValuesDecideShapesAreNamed) {
  const Source source = Source::from_bytes(
      Model{.nodes = {node("Shape", {"x"}, {"s"}), node("Cast", {"n"}, {"m"}, {attribute("to", kInt64)}),
                      node("Concat", {"m", "s"}, {"t"}, {attribute("axis", 0)}), node("Expand", {"x", "t"}, {"y"})},
            .inputs = {value_info("x", {2}), value_info("n", {1}, kInt32)}}
          .bytes(),
      "m");
  ASSERT_EQ(source.value_inputs().size(), 1u);  // not x, of which only the shape counts
  EXPECT_EQ(source.value_inputs()[0], "n");
  const Tensor three = Tensor::of<std::int32_t>({1}, {3});
  const Graph graph = source.graph({{"n", {.shape = {1}, .value = &three}}});
  EXPECT_EQ(graph.shape(graph.outputs()[0].value), (Shape{3, 2}));
  EXPECT_EQ(graph.inputs().size(), 2u);
  EXPECT_EQ(graph.nodes().size(), 1u);
  EXPECT_TRUE(
      raises([&] { (void)source.graph(); }, "m: shapes depend on the values of the input \"n\", which must be given"));
  const Tensor wrong = Tensor::of<std::int64_t>({1}, {3});
  EXPECT_TRUE(raises([&] { (void)source.graph({{"n", {.shape = {1}, .value = &wrong}}}); },
                     "m: the values of the input \"n\" are i64 1, not i32 1"));
  // What is computed from elements cannot be a shape.
  const Source computed = Source::from_bytes(
      Model{.nodes = {node("ArgMax", {"x"}, {"s"}, {attribute("keepdims", 0)}), node("Expand", {"x", "s"}, {"y"})},
            .inputs = {value_info("x", {2})}}
          .bytes(),
      "m");
  EXPECT_EQ(computed.value_inputs().size(), 1u);
}

TEST(OnnxRead, AnOutputNeedsNoType) {
  const Source source = Source::from_bytes(Model{.nodes = {kRelu}, .outputs = {untyped("y")}}.bytes());
  EXPECT_FALSE(source.outputs()[0].ranked);
  EXPECT_EQ(source.graph().outputs().size(), 1u);
}

TEST(OnnxRead, AnOutputIsOfTheTypeThatItDeclares) {
  const auto cast = [](int to, int declared) {
    return Model{.nodes = {node("Cast", {"x"}, {"y"}, {attribute("to", to)})},
                 .outputs = {value_info("y", {7, 7}, declared)}}  // a wrong shape does no harm
        .bytes();
  };
  EXPECT_EQ(read(cast(kInt64, kInt64)).outputs().size(), 1u);
  EXPECT_EQ(read(cast(kFloat, kDouble)).outputs().size(), 1u);  // both are f32 here
  expect_refused({{"floats that are integers", cast(kInt64, kFloat),
                   "the output \"y\" is f32 in the file, but its nodes give i64"},
                  {"halves that are floats", cast(kFloat, kFloat16),
                   "the output \"y\" is f16 in the file, but its nodes give f32"}});
}

TEST(OnnxRead, AnInputWithAnInitialiserIsNone) {
  const Source source = Source::from_bytes(Model{
      .nodes = {node("Add", {"x", "w"}, {"y"})},
      .inputs = {value_info("x", {2}), value_info("w", {2})},
      .initializers = {
          floats("w", {2}, {1, 2})}}.bytes());
  EXPECT_EQ(source.inputs().size(), 1u);
  EXPECT_EQ(source.graph().inputs().size(), 1u);
}

TEST(OnnxRead, ASmallFileFillsNeitherMemoryNorTime) {
  const std::int64_t large = std::int64_t{1} << 36;
  // Left to be done at run time, where the plan will say what it takes.
  const Graph graph = read(Model{
      .nodes = {node("ConstantOfShape", {"s"}, {"c"}), node("Expand", {"c", "s"}, {"y"})},
      .initializers = {
          list("s", {large})}}.bytes());
  EXPECT_EQ(graph.nodes().size(), 2u);
  EXPECT_EQ(graph.shape(graph.outputs()[0].value), (Shape{large}));
  // Many times a little is much, too; but shapes are always computed.
  Model many{.nodes = {node("ConstantOfShape", {"s"}, {"c0"})},
             .initializers = {list("s", {1 << 20})},
             .outputs = {value_info("c10", {}), value_info("t", {}, kInt64)}};
  for (int i = 0; i < 10; ++i) {
    many.nodes.push_back(node("Exp", {"c" + std::to_string(i)}, {"c" + std::to_string(i + 1)}));
  }
  many.nodes.push_back(node("Mul", {"s", "s"}, {"t"}));
  const Graph left = read(many.bytes());
  EXPECT_GT(left.nodes().size(), 5u);
  EXPECT_TRUE(left.is_constant(left.outputs()[1].value));
  expect_refused({{"a range of a few bytes",
                   Model{.nodes = {node("Range", {"a", "b", "d"}, {"y"})},
                         .inputs = {},
                         .initializers = {integers("a", {}, {0}), integers("b", {}, {large}), integers("d", {}, {1})}}
                       .bytes(),
                   "y: Range of 68719476736 elements, more than a file of 83 bytes justifies"}});
}

TEST(OnnxRead, WhatTheFileSaysAboutItself) {
  const auto bytes = Message()
                         .number(1, 8)
                         .text(2, "maker")
                         .text(3, "1.2")
                         .text(4, "org.example")
                         .number(5, 7)
                         .text(6, "a network")
                         .add(7, Model{.nodes = {kRelu}}.graph())
                         .add(8, Message().number(2, 13))
                         .add(8, Message().text(1, "com.example").number(2, 1))
                         .add(14, Message().text(1, "labels").text(2, "cat,dog"))
                         .bytes();
  const Source source = Source::from_bytes(bytes, "m");
  const About about{.name = "made by hand",
                    .documentation = "a network",
                    .producer = "maker",
                    .producer_version = "1.2",
                    .domain = "org.example",
                    .version = 7,
                    .properties = {{"labels", "cat,dog"}}};
  EXPECT_EQ(source.about(), about);
  EXPECT_EQ(source.graph().about, about);
  EXPECT_EQ(source.opset(), 13);
  EXPECT_EQ(source.name(), "m");
  EXPECT_EQ(source.outputs()[0].name, "y");
  Source moved = Source::from_bytes(bytes);
  moved = Source::from_bytes(bytes, "n");
  EXPECT_EQ(moved.name(), "n");
}

}  // namespace
}  // namespace sepal::onnx
