#pragma once

#include <string_view>

namespace sepal::report {

/// A file of web/, built in by cmake/SepalCharts.cmake.
struct Asset {
  std::string_view text;
  std::string_view sha256;  ///< of the text, in base64: what Content-Security-Policy knows a script by
};

extern const Asset kPageStyle;
extern const Asset kPageScript;
extern const Asset kLearnBody;
extern const Asset kLearnStyle;
extern const Asset kLearnScript;
extern const Asset kFormulasScript;
extern const Asset kChartLibrary;  ///< empty in a build without it

}  // namespace sepal::report
