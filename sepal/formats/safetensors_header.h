#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sepal {

/// An array as the header of a safetensors file tells of it.
struct SafeTensorsEntry {
  std::string name;
  std::string type;                 ///< "F32"
  std::vector<std::int64_t> shape;  ///< none negative
  std::int64_t begin = 0;           ///< in the bytes after the header
  std::int64_t end = 0;
};

struct SafeTensorsHeader {
  std::map<std::string, std::string> metadata;
  std::vector<SafeTensorsEntry> entries;
};

/// Takes the header's JSON apart: an object of objects of text, numbers and lists of numbers, and nothing else. Throws
/// Error(kInvalid) that says at which byte something else stands, and where a name comes twice or a member is missing.
SafeTensorsHeader parse_safetensors_header(std::string_view text);

/// The text as a string of JSON, in quotation marks. Bytes that are no UTF-8 become U+FFFD.
std::string json_string(std::string_view text);

}  // namespace sepal
