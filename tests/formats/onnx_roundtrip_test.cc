// Writing and reading again, on networks and operator tests that others made (test data: models,
// onnx-node-tests). A graph as imported comes back as it was; an optimised one computes the same; and another
// engine, where there is one, gets from both files what the networks' authors' tools gave.
//
// SEPAL_ORT_DIR names a folder with node_modules/onnxruntime-node in it.

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sepal/base/mapped_file.h"
#include "sepal/base/text.h"
#include "sepal/formats/npy.h"
#include "sepal/formats/onnx_proto.h"
#include "sepal/formats/onnx_read.h"
#include "sepal/formats/onnx_tensor.h"
#include "sepal/formats/onnx_write.h"
#include "sepal/optimize/optimize.h"
#include "sepal/plan/plan.h"
#include "tests/test_data.h"

namespace sepal::onnx {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> folders(const fs::path& root) {
  std::vector<fs::path> result;
  for (const auto& entry : fs::directory_iterator(root)) {
    if (entry.is_directory()) result.push_back(entry.path());
  }
  std::ranges::sort(result);
  return result;
}

/// What of the second graph is not as in the first, or "".
std::string difference(const Graph& a, const Graph& b) {
  if (a == b) return {};
  for (std::size_t i = 0; i < std::min(a.nodes().size(), b.nodes().size()); ++i) {
    const Node& left = a.nodes()[i];
    const Node& right = b.nodes()[i];
    if (left.op == right.op && left.name == right.name) continue;
    return format("node {} is {} \"{}\" instead of {} \"{}\"", i, name_of(right.op), right.name, name_of(left.op),
                  left.name);
  }
  return format("{} nodes instead of {}, or other constants, ends or connections", b.nodes().size(), a.nodes().size());
}

std::string round_trip(const Graph& graph) { return difference(graph, read(write(graph))); }

/// The first sample of a network: its input, and what it should give.
struct Sample {
  fs::path input;
  std::vector<Tensor> expected;
  std::vector<Tensor> exact;  ///< in double precision; for int8 networks only
};

Sample first_sample(const fs::path& folder, std::size_t outputs) {
  for (int k = 0; k < 100; ++k) {
    Sample sample{folder / format("input_{}.npy", k), {}, {}};
    if (!fs::exists(sample.input)) continue;
    for (std::size_t j = 0; j < outputs; ++j) {
      const std::string suffix = outputs == 1 ? format("{}.npy", k) : format("{}_{}.npy", k, j);
      sample.expected.push_back(read_npy(folder / ("expected_" + suffix)));
      if (fs::exists(folder / ("f64_" + suffix))) sample.exact.push_back(read_npy(folder / ("f64_" + suffix)));
    }
    return sample;
  }
  throw Error(ErrorKind::kInvalid, folder.string() + ": no sample");
}

std::vector<Tensor> run(const Graph& graph, const Tensor& input) {
  const Plan plan(graph, {.threads = 2});
  const Workspace workspace(plan.workspace_bytes());
  std::vector<Tensor> outputs;
  std::vector<Buffer> buffers;
  for (const Port& port : graph.outputs()) outputs.emplace_back(graph.type(port.value).type, graph.shape(port.value));
  for (Tensor& output : outputs) buffers.push_back(output.buffer());
  const ConstBuffer in = input.buffer();
  plan.run(workspace, {&in, 1}, buffers);
  return outputs;
}

/// Largest difference over largest magnitude.
double distance(const Tensor& found, const Tensor& expected) {
  const auto a = found.values<float>();
  const auto b = expected.values<float>();
  double most = 0, largest = 0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    const double apart = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    most = std::isnan(apart) ? HUGE_VAL : std::max(most, apart);
    largest = std::max(largest, std::abs(static_cast<double>(b[i])));
  }
  return most == 0 ? 0 : most / largest;
}

double cosine(const Tensor& x, const Tensor& y) {
  const auto a = x.values<float>();
  const auto b = y.values<float>();
  double product = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    product += static_cast<double>(a[i]) * static_cast<double>(b[i]);
    aa += static_cast<double>(a[i]) * static_cast<double>(a[i]);
    bb += static_cast<double>(b[i]) * static_cast<double>(b[i]);
  }
  return aa == bb && aa == 0 ? 1 : product / std::sqrt(aa * bb);
}

TEST(OnnxRoundTrip, AModelAsImportedComesBackAsItWas) {
  SEPAL_NEEDS_TEST_DATA();
  int count = 0;
  for (const fs::path& folder : folders(test_data() / "models")) {
    SCOPED_TRACE(folder.filename().string());
    const Graph graph = read(folder / "model.onnx");
    EXPECT_EQ(round_trip(graph), "");
    ++count;
    if (!fs::exists(folder / "model_dynamic.onnx")) continue;
    const Port& input = graph.inputs().front();
    const Source source = Source::open(folder / "model_dynamic.onnx");
    EXPECT_EQ(round_trip(source.graph({{input.name, {graph.shape(input.value)}}})), "") << "with free dimensions";
  }
  EXPECT_EQ(count, 38);
}

TEST(OnnxRoundTrip, AnOperatorTestAsImportedComesBackAsItWas) {
  SEPAL_NEEDS_TEST_DATA();
  // Written as x * sigmoid(x), see onnx_write_elementwise.cc.
  const std::set<std::string> lowered = {"test_swish"};
  int count = 0;
  for (const fs::path& folder : folders(test_data() / "onnx-node-tests")) {
    const std::string name = folder.filename().string();
    SCOPED_TRACE(name);
    std::optional<Graph> graph;
    try {
      const Source source = Source::open(folder / "model.onnx");
      std::vector<Tensor> inputs;
      Bindings bindings;
      for (std::size_t i = 0; i < source.inputs().size(); ++i) {
        const MappedFile file(folder / "test_data_set_0" / format("input_{}.pb", i));
        ExternalFiles none{{}};
        inputs.push_back(to_tensor(parse_tensor(file.bytes()), none));
      }
      for (std::size_t i = 0; i < inputs.size(); ++i) {
        bindings.emplace(source.inputs()[i].name, Binding{inputs[i].shape(), &inputs[i]});
      }
      graph = source.graph(bindings);
    } catch (const Error&) {
      continue;  // not handled, as onnx_node_test says
    }
    EXPECT_EQ(round_trip(*graph).empty(), !lowered.contains(name)) << round_trip(*graph);
    ++count;
  }
  EXPECT_GT(count, 550);
}

TEST(OnnxRoundTrip, AnOptimisedModelComputesTheSame) {
  SEPAL_NEEDS_TEST_DATA();
  for (const fs::path& folder : folders(test_data() / "models")) {
    SCOPED_TRACE(folder.filename().string());
    const Graph graph = optimize(read(folder / "model.onnx"));
    const Graph again = read(write(graph));
    const Tensor input = read_npy(first_sample(folder, 0).input);
    const std::vector<Tensor> expected = run(graph, input);
    const std::vector<Tensor> found = run(again, input);
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_EQ(again.outputs()[i].name, graph.outputs()[i].name);
      // What was read again may take other kernels where layouts stand between operators, which round in other orders.
      EXPECT_LE(distance(found[i], expected[i]), 3e-5) << again.outputs()[i].name;
    }
    const auto transposes = [](const std::vector<std::byte>& file) {
      const ModelProto model = parse_model(Bytes(file));
      return std::ranges::count(model.graph->nodes, "Transpose", &NodeProto::op_type);
    };
    // A plain network stays without; one grey channel is reshaped, which the writer cannot see through.
    if (transposes(write(read(folder / "model.onnx"))) == 0) {
      EXPECT_LE(transposes(write(graph)), 1);
    }
  }
}

/// A folder of this process's own, removed at the end.
class Scratch {
 public:
  Scratch() : path_(fs::path(testing::TempDir()) / format("sepal_onnx_roundtrip_{}", getpid())) {
    fs::create_directories(path_);
  }
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

std::string file_name(std::string name) {
  std::ranges::replace_if(
      name, [](unsigned char c) { return std::isalnum(c) == 0 && c != '.' && c != '_' && c != '-'; }, '_');
  return name + ".npy";
}

/// The data's script that runs ONNX Runtime, told to leave the model as it is: otherwise ONNX Runtime makes
/// float filters beside quantised values into int8 ones, and what is compared is that.
std::string onnx_runtime_script() {
  const MappedFile file(test_data() / "peers" / "ort_run.mjs");
  std::string script(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
  constexpr std::string_view kOptions = "executionProviders: ['cpu']";
  const std::size_t at = script.find(kOptions);
  expect(at != std::string::npos, "ort_run.mjs gives options");
  return script.insert(at + kOptions.size(), ", graphOptimizationLevel: 'disabled'");
}

/// What ONNX Runtime makes of the graph, in the order of its outputs; nothing if it refuses.
std::vector<Tensor> run_in_onnx_runtime(const Graph& graph, const fs::path& input, const fs::path& folder) {
  const fs::path model = folder / "model.onnx";
  const fs::path outputs = folder / "outputs";
  const fs::path script = folder / "run.mjs";
  fs::remove_all(outputs);
  write(model, graph);
  const std::string text = onnx_runtime_script();
  write_file(script, std::as_bytes(std::span(text)));
  const std::string command =
      format("cd {} && node {} {} {} {} > {} 2>&1", quoted(std::getenv("SEPAL_ORT_DIR")), quoted(script.string()),
             quoted(model.string()), quoted(outputs.string()),
             quoted(graph.inputs().front().name + "=" + input.string()), quoted((folder / "log").string()));
  if (std::system(command.c_str()) != 0) {
    const MappedFile log(folder / "log");
    ADD_FAILURE() << std::string(reinterpret_cast<const char*>(log.bytes().data()), log.bytes().size());
    return {};
  }
  std::vector<Tensor> result;
  for (const Port& port : graph.outputs()) result.push_back(read_npy(outputs / file_name(port.name)));
  return result;
}

void expect_agreement(const Graph& graph, const Sample& sample, const fs::path& folder, bool quantized_arithmetic) {
  const std::vector<Tensor> found = run_in_onnx_runtime(graph, sample.input, folder);
  for (std::size_t i = 0; i < found.size(); ++i) {
    const std::string& name = graph.outputs()[i].name;
    ASSERT_EQ(found[i].shape(), sample.expected[i].shape()) << name;
    if (sample.exact.empty()) {
      EXPECT_LE(distance(found[i], sample.expected[i]), 1e-4) << name;
    } else if (quantized_arithmetic) {
      // At most one step of an output in 256 steps.
      EXPECT_LE(distance(found[i], sample.expected[i]), 1.01 / 127) << name;
    } else {
      EXPECT_GE(cosine(found[i], sample.expected[i]), cosine(sample.exact[i], sample.expected[i]) - 0.001) << name;
    }
  }
}

TEST(OnnxRoundTrip, OnnxRuntimeAgrees) {
  SEPAL_NEEDS_TEST_DATA();
  if (std::getenv("SEPAL_ORT_DIR") == nullptr) GTEST_SKIP() << "SEPAL_ORT_DIR names no folder with onnxruntime-node";
  const Scratch scratch;
  for (const fs::path& folder : folders(test_data() / "models")) {
    const std::string name = folder.filename().string();
    const Graph graph = read(folder / "model.onnx");
    const Sample sample = first_sample(folder, graph.outputs().size());
    {
      SCOPED_TRACE(name + " as imported");
      expect_agreement(graph, sample, scratch.path(), name.ends_with("_qlinear"));
    }
    SCOPED_TRACE(name + " optimised");
    expect_agreement(optimize(graph), sample, scratch.path(), name.ends_with("_qlinear"));
  }
}

/// The bundled network is what sepal train wrote.
TEST(OnnxRoundTrip, OnnxRuntimeAgreesOnWhatWasTrained) {
  SEPAL_NEEDS_TEST_DATA();
  if (std::getenv("SEPAL_ORT_DIR") == nullptr) GTEST_SKIP() << "SEPAL_ORT_DIR names no folder with onnxruntime-node";
  const Scratch scratch;
  const Graph trained = read(fs::path(SEPAL_SOURCE_DIR) / "models/fashion_mnist.onnx");
  const Shape shape = trained.shape(trained.inputs().front().value);
  Tensor input(DataType::kF32, shape);
  float value = 0;
  for (float& pixel : input.values<float>()) pixel = std::sin(value += 0.37f);
  const fs::path file = scratch.path() / "input.npy";
  write_npy(file, input.buffer());
  for (const Graph& graph : {trained, optimize(trained)}) {
    expect_agreement(graph, {file, run(graph, input), {}}, scratch.path(), false);
  }
}

}  // namespace
}  // namespace sepal::onnx
