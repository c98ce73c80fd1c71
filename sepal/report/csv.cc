#include "sepal/base/text.h"
#include "sepal/report/document.h"
#include "sepal/report/escape.h"
#include "sepal/report/numbers.h"

// Tables as RFC 4180 has them. Spreadsheets run what begins like a formula, also within quotes, so a layer called
// =HYPERLINK(...) would act in the name of whoever opens the file; an apostrophe in front makes it text again.

namespace sepal::report {
namespace {

std::string field(std::string_view text) {
  std::string out = cleaned(text);
  if (!out.empty() && std::string_view("=+-@\t\r").find(out.front()) != std::string_view::npos) out.insert(0, 1, '\'');
  const bool quoted = out.find_first_of(",\"\r\n") != std::string::npos || out.starts_with(' ') || out.ends_with(' ');
  if (!quoted) return out;
  for (std::size_t at = out.find('"'); at != std::string::npos; at = out.find('"', at + 2)) out.insert(at, 1, '"');
  return format("\"{}\"", out);
}

std::string field(const Cell& cell) {
  // A number is no text: -1 stays -1.
  const std::string* text = std::get_if<std::string>(&cell);
  return text != nullptr ? field(std::string_view(*text)) : to_exact(cell);
}

}  // namespace

std::string to_csv(const Table& table) {
  std::vector<std::string> fields;
  for (const Column& column : table.columns) fields.push_back(field(std::string_view(column.name)));
  std::string csv = format("{}\r\n", join(fields, ","));
  for (const std::vector<Cell>& row : table.rows) {
    fields.clear();
    for (const Cell& cell : row) fields.push_back(field(cell));
    csv += format("{}\r\n", join(fields, ","));
  }
  return csv;
}

}  // namespace sepal::report
