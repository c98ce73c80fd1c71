#include "sepal/report/page.h"

#include <cmath>

#include "sepal/base/text.h"
#include "sepal/report/axis.h"
#include "sepal/report/escape.h"
#include "sepal/report/palette.h"
#include "sepal/report/svg.h"
#include "sepal/version.h"

// The frame of every page: one file, nothing fetched. A Content-Security-Policy allows the scripts that we built in,
// known by their hashes, and no others, so that a name from a model file could not run even if an escape were missing.
// What is drawn travels as JSON; strings in it are text, and page.js shows them as text.

namespace sepal::report {
namespace {

Json axis_data(const Axis& axis, const Stretch& stretch, const std::vector<double>& values) {
  Json data = {{"title", cleaned(title_of(axis, stretch.scale))}, {"log", axis.log}};
  if (axis.log) data["decades"] = std::log10(stretch.high / stretch.low);
  // Large numbers are abbreviated, 20G for 2e10, as on a still plot.
  if (axis.unit == Unit::kCount || stretch.high / stretch.scale.factor >= 1e4) data["count"] = true;
  if (axis.log && in_octaves(values)) data["octaves"] = true;
  for (const std::string& name : axis.categories) data["categories"].push_back(cleaned(name));
  return data;
}

std::string_view name_of(Mark mark) {
  switch (mark) {
    case Mark::kBars:
      return "bars";
    case Mark::kStackedBars:
      return "stacked";
    case Mark::kLine:
      return "line";
    case Mark::kSteps:
      return "steps";
    case Mark::kPoints:
      return "points";
  }
  return {};
}

/// What is said of a point that brings no words of its own: "conv1: 1,234".
std::string point_text(const Figure& figure, const Series& series, std::size_t i) {
  const std::vector<std::string>& names = figure.x.categories;
  const double x = series.x[i];
  const bool named = x >= 0 && x < static_cast<double>(names.size());
  const std::string where =
      named ? names[static_cast<std::size_t>(x)] : format("{} {}", figure.x.title, to_full(x, figure.x.unit));
  return format("{}: {}", where, to_full(series.y[i], figure.y.unit));
}

Json figure_data(const Figure& figure) {
  std::vector<double> xs;
  std::vector<double> ys;
  for (const Series& series : figure.series) {
    xs.insert(xs.end(), series.x.begin(), series.x.end());
    ys.insert(ys.end(), series.y.begin(), series.y.end());
  }
  // Both kinds of plot show the same scale; page.js makes its own ticks, as it can zoom.
  const Stretch x = stretch_over(xs, figure.x, false, 7);
  const Stretch y = stretch_over(ys, figure.y, false, 5);
  Json data = {{"id", figure.id},
               {"title", cleaned(figure.title)},
               {"x", axis_data(figure.x, x, xs)},
               {"y", axis_data(figure.y, y, ys)},
               {"fromZero", from_zero(figure.y)},
               {"series", Json::array()}};
  for (const Series& series : figure.series) {
    Json one = {{"name", cleaned(series.name)}, {"mark", name_of(series.mark)}};
    if (series.bound) one["bound"] = true;
    for (std::size_t i = 0; i < series.y.size(); ++i) {
      one["x"].push_back(series.x[i] / x.scale.factor);
      one["y"].push_back(series.y[i] / y.scale.factor);
      one["text"].push_back(cleaned(series.exact.empty() ? point_text(figure, series, i) : series.exact[i]));
    }
    data["series"].push_back(std::move(one));
  }
  return data;
}

/// The colours as variables; light-dark() follows the page's theme.
std::string palette_style() {
  std::string text = ":root{color-scheme:light dark;";
  std::string classes;
  const auto add = [&](const Ink& ink) {
    text += format("--{}:light-dark({},{});", ink.name, ink.light, ink.dark);
    classes += format(".plot .{0}{{color:var(--{0})}}", ink.name);
  };
  for (const Ink& ink : {kPaper, kText, kSoft, kGrid}) add(ink);
  for (const Ink& ink : kSeriesInks) add(ink);
  return text + "}" + classes + "\n";
}

}  // namespace

std::string figure_block(const Figure& figure, const std::string& still) {
  return format(R"(<figure id="{0}" class="figure">
<figcaption><h3 id="{0}-heading">{1}</h3></figcaption>
<div class="plot" data-figure="{0}"><div class="still">{2}</div></div>
<details class="words"><summary>In words</summary><p id="{0}-words">{3}</p></details>
</figure>
)",
                markup(figure.id), markup(figure.title), still, markup(figure.alternative));
}

std::vector<std::string> stills_within(const std::vector<const Figure*>& figures, std::size_t bytes) {
  std::vector<std::string> stills;
  std::size_t used = 0;
  for (const Figure* figure : figures) {
    std::string still = to_inline_svg(*figure);
    used += still.size();
    stills.push_back(used <= bytes || !has_interactive_plots() ? std::move(still) : std::string());
  }
  return stills;
}

std::string to_html(const Page& page) {
  std::vector<const Asset*> scripts;
  if (has_interactive_plots()) scripts.push_back(&kChartLibrary);
  scripts.push_back(&kPageScript);
  scripts.insert(scripts.end(), page.scripts.begin(), page.scripts.end());

  std::string policy = "default-src 'none'; script-src";
  std::string elements;
  for (const Asset* script : scripts) {
    policy += format(" 'sha256-{}'", script->sha256);
    elements += format("<script>{}</script>\n", script->text);
  }
  policy += "; style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'";
  std::string styles = palette_style() + std::string(kPageStyle.text);
  for (const Asset* style : page.styles) styles += style->text;
  Json figures = Json::array();
  for (const Figure* figure : page.figures) figures.push_back(figure_data(*figure));

  const std::string title = markup(page.title);
  const std::string still_plots =
      has_interactive_plots() ? ""
                              : "<p class=\"notice\">The plots of this page are still pictures: this Sepal was built "
                                "without the plotting library, which scripts/setup fetches.</p>\n";
  std::string text = format(R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="Sepal {}">
<title>{}</title>
<link rel="icon" href="data:,">
<style>
)",
                            policy, kVersion, title);
  text += styles;
  text += format(R"(</style>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header class="top">
<h1>{}</h1>
{}{}<button type="button" id="theme" class="quiet" hidden>Dark</button>
</header>
{}<main id="main" tabindex="-1">
)",
                 title, page.header, still_plots,
                 page.contents.empty() ? "" : format("<nav aria-label=\"Sections\">{}</nav>\n", page.contents));
  text += page.main;
  text += format(R"(</main>
<footer>Made by Sepal {}. The page is complete in itself and fetches nothing.</footer>
<div id="live" class="unseen" aria-live="polite"></div>
<script type="application/json" id="figures">{}</script>
)",
                 kVersion, script_data(figures));
  text += elements;
  return text + "</body>\n</html>\n";
}

bool has_interactive_plots() { return !kChartLibrary.text.empty(); }

}  // namespace sepal::report
