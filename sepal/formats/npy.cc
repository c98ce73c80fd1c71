#include "sepal/formats/npy.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "sepal/base/mapped_file.h"
#include "sepal/base/text.h"
#include "sepal/tensor/convert.h"

// A .npy file is eight bytes of magic and version, the length of the header, and the header: a Python
// dictionary like
//   {'descr': '<f4', 'fortran_order': False, 'shape': (1, 3, 224, 224), }
// padded with spaces and ended by a newline. The parser below reads exactly that much of Python: three
// keys in any order, either quote, an optional last comma, and the L after numbers that Python 2 wrote.

namespace sepal {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::string_view kMagic = "\x93NUMPY";

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

struct Header {
  std::string descr;
  bool fortran_order = false;
  Shape shape;
};

class HeaderParser {
 public:
  explicit HeaderParser(std::string_view text) : text_(text) {}

  Header parse() {
    Header header;
    bool has_descr = false, has_order = false, has_shape = false;
    const auto first = [&](bool& seen, std::string_view key) {
      if (seen) invalid("the .npy header has two keys \"{}\"", key);
      seen = true;
    };
    need('{');
    while (!take('}')) {
      const std::string_view key = quoted();
      need(':');
      if (key == "descr") {
        first(has_descr, key);
        if (peek() == '[') fail(ErrorKind::kUnsupported, "a structured .npy array; arrays of plain numbers are read");
        header.descr = quoted();
      } else if (key == "fortran_order") {
        first(has_order, key);
        header.fortran_order = boolean();
      } else if (key == "shape") {
        first(has_shape, key);
        header.shape = shape();
      } else {
        invalid("the .npy header has an unknown key \"{}\"", printable(key));
      }
      if (!take(',') && peek() != '}') broken("a comma or a closing brace");
    }
    peek();
    if (at_ != text_.size()) broken("the end");
    if (!has_descr || !has_order || !has_shape) {
      invalid("the .npy header lacks \"{}\"", !has_descr ? "descr" : !has_order ? "fortran_order" : "shape");
    }
    return header;
  }

 private:
  [[noreturn]] void broken(std::string_view wanted) const {
    invalid("byte {} of the .npy header is not {}: \"{}\"", at_, wanted, printable(text_.substr(at_), 24));
  }

  /// The next byte that is no space, or 0 at the end.
  char peek() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t')) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool take(char wanted) {
    if (peek() != wanted) return false;
    ++at_;
    return true;
  }
  void need(char wanted) {
    if (!take(wanted)) broken(format("'{}'", wanted));
  }

  std::string_view quoted() {
    const char quote = peek();
    if (quote != '\'' && quote != '"') broken("a quoted word");
    const std::size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) broken("a quoted word");
    const std::string_view word = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return word;
  }

  bool boolean() {
    peek();
    for (const bool value : {false, true}) {
      const std::string_view word = value ? "True" : "False";
      if (text_.substr(at_).starts_with(word)) {
        at_ += word.size();
        return value;
      }
    }
    broken("True or False");
  }

  std::int64_t number() {
    peek();
    std::int64_t value = 0;
    const auto [end, code] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (code == std::errc::result_out_of_range) invalid("the .npy header has a dimension that does not fit 64 bits");
    if (code != std::errc() || value < 0) broken("a dimension");
    at_ = static_cast<std::size_t>(end - text_.data());
    if (at_ < text_.size() && text_[at_] == 'L') ++at_;
    return value;
  }

  Shape shape() {
    std::array<std::int64_t, Shape::kMaxRank> dims{};
    std::size_t rank = 0;
    need('(');
    while (!take(')')) {
      if (rank == dims.size()) invalid("the array has more than {} dimensions", Shape::kMaxRank);
      dims[rank++] = number();
      // (3) is a number in Python and no tuple.
      if (!take(',') && (rank == 1 || peek() != ')')) broken("a comma");
    }
    return Shape(std::span<const std::int64_t>(dims.data(), rank));
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

/// What an element is in the file, and what it becomes.
struct Element {
  std::string_view name;  ///< numpy's, without the byte order
  std::size_t size;
  DataType type;
};
constexpr std::array<Element, 12> kElements = {{{"f4", 4, DataType::kF32},
                                                {"f2", 2, DataType::kF16},
                                                {"f8", 8, DataType::kF32},
                                                {"i1", 1, DataType::kI8},
                                                {"u1", 1, DataType::kU8},
                                                {"i2", 2, DataType::kI16},
                                                {"u2", 2, DataType::kU16},
                                                {"i4", 4, DataType::kI32},
                                                {"u4", 4, DataType::kI64},
                                                {"i8", 8, DataType::kI64},
                                                {"u8", 8, DataType::kI64},
                                                {"b1", 1, DataType::kBool}}};

const Element& element_of(std::string_view descr) {
  if (descr.size() > 1 && std::string_view("<>|=").find(descr[0]) != std::string_view::npos) {
    for (const Element& element : kElements) {
      if (element.name == descr.substr(1)) return element;
    }
  }
  fail(ErrorKind::kUnsupported, ".npy elements of type \"{}\"; f2, f4, f8, i1 to i8, u1 to u8 and b1 are read",
       printable(descr));
}

/// The number in `bytes`, as it stands in the file.
template <typename T>
T stored(const std::byte* bytes, bool swap) {
  std::array<std::byte, sizeof(T)> copy;
  std::copy_n(bytes, sizeof(T), copy.begin());
  if (swap) std::reverse(copy.begin(), copy.end());
  return std::bit_cast<T>(copy);
}

/// Writes the element at `bytes` to `out` as the tensor's type.
using ReadElement = void (*)(const std::byte* bytes, bool swap, std::byte* out);

template <typename Stored, typename Out = Stored>
void read_element(const std::byte* bytes, bool swap, std::byte* out) {
  const auto value = static_cast<Out>(stored<Stored>(bytes, swap));
  std::memcpy(out, &value, sizeof(value));
}

/// Whether `value` survives as `out`.
template <typename T>
bool survives(double value, T& out) {
  if constexpr (is_float(type_of<T>())) {
    out = T(static_cast<float>(value));
    return std::isnan(value) || static_cast<double>(static_cast<float>(out)) == value;
  } else {
    const bool fits = value >= -0x1p63 && value < 0x1p63 && value == std::trunc(value);
    const std::int64_t integer = fits ? static_cast<std::int64_t>(value) : 0;
    out = static_cast<T>(integer);
    return fits && static_cast<std::int64_t>(out) == integer;
  }
}

template <typename T>
bool survives(std::uint64_t value, T& out) {
  if constexpr (is_float(type_of<T>())) {
    out = T(static_cast<float>(value));
    const auto back = static_cast<float>(out);
    return back < 0x1p64F && static_cast<std::uint64_t>(back) == value;
  } else {
    out = static_cast<T>(value);
    return value <= static_cast<std::uint64_t>(std::numeric_limits<T>::max());
  }
}

/// float64 and uint64, which no tensor holds, as T.
template <typename Stored, typename T>
void read_exact(const std::byte* bytes, bool swap, std::byte* out) {
  const auto value = stored<Stored>(bytes, swap);
  T result{};
  if (!survives(value, result)) {
    const bool is_rounding = std::is_same_v<Stored, double> && std::is_same_v<T, float>;
    invalid("the {} {} does not fit {}{}", std::is_same_v<Stored, double> ? "float64" : "uint64", value,
            name_of(type_of<T>()), is_rounding ? "; round it first, as in array.astype('float32')" : "");
  }
  std::memcpy(out, &result, sizeof(result));
}

void read_rounded(const std::byte* bytes, bool swap, std::byte* out) {
  const auto value = stored<double>(bytes, swap);
  const auto rounded = static_cast<float>(value);
  if (std::isinf(rounded) && !std::isinf(value)) invalid("the float64 {} is beyond the range of f32", value);
  std::memcpy(out, &rounded, sizeof(rounded));
}

void read_bool(const std::byte* bytes, bool, std::byte* out) { *out = std::byte{bytes[0] != std::byte{0}}; }

ReadElement reader_of(const Element& element, DataType type, Doubles doubles) {
  if (element.name == "f8" && type == DataType::kF32 && doubles == Doubles::kRounded) return read_rounded;
  if (element.name == "f8") return visit_type(type, []<typename T>() -> ReadElement { return read_exact<double, T>; });
  if (element.name == "u8") {
    return visit_type(type, []<typename T>() -> ReadElement { return read_exact<std::uint64_t, T>; });
  }
  if (element.name == "u4") return read_element<std::uint32_t, std::int64_t>;
  if (element.name == "b1") return read_bool;
  switch (element.size) {
    case 1:
      return read_element<std::uint8_t>;
    case 2:
      return read_element<std::uint16_t>;
    case 4:
      return read_element<std::uint32_t>;
    default:
      return read_element<std::uint64_t>;
  }
}

/// Reads elements in C order; element [i, j, k] lies at i * strides[0] + j * strides[1] + ... in the file.
void read_elements(std::span<const std::byte> data, const Element& element, bool swap,
                   std::span<const std::int64_t> strides, ReadElement read, Tensor& tensor) {
  const std::size_t step = size_of(tensor.type());
  std::array<std::int64_t, Shape::kMaxRank> index{};
  std::int64_t source = 0;
  std::byte* out = tensor.data();
  for (std::int64_t left = tensor.elements(); left > 0; --left, out += step) {
    read(data.data() + static_cast<std::size_t>(source) * element.size, swap, out);
    for (int axis = tensor.shape().rank() - 1; axis >= 0; --axis) {
      const auto a = static_cast<std::size_t>(axis);
      source += strides[a];
      if (++index[a] < tensor.shape()[axis]) break;
      source -= strides[a] * index[a];
      index[a] = 0;
    }
  }
}

struct Parts {
  Header header;
  std::span<const std::byte> data;
};

Parts split(std::span<const std::byte> bytes) {
  if (!text_of(bytes).starts_with(kMagic)) invalid("not a .npy file: it does not begin with \\x93NUMPY");
  if (bytes.size() < 10) invalid("the .npy file ends within its first 10 bytes");
  const auto version = std::to_integer<unsigned>(bytes[6]);
  if (version < 1 || version > 3) fail(ErrorKind::kUnsupported, ".npy version {}; 1 to 3 are read", version);
  const std::size_t width = version == 1 ? 2 : 4;
  if (bytes.size() < 8 + width) invalid("the .npy file ends within its first {} bytes", 8 + width);
  const std::size_t length =
      width == 2 ? stored<std::uint16_t>(&bytes[8], false) : stored<std::uint32_t>(&bytes[8], false);
  const std::span<const std::byte> rest = bytes.subspan(8 + width);
  if (length > rest.size()) invalid("a .npy header of {} bytes, but only {} follow", length, rest.size());
  return {HeaderParser(text_of(rest.first(length))).parse(), rest.subspan(length)};
}

/// numpy's name for what to_npy writes.
std::string_view descr_of(DataType type) {
  switch (type) {
    case DataType::kF32:
    case DataType::kBF16:
      return "<f4";
    case DataType::kF16:
      return "<f2";
    case DataType::kI8:
      return "|i1";
    case DataType::kU8:
      return "|u1";
    case DataType::kI16:
      return "<i2";
    case DataType::kU16:
      return "<u2";
    case DataType::kI32:
      return "<i4";
    case DataType::kI64:
      return "<i8";
    case DataType::kBool:
      break;
  }
  return "|b1";
}

/// The array as the type that its elements become, or as `wanted` where they become that directly.
Tensor read(std::span<const std::byte> bytes, std::optional<DataType> wanted, Doubles doubles) {
  const auto [header, data] = split(bytes);
  const Element& element = element_of(header.descr);
  // Shape allows 2^59 elements, so that the product fits.
  const std::uint64_t size = static_cast<std::uint64_t>(header.shape.elements()) * element.size;
  if (size != data.size()) {
    invalid("an array of {} {} takes {} bytes, but the file holds {}", to_string(header.shape), header.descr, size,
            data.size());
  }
  const bool is_direct = element.name == "f8" || element.name == "u8";
  Tensor tensor(is_direct ? wanted.value_or(element.type) : element.type, header.shape);
  const bool swap = header.descr[0] == '>' && element.size > 1;
  const bool plain = size_of(element.type) == element.size && element.type != DataType::kBool && !is_direct;
  if (!header.fortran_order && !swap && plain) {
    if (!data.empty()) std::memcpy(tensor.data(), data.data(), data.size());
    return tensor;
  }
  std::array<std::int64_t, Shape::kMaxRank> strides = strides_of(header.shape);
  if (header.fortran_order) {
    std::int64_t stride = 1;
    for (int axis = 0; axis < header.shape.rank(); ++axis) {
      strides[static_cast<std::size_t>(axis)] = stride;
      stride *= header.shape[axis];
    }
  }
  read_elements(data, element, swap, strides, reader_of(element, tensor.type(), doubles), tensor);
  return tensor;
}

}  // namespace

Tensor read_npy(std::span<const std::byte> bytes) { return read(bytes, std::nullopt, Doubles::kExact); }

Tensor read_npy(const std::filesystem::path& path) {
  const MappedFile file(path);
  return in_place(printable(path.string()), [&] { return read_npy(file.bytes()); });
}

Tensor read_npy(std::span<const std::byte> bytes, DataType wanted, Doubles doubles) {
  Tensor tensor = read(bytes, wanted, doubles);
  return tensor.type() == wanted ? std::move(tensor) : converted(tensor, wanted);
}

Tensor read_npy(const std::filesystem::path& path, DataType wanted, Doubles doubles) {
  const MappedFile file(path);
  return in_place(printable(path.string()), [&] { return read_npy(file.bytes(), wanted, doubles); });
}

std::vector<std::byte> to_npy(const ConstBuffer& tensor) {
  std::string dims;
  for (const std::int64_t dim : tensor.shape) dims += format("{}{}", dims.empty() ? "" : ", ", dim);
  if (tensor.shape.rank() == 1) dims += ",";
  std::string header =
      format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", descr_of(tensor.type), dims);
  // The data begin at a multiple of 64 bytes, as numpy has it.
  constexpr std::size_t kBefore = 10;
  header.resize((kBefore + header.size() + 1 + 63) / 64 * 64 - kBefore - 1, ' ');
  header += '\n';
  std::string start = format("{}{}{}{}{}", kMagic, '\1', '\0', static_cast<char>(header.size() & 0xFF),
                             static_cast<char>(header.size() >> 8));
  start += header;

  const bool widen = tensor.type == DataType::kBF16;
  std::vector<std::byte> bytes(start.size() + tensor.bytes() * (widen ? 2 : 1));
  std::memcpy(bytes.data(), start.data(), start.size());
  std::byte* out = bytes.data() + start.size();
  if (widen) {
    const BFloat16* values = tensor.as<BFloat16>().data;
    for (std::int64_t i = 0; i < tensor.shape.elements(); ++i, out += sizeof(float)) {
      const auto value = static_cast<float>(values[i]);
      std::memcpy(out, &value, sizeof(value));
    }
  } else if (tensor.bytes() > 0) {
    std::memcpy(out, tensor.data, tensor.bytes());
  }
  return bytes;
}

void write_npy(const std::filesystem::path& path, const ConstBuffer& tensor) { write_file(path, to_npy(tensor)); }

}  // namespace sepal
