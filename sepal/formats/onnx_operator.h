#pragma once

// The table of ONNX operators that are read: one row for each operator and range of opsets in which its
// inputs and attributes are the same. What a row says is checked when a file is opened; its function then
// turns one node into operators of a Graph. docs/ONNX.md shows the table (scripts/make_onnx_table).

#include <cstdint>
#include <span>
#include <string_view>

#include "sepal/formats/onnx_proto.h"

namespace sepal::onnx {

class NodeImport;

/// The newest opset whose operators the table knows.
inline constexpr std::int64_t kNewestOpset = 24;

/// How many inputs or outputs a node may have.
struct Count {
  static constexpr int kAny = 1 << 30;
  int least = 1;
  int most = 1;
};

struct Operator {
  std::string_view type;
  std::int64_t since = 1;
  std::int64_t until = kNewestOpset;
  void (*import)(NodeImport&) = nullptr;
  Count inputs;
  Count outputs;
  std::string_view attributes;     ///< "axis:i pads:I mode:s": i, f, s, t; capitals are lists
  std::uint32_t value_inputs = 0;  ///< bit i: the values of input i decide shapes or attributes
  std::string_view remark = {};    ///< what is not handled, for the documentation
};

std::span<const Operator> operators();

/// The row for that operator in that opset, or null.
const Operator* find_operator(std::string_view type, std::int64_t opset);
/// True if any row has that operator.
bool knows_operator(std::string_view type);
/// The type of the attribute that the row's list gives it; kUndefined if it is not there.
AttributeType attribute_type(const Operator& row, std::string_view attribute);

// The functions of the rows, by family.
void import_convolution(NodeImport& node);
void import_transposed_convolution(NodeImport& node);
void import_integer_convolution(NodeImport& node);
void import_quantized_convolution(NodeImport& node);
void import_max_pool(NodeImport& node);
void import_average_pool(NodeImport& node);
void import_global_average_pool(NodeImport& node);
void import_global_max_pool(NodeImport& node);

void import_unary(NodeImport& node);
void import_parametric_unary(NodeImport& node);
void import_clip(NodeImport& node);
void import_binary(NodeImport& node);
void import_variadic(NodeImport& node);
void import_select(NodeImport& node);
void import_softmax(NodeImport& node);
void import_cast(NodeImport& node);
void import_identity(NodeImport& node);
void import_dropout(NodeImport& node);

void import_matmul(NodeImport& node);
void import_gemm(NodeImport& node);
void import_integer_matmul(NodeImport& node);
void import_quantized_matmul(NodeImport& node);
void import_quantize(NodeImport& node);
void import_dequantize(NodeImport& node);
void import_dynamic_quantize(NodeImport& node);

void import_batch_norm(NodeImport& node);
void import_instance_norm(NodeImport& node);
void import_group_norm(NodeImport& node);
void import_layer_norm(NodeImport& node);
void import_local_response_norm(NodeImport& node);
void import_reduce(NodeImport& node);
void import_arg_reduce(NodeImport& node);

void import_reshape(NodeImport& node);
void import_flatten(NodeImport& node);
void import_squeeze(NodeImport& node);
void import_unsqueeze(NodeImport& node);
void import_transpose(NodeImport& node);
void import_depth_to_space(NodeImport& node);
void import_space_to_depth(NodeImport& node);
void import_expand(NodeImport& node);
void import_tile(NodeImport& node);
void import_concat(NodeImport& node);
void import_slice(NodeImport& node);
void import_split(NodeImport& node);
void import_gather(NodeImport& node);
void import_pad(NodeImport& node);
void import_resize(NodeImport& node);
void import_upsample(NodeImport& node);

void import_shape(NodeImport& node);
void import_size(NodeImport& node);
void import_constant(NodeImport& node);
void import_constant_of_shape(NodeImport& node);
void import_range(NodeImport& node);

}  // namespace sepal::onnx
