// Documents of networks with many thousand layers, cut to what a page can hold. What is left is what a reader would
// look for first: the layers that are large in anything that is told of them.

#include "sepal/report/fit.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "sepal/base/text.h"
#include "sepal/report/escape.h"
#include "sepal/report/numbers.h"

namespace sepal::report {
namespace {

constexpr std::size_t kWordsOfAPoint = 80;

double size_of(const Cell& cell) {
  if (const auto* count = std::get_if<std::uint64_t>(&cell)) return static_cast<double>(*count);
  const auto* value = std::get_if<double>(&cell);
  return value != nullptr && std::isfinite(*value) ? std::abs(*value) : 0;
}

/// The indices of the `count` largest, ascending; of equals, the first.
std::vector<std::size_t> largest(const std::vector<double>& sizes, std::size_t count) {
  std::vector<std::size_t> order(sizes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return sizes[a] > sizes[b]; });
  order.resize(std::min(count, order.size()));
  std::ranges::sort(order);
  return order;
}

void cut(Table& table, const Room& room) {
  if (table.rows.size() > room.rows) {
    // A row is as large as its shares of each column's largest, together.
    std::vector<double> sizes(table.rows.size());
    for (std::size_t column = 0; column < table.columns.size(); ++column) {
      double most = 0;
      for (const std::vector<Cell>& row : table.rows) most = std::max(most, size_of(row[column]));
      if (most == 0) continue;
      for (std::size_t i = 0; i < sizes.size(); ++i) sizes[i] += size_of(table.rows[i][column]) / most;
    }
    const std::string note = format("Of {} rows the {} largest are shown, for the page's sake; the tool's CSV has all.",
                                    grouped_count(table.rows.size()), grouped_count(room.rows));
    std::vector<std::vector<Cell>> rows;
    for (const std::size_t i : largest(sizes, room.rows)) rows.push_back(std::move(table.rows[i]));
    table.rows = std::move(rows);
    table.note = table.note.empty() ? note : note + " " + table.note;
  }
  for (std::vector<Cell>& row : table.rows) {
    for (Cell& cell : row) {
      if (auto* text = std::get_if<std::string>(&cell)) *text = shortened(*text, room.letters);
    }
  }
}

/// Keeps those points of a series for which `place` tells where they go on the x axis.
template <typename Place>
void keep(Series& series, const Place& place) {
  Series kept{.name = series.name, .mark = series.mark, .bound = series.bound};
  for (std::size_t i = 0; i < series.x.size(); ++i) {
    const std::optional<double> x = place(i);
    if (!x) continue;
    kept.x.push_back(*x);
    kept.y.push_back(series.y[i]);
    if (!series.exact.empty()) kept.exact.push_back(std::move(series.exact[i]));
  }
  series = std::move(kept);
}

/// Categories that are large in any series stay; lines of two points, which run from end to end, still do.
void cut_categories(Figure& figure, std::size_t count) {
  std::vector<std::string>& names = figure.x.categories;
  std::vector<double> sizes(names.size());
  for (const Series& series : figure.series) {
    for (std::size_t i = 0; i < series.x.size(); ++i) {
      if (series.bound || !(series.x[i] >= 0 && series.x[i] < static_cast<double>(sizes.size()))) continue;
      double& size = sizes[static_cast<std::size_t>(series.x[i])];
      size = std::max(size, size_of(series.y[i]));
    }
  }
  const std::vector<std::size_t> kept = largest(sizes, count);
  constexpr double kGone = -1;
  std::vector<double> places(names.size(), kGone);
  for (std::size_t i = 0; i < kept.size(); ++i) places[kept[i]] = static_cast<double>(i);
  const double before = static_cast<double>(names.size()) - 1;
  for (Series& series : figure.series) {
    keep(series, [&](std::size_t i) -> std::optional<double> {
      if (series.bound) return series.x[i] * (static_cast<double>(kept.size()) - 1) / before;
      if (!(series.x[i] >= 0 && series.x[i] <= before)) return std::nullopt;
      const double place = places[static_cast<std::size_t>(series.x[i])];
      return place == kGone ? std::nullopt : std::optional(place);
    });
  }
  std::erase_if(figure.series, [](const Series& series) { return series.x.empty(); });
  std::vector<std::string> shown;
  for (const std::size_t i : kept) shown.push_back(std::move(names[i]));
  names = std::move(shown);
}

void cut(Figure& figure, const Room& room) {
  if (const std::size_t all = figure.x.categories.size(); all > room.rows) {
    cut_categories(figure, room.rows);
    figure.alternative +=
        format(" Of these {} the {} largest are drawn.", grouped_count(all), grouped_count(room.rows));
    figure.title += format(" (the {} largest of {})", grouped_count(room.rows), grouped_count(all));
  }
  for (std::string& name : figure.x.categories) name = shortened(name, room.letters);
  for (Series& series : figure.series) {
    if (const std::size_t all = series.x.size(); figure.x.categories.empty() && all > room.rows) {
      const std::size_t step = (all + room.rows - 1) / room.rows;
      keep(series, [&](std::size_t i) { return i % step == 0 ? std::optional(series.x[i]) : std::nullopt; });
      figure.alternative +=
          format(" Of the {} points of {} one in {} is drawn.", grouped_count(all), series.name, step);
    }
    for (std::string& text : series.exact) text = shortened(text, room.letters + kWordsOfAPoint);
  }
  figure.alternative = shortened(figure.alternative, 100 * kWordsOfAPoint);
}

}  // namespace

bool fits(const Document& document, const Room& room) {
  return std::ranges::all_of(document.sections, [&](const Section& section) {
    return std::ranges::all_of(section.tables, [&](const Table& table) { return table.rows.size() <= room.rows; });
  });
}

Document within(const Document& document, const Room& room) {
  Document result = document;
  for (Section& section : result.sections) {
    for (Figure& figure : section.figures) cut(figure, room);
    for (Table& table : section.tables) cut(table, room);
  }
  return result;
}

}  // namespace sepal::report
