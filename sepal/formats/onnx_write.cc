#include "sepal/formats/onnx_write.h"

#include <cstring>
#include <string>

#include "sepal/base/mapped_file.h"
#include "sepal/base/text.h"
#include "sepal/formats/onnx_write_lowering.h"
#include "sepal/formats/onnx_write_proto.h"

namespace sepal::onnx {
namespace {

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace

std::vector<std::byte> write(const Graph& graph) {
  const std::string text = serialise(lower(graph).model);
  const std::span<const std::byte> bytes = bytes_of(text);
  return {bytes.begin(), bytes.end()};
}

void write(const std::filesystem::path& path, const Graph& graph) {
  const std::string text = in_place(printable(path.string(), 1000), [&] { return serialise(lower(graph).model); });
  write_file(path, bytes_of(text));
}

}  // namespace sepal::onnx
