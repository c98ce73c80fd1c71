#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "sepal/base/error.h"
#include "sepal/formats/onnx_read.h"
#include "sepal/formats/onnx_write.h"
#include "sepal/optimize/optimize.h"
#include "sepal/plan/plan.h"

namespace {

void drive(std::span<const std::byte> bytes, sepal::onnx::Unhandled unhandled) {
  try {
    const sepal::onnx::Source source = sepal::onnx::Source::from_bytes(bytes, "model", {}, unhandled);
    sepal::onnx::Bindings bindings;
    std::vector<sepal::Tensor> values;
    values.reserve(source.inputs().size());
    for (const sepal::onnx::Declaration& input : source.inputs()) {
      std::vector<std::int64_t> dims;
      for (const sepal::onnx::Dimension& dimension : input.dimensions) dims.push_back(dimension.size.value_or(2));
      const sepal::Shape shape(dims);
      const bool small = shape.elements() < 1000;
      bindings.insert_or_assign(
          input.name,
          sepal::onnx::Binding{.shape = shape, .value = small ? &values.emplace_back(input.type, shape) : nullptr});
    }
    const sepal::Graph graph =
        unhandled == sepal::onnx::Unhandled::kRefuse ? source.graph(bindings) : source.countable(bindings).graph;
    const sepal::Graph optimized = sepal::optimize(graph);
    const sepal::Plan plan(optimized, {.threads = 1, .memory_limit = std::size_t{64} << 20});
    (void)sepal::onnx::write(graph);
    (void)sepal::onnx::write(optimized);
  } catch (const sepal::Error& error) {
    if (error.kind() == sepal::ErrorKind::kInternal) throw;
  }
}

}  // namespace

/// Any bytes are a model or an Error, and a model goes the whole way but for the run: a graph, optimised,
/// planned in little memory, and written, or an Error on the way; so does what is left of it where nodes that
/// are not handled are left out. Free dimensions become 2.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  drive(std::as_bytes(std::span(data, size)), sepal::onnx::Unhandled::kRefuse);
  drive(std::as_bytes(std::span(data, size)), sepal::onnx::Unhandled::kLeaveOut);
  return 0;
}
