#pragma once

#include <string>

#include "sepal/report/document.h"

namespace sepal::report {

/// The plot of to_svg() for the inside of a page: without title line, paper and colours of its own, which the page's
/// style sheet gives by the names of palette.h.
std::string to_inline_svg(const Figure& figure);

}  // namespace sepal::report
