#include "sepal/report/svg.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

#include "sepal/base/text.h"
#include "sepal/report/axis.h"
#include "sepal/report/escape.h"
#include "sepal/report/palette.h"

// A plot as a still picture, for print, for files that stand in a text, and for builds without the plotting library
// (docs/decisions/0006-plots.md says why it is drawn here). It knows two axes and five marks; widths of letters are
// guessed, since only who shows it has the font. Colours are classes, so that light and dark are a style sheet's
// affair.

namespace sepal::report {
namespace {

constexpr double kWidth = 760;
constexpr double kPlotHeight = 300;
constexpr double kLetter = 6.6;  // of 12 pixels' text, on average
constexpr std::size_t kLegendLetters = 34;
constexpr std::size_t kCategoryLetters = 20;
constexpr std::size_t kMarkedPoints = 32;  // a line of more points has none of them marked
constexpr double kSlope = 40;              // degrees by which long category names lean

bool is_bars(Mark mark) { return mark == Mark::kBars || mark == Mark::kStackedBars; }

/// A coordinate: a tenth of a pixel is enough.
std::string at(double value) {
  std::string text = format("{:.1f}", value);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text == "-0" ? "0" : text;
}

std::string label(double x, double y, std::string_view anchor, std::string_view ink, std::string_view text) {
  return format("<text class=\"{}\" x=\"{}\" y=\"{}\" text-anchor=\"{}\">{}</text>\n", ink, at(x), at(y), anchor,
                markup(text));
}

/// One sign a series, so that colour is not all that tells them apart.
std::string sign(std::size_t place, double x, double y) {
  switch (place % 4) {
    case 0:
      return format("M{} {}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z", at(x - 4), at(y));
    case 1:
      return format("M{} {}h7v7h-7z", at(x - 3.5), at(y - 3.5));
    case 2:
      return format("M{} {}l5 5l-5 5l-5 -5z", at(x), at(y - 5));
    default:
      return format("M{} {}l5 8h-10z", at(x), at(y - 5));
  }
}

class Drawing {
 public:
  explicit Drawing(const Figure& figure) : figure_(figure) {
    // A bar that is not there in full would lie, so bars begin at zero.
    const bool bars = std::ranges::any_of(figure.series, [](const Series& series) { return is_bars(series.mark); });
    std::vector<double> xs;
    std::vector<double> ys;
    std::vector<double> tops;
    for (const Series& series : figure.series) {
      xs.insert(xs.end(), series.x.begin(), series.x.end());
      for (std::size_t i = 0; i < series.y.size(); ++i) ys.push_back(top(series, i, tops));
    }
    x_ = stretch_over(xs, figure.x, false, 7);
    y_ = stretch_over(ys, figure.y, bars || from_zero(figure.y), 5);
    if (bars || !figure.x.categories.empty()) widen_for_bars(xs);
    measure();
  }

  double height() const { return bottom_ + below_; }

  /// The drawing without the element around it.
  std::string inside(double from_top) {
    std::string text = format("<g transform=\"translate(0 {})\">\n", at(from_top)) + legend() + axes();
    std::vector<double> tops;
    std::size_t place = 0;
    std::size_t bar = 0;
    for (const Series& series : figure_.series) {
      const std::string ink(series.bound ? kSoft.name : series_ink(place).name);
      if (is_bars(series.mark)) {
        text += bars(series, ink, bar, tops);
        if (series.mark == Mark::kBars) ++bar;
      } else {
        text += line(series, ink, place);
      }
      if (!series.bound) ++place;
    }
    return text + "</g>\n";
  }

 private:
  /// Where the point ends: a stacked bar stands on those before it.
  static double top(const Series& series, std::size_t i, std::vector<double>& tops) {
    if (series.mark != Mark::kStackedBars || !(series.x[i] >= 0) || !std::isfinite(series.y[i])) return series.y[i];
    const auto category = static_cast<std::size_t>(series.x[i]);
    if (category >= tops.size()) tops.resize(category + 1);
    return tops[category] += series.y[i];
  }

  /// Bars and categories need half a place on either side.
  void widen_for_bars(std::vector<double> xs) {
    std::erase_if(xs, [](double x) { return !std::isfinite(x); });
    std::ranges::sort(xs);
    if (xs.empty()) return;
    for (std::size_t i = 1; i < xs.size(); ++i) {
      if (xs[i] > xs[i - 1]) slot_ = std::min(slot_, xs[i] - xs[i - 1]);
    }
    if (!std::isfinite(slot_)) slot_ = 1;
    if (x_.log) return;
    x_.low = xs.front() - slot_ / 2;
    x_.high = xs.back() + slot_ / 2;
    std::erase_if(x_.ticks, [&](const Tick& tick) { return tick.value < x_.low || tick.value > x_.high; });
  }

  void measure() {
    std::size_t widest = 1;
    for (const Tick& tick : y_.ticks) widest = std::max(widest, display_width(tick.text));
    left_ = 34 + kLetter * static_cast<double>(widest);
    below_ = 46;
    if (!figure_.x.categories.empty()) measure_names();
    lay_out_legend();
    bottom_ = top_ + kPlotHeight;
  }

  /// Names that fit lie side by side; others lean, and as many of them are shown as have room.
  void measure_names() {
    const std::vector<std::string>& names = figure_.x.categories;
    const double slot = (right_ - left_) * slot_ / (x_.high - x_.low);
    const auto width = [](const std::string& name) {
      return kLetter * static_cast<double>(std::min(display_width(name), kCategoryLetters));
    };
    double longest = 0;
    for (const std::string& name : names) longest = std::max(longest, width(name));
    leaning_ = longest + 8 > slot;
    if (!leaning_) return;
    every_ = static_cast<std::size_t>(std::max(1.0, std::ceil(15 / slot)));
    below_ = 42 + longest * std::sin(kSlope * M_PI / 180);
    for (std::size_t i = 0; i < names.size(); i += every_) {
      const double reach = width(names[i]) * std::cos(kSlope * M_PI / 180) - slot * (static_cast<double>(i) + 0.5);
      left_ = std::max(left_, reach + 20);
    }
  }

  void lay_out_legend() {
    top_ = 14;
    if (figure_.series.size() < 2) return;
    double x = left_;
    top_ += 20;
    for (const Series& series : figure_.series) {
      const std::string name = shortened(series.name, kLegendLetters);
      const double width = 22 + kLetter * static_cast<double>(display_width(name)) + 16;
      if (x > left_ && x + width > right_) {
        x = left_;
        top_ += 20;
      }
      legend_.push_back({name, x, top_ - 18});
      x += width;
    }
  }

  std::string legend() const {
    std::string text;
    std::size_t place = 0;
    for (std::size_t i = 0; i < legend_.size(); ++i) {
      const auto& [name, x, y] = legend_[i];
      const Series& series = figure_.series[i];
      const std::string_view ink = series.bound ? kSoft.name : series_ink(place).name;
      if (is_bars(series.mark)) {
        text += format("<rect class=\"{}\" fill=\"currentColor\" x=\"{}\" y=\"{}\" width=\"12\" height=\"12\"/>\n", ink,
                       at(x + 2), at(y - 6));
      } else {
        if (series.mark != Mark::kPoints) {
          text += format("<path class=\"{}\" {} d=\"M{} {}h18\"/>\n", ink, stroke(series), at(x), at(y));
        }
        if (!series.bound && series.mark != Mark::kSteps) {
          text += format("<path class=\"{}\" fill=\"currentColor\" d=\"{}\"/>\n", ink, sign(place, x + 9, y));
        }
      }
      text += label(x + 22, y + 4, "start", kText.name, name);
      if (!series.bound) ++place;
    }
    return text;
  }

  std::string axes() const {
    std::string grid;
    std::string text;
    for (const Tick& tick : y_.ticks) {
      grid += format("M{} {}H{}", at(left_), at(y(tick.value)), at(right_));
      text += label(left_ - 7, y(tick.value) + 4, "end", kSoft.name, tick.text);
    }
    if (figure_.x.categories.empty()) {
      for (const Tick& tick : x_.ticks) {
        grid += format("M{} {}V{}", at(x(tick.value)), at(top_), at(bottom_));
        text += label(x(tick.value), bottom_ + 18, "middle", kSoft.name, tick.text);
      }
    } else {
      text += category_labels();
    }
    text += label((left_ + right_) / 2, bottom_ + below_ - 8, "middle", kText.name, title_of(figure_.x, x_.scale));
    text += format("<text class=\"{}\" text-anchor=\"middle\" transform=\"translate(15 {}) rotate(-90)\">{}</text>\n",
                   kText.name, at((top_ + bottom_) / 2), markup(title_of(figure_.y, y_.scale)));
    return format("<path class=\"{}\" fill=\"none\" stroke=\"currentColor\" d=\"{}\"/>\n", kGrid.name, grid) + text;
  }

  std::string category_labels() const {
    std::string text;
    const std::vector<std::string> names = shortened_apart(figure_.x.categories, kCategoryLetters);
    for (std::size_t i = 0; i < names.size(); i += every_) {
      const double middle = x(static_cast<double>(i));
      if (middle < left_ || middle > right_) continue;
      const std::string& name = names[i];
      if (!leaning_) {
        text += label(middle, bottom_ + 18, "middle", kSoft.name, name);
      } else {
        text += format("<text class=\"{}\" text-anchor=\"end\" transform=\"translate({} {}) rotate(-{})\">{}</text>\n",
                       kSoft.name, at(middle + 4), at(bottom_ + 14), kSlope, markup(name));
      }
    }
    return text;
  }

  std::string bars(const Series& series, std::string_view ink, std::size_t bar, std::vector<double>& tops) const {
    const auto side_by_side = std::ranges::count(figure_.series, Mark::kBars, &Series::mark);
    const bool stacked = series.mark == Mark::kStackedBars;
    const double slot = (right_ - left_) * slot_ / (x_.high - x_.low);
    const double width = 0.8 * slot / (stacked ? 1.0 : static_cast<double>(side_by_side));
    std::string path;
    for (std::size_t i = 0; i < series.y.size(); ++i) {
      const double end = top(series, i, tops);
      if (!x_.has_place(series.x[i]) || !y_.has_place(end) || series.y[i] == 0) continue;
      const double begin = y_.log ? y_.low : stacked ? end - series.y[i] : 0;
      const double from = x(series.x[i]) - 0.4 * slot + (stacked ? 0 : width * static_cast<double>(bar));
      path += format("M{} {}h{}V{}h-{}z", at(from), at(y(begin)), at(width), at(y(end)), at(width));
    }
    return format("<path class=\"{}\" fill=\"currentColor\" d=\"{}\"/>\n", ink, path);
  }

  std::string line(const Series& series, std::string_view ink, std::size_t place) const {
    std::string path;
    std::string signs;
    bool drawing = false;
    double before = 0;
    const bool marked = series.mark == Mark::kPoints ||
                        (series.mark == Mark::kLine && !series.bound && series.y.size() <= kMarkedPoints);
    for (std::size_t i = 0; i < series.y.size(); ++i) {
      if (!x_.has_place(series.x[i]) || !y_.has_place(series.y[i])) {
        drawing = false;
        continue;
      }
      const double to_x = x(series.x[i]);
      const double to_y = y(series.y[i]);
      if (marked) signs += sign(place, to_x, to_y);
      if (series.mark == Mark::kSteps && drawing) {
        // Steps over categories turn half-way between two of them, others where the next begins.
        path += figure_.x.categories.empty() ? format("H{}V{}", at(to_x), at(to_y))
                                             : format("H{}V{}H{}", at((before + to_x) / 2), at(to_y), at(to_x));
      } else {
        path += format("{}{} {}", drawing ? "L" : "M", at(to_x), at(to_y));
      }
      before = to_x;
      drawing = true;
    }
    std::string text;
    if (series.mark != Mark::kPoints) {
      text += format("<path class=\"{}\" {} d=\"{}\"/>\n", ink, stroke(series), path);
    }
    if (!signs.empty()) {
      text += format("<path class=\"{}\" fill=\"currentColor\" fill-opacity=\"0.85\" d=\"{}\"/>\n", ink, signs);
    }
    return text;
  }

  static std::string stroke(const Series& series) {
    return format("fill=\"none\" stroke=\"currentColor\" stroke-linejoin=\"round\" stroke-width=\"{}\"{}",
                  series.bound ? "1.5" : "2", series.bound ? " stroke-dasharray=\"6 4\"" : "");
  }

  double x(double value) const { return left_ + (right_ - left_) * x_.place(value); }
  double y(double value) const { return bottom_ - kPlotHeight * y_.place(value); }

  struct LegendEntry {
    std::string name;
    double x;
    double y;
  };

  const Figure& figure_;
  Stretch x_;
  Stretch y_;
  double slot_ = HUGE_VAL;  // of one category, in the axis' own measure
  double left_ = 0;
  double right_ = kWidth - 18;
  double top_ = 0;
  double bottom_ = 0;
  double below_ = 0;
  bool leaning_ = false;
  std::size_t every_ = 1;  // which categories are named
  std::vector<LegendEntry> legend_;
};

/// Colours for light paper, and for dark paper where the reader wants that.
std::string style() {
  const auto colours = [](std::string_view Ink::* paper) {
    std::string text;
    for (const Ink& ink : {kPaper, kText, kSoft, kGrid}) text += format(".{}{{color:{}}}", ink.name, ink.*paper);
    for (const Ink& ink : kSeriesInks) text += format(".{}{{color:{}}}", ink.name, ink.*paper);
    return text;
  };
  return format("<style>text{{fill:currentColor}}{}@media (prefers-color-scheme:dark){{{}}}</style>\n",
                colours(&Ink::light), colours(&Ink::dark));
}

std::string drawn(const Figure& figure, bool standalone) {
  Drawing drawing(figure);
  const double heading = standalone ? 32 : 0;
  const double height = drawing.height() + heading;
  const std::string id = markup(figure.id);
  std::string text = format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\"{} role=\"img\" aria-labelledby=\"{}-title "
      "{}-desc\""
      " font-family=\"system-ui, sans-serif\" font-size=\"12\">\n<title id=\"{}-title\">{}</title>\n"
      "<desc id=\"{}-desc\">{}</desc>\n",
      at(kWidth), at(height), standalone ? format(" width=\"{}\" height=\"{}\"", at(kWidth), at(height)) : "", id, id,
      id, markup(figure.title), id, markup(figure.alternative));
  if (standalone) {
    text += style();
    text += format("<rect class=\"{}\" fill=\"currentColor\" width=\"100%\" height=\"100%\"/>\n", kPaper.name);
    text += format("<text class=\"{}\" x=\"14\" y=\"24\" font-size=\"15\" font-weight=\"600\">{}</text>\n", kText.name,
                   markup(shortened(figure.title, 96)));
  }
  return text + drawing.inside(heading) + "</svg>\n";
}

}  // namespace

std::string to_svg(const Figure& figure) { return drawn(figure, true); }
std::string to_inline_svg(const Figure& figure) { return drawn(figure, false); }

}  // namespace sepal::report
