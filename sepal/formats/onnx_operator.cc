// The table itself. Rows of one operator do not overlap; those of consecutive opsets differ in what they take
// as input and what as attribute. Attributes that only training reads (a seed, is_test, momentum) are listed
// too: they may be there and change nothing.

#include "sepal/formats/onnx_operator.h"

#include <algorithm>

namespace sepal::onnx {
namespace {

constexpr std::string_view kConv = "auto_pad:s dilations:I group:i kernel_shape:I pads:I strides:I";
constexpr std::string_view kConvTranspose =
    "auto_pad:s dilations:I group:i kernel_shape:I output_padding:I output_shape:I pads:I strides:I";
constexpr std::string_view kMaxPool =
    "auto_pad:s ceil_mode:i dilations:I kernel_shape:I pads:I storage_order:i strides:I";
constexpr std::string_view kAveragePool =
    "auto_pad:s ceil_mode:i count_include_pad:i dilations:I kernel_shape:I pads:I strides:I";
constexpr std::string_view kResize =
    "antialias:i axes:I coordinate_transformation_mode:s cubic_coeff_a:f exclude_outside:i extrapolation_value:f "
    "keep_aspect_ratio_policy:s mode:s nearest_mode:s";
constexpr std::string_view kOldBroadcast = "axis:i broadcast:i";
constexpr std::string_view kNo3d = "3-D";

constexpr Count kOne{1, 1};
constexpr Count kTwo{2, 2};
constexpr Count kThree{3, 3};
constexpr Count kMany{1, Count::kAny};

// Which inputs' values decide shapes or attributes.
constexpr std::uint32_t kSecond = 0b10;
constexpr std::uint32_t kThird = 0b100;

// clang-format off
constexpr Operator kOperators[] = {
    {"Abs", 1, kNewestOpset, import_unary, kOne, kOne, ""},
    {"Add", 1, 6, import_binary, kTwo, kOne, kOldBroadcast},
    {"Add", 7, kNewestOpset, import_binary, kTwo, kOne, ""},
    {"And", 1, 6, import_binary, kTwo, kOne, kOldBroadcast},
    {"And", 7, kNewestOpset, import_binary, kTwo, kOne, ""},
    {"ArgMax", 1, kNewestOpset, import_arg_reduce, kOne, kOne, "axis:i keepdims:i select_last_index:i"},
    {"ArgMin", 1, kNewestOpset, import_arg_reduce, kOne, kOne, "axis:i keepdims:i select_last_index:i"},
    {"AveragePool", 1, kNewestOpset, import_average_pool, kOne, kOne, kAveragePool, 0, kNo3d},
    {"BatchNormalization", 1, 13, import_batch_norm, {5, 5}, {1, 5}, "epsilon:f is_test:i momentum:f spatial:i", 0, "spatial = 0; outputs of training"},
    {"BatchNormalization", 14, kNewestOpset, import_batch_norm, {5, 5}, {1, 3}, "epsilon:f momentum:f training_mode:i", 0, "training"},
    {"Cast", 6, kNewestOpset, import_cast, kOne, kOne, "to:i saturate:i round_mode:s", 0, "strings, uint32, uint64, types of 8 and 4 bits that are not int8 or uint8"},
    {"Ceil", 1, kNewestOpset, import_unary, kOne, kOne, ""},
    {"Celu", 12, kNewestOpset, import_parametric_unary, kOne, kOne, "alpha:f"},
    {"Clip", 1, 10, import_clip, kOne, kOne, "max:f min:f"},
    {"Clip", 11, kNewestOpset, import_clip, {1, 3}, kOne, ""},
    {"Concat", 1, kNewestOpset, import_concat, kMany, kOne, "axis:i"},
    {"Constant", 1, kNewestOpset, import_constant, {0, 0}, kOne, "value:t value_float:f value_floats:F value_int:i value_ints:I", 0, "strings, sparse tensors"},
    {"ConstantOfShape", 9, kNewestOpset, import_constant_of_shape, kOne, kOne, "value:t", 0b1},
    {"Conv", 1, kNewestOpset, import_convolution, {2, 3}, kOne, kConv, 0, kNo3d},
    {"ConvInteger", 10, kNewestOpset, import_integer_convolution, {2, 4}, kOne, kConv, 0, kNo3d},
    {"ConvTranspose", 1, kNewestOpset, import_transposed_convolution, {2, 3}, kOne, kConvTranspose, 0, kNo3d},
    {"Cos", 7, kNewestOpset, import_unary, kOne, kOne, ""},
    {"DepthToSpace", 1, kNewestOpset, import_depth_to_space, kOne, kOne, "blocksize:i mode:s"},
    {"DequantizeLinear", 10, kNewestOpset, import_dequantize, {2, 3}, kOne, "axis:i block_size:i output_dtype:i", 0, "types of 8 and 4 bits that are not int8 or uint8"},
    {"Div", 1, 6, import_binary, kTwo, kOne, kOldBroadcast},
    {"Div", 7, kNewestOpset, import_binary, kTwo, kOne, ""},
    {"Dropout", 1, 6, import_dropout, kOne, {1, 2}, "is_test:i ratio:f"},
    {"Dropout", 7, 11, import_dropout, kOne, {1, 2}, "ratio:f"},
    {"Dropout", 12, kNewestOpset, import_dropout, {1, 3}, {1, 2}, "seed:i", kSecond | kThird, "training"},
    {"DynamicQuantizeLinear", 11, kNewestOpset, import_dynamic_quantize, kOne, {1, 3}, ""},
    {"Elu", 1, kNewestOpset, import_parametric_unary, kOne, kOne, "alpha:f"},
    {"Equal", 1, 6, import_binary, kTwo, kOne, kOldBroadcast},
    {"Equal", 7, kNewestOpset, import_binary, kTwo, kOne, ""},
    {"Erf", 9, kNewestOpset, import_unary, kOne, kOne, ""},
    {"Exp", 1, kNewestOpset, import_unary, kOne, kOne, ""},
    {"Expand", 8, kNewestOpset, import_expand, kTwo, kOne, "", kSecond},
    {"Flatten", 1, kNewestOpset, import_flatten, kOne, kOne, "axis:i"},
    {"Floor", 1, kNewestOpset, import_unary, kOne, kOne, ""},
    {"Gather", 1, kNewestOpset, import_gather, kTwo, kOne, "axis:i"},
    {"Gelu", 20, kNewestOpset, import_parametric_unary, kOne, kOne, "approximate:s"},
    {"Gemm", 1, 6, import_gemm, kThree, kOne, "alpha:f beta:f broadcast:i transA:i transB:i"},
    {"Gemm", 7, kNewestOpset, import_gemm, {2, 3}, kOne, "alpha:f beta:f transA:i transB:i", 0, "integers"},
    {"GlobalAveragePool", 1, kNewestOpset, import_global_average_pool, kOne, kOne, ""},
    {"GlobalMaxPool", 1, kNewestOpset, import_global_max_pool, kOne, kOne, ""},
    {"Greater", 1, 6, import_binary, kTwo, kOne, kOldBroadcast},
    {"Greater", 7, kNewestOpset, import_binary, kTwo, kOne, ""},
    {"GreaterOrEqual", 12, kNewestOpset, import_binary, kTwo, kOne, ""},
    {"GroupNormalization", 18, kNewestOpset, import_group_norm, kThree, kOne, "epsilon:f num_groups:i stash_type:i"},
    {"HardSigmoid", 1, kNewestOpset, import_parametric_unary, kOne, kOne, "alpha:f beta:f"},
    {"HardSwish", 14, kNewestOpset, import_unary, kOne, kOne, ""},
    {"Identity", 1, kNewestOpset, import_identity, kOne, kOne, "", 0, "sequences, optionals"},
    {"InstanceNormalization", 1, kNewestOpset, import_instance_norm, kThree, kOne, "epsilon:f"},
    {"LRN", 1, kNewestOpset, import_local_response_norm, kOne, kOne, "alpha:f beta:f bias:f size:i"},
    {"LayerNormalization", 17, kNewestOpset, import_layer_norm, {2, 3}, {1, 3}, "axis:i epsilon:f stash_type:i"},
    {"LeakyRelu", 1, kNewestOpset, import_parametric_unary, kOne, kOne, "alpha:f"},
    {"Less", 1, 6, import_binary, kTwo, kOne, kOldBroadcast},
    {"Less", 7, kNewestOpset, import_binary, kTwo, kOne, ""},
    {"LessOrEqual", 12, kNewestOpset, import_binary, kTwo, kOne, ""},
    {"Log", 1, kNewestOpset, import_unary, kOne, kOne, ""},
    {"LogSoftmax", 1, kNewestOpset, import_softmax, kOne, kOne, "axis:i"},
    {"MatMul", 1, kNewestOpset, import_matmul, kTwo, kOne, ""},
    {"MatMulInteger", 10, kNewestOpset, import_integer_matmul, {2, 4}, kOne, ""},
    {"Max", 1, kNewestOpset, import_variadic, kMany, kOne, ""},
    {"MaxPool", 1, kNewestOpset, import_max_pool, kOne, {1, 2}, kMaxPool, 0, kNo3d},
    {"Mean", 1, kNewestOpset, import_variadic, kMany, kOne, ""},
    {"Min", 1, kNewestOpset, import_variadic, kMany, kOne, ""},
    {"Mish", 18, kNewestOpset, import_unary, kOne, kOne, ""},
    {"Mod", 10, kNewestOpset, import_binary, kTwo, kOne, "fmod:i", 0, "fmod = 1"},
    {"Mul", 1, 6, import_binary, kTwo, kOne, kOldBroadcast},
    {"Mul", 7, kNewestOpset, import_binary, kTwo, kOne, ""},
    {"Neg", 1, kNewestOpset, import_unary, kOne, kOne, ""},
    {"Not", 1, kNewestOpset, import_unary, kOne, kOne, ""},
    {"Or", 1, 6, import_binary, kTwo, kOne, kOldBroadcast},
    {"Or", 7, kNewestOpset, import_binary, kTwo, kOne, ""},
    {"PRelu", 1, kNewestOpset, import_binary, kTwo, kOne, ""},
    {"Pad", 1, 1, import_pad, kOne, kOne, "mode:s paddings:I value:f"},
    {"Pad", 2, 10, import_pad, kOne, kOne, "mode:s pads:I value:f"},
    {"Pad", 11, kNewestOpset, import_pad, {2, 4}, kOne, "mode:s", 0b1110},
    {"Pow", 1, 6, import_binary, kTwo, kOne, kOldBroadcast},
    {"Pow", 7, kNewestOpset, import_binary, kTwo, kOne, ""},
    {"QLinearConv", 10, kNewestOpset, import_quantized_convolution, {8, 9}, kOne, kConv, 0, kNo3d},
    {"QLinearMatMul", 10, kNewestOpset, import_quantized_matmul, {8, 8}, kOne, "", 0, "scales per row or column"},
    {"QuantizeLinear", 10, kNewestOpset, import_quantize, {2, 3}, kOne, "axis:i block_size:i output_dtype:i precision:i saturate:i", 0, "types of 8 and 4 bits that are not int8 or uint8"},
    {"Range", 11, kNewestOpset, import_range, kThree, kOne, "", 0b111},
    {"Reciprocal", 1, kNewestOpset, import_unary, kOne, kOne, ""},
    {"ReduceL1", 1, 17, import_reduce, kOne, kOne, "axes:I keepdims:i"},
    {"ReduceL1", 18, kNewestOpset, import_reduce, {1, 2}, kOne, "keepdims:i noop_with_empty_axes:i", kSecond},
    {"ReduceL2", 1, 17, import_reduce, kOne, kOne, "axes:I keepdims:i"},
    {"ReduceL2", 18, kNewestOpset, import_reduce, {1, 2}, kOne, "keepdims:i noop_with_empty_axes:i", kSecond},
    {"ReduceLogSum", 1, 17, import_reduce, kOne, kOne, "axes:I keepdims:i"},
    {"ReduceLogSum", 18, kNewestOpset, import_reduce, {1, 2}, kOne, "keepdims:i noop_with_empty_axes:i", kSecond},
    {"ReduceLogSumExp", 1, 17, import_reduce, kOne, kOne, "axes:I keepdims:i"},
    {"ReduceLogSumExp", 18, kNewestOpset, import_reduce, {1, 2}, kOne, "keepdims:i noop_with_empty_axes:i", kSecond},
    {"ReduceMax", 1, 17, import_reduce, kOne, kOne, "axes:I keepdims:i"},
    {"ReduceMax", 18, kNewestOpset, import_reduce, {1, 2}, kOne, "keepdims:i noop_with_empty_axes:i", kSecond},
    {"ReduceMean", 1, 17, import_reduce, kOne, kOne, "axes:I keepdims:i"},
    {"ReduceMean", 18, kNewestOpset, import_reduce, {1, 2}, kOne, "keepdims:i noop_with_empty_axes:i", kSecond},
    {"ReduceMin", 1, 17, import_reduce, kOne, kOne, "axes:I keepdims:i"},
    {"ReduceMin", 18, kNewestOpset, import_reduce, {1, 2}, kOne, "keepdims:i noop_with_empty_axes:i", kSecond},
    {"ReduceProd", 1, 17, import_reduce, kOne, kOne, "axes:I keepdims:i"},
    {"ReduceProd", 18, kNewestOpset, import_reduce, {1, 2}, kOne, "keepdims:i noop_with_empty_axes:i", kSecond},
    {"ReduceSum", 1, 12, import_reduce, kOne, kOne, "axes:I keepdims:i"},
    {"ReduceSum", 13, kNewestOpset, import_reduce, {1, 2}, kOne, "keepdims:i noop_with_empty_axes:i", kSecond},
    {"ReduceSumSquare", 1, 17, import_reduce, kOne, kOne, "axes:I keepdims:i"},
    {"ReduceSumSquare", 18, kNewestOpset, import_reduce, {1, 2}, kOne, "keepdims:i noop_with_empty_axes:i", kSecond},
    {"Relu", 1, kNewestOpset, import_unary, kOne, kOne, ""},
    {"Reshape", 1, 4, import_reshape, kOne, kOne, "shape:I"},
    {"Reshape", 5, kNewestOpset, import_reshape, kTwo, kOne, "allowzero:i", kSecond},
    {"Resize", 10, 10, import_resize, kTwo, kOne, "mode:s", kSecond},
    {"Resize", 11, kNewestOpset, import_resize, {1, 4}, kOne, kResize, 0b1110},
    {"Round", 11, kNewestOpset, import_unary, kOne, kOne, ""},
    {"Selu", 1, kNewestOpset, import_parametric_unary, kOne, kOne, "alpha:f gamma:f"},
    {"Shape", 1, kNewestOpset, import_shape, kOne, kOne, "end:i start:i"},
    {"Sigmoid", 1, kNewestOpset, import_unary, kOne, kOne, ""},
    {"Sign", 9, kNewestOpset, import_unary, kOne, kOne, ""},
    {"Sin", 7, kNewestOpset, import_unary, kOne, kOne, ""},
    {"Size", 1, kNewestOpset, import_size, kOne, kOne, ""},
    {"Slice", 1, 9, import_slice, kOne, kOne, "axes:I ends:I starts:I"},
    {"Slice", 10, kNewestOpset, import_slice, {3, 5}, kOne, "", 0b11110},
    {"Softmax", 1, kNewestOpset, import_softmax, kOne, kOne, "axis:i"},
    {"Softplus", 1, kNewestOpset, import_unary, kOne, kOne, ""},
    {"Softsign", 1, kNewestOpset, import_unary, kOne, kOne, ""},
    {"SpaceToDepth", 1, kNewestOpset, import_space_to_depth, kOne, kOne, "blocksize:i"},
    {"Split", 1, 12, import_split, {1, 2}, kMany, "axis:i split:I", kSecond},
    {"Split", 13, kNewestOpset, import_split, {1, 2}, kMany, "axis:i num_outputs:i", kSecond},
    {"Sqrt", 1, kNewestOpset, import_unary, kOne, kOne, ""},
    {"Squeeze", 1, 12, import_squeeze, kOne, kOne, "axes:I"},
    {"Squeeze", 13, kNewestOpset, import_squeeze, {1, 2}, kOne, "", kSecond},
    {"Sub", 1, 6, import_binary, kTwo, kOne, kOldBroadcast},
    {"Sub", 7, kNewestOpset, import_binary, kTwo, kOne, ""},
    {"Sum", 1, kNewestOpset, import_variadic, kMany, kOne, ""},
    {"Swish", 24, kNewestOpset, import_parametric_unary, kOne, kOne, "alpha:f"},
    {"Tanh", 1, kNewestOpset, import_unary, kOne, kOne, ""},
    {"ThresholdedRelu", 10, kNewestOpset, import_parametric_unary, kOne, kOne, "alpha:f"},
    {"Tile", 6, kNewestOpset, import_tile, kTwo, kOne, "", kSecond},
    {"Transpose", 1, kNewestOpset, import_transpose, kOne, kOne, "perm:I"},
    {"Unsqueeze", 1, 12, import_unsqueeze, kOne, kOne, "axes:I"},
    {"Unsqueeze", 13, kNewestOpset, import_unsqueeze, kTwo, kOne, "", kSecond},
    {"Upsample", 7, 8, import_upsample, kOne, kOne, "mode:s scales:F"},
    {"Upsample", 9, 9, import_upsample, kTwo, kOne, "mode:s", kSecond},
    {"Where", 9, kNewestOpset, import_select, kThree, kOne, ""},
    {"Xor", 1, 6, import_binary, kTwo, kOne, kOldBroadcast},
    {"Xor", 7, kNewestOpset, import_binary, kTwo, kOne, ""},
};
// clang-format on

static_assert(std::ranges::is_sorted(kOperators, {}, &Operator::type));

std::span<const Operator> rows_of(std::string_view type) {
  const auto rows = std::ranges::equal_range(kOperators, type, {}, &Operator::type);
  return {rows.begin(), rows.end()};
}

}  // namespace

std::span<const Operator> operators() { return kOperators; }

const Operator* find_operator(std::string_view type, std::int64_t opset) {
  for (const Operator& row : rows_of(type)) {
    if (row.since <= opset && opset <= row.until) return &row;
  }
  return nullptr;
}

bool knows_operator(std::string_view type) { return !rows_of(type).empty(); }

AttributeType attribute_type(const Operator& row, std::string_view attribute) {
  // Inputs overwritten in place: a hint of the first opsets that every operator could carry.
  if (attribute == "consumed_inputs") return AttributeType::kInts;
  for (std::string_view rest = row.attributes; !rest.empty();) {
    const std::string_view entry = rest.substr(0, rest.find(' '));
    if (entry.size() == attribute.size() + 2 && entry.starts_with(attribute)) {
      switch (entry.back()) {
        case 'i':
          return AttributeType::kInt;
        case 'f':
          return AttributeType::kFloat;
        case 's':
          return AttributeType::kString;
        case 't':
          return AttributeType::kTensor;
        case 'I':
          return AttributeType::kInts;
        default:
          return AttributeType::kFloats;
      }
    }
    rest.remove_prefix(std::min(rest.size(), entry.size() + 1));
  }
  return AttributeType::kUndefined;
}

}  // namespace sepal::onnx
