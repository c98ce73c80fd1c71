#include <algorithm>
#include <cmath>
#include <numeric>

#include "sepal/base/text.h"
#include "sepal/report/columns.h"
#include "sepal/report/document.h"
#include "sepal/report/escape.h"
#include "sepal/report/numbers.h"

// Documents for a terminal. What a terminal is too narrow for is given up in the order of least loss: first the bars,
// then the middle of the longest texts, then columns stand below one another in blocks, each with the first column
// again. Digits are never cut; a first column and one of numbers that do not fit together run over.

namespace sepal::report {
namespace {

constexpr const char* kBold = "\033[1m";
constexpr const char* kDim = "\033[2m";
constexpr const char* kBlue = "\033[34m";
constexpr const char* kPlain = "\033[0m";
constexpr int kBarColumns = 10;
constexpr int kProseColumns = 100;        // longer lines are hard to read
constexpr std::size_t kNameLimit = 1000;  // bytes of a stranger's name
constexpr std::size_t kLeastText = 12;    // columns that a shortened text keeps

/// `text` in a style that ends before its last line does.
std::string styled(const char* style, std::string text, bool colour) {
  if (!colour || text.empty()) return text;
  return text.insert(text.ends_with('\n') ? text.size() - 1 : text.size(), kPlain).insert(0, style);
}

/// `text` in lines of at most `width` columns, if there is a width; a longer word gets a line of its own.
std::string wrapped(std::string_view text, int width) {
  const std::string clean = printable(text, 100 * kNameLimit);
  if (width <= 0) return clean + "\n";
  const auto limit = static_cast<std::size_t>(std::min(width, kProseColumns));
  std::string out;
  std::size_t column = 0;
  for (std::size_t at = 0; at < clean.size();) {
    const std::size_t end = std::min(clean.find(' ', at), clean.size());
    const std::string word = clean.substr(at, end - at);
    const std::size_t columns = display_width(word);
    if (column > 0 && column + 1 + columns > limit) {
      out += '\n';
      column = 0;
    }
    if (column > 0) out += ' ';
    column += columns + (column > 0 ? 1 : 0);
    out += word;
    at = end + 1;
  }
  return out + "\n";
}

double number_of(const Cell& cell) {
  if (const auto* count = std::get_if<std::uint64_t>(&cell)) return static_cast<double>(*count);
  const auto* value = std::get_if<double>(&cell);
  return value != nullptr && std::isfinite(*value) ? std::max(*value, 0.0) : 0;
}

/// A bar in eighths of a column.
std::string bar(double share) {
  constexpr std::array kEighths = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const auto eighths = static_cast<int>(std::lround(std::clamp(share, 0.0, 1.0) * kBarColumns * 8));
  std::string out;
  for (int i = 0; i < eighths / 8; ++i) out += "█";
  out += kEighths[static_cast<std::size_t>(eighths % 8)];
  for (int i = (eighths + 7) / 8; i < kBarColumns; ++i) out += ' ';
  return out;
}

/// A table's cells as text, heading first, the total last, without bars.
std::vector<std::vector<std::string>> cells_of(const Table& table) {
  std::vector<std::vector<std::string>> rows(1);
  for (const Column& column : table.columns) rows[0].push_back(printable(column.name, kNameLimit));
  const auto add = [&](const std::vector<Cell>& cells) {
    std::vector<std::string>& row = rows.emplace_back();
    for (std::size_t i = 0; i < cells.size(); ++i) {
      row.push_back(printable(to_readable(cells[i], table.columns[i].unit), kNameLimit));
    }
  };
  for (const std::vector<Cell>& cells : table.rows) add(cells);
  if (!table.total.empty()) add(table.total);
  return rows;
}

std::vector<std::size_t> widths_of(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths(rows[0].size());
  for (const std::vector<std::string>& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], display_width(row[i]));
  }
  return widths;
}

/// Columns of a line: each column's, and two blanks between them.
std::size_t line_width(const std::vector<std::size_t>& widths) {
  return std::accumulate(widths.begin(), widths.end(), std::size_t{0}) + 2 * (widths.size() - 1);
}

/// Takes columns from the widest text columns until a line has at most `limit`; where that is not enough, texts are
/// left a third of it.
void shorten(std::vector<std::vector<std::string>>& rows, const std::vector<Column>& columns, std::size_t limit) {
  std::vector<std::size_t> widths = widths_of(rows);
  const std::vector<std::size_t> natural = widths;
  while (line_width(widths) > limit) {
    std::size_t widest = columns.size();
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (!columns[i].unit && widths[i] > kLeastText && (widest == columns.size() || widths[i] > widths[widest])) {
        widest = i;
      }
    }
    if (widest == columns.size()) break;
    --widths[widest];
  }
  if (line_width(widths) > limit) {
    // Not side by side, then: in blocks texts have more room.
    widths = natural;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (!columns[i].unit) widths[i] = std::min(widths[i], std::max(kLeastText, limit / 3));
    }
  }
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (widths[i] == natural[i]) continue;
    std::vector<std::string> texts;
    for (const std::vector<std::string>& row : rows) texts.push_back(row[i]);
    texts = shortened_apart(texts, widths[i]);
    for (std::size_t k = 0; k < rows.size(); ++k) {
      // Wide characters take two columns, so a text may have to lose more characters than columns.
      for (std::size_t limit_i = widths[i]; display_width(texts[k]) > widths[i]; --limit_i)
        texts[k] = shortened(texts[k], limit_i);
      rows[k][i] = std::move(texts[k]);
    }
  }
}

/// Puts a column of bars behind every column that asks for one. `rows` has a heading in front.
void add_bars(std::vector<std::vector<std::string>>& rows, const Table& table) {
  for (std::size_t i = table.columns.size(); i-- > 0;) {
    if (!table.columns[i].bar) continue;
    double largest = 0;
    for (const std::vector<Cell>& cells : table.rows) largest = std::max(largest, number_of(cells[i]));
    const auto place = static_cast<std::ptrdiff_t>(i) + 1;
    for (std::size_t row = 0; row < rows.size(); ++row) {
      const bool has = row > 0 && row <= table.rows.size() && largest > 0;
      const std::string text = has ? kBlue + bar(number_of(table.rows[row - 1][i]) / largest) + kPlain : "";
      rows[row].insert(rows[row].begin() + place, text);
    }
  }
}

}  // namespace

namespace {

/// Columns in groups that fit `limit` side by side, if they can: the first is in all of them.
std::vector<std::vector<std::size_t>> blocks_of(const std::vector<std::size_t>& widths, std::size_t limit) {
  std::vector<std::vector<std::size_t>> blocks = {{0}};
  std::size_t used = widths[0];
  for (std::size_t i = 1; i < widths.size(); ++i) {
    if (limit > 0 && used + 2 + widths[i] > limit && blocks.back().size() > 1) {
      blocks.push_back({0});
      used = widths[0];
    }
    blocks.back().push_back(i);
    used += 2 + widths[i];
  }
  return blocks;
}

/// The cells of these columns, each row a line.
std::string block_text(const std::vector<std::vector<std::string>>& rows, const std::vector<std::size_t>& columns,
                       const std::string& right) {
  std::vector<std::vector<std::string>> chosen(rows.size());
  std::string chosen_right;
  for (const std::size_t i : columns) {
    chosen_right += right[i];
    for (std::size_t row = 0; row < rows.size(); ++row) chosen[row].push_back(rows[row][i]);
  }
  return to_text(chosen, 0, chosen_right);
}

}  // namespace

std::string to_text(const Table& table, const TextStyle& style) {
  std::string text;
  if (!table.title.empty()) text += styled(kBold, wrapped(table.title, style.width), style.colour);
  if (!table.columns.empty()) {
    std::vector<std::vector<std::string>> rows = cells_of(table);
    const auto limit = static_cast<std::size_t>(std::max(style.width, 0));
    const auto bars = static_cast<std::size_t>(std::ranges::count_if(table.columns, &Column::bar));
    const bool with_bars =
        style.colour && (limit == 0 || line_width(widths_of(rows)) + bars * (kBarColumns + 2) <= limit);
    if (limit > 0) shorten(rows, table.columns, limit);
    const std::vector<std::vector<std::size_t>> blocks =
        with_bars ? std::vector<std::vector<std::size_t>>{} : blocks_of(widths_of(rows), limit);
    if (style.colour) {
      for (std::string& heading : rows.front()) heading = styled(kDim, heading, true);
      if (!table.total.empty()) {
        for (std::string& cell : rows.back()) cell = styled(kBold, cell, true);
      }
    }
    std::string right;
    for (const Column& column : table.columns) {
      right += column.unit ? 'r' : 'l';
      if (with_bars && column.bar) right += 'l';
    }
    if (with_bars) {
      add_bars(rows, table);
      text += to_text(rows, 0, right);
    }
    for (std::size_t i = 0; i < blocks.size(); ++i) text += (i > 0 ? "\n" : "") + block_text(rows, blocks[i], right);
  }
  if (!table.note.empty()) text += styled(kDim, wrapped(table.note, style.width), style.colour);
  return text;
}

std::string to_text(const Document& document, const TextStyle& style) {
  std::string text = styled(kBold, wrapped(document.title, style.width), style.colour);
  if (!document.lead.empty()) text += wrapped(document.lead, style.width);
  for (const Section& section : document.sections) {
    // A section of plots alone has nothing to say here.
    if (section.paragraphs.empty() && section.tables.empty()) continue;
    text += "\n" + styled(kBold, wrapped(section.title, style.width), style.colour);
    for (const std::string& paragraph : section.paragraphs) text += wrapped(paragraph, style.width);
    for (const Table& table : section.tables) text += "\n" + to_text(table, style);
  }
  return text;
}

}  // namespace sepal::report
