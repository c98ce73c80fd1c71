#pragma once

#include <cstdint>

namespace sepal {

/// The half-open range begin .. end of rows, channels or whatever a kernel divides its work by.
struct Range {
  std::int64_t begin = 0;
  std::int64_t end = 0;

  constexpr std::int64_t size() const { return end - begin; }
  friend bool operator==(const Range&, const Range&) = default;
};

/// Part `index` of `parts` nearly equal parts of `whole`.
constexpr Range part(Range whole, std::int64_t index, std::int64_t parts) {
  return {whole.begin + whole.size() * index / parts, whole.begin + whole.size() * (index + 1) / parts};
}

}  // namespace sepal
