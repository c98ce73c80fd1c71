#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

#include "sepal/graph/graph.h"

namespace sepal::onnx {

/// The graph as an ONNX model of standard operators in the lowest opset from 17 that suffices, metadata
/// included. For a graph as imported, read(write(g)) == g, but for Swish, which is of opset 24 and becomes
/// Sigmoid and Mul; activations that the optimiser absorbed become nodes again. Transposes between
/// [n, h, w, c] and ONNX's channels-first operators are written only where they do something. Weights lie
/// inline as raw data.
/// Throws Error(kInvalid) past protobuf's limit of 2 GiB, and where an input and an output that is another
/// value share a name; Error(kUnsupported) if an operator has no ONNX form.
std::vector<std::byte> write(const Graph& graph);

/// The same to a file, whole or not at all. Throws Error(kIo) too.
void write(const std::filesystem::path& path, const Graph& graph);

}  // namespace sepal::onnx
