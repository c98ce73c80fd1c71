#pragma once

#include <string>
#include <vector>

#include "sepal/report/document.h"
#include "sepal/report/numbers.h"

namespace sepal::report {

struct Tick {
  double value = 0;
  std::string text;
};

/// An axis of a static plot: what of it is shown, and where values fall.
struct Stretch {
  double low = 0;
  double high = 1;
  bool log = false;
  std::vector<Tick> ticks = {};
  Scale scale = {};  ///< in which the ticks' texts are; its name belongs to the axis' title

  /// 0 at `low`, 1 at `high`.
  double place(double value) const;
  /// Whether a point can be drawn: finite, and above 0 on a log axis.
  bool has_place(double value) const;
};

/// The stretch that shows all of `values` that have a place, with about `wanted` ticks at round numbers. A linear
/// one from 0, and from and to a tick, where `from_zero`. Without any value: 0 to 1 (1 to 10 on a log axis).
Stretch stretch_over(const std::vector<double>& values, const Axis& axis, bool from_zero, int wanted);

/// Whether all values are powers of two, at most 2^12 apart, as kernels' sizes often are: a log axis then has its
/// ticks at powers of two.
bool in_octaves(const std::vector<double>& values);

/// Whether an axis of values shows 0: ratios differ too little from one another to be seen from there.
inline bool from_zero(const Axis& axis) { return axis.unit != Unit::kRatio && !axis.tight; }

/// The title with the scale behind it: "Memory (MiB)".
std::string title_of(const Axis& axis, const Scale& scale);

}  // namespace sepal::report
