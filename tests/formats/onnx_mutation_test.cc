// Damaged models: whatever the bytes, reading ends in a graph or in an Error of one line, and takes no more
// memory than the file justifies. SEPAL_MUTATIONS sets how many of each kind are tried.

#include <gtest/gtest.h>
#include <sys/resource.h>

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

/// Reads the bytes to the end of the way, free dimensions as 2. True if they gave a graph.
bool survives(std::span<const std::byte> bytes) {
  try {
    const Source source = Source::from_bytes(bytes, "mutant.onnx");
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
    (void)source.graph(bindings);
    return true;
  } catch (const Error& error) {
    EXPECT_NE(error.kind(), ErrorKind::kInternal) << error.what();
    EXPECT_EQ(std::string_view(error.what()).find('\n'), std::string_view::npos) << error.what();
    return false;
  }
}

void mutate_all(const std::vector<std::vector<std::byte>>& good, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const int count = mutations(300);
  int graphs = 0;
  const std::size_t before = peak_memory();
  for (int i = 0; i < count; ++i) {
    const std::vector<std::byte> bytes = mutate(good[static_cast<std::size_t>(i) % good.size()], random);
    SCOPED_TRACE("mutation " + std::to_string(i));
    graphs += survives(bytes) ? 1 : 0;
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
  mutate_all(models, 1);
}

TEST(OnnxMutation, ModelsOfOthers) {
  SEPAL_NEEDS_TEST_DATA();
  const std::vector<std::vector<std::byte>> models = small_models_of_others();
  for (const auto& model : models) EXPECT_TRUE(survives(model));
  ASSERT_GT(models.size(), 8u);
  mutate_all(models, 2);
}

}  // namespace
}  // namespace sepal::onnx
