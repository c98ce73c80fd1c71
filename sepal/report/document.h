#pragma once

// What a report says, before it is known where it appears: sections of prose, plots and tables as plain values. One
// file a way out: text.cc (terminal), csv.cc, svg.cc (one plot), html.cc (one page). None of them knows what a network
// is, and whoever fills a document knows nothing of escapes, colours or plotting.
//
// Every string may come from a stranger's file; each way out makes it fit for its own place.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace sepal::report {

/// How a number is shown to people; CSV and hovers have it exactly.
enum class Unit : std::uint8_t {
  kCount,    ///< 12,345,678
  kBytes,    ///< 1.5 KiB
  kSeconds,  ///< 1.23 ms
  kRatio,    ///< 0.1135, four significant digits
  kShare,    ///< of 1, shown in per cent: 94.86 %
};

/// Nothing (shown as "-": not known, or does not apply), text, an exact count, a measured or derived number
/// (NaN is shown as nothing).
using Cell = std::variant<std::monostate, std::string, std::uint64_t, double>;

struct Column {
  std::string name;
  std::optional<Unit> unit = {};  ///< none: text
  bool bar = false;               ///< a bar beside the number, to the column's largest, where there is colour
};

struct Table {
  std::string id;  ///< "layers": lower case, no blanks, once in a document; names the CSV and anchors the HTML
  std::string title;
  std::vector<Column> columns;
  std::vector<std::vector<Cell>> rows = {};  ///< one cell a column
  std::vector<Cell> total = {};              ///< last row, never sorted, not in the CSV; empty for none
  std::string note = {};                     ///< below it: what is counted, what is left out
  bool shaded = false;  ///< of counts: a cell's ground is its share of its row, on the diagonal in another colour
};

enum class Mark : std::uint8_t { kBars, kStackedBars, kLine, kSteps, kPoints };

struct Axis {
  std::string title;
  std::optional<Unit> unit = {};
  bool log = false;
  bool tight = false;                        ///< from where the values begin rather than from 0; of y only
  std::vector<std::string> categories = {};  ///< names of 0, 1, 2 ... in the place of numbers; of x only
};

/// One name in the legend. Points that are not finite are left out, on a log axis also those that are not above 0.
struct Series {
  std::string name;
  Mark mark = Mark::kLine;
  std::vector<double> x = {};
  std::vector<double> y = {};           ///< as long as x
  std::vector<std::string> exact = {};  ///< what is said of each point on hover below the name; empty: x and y
  bool bound = false;                   ///< a limit rather than a value: dashed, grey
};

/// One plot.
struct Figure {
  std::string id;  ///< as Table's; `--svg` writes FILE with it in the name
  std::string title;
  std::string alternative;  ///< the text that says what the plot shows, with its figures
  Axis x;
  Axis y;
  std::vector<Series> series = {};
};

/// A picture with words below it, for pages alone.
struct Picture {
  std::vector<std::byte> png;
  std::string title;
  std::string caption;
  std::string alternative;  ///< what it shows, for who does not see it
};

struct Section {
  std::string title;
  std::vector<std::string> paragraphs = {};
  std::vector<Figure> figures = {};
  std::vector<Table> tables = {};
  std::vector<Picture> pictures = {};
};

struct Document {
  std::string title;
  std::string lead;  ///< one paragraph: the answer
  std::vector<Section> sections = {};
};

struct TextStyle {
  int width = 0;        ///< columns of the terminal; 0: as wide as it gets
  bool colour = false;  ///< colour and bars; false: plain, for a pipe
};
/// Titles, prose and tables for a terminal. Plots and pictures are left to the other ways out. A table too wide for the
/// style loses its bars, then the middle of its longest texts, never a digit; what is still too wide stands in blocks
/// of columns below one another, the first column in each.
std::string to_text(const Document& document, const TextStyle& style);
std::string to_text(const Table& table, const TextStyle& style);

/// RFC 4180, a heading line, numbers in full, the total left out. Text that a spreadsheet would take for a formula
/// (=, +, -, @, a tab or a carriage return in front) has an apostrophe before it.
std::string to_csv(const Table& table);

/// A static plot: SVG with <title> and <desc>, text as text, its own colours for light and dark, no script.
std::string to_svg(const Figure& figure);

/// One self-contained page that opens from a file without a network: plots with exact figures on hover (and by
/// keyboard), sortable tables, light and dark, printable. Each plot stands in the page as to_svg() draws it too, for
/// print and for readers without scripts; those are left out from the last on where the page would pass 2 MB. Of a
/// document that is too large even so, the largest rows and categories are shown, and each says that it is not whole.
/// Built without the plotting library the page has only the static plots and says so.
std::string to_html(const Document& document);

/// The page that teaches the arithmetic (`sepal learn`), under the same conditions.
std::string learn_html();

/// Whether the plotting library is built in (SEPAL_INTERACTIVE_PLOTS of the build).
bool has_interactive_plots();

}  // namespace sepal::report
