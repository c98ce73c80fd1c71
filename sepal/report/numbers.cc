#include "sepal/report/numbers.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "sepal/base/text.h"
#include "sepal/base/visit.h"

// Numbers in two voices: short enough to compare at a glance, and in full for those who compute with them.

namespace sepal::report {
namespace {

/// Doubles are whole up to 2^53; beyond it their last digits would be made up.
bool is_whole(double value) { return std::trunc(value) == value && std::abs(value) <= 0x1p53; }

std::string count_text(double value) {
  if (std::abs(value) > 0x1p53) return format("{:.4g}", value);
  if (is_whole(value) || std::abs(value) >= 1000) return grouped(std::llround(value));
  return format("{:.4g}", value);
}

/// Four significant digits, and no exponent for what people compare: 0.1135, 8.812, 4,096.
std::string ratio_text(double value) {
  const double size = std::abs(value);
  if (size == 0) return "0";
  if (size >= 999.95) return count_text(std::round(value));
  if (size < 1e-4) return format("{:.3e}", value);
  return format("{:.{}f}", value, std::clamp(3 - static_cast<int>(std::floor(std::log10(size))), 0, 7));
}

constexpr std::array kTimes = {Scale{1, "s"}, Scale{1e-3, "ms"}, Scale{1e-6, "us"}, Scale{1e-9, "ns"}};
constexpr std::array kSizes = {Scale{0x1p40, "TiB"}, Scale{0x1p30, "GiB"}, Scale{0x1p20, "MiB"}, Scale{0x1p10, "KiB"},
                               Scale{1, "B"}};

/// The first that is no larger than `value`, else the last.
template <std::size_t kCount>
const Scale& fitting(const std::array<Scale, kCount>& scales, double value) {
  const auto found = std::ranges::find_if(scales, [&](const Scale& scale) { return value >= scale.factor; });
  return found == scales.end() ? scales.back() : *found;
}

std::string seconds_text(double seconds) {
  const Scale& scale = fitting(kTimes, std::abs(seconds));
  return format("{:.3g} {}", seconds / scale.factor, scale.name);
}

std::string number_text(double value, std::optional<Unit> unit) {
  if (std::isnan(value)) return "-";
  if (std::isinf(value)) return value > 0 ? "infinite" : "-infinite";
  if (!unit) return format("{:.6g}", value);
  switch (*unit) {
    case Unit::kCount:
      return count_text(value);
    case Unit::kBytes:
      return human_bytes(value);
    case Unit::kSeconds:
      return seconds_text(value);
    case Unit::kRatio:
      return ratio_text(value);
    case Unit::kShare:
      return format("{:.2f} %", 100 * value);
  }
  return {};
}

}  // namespace

std::string grouped_count(std::uint64_t count) {
  constexpr auto kLargest = static_cast<std::uint64_t>(std::numeric_limits<long long>::max());
  if (count <= kLargest) return grouped(static_cast<long long>(count));
  return format("{},{:03}", grouped(static_cast<long long>(count / 1000)), count % 1000);
}

std::string to_readable(const Cell& cell, std::optional<Unit> unit) {
  return std::visit(
      Overload{[](std::monostate) { return std::string("-"); }, [](const std::string& text) { return text; },
               [&](std::uint64_t count) {
                 return !unit || unit == Unit::kCount ? grouped_count(count)
                                                      : number_text(static_cast<double>(count), unit);
               },
               [&](double value) { return number_text(value, unit); }},
      cell);
}

std::string with_noun(std::uint64_t count, std::string_view noun) {
  return format("{} {}{}", to_readable(count, Unit::kCount), noun, count == 1 ? "" : "s");
}

std::string threads_text(int threads) { return with_noun(static_cast<std::uint64_t>(std::max(threads, 0)), "thread"); }

std::string to_exact(const Cell& cell) {
  return std::visit(Overload{[](std::monostate) { return std::string(); }, [](const std::string& text) { return text; },
                             [](std::uint64_t count) { return format("{}", count); },
                             [](double value) { return std::isnan(value) ? std::string() : format("{}", value); }},
                    cell);
}

std::string to_full(double value, std::optional<Unit> unit) {
  if (!std::isfinite(value)) return number_text(value, unit);
  std::string digits = is_whole(value) ? grouped(std::llround(value)) : format("{}", value);
  if (unit == Unit::kBytes) return digits + " B";
  if (unit == Unit::kSeconds) return digits + " s";
  if (unit == Unit::kShare) return number_text(value, unit);
  return digits;
}

Scale scale_of(double largest, std::optional<Unit> unit) {
  if (unit == Unit::kBytes) return fitting(kSizes, largest);
  if (unit == Unit::kSeconds) return fitting(kTimes, largest);
  if (unit == Unit::kShare) return {0.01, "%"};
  return {};
}

}  // namespace sepal::report
