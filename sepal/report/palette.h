#pragma once

#include <array>
#include <string_view>

namespace sepal::report {

/// A colour on light and on dark paper, as #rrggbb.
struct Ink {
  std::string_view name;  ///< its class in SVG, its variable in the pages: "s0" and --s0
  std::string_view light;
  std::string_view dark;
};

constexpr Ink kPaper = {"paper", "#ffffff", "#14181d"};
constexpr Ink kText = {"ink", "#1c2128", "#e6e9ed"};
constexpr Ink kSoft = {"soft", "#57606a", "#a3adb8"};  ///< lesser text, and bounds
constexpr Ink kGrid = {"grid", "#dfe3e8", "#2f363f"};

/// Of series, in their order. The hues are Okabe and Ito's (2008), told apart by all common kinds of colour blindness,
/// made darker for light paper and lighter for dark paper until each stands out from it by 3 to 1 (WCAG 2.1, 1.4.11).
constexpr std::array<Ink, 8> kSeriesInks = {{
    {"s0", "#0a68a8", "#5ab4ef"},
    {"s1", "#cc5500", "#f0913d"},
    {"s2", "#00805d", "#2fc397"},
    {"s3", "#b0467f", "#e58fbf"},
    {"s4", "#8a6a00", "#e3bf2b"},
    {"s5", "#6a4fb3", "#b39ce8"},
    {"s6", "#2b8fb5", "#97d9f2"},
    {"s7", "#6b6257", "#c2b8aa"},
}};

/// The ink of the series at `place` among those that are no bounds.
constexpr const Ink& series_ink(std::size_t place) { return kSeriesInks[place % kSeriesInks.size()]; }

}  // namespace sepal::report
