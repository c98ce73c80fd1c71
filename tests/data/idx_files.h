#pragma once

// IDX files made by the tests themselves.

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace sepal {

/// The bytes of an IDX array: magic, dimensions, values.
inline std::string idx(std::initializer_list<std::uint32_t> dims, std::string_view values, char type = 8) {
  std::string bytes = {0, 0, type, static_cast<char>(dims.size())};
  for (const std::uint32_t dim : dims) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(dim >> shift);
  }
  return bytes.append(values);
}

/// `bytes` as one member of a gzip file.
std::string gzip(std::string_view bytes);

}  // namespace sepal
