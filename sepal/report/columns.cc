#include "sepal/report/columns.h"

#include <algorithm>

#include "sepal/report/escape.h"

namespace sepal::report {
std::string to_text(const std::vector<std::vector<std::string>>& rows, std::size_t indent, const std::string& right) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], display_width(row[i]));
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line(indent, ' ');
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string blanks(widths[i] - display_width(row[i]), ' ');
      const bool to_right = i < right.size() && right[i] == 'r';
      line += (i > 0 ? "  " : "") + (to_right ? blanks + row[i] : row[i] + blanks);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

}  // namespace sepal::report
