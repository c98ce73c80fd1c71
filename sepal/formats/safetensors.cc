// Eight bytes with the header's length, the header (JSON), then the arrays' bytes. All that the header says is compared
// with the file's length before anything is taken at its word.

#include "sepal/formats/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <set>

#include "sepal/base/mapped_file.h"
#include "sepal/base/text.h"
#include "sepal/formats/safetensors_header.h"

namespace sepal {
namespace {

static_assert(std::endian::native == std::endian::little, "the arrays' bytes are taken as they are");

constexpr std::size_t kLength = 8;                            ///< bytes in front of the header
constexpr std::uint64_t kLongest = std::uint64_t{100} << 20;  ///< header that the format allows

struct TypeName {
  std::string_view name;
  DataType type;
};
constexpr TypeName kTypes[] = {{"F32", DataType::kF32},  {"F16", DataType::kF16}, {"BF16", DataType::kBF16},
                               {"I8", DataType::kI8},    {"U8", DataType::kU8},   {"I16", DataType::kI16},
                               {"U16", DataType::kU16},  {"I32", DataType::kI32}, {"I64", DataType::kI64},
                               {"BOOL", DataType::kBool}};

DataType type_called(std::string_view name) {
  const auto* const found = std::ranges::find(kTypes, name, &TypeName::name);
  if (found == std::end(kTypes)) fail(ErrorKind::kUnsupported, "elements of type {} are not handled", printable(name));
  return found->type;
}

/// The array among the bytes of all: its place must be as long as its shape says, and inside the file.
ConstBuffer located(const SafeTensorsEntry& entry, std::span<const std::byte> data) {
  const auto available = static_cast<std::int64_t>(data.size());
  if (entry.begin > entry.end || entry.end > available) {
    invalid("it is said to be bytes {} to {} of {}", entry.begin, entry.end, available);
  }
  const ConstBuffer array{data.data() + entry.begin, type_called(entry.type), Shape(entry.shape)};
  const auto given = static_cast<std::size_t>(entry.end - entry.begin);
  if (given != array.bytes()) {
    invalid("{} {} is {} bytes, but {} are said to be its", name_of(array.type), to_string(array.shape), array.bytes(),
            given);
  }
  return array;
}

/// All together fill 0 .. available.
void check_cover(std::vector<SafeTensorsEntry> entries, std::int64_t available) {
  std::ranges::sort(entries, {}, [](const SafeTensorsEntry& entry) { return std::pair(entry.begin, entry.end); });
  std::int64_t at = 0;
  for (const SafeTensorsEntry& entry : entries) {
    if (entry.begin < at) invalid("{}: overlaps the array before it", printable(entry.name));
    if (entry.begin > at)
      invalid("{}: {} bytes in front of it belong to nobody", printable(entry.name), entry.begin - at);
    at = entry.end;
  }
  if (at != available) invalid("{} bytes at the end belong to nobody", available - at);
}

}  // namespace

SafeTensors read_safetensors(std::span<const std::byte> bytes) {
  if (bytes.size() < kLength) invalid("{} bytes are too few for a safetensors file", bytes.size());
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof length);
  const std::span<const std::byte> rest = bytes.subspan(kLength);
  if (length > rest.size() || length > kLongest) {
    invalid("a header of {} bytes in a file of {}: not a safetensors file, or one cut off", length, bytes.size());
  }
  const auto header_length = static_cast<std::size_t>(length);
  SafeTensorsHeader header = parse_safetensors_header({reinterpret_cast<const char*>(rest.data()), header_length});
  const std::span<const std::byte> data = rest.subspan(header_length);
  std::vector<ConstBuffer> arrays;
  for (const SafeTensorsEntry& entry : header.entries) {
    arrays.push_back(in_place(printable(entry.name), [&] { return located(entry, data); }));
  }
  check_cover(header.entries, static_cast<std::int64_t>(data.size()));
  SafeTensors result{std::move(header.metadata), {}};
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    result.tensors.emplace(header.entries[i].name, Tensor::copy_of(arrays[i]));
  }
  return result;
}

SafeTensors read_safetensors(const std::filesystem::path& path) {
  const MappedFile file(path);
  return in_place(printable(path.string()), [&] { return read_safetensors(file.bytes()); });
}

std::vector<std::byte> safetensors_header(std::span<const NamedTensor> tensors,
                                          const std::map<std::string, std::string>& metadata) {
  std::string text = "{";
  const auto comma = [&] { return text.size() > 1 ? "," : ""; };
  if (!metadata.empty()) {
    std::vector<std::string> lines;
    for (const auto& [key, value] : metadata) lines.push_back(format("{}:{}", json_string(key), json_string(value)));
    text += format("\"__metadata__\":{{{}}}", join(lines, ","));
  }
  std::set<std::string_view> names = {"__metadata__"};
  std::size_t at = 0;
  for (const auto& [name, tensor] : tensors) {
    if (!names.insert(name).second) invalid("an array cannot be called \"{}\": the name is taken", printable(name));
    const auto* const type = std::ranges::find(kTypes, tensor.type, &TypeName::type);
    const std::size_t end = at + tensor.bytes();
    text += format("{}{}:{{\"dtype\":\"{}\",\"shape\":[{}],\"data_offsets\":[{},{}]}}", comma(), json_string(name),
                   type->name, join(tensor.shape.dims(), ","), at, end);
    at = end;
  }
  text += '}';
  text.resize((text.size() + 7) / 8 * 8, ' ');
  std::vector<std::byte> result(kLength + text.size());
  const std::uint64_t length = text.size();
  std::memcpy(result.data(), &length, sizeof length);
  std::memcpy(result.data() + kLength, text.data(), text.size());
  return result;
}

}  // namespace sepal
