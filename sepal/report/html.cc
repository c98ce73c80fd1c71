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

/// What lies below a number: a bar, or a shade.
struct Ground {
  const char* name = "";  ///< its class
  double share = 0;       ///< 0: nothing
};

/// A cell: what people read, in full in the tooltip where that says more, and the number that sorting goes by.
std::string cell_html(const Cell& cell, const Column& column, const Ground& ground, bool heads_row) {
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
  if (*ground.name != 0) {
    classes += format(" {}", ground.name);
    attributes += format(" style=\"--share:{:.3f}\"", ground.share);
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
    Ground ground;
    if (table.columns[i].bar && !largest.empty() && largest[i] > 0)
      ground = {"bar", std::clamp(number_of(cells[i]) / largest[i], 0.0, 1.0)};
    row += cell_html(cells[i], table.columns[i], ground, i == 0);
  }
  return row + "</tr>\n";
}

/// Row `at` of a shaded table. The root of the share, so that one in a hundred can be seen; beside the diagonal twice
/// that, as a quarter is as much as anybody should find there.
std::string shaded_row_html(const std::vector<Cell>& cells, const Table& table, std::size_t at) {
  double sum = 0;
  for (const Cell& cell : cells) sum += number_of(cell);
  std::string row = "<tr>";
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const double share = sum > 0 ? std::sqrt(number_of(cells[i]) / sum) : 0;
    Ground ground;
    if (i == at + 1 && share > 0) ground = {"shade right", share};
    if (i > 0 && i != at + 1 && share > 0) ground = {"shade", std::min(2 * share, 1.0)};
    row += cell_html(cells[i], table.columns[i], ground, i == 0);
  }
  return row + "</tr>\n";
}

std::string table_html(const Table& table, const Section& section) {
  const std::string id = markup(table.id);
  std::string html = format("<div class=\"table{}\" id=\"{}\">\n", table.shaded ? " shaded" : "", id);
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
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    html += table.shaded ? shaded_row_html(table.rows[i], table, i) : row_html(table.rows[i], table, largest);
  }
  html += "</tbody>\n";
  if (!table.total.empty()) html += "<tfoot>\n" + row_html(table.total, table, {}) + "</tfoot>\n";
  html += "</table>\n</div>\n";
  if (!table.note.empty()) html += format("<p class=\"note\">{}</p>\n", markup(table.note));
  return html + "</div>\n";
}

std::string pictures_html(const std::vector<Picture>& pictures) {
  if (pictures.empty()) return {};
  std::string html = "<ul class=\"pictures\">\n";
  for (const Picture& picture : pictures) {
    html += format(
        "<li><figure><img src=\"data:image/png;base64,{}\" alt=\"{}\"><figcaption><b>{}</b><br>{}</figcaption>"
        "</figure></li>\n",
        base64(picture.png), markup(picture.alternative), markup(picture.title), markup(picture.caption));
  }
  return html + "</ul>\n";
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
    html += pictures_html(section.pictures);
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
