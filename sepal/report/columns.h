#pragma once

#include <string>
#include <vector>

namespace sepal::report {

/// Rows of cells as lines of text, columns aligned two blanks apart by display_width(), each line after `indent`
/// blanks. A column is aligned to the right where `right` has an 'r' at its place.
std::string to_text(const std::vector<std::vector<std::string>>& rows, std::size_t indent = 0,
                    const std::string& right = {});

}  // namespace sepal::report
