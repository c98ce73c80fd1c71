#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "sepal/base/error.h"
#include "sepal/formats/onnx_read.h"

/// Any bytes are a model or an Error, and a model gives a graph or an Error; free dimensions become 2.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const sepal::onnx::Source source = sepal::onnx::Source::from_bytes(std::as_bytes(std::span(data, size)));
    sepal::onnx::Bindings bindings;
    for (const sepal::onnx::Declaration& input : source.inputs()) {
      std::vector<std::int64_t> dims;
      for (const sepal::onnx::Dimension& dimension : input.dimensions) dims.push_back(dimension.size.value_or(2));
      bindings.insert_or_assign(input.name, sepal::onnx::Binding{.shape = sepal::Shape(dims), .value = nullptr});
    }
    (void)source.graph(bindings);
  } catch (const sepal::Error& error) {
    if (error.kind() == sepal::ErrorKind::kInternal) throw;
  }
  return 0;
}
