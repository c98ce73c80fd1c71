#include <algorithm>
#include <cmath>

#include "sepal/base/text.h"
#include "sepal/report/document.h"
#include "sepal/report/escape.h"
#include "sepal/report/fit.h"
#include "sepal/report/numbers.h"
#include "sepal/report/page.h"

// A document as a page. Tables are HTML here, so they are there without scripts and for whoever copies from the page;
// page.js makes their headings buttons that sort.

namespace sepal::report {
namespace {

double number_of(const Cell& cell) {
  if (const auto* count = std::get_if<std::uint64_t>(&cell)) return static_cast<double>(*count);
  const auto* value = std::get_if<double>(&cell);
  return value != nullptr && std::isfinite(*value) ? *value : 0;
}

/// A cell: what people read, in full in the tooltip where that says more, and the number that sorting goes by.
std::string cell_html(const Cell& cell, const Column& column, double largest, bool heads_row) {
  const std::string readable = to_readable(cell, column.unit);
  std::string attributes;
  if (const auto* text = std::get_if<std::string>(&cell); text == nullptr && !to_exact(cell).empty()) {
    attributes += format(" data-v=\"{}\"", to_exact(cell));
    const std::string full = std::holds_alternative<std::uint64_t>(cell) && column.unit == Unit::kCount
                                 ? readable
                                 : to_full(number_of(cell), column.unit);
    if (full != readable) attributes += format(" title=\"{}\"", full);
  }
  std::string classes = column.unit ? "n" : "";
  if (column.bar && largest > 0) {
    classes += " bar";
    attributes += format(" style=\"--share:{:.3f}\"", std::clamp(number_of(cell) / largest, 0.0, 1.0));
  }
  if (!classes.empty()) attributes += format(" class=\"{}\"", classes);
  std::string text = markup(readable);
  if (!heads_row) return format("<td{}>{}</td>", attributes, text);
  // Layers have names like paths, which break best behind a slash.
  for (std::size_t at = text.find('/'); at != std::string::npos; at = text.find('/', at + 6))
    text.insert(at + 1, "<wbr>");
  return format("<th scope=\"row\"{}>{}</th>", attributes, text);
}

std::string row_html(const std::vector<Cell>& cells, const Table& table, const std::vector<double>& largest) {
  std::string row = "<tr>";
  for (std::size_t i = 0; i < cells.size(); ++i) {
    row += cell_html(cells[i], table.columns[i], largest.empty() ? 0 : largest[i], i == 0);
  }
  return row + "</tr>\n";
}

std::string table_html(const Table& table, const Section& section) {
  const std::string id = markup(table.id);
  std::string html = format("<div class=\"table\" id=\"{}\">\n", id);
  if (!table.title.empty()) html += format("<h3 id=\"{}-heading\">{}</h3>\n", id, markup(table.title));
  html += format("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{}\">\n<table>\n<thead><tr>",
                 markup(table.title.empty() ? section.title : table.title));
  for (const Column& column : table.columns) {
    html += format("<th scope=\"col\"{}>{}</th>", column.unit ? " class=\"n\"" : "", markup(column.name));
  }
  html += "</tr></thead>\n<tbody>\n";
  std::vector<double> largest(table.columns.size());
  for (const std::vector<Cell>& row : table.rows) {
    for (std::size_t i = 0; i < row.size(); ++i) largest[i] = std::max(largest[i], number_of(row[i]));
  }
  for (const std::vector<Cell>& row : table.rows) html += row_html(row, table, largest);
  html += "</tbody>\n";
  if (!table.total.empty()) html += "<tfoot>\n" + row_html(table.total, table, {}) + "</tfoot>\n";
  html += "</table>\n</div>\n";
  if (!table.note.empty()) html += format("<p class=\"note\">{}</p>\n", markup(table.note));
  return html + "</div>\n";
}

std::string main_html(const Document& document, const std::vector<std::string>& stills) {
  std::string html;
  std::size_t figure_number = 0;
  for (std::size_t i = 0; i < document.sections.size(); ++i) {
    const Section& section = document.sections[i];
    html += format(
        "<section id=\"section-{0}\" aria-labelledby=\"section-{0}-heading\">\n"
        "<h2 id=\"section-{0}-heading\">{1}</h2>\n",
        i + 1, markup(section.title));
    for (const std::string& paragraph : section.paragraphs) html += format("<p>{}</p>\n", markup(paragraph));
    for (const Figure& figure : section.figures) {
      html += figure_block(figure, stills.empty() ? std::string() : stills[figure_number]);
      ++figure_number;
    }
    for (const Table& table : section.tables) html += table_html(table, section);
    html += "</section>\n";
  }
  return html;
}

}  // namespace

namespace {

std::string page_of(const Document& document) {
  Page page{.title = document.title, .header = {}, .contents = {}, .main = {}};
  if (!document.lead.empty()) page.header = format("<p class=\"lead\">{}</p>\n", markup(document.lead));
  for (std::size_t i = 0; i < document.sections.size(); ++i) {
    const Section& section = document.sections[i];
    page.contents += format("<a href=\"#section-{}\">{}</a>\n", i + 1, markup(section.title));
    for (const Figure& figure : section.figures) page.figures.push_back(&figure);
  }
  page.main = main_html(document, {});
  const std::size_t without_stills = to_html(page).size();
  const std::size_t room = kPageBytes - std::min(kPageBytes, without_stills);
  page.main = main_html(document, stills_within(page.figures, room));
  return to_html(page);
}

}  // namespace

std::string to_html(const Document& document) {
  // Few networks are so large or have such names; less and less of them is shown until it fits.
  Room room{.rows = 2000, .letters = 160};
  std::string page = page_of(fits(document, room) ? document : within(document, room));
  while (page.size() > kPageBytes && room.rows > 8) {
    page = page_of(within(document, room));
    room = {.rows = room.rows / 2, .letters = std::max<std::size_t>(room.letters * 3 / 4, 24)};
  }
  return page;
}

}  // namespace sepal::report
