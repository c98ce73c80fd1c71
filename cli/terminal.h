#pragma once

#include "sepal/report/document.h"

namespace sepal::cli {

/// How tables come out on stdout: as wide as the terminal and with colour where it is one (unless NO_COLOR is set or
/// TERM is dumb), plain in a pipe.
report::TextStyle terminal_style();

}  // namespace sepal::cli
