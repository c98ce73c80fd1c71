#pragma once

#include "sepal/report/document.h"

namespace sepal::report {

/// A document with every mark, kind of axis and unit, and with names as strangers choose them: tags, formulas, quotes,
/// broken UTF-8, an escape sequence, other scripts. It looks like the report of a network of 30 layers, and has one
/// figure of 200.
Document sample_document();

/// The names among its layers that try something.
extern const char* const kNastyNames[6];

}  // namespace sepal::report
