// Damaged models: whatever the bytes, reading ends in a graph or in an Error of one line, and takes no more
// memory than the file justifies. SEPAL_MUTATIONS sets how many of each kind are tried.

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <optional>
#include <string>
#include <vector>

#include "sepal/base/error.h"
#include "sepal/formats/onnx_read.h"
#include "tests/formats/onnx_small_models.h"
#include "tests/mutate.h"
#include "tests/test_data.h"

namespace sepal::onnx {
namespace {

// What reading damaged models may add to the memory of the process. The address sanitizer keeps what was freed,
// 256 MiB of it by default.
#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t kMostMemory = std::size_t{1} << 30;
#else
constexpr std::size_t kMostMemory = std::size_t{256} << 20;
#endif

/// Most memory that this process ever held, in bytes.
std::size_t peak_memory() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::size_t>(usage.ru_maxrss) * 1024;
}

/// Reads the bytes to the end of the way, free dimensions as 2. Nothing if they gave no graph.
std::optional<Countable> outcome(std::span<const std::byte> bytes, Unhandled unhandled) {
  try {
    const Source source = Source::from_bytes(bytes, "mutant.onnx", {}, unhandled);
    Bindings bindings;
    std::vector<Tensor> values;
    values.reserve(source.inputs().size());
    for (const Declaration& input : source.inputs()) {
      std::vector<std::int64_t> dims;
      for (const Dimension& dimension : input.dimensions) dims.push_back(dimension.size.value_or(2));
      const Shape shape(dims);
      Binding binding{.shape = shape, .value = nullptr};
      if (shape.elements() < 1000) binding.value = &values.emplace_back(input.type, shape);
      bindings.insert_or_assign(input.name, binding);
    }
    if (unhandled == Unhandled::kRefuse) return Countable{source.graph(bindings), {}};
    return source.countable(bindings);
  } catch (const Error& error) {
    EXPECT_NE(error.kind(), ErrorKind::kInternal) << error.what();
    EXPECT_EQ(std::string_view(error.what()).find('\n'), std::string_view::npos) << error.what();
    return std::nullopt;
  }
}

/// Whether the bytes give a graph; if so, the same with nothing left out where leaving out is allowed.
bool survives(std::span<const std::byte> bytes) {
  const std::optional<Countable> strict = outcome(bytes, Unhandled::kRefuse);
  const std::optional<Countable> lenient = outcome(bytes, Unhandled::kLeaveOut);
  if (!strict) return false;
  EXPECT_TRUE(lenient && lenient->left_out.empty() && lenient->graph == strict->graph);
  return true;
}

/// Models that are read only with nodes left out: with and without stand-ins, and a node that gets half of the way.
std::vector<std::vector<std::byte>> models_with_gaps() {
  const Message branch = Message().text(1, "then_branch").add(6, Message()).number(20, 5);
  return {Model{.nodes = {node("Relu", {"x"}, {"r"}), node("Frob", {"r"}, {"a"}).text(7, "com.example"),
                          node("Conv", {"a", "w"}, {"b"}), node("If", {"b"}, {"c", "d"}, {branch}),
                          node("Add", {"c", "b"}, {"e"}), node("Relu", {"d"}, {"f"}), node("Relu", {"f"}, {"y"}),
                          node("Dropout", {"x", "", "train"}, {"z"})},
                .inputs = {value_info("x", {"N", 2, 8, 8}), value_info("s", {2}, kString)},
                .initializers = {floats("w", {2, 2, 3, 3}, std::vector<float>(36, 0.5f)), tensor("u", kUint32, {}),
                                 tensor("train", kBool, {}).numbers(5, {1})},
                .outputs = {untyped("y"), value_info("e", {"N", 2, 6, 6}), value_info("z", {2})},
                .between = {value_info("a", {"N", 2, 8, 8}), value_info("c", {"N", 2, 6, 6}),
                            value_info("d", {-1, "M"}), value_info("f", {1 << 30, 1 << 30, 1 << 30})}}
              .bytes()};
}

template <typename Good>
void mutate_all(const std::vector<std::vector<std::byte>>& good, std::uint64_t seed, Good&& good_enough) {
  std::mt19937_64 random(seed);
  const int count = mutations(300);
  int graphs = 0;
  const std::size_t before = peak_memory();
  for (int i = 0; i < count; ++i) {
    const std::vector<std::byte> bytes = mutate(good[static_cast<std::size_t>(i) % good.size()], random);
    SCOPED_TRACE("mutation " + std::to_string(i));
    graphs += good_enough(bytes) ? 1 : 0;
  }
  // Some mutations hit weights or names and change nothing of importance; most break something.
  if (count >= 100) {
    EXPECT_GT(graphs, 0);
    EXPECT_LT(graphs, count);
  }
  EXPECT_LT(peak_memory() - before, kMostMemory);
}

TEST(OnnxMutation, SmallModels) {
  const std::vector<std::vector<std::byte>> models = small_models();
  for (const auto& model : models) EXPECT_TRUE(survives(model));
  mutate_all(models, 1, survives);
}

TEST(OnnxMutation, ModelsOfOthers) {
  SEPAL_NEEDS_TEST_DATA();
  const std::vector<std::vector<std::byte>> models = small_models_of_others();
  for (const auto& model : models) EXPECT_TRUE(survives(model));
  ASSERT_GT(models.size(), 8u);
  mutate_all(models, 2, survives);
}

TEST(OnnxMutation, ModelsWithNodesLeftOut) {
  const auto counted = [](std::span<const std::byte> bytes) {
    survives(bytes);
    return outcome(bytes, Unhandled::kLeaveOut).has_value();
  };
  for (const auto& model : models_with_gaps()) {
    EXPECT_FALSE(survives(model));
    EXPECT_TRUE(counted(model));
  }
  mutate_all(models_with_gaps(), 3, counted);
}

}  // namespace
}  // namespace sepal::onnx
