#include "sepal/report/axis.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "sepal/base/text.h"

// Ranges and ticks of static plots, by the usual rule: steps of 1, 2 or 5 times a power of ten (Heckbert, "Nice Numbers
// for Graph Labels", Graphics Gems 1990), on log axes whole decades, parts of them or powers of two.

namespace sepal::report {
namespace {

double round_step(double rough) {
  const double power = std::pow(10, std::floor(std::log10(rough)));
  for (const double step : {1.0, 2.0, 5.0}) {
    if (rough <= step * power * 1.0001) return step * power;
  }
  return 10 * power;
}

/// 2500000 -> "2.5M": an axis has no room for zeros.
std::string abbreviated(double value) {
  constexpr std::array<std::pair<double, const char*>, 5> kNames = {
      {{1e15, "P"}, {1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}}};
  for (const auto& [factor, name] : kNames) {
    if (std::abs(value) >= factor) return format("{:.4g}{}", value / factor, name);
  }
  return format("{:.4g}", value);
}

Tick tick(double value, const Scale& scale) {
  return {value, scale.name.empty() ? abbreviated(value) : format("{:.4g}", value / scale.factor)};
}

void set_linear(Stretch& stretch, bool from_zero, int wanted) {
  if (from_zero) {
    stretch.low = std::min(stretch.low, 0.0);
    stretch.high = std::max(stretch.high, 0.0);
  }
  if (stretch.low == stretch.high) {
    const double around = stretch.low == 0 ? 1 : std::abs(stretch.low);
    stretch.high += around;
    if (!from_zero) stretch.low -= around;
  }
  const double factor = stretch.scale.factor;
  const double step = round_step((stretch.high - stretch.low) / factor / wanted);
  const double first = std::floor(stretch.low / factor / step + 1e-9);
  const double last = std::ceil(stretch.high / factor / step - 1e-9);
  for (double at = first; at <= last; ++at) stretch.ticks.push_back(tick(at * step * factor, stretch.scale));
  stretch.low = stretch.ticks.front().value;
  stretch.high = stretch.ticks.back().value;
}

void set_log(Stretch& stretch, bool octaves, int wanted) {
  const double base = octaves ? 2 : 10;
  const double factor = octaves ? 1 : stretch.scale.factor;
  const double room = std::max(0.04 * std::log(stretch.high / stretch.low), 0.1);
  stretch.low *= std::exp(-room);
  stretch.high *= std::exp(room);
  const double first = std::floor(std::log(stretch.low / factor) / std::log(base));
  const double last = std::ceil(std::log(stretch.high / factor) / std::log(base));
  const double decades = std::log10(stretch.high / stretch.low);
  const double step = octaves ? 1 : std::max(1.0, std::round(decades / wanted));
  const bool parts = !octaves && decades <= 2;
  for (double at = first; at <= last; at += step) {
    for (const double part : {1.0, 2.0, 5.0}) {
      const double value = part * std::pow(base, at) * factor;
      if (value < stretch.low || value > stretch.high || (part > 1 && !parts)) continue;
      stretch.ticks.push_back(octaves ? Tick{value, to_readable(value, Unit::kCount)} : tick(value, stretch.scale));
    }
  }
}

}  // namespace

double Stretch::place(double value) const {
  if (log) return std::log(value / low) / std::log(high / low);
  return (value - low) / (high - low);
}

bool Stretch::has_place(double value) const { return std::isfinite(value) && (!log || value > 0); }

bool in_octaves(const std::vector<double>& values) {
  double least = HUGE_VAL;
  double most = 0;
  for (const double value : values) {
    int exponent = 0;
    if (!(value > 0) || std::frexp(value, &exponent) != 0.5) return false;
    least = std::min(least, value);
    most = std::max(most, value);
  }
  return !values.empty() && most / least <= 4096;
}

Stretch stretch_over(const std::vector<double>& values, const Axis& axis, bool from_zero, int wanted) {
  Stretch stretch{.log = axis.log};
  std::vector<double> shown;
  std::ranges::copy_if(values, std::back_inserter(shown), [&](double value) { return stretch.has_place(value); });
  if (shown.empty()) shown = axis.log ? std::vector{1.0, 10.0} : std::vector{0.0, 1.0};
  std::ranges::sort(shown);
  stretch.low = shown.front();
  stretch.high = shown.back();
  // On a log axis the middle decides, or the small ends would all be called 0.001 MiB.
  stretch.scale = scale_of(axis.log ? std::sqrt(stretch.low) * std::sqrt(stretch.high)
                                    : std::max(std::abs(stretch.low), std::abs(stretch.high)),
                           axis.unit);
  if (axis.log) {
    set_log(stretch, in_octaves(shown), wanted);
  } else {
    set_linear(stretch, from_zero, wanted);
  }
  return stretch;
}

std::string title_of(const Axis& axis, const Scale& scale) {
  return scale.name.empty() ? axis.title : format("{} ({})", axis.title, scale.name);
}

}  // namespace sepal::report
