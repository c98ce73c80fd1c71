#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sepal/report/document.h"

namespace sepal::report {

/// "12,345,678".
std::string grouped_count(std::uint64_t count);

/// A cell as people read it: "12,345,678", "1.5 KiB", "1.23 ms", "0.1135", "94.86 %"; "-" for nothing and NaN. A number
/// without a unit has six significant digits. Text comes back as it is.
std::string to_readable(const Cell& cell, std::optional<Unit> unit);

/// A cell in full: all digits of a count, the shortest text of a double that reads back as the same; "" for nothing
/// and NaN.
std::string to_exact(const Cell& cell);

/// "1 layer", "12,345 layers": a count with what is counted, which gets an s.
std::string with_noun(std::uint64_t count, std::string_view noun);

/// "1 thread", "2 threads".
std::string threads_text(int threads);

/// to_exact() with a count's digits in groups and the unit behind it, for hovers: "568,740,352", "1,536 B".
std::string to_full(double value, std::optional<Unit> unit);

/// How large numbers of an axis are shown: in multiples of `factor`, which are called `name`.
struct Scale {
  double factor = 1;
  std::string_view name = {};  ///< "MiB", "ms", "%"; empty for plain numbers
};
/// The scale in which `largest`, in the unit's own measure, has one to three digits before the point. Counts and ratios
/// are not scaled.
Scale scale_of(double largest, std::optional<Unit> unit);

}  // namespace sepal::report
