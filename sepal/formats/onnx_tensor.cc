// ONNX tensors into ours. Elements come as raw bytes or in a field per family of types; either way their count
// is known from the bytes that were parsed, and is compared with the dimensions before memory is taken.

#include "sepal/formats/onnx_tensor.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <limits>

#include "sepal/base/text.h"

namespace sepal::onnx {
namespace {

static_assert(std::endian::native == std::endian::little, "raw elements are copied as they are");

/// Bytes of one element in a file, of the types that element_type accepts.
std::size_t width(ElementType type) { return type == ElementType::kDouble ? 8 : size_of(element_type(type)); }

/// The raw elements; booleans are made 0 or 1, and doubles floats.
void fill_raw(Bytes raw, ElementType type, Tensor& tensor) {
  if (raw.empty()) return;
  if (type == ElementType::kBool) {
    const std::span<bool> values = tensor.values<bool>();
    for (std::size_t i = 0; i < raw.size(); ++i) values[i] = raw[i] != std::byte{0};
  } else if (type == ElementType::kDouble) {
    const std::span<float> values = tensor.values<float>();
    for (std::size_t i = 0; i < values.size(); ++i) {
      double value = 0;
      std::memcpy(&value, raw.data() + 8 * i, 8);
      values[i] = static_cast<float>(value);
    }
  } else {
    std::memcpy(tensor.data(), raw.data(), raw.size());
  }
}

/// An element of a typed field as T; throws Error(kInvalid) if it does not fit.
template <typename T, typename Field>
T convert(Field value) {
  if constexpr (std::is_same_v<T, Float16> || std::is_same_v<T, BFloat16>) {
    T result;
    result.bits = convert<std::uint16_t>(value);
    return result;
  } else if constexpr (std::is_same_v<T, bool>) {
    return value != 0;
  } else {
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, Field>) {
      if (value < std::numeric_limits<T>::min() || value > std::numeric_limits<T>::max()) {
        invalid("an element {} that does not fit {}", value, name_of(type_of<T>()));
      }
    }
    return static_cast<T>(value);
  }
}

template <typename T, typename Field>
void fill(const std::vector<Field>& field, Tensor& tensor) {
  const std::span<T> values = tensor.values<T>();
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = convert<T>(field[i]);
}

/// How many elements the typed field of `type` holds.
std::size_t field_size(const TensorProto& proto) {
  switch (proto.type) {
    case ElementType::kFloat:
      return proto.floats.size();
    case ElementType::kDouble:
      return proto.doubles.size();
    case ElementType::kInt64:
      return proto.int64s.size();
    default:
      return proto.int32s.size();
  }
}

void fill_field(const TensorProto& proto, Tensor& tensor) {
  visit_type(tensor.type(), [&]<typename T>() {
    if constexpr (std::is_same_v<T, float>) {
      proto.type == ElementType::kDouble ? fill<T>(proto.doubles, tensor) : fill<T>(proto.floats, tensor);
    } else if constexpr (std::is_same_v<T, std::int64_t>) {
      fill<T>(proto.int64s, tensor);
    } else {
      fill<T>(proto.int32s, tensor);
    }
  });
}

/// The number that `text` spells.
std::size_t parse_number(std::string_view key, const std::string& text) {
  std::size_t number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc() || end != text.data() + text.size()) {
    invalid("external data with the {} \"{}\"", key, printable(text));
  }
  return number;
}

}  // namespace

DataType element_type(ElementType type) {
  switch (type) {
    case ElementType::kFloat:
    case ElementType::kDouble:
      return DataType::kF32;
    case ElementType::kFloat16:
      return DataType::kF16;
    case ElementType::kBfloat16:
      return DataType::kBF16;
    case ElementType::kInt8:
      return DataType::kI8;
    case ElementType::kUint8:
      return DataType::kU8;
    case ElementType::kInt16:
      return DataType::kI16;
    case ElementType::kUint16:
      return DataType::kU16;
    case ElementType::kInt32:
      return DataType::kI32;
    case ElementType::kInt64:
      return DataType::kI64;
    case ElementType::kBool:
      return DataType::kBool;
    default:
      fail(ErrorKind::kUnsupported, "elements of {} are not handled", name_of(type));
  }
}

Bytes ExternalFiles::read(const StringPairs& where, std::size_t size) {
  namespace fs = std::filesystem;
  std::string location;
  std::size_t offset = 0;
  std::size_t length = size;
  for (const auto& [key, value] : where) {
    if (key == "location") location = value;
    if (key == "offset") offset = parse_number(key, value);
    if (key == "length") length = parse_number(key, value);
  }
  if (location.empty()) invalid("external data without a location");
  if (folder_.empty())
    invalid("external data in \"{}\", but the model was not read from a folder", printable(location));
  // The folder and the file with all links followed; the first must be a prefix of the second.
  std::error_code error;
  const fs::path folder = fs::canonical(folder_, error);
  const fs::path relative(location);
  bool inside = !error && !relative.is_absolute() && location.find('\0') == std::string::npos;
  for (const fs::path& part : relative) inside = inside && part != "..";
  const fs::path path = inside ? fs::weakly_canonical(folder / relative, error) : fs::path();
  inside = inside && !error && std::ranges::mismatch(folder, path).in1 == folder.end();
  if (!inside) invalid("external data in \"{}\", which does not lie under the model's folder", printable(location));
  auto at = files_.find(path.native());
  if (at == files_.end()) at = files_.emplace(path.native(), File{MappedFile(path)}).first;
  File& file = at->second;
  const Bytes bytes = file.file.bytes();
  if (length != size) invalid("external data of {} bytes where the shape needs {}", length, size);
  if (offset > bytes.size() || size > bytes.size() - offset) {
    invalid("external data at {} .. {} of \"{}\", which has {} bytes", offset, offset + size, printable(location),
            bytes.size());
  }
  if (size > kShares * bytes.size() - file.taken) {
    invalid("tensors take more than {} times the {} bytes of \"{}\"", kShares, bytes.size(), printable(location));
  }
  file.taken += size;
  return bytes.subspan(offset, size);
}

Tensor to_tensor(const TensorProto& proto, ExternalFiles& files) {
  const DataType type = element_type(proto.type);
  const Shape shape(proto.dims);
  const auto elements = static_cast<std::size_t>(shape.elements());
  if (proto.has_external) {
    const Bytes raw = files.read(proto.external, elements * width(proto.type));
    Tensor tensor(type, shape);
    fill_raw(raw, proto.type, tensor);
    return tensor;
  }
  if (proto.raw) {
    const std::size_t needed = elements * width(proto.type);
    if (proto.raw->size() != needed) {
      invalid("{} bytes of elements for a shape of {}, which needs {}", proto.raw->size(), to_string(shape), needed);
    }
    Tensor tensor(type, shape);
    fill_raw(*proto.raw, proto.type, tensor);
    return tensor;
  }
  if (field_size(proto) != elements) invalid("{} elements for a shape of {}", field_size(proto), to_string(shape));
  Tensor tensor(type, shape);
  fill_field(proto, tensor);
  return tensor;
}

}  // namespace sepal::onnx
