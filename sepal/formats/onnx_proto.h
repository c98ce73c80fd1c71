#pragma once

// The part of ONNX's protobuf schema (onnx.proto) that this library speaks, as plain structs. Field by field
// what the file says; what it means is onnx_tensor.h's and onnx_import.h's business. Subgraphs, functions,
// sparse tensors and training information are noticed, not read: no operator that needs them is handled.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sepal::onnx {

using Bytes = std::span<const std::byte>;

/// TensorProto.DataType.
enum class ElementType : std::int32_t {
  kUndefined = 0,
  kFloat = 1,
  kUint8 = 2,
  kInt8 = 3,
  kUint16 = 4,
  kInt16 = 5,
  kInt32 = 6,
  kInt64 = 7,
  kString = 8,
  kBool = 9,
  kFloat16 = 10,
  kDouble = 11,
  kUint32 = 12,
  kUint64 = 13,
  kComplex64 = 14,
  kComplex128 = 15,
  kBfloat16 = 16,
  kFloat8e4m3fn = 17,
  kFloat8e4m3fnuz = 18,
  kFloat8e5m2 = 19,
  kFloat8e5m2fnuz = 20,
  kUint4 = 21,
  kInt4 = 22,
  kFloat4e2m1 = 23,
  kFloat8e8m0 = 24,
};

/// AttributeProto.AttributeType.
enum class AttributeType : std::int32_t {
  kUndefined = 0,
  kFloat = 1,
  kInt = 2,
  kString = 3,
  kTensor = 4,
  kGraph = 5,
  kFloats = 6,
  kInts = 7,
  kStrings = 8,
  kTensors = 9,
  kGraphs = 10,
  kSparseTensor = 11,
  kSparseTensors = 12,
  kTypeProto = 13,
  kTypeProtos = 14,
};

using StringPairs = std::vector<std::pair<std::string, std::string>>;

/// A tensor: its elements are in `raw` (little endian, row-major), in one of the typed fields, or in a file
/// that `external` tells. `raw` points into the bytes that were parsed.
struct TensorProto {
  std::string name;
  ElementType type = ElementType::kUndefined;
  std::vector<std::int64_t> dims;
  std::optional<Bytes> raw;
  std::vector<float> floats;
  std::vector<std::int32_t> int32s;
  std::vector<std::int64_t> int64s;
  std::vector<double> doubles;
  std::vector<std::uint64_t> uint64s;
  bool has_external = false;  ///< data_location = EXTERNAL
  StringPairs external;       ///< location, offset, length, checksum
};

struct AttributeProto {
  std::string name;
  AttributeType type = AttributeType::kUndefined;
  float f = 0;
  std::int64_t i = 0;
  std::string s;
  std::optional<TensorProto> t;
  std::vector<float> floats;
  std::vector<std::int64_t> ints;
  std::vector<std::string> strings;
};

struct NodeProto {
  std::string name;
  std::string op_type;
  std::string domain;
  std::vector<std::string> inputs;   ///< empty: left out
  std::vector<std::string> outputs;  ///< empty: not wanted
  std::vector<AttributeProto> attributes;
};

/// A dimension: a number, a name, or neither.
struct DimensionProto {
  std::optional<std::int64_t> value;
  std::string name;
};

/// Name and type of an input, an output or a value between.
struct ValueInfoProto {
  std::string name;
  bool is_tensor = false;  ///< rather than a sequence, a map, an optional
  ElementType type = ElementType::kUndefined;
  bool has_shape = false;
  std::vector<DimensionProto> dims;
};

struct GraphProto {
  std::string name;
  std::string documentation;
  std::vector<NodeProto> nodes;
  std::vector<TensorProto> initializers;
  std::vector<ValueInfoProto> inputs;
  std::vector<ValueInfoProto> outputs;
  bool has_sparse_initializers = false;
  std::vector<std::string> sparse_initializers;  ///< names; only if asked for
  std::vector<ValueInfoProto> values;            ///< value_info, as far as it is sound; only if asked for
};

struct OperatorSetProto {
  std::string domain;
  std::int64_t version = 0;
};

struct ModelProto {
  std::int64_t ir_version = 0;
  std::string producer_name;
  std::string producer_version;
  std::string domain;
  std::int64_t model_version = 0;
  std::string documentation;
  std::optional<GraphProto> graph;
  std::vector<OperatorSetProto> opsets;
  StringPairs metadata;
};

/// Reads the wire format. Unknown fields are skipped; of a field that may occur once and occurs again the
/// last counts, as protobuf has it. Memory taken grows with the bytes and with nothing that they claim: of numbers
/// and tensors a few times their bytes, of messages up to some 250 times, since an attribute of 5 bytes becomes a
/// struct of 400 in a list that doubles. Whoever reads files of strangers limits their size.
/// With `values` the types of values between nodes are read too, and the names of sparse initialisers.
/// Throws Error(kInvalid) if the bytes are not protobuf, or not an ONNX model's (tensor's).
ModelProto parse_model(Bytes bytes, bool values = false);
TensorProto parse_tensor(Bytes bytes);

/// "float32", "uint4" ...: as ONNX's documents call the type; "type 99" if there is none.
std::string name_of(ElementType type);
/// "an integer", "a list of strings" ...
std::string_view name_of(AttributeType type);

}  // namespace sepal::onnx
