#pragma once

#include <cstddef>

#include "sepal/report/document.h"

namespace sepal::report {

/// How much of a document there is room for.
struct Room {
  std::size_t rows = 0;     ///< of a table, categories of an axis, points of a series
  std::size_t letters = 0;  ///< of a name; what is said of a point may be 80 longer
};

/// Whether no table has more rows.
bool fits(const Document& document, const Room& room);

/// The document with the largest rows of its tables and categories of its plots, in their order, and every n-th of
/// other points; each table and plot says what it lost. Longer names lose their middle. Totals are as they were.
Document within(const Document& document, const Room& room);

}  // namespace sepal::report
