#include <array>
#include <cmath>
#include <numeric>

#include "sepal/base/text.h"
#include "sepal/report/document.h"
#include "sepal/report/layer_report.h"
#include "sepal/report/page.h"

// The page that teaches. Its words stand in web/learn.html, what moves in web/learn.js, its formulas in
// web/formulas.js; here are the plots as they stand before anybody has moved anything, which is also all there is of
// them in print and without scripts: a box and an exponential decay at t = 1, and the layer 512 -> 512, 3x3, at 14x14.

namespace sepal::report {
namespace {

constexpr double kFrom = -3;
constexpr double kTo = 6;
constexpr int kPoints = 181;  // 0.05 apart, as the slider steps
constexpr double kNow = 1;

double box(double x) { return x >= 0 && x < 1 ? 1 : 0; }
double decay(double x) { return x >= 0 ? std::exp(-x) : 0; }

/// The integral of box(x) decay(t - x).
double convolution(double t) {
  if (t <= 0) return 0;
  return t <= 1 ? 1 - std::exp(-t) : std::exp(1 - t) - std::exp(-t);
}

/// The integral of box(x) decay(x - t).
double correlation(double t) {
  if (t >= 1) return 0;
  return t >= 0 ? 1 - std::exp(t - 1) : std::exp(t) - std::exp(t - 1);
}

template <typename Function>
Series curve(std::string name, const Function& value) {
  Series series{.name = std::move(name)};
  for (int i = 0; i < kPoints; ++i) {
    series.x.push_back(std::lerp(kFrom, kTo, static_cast<double>(i) / (kPoints - 1)));
    series.y.push_back(value(series.x.back()));
  }
  return series;
}

template <typename Function>
Series until_now(std::string name, const Function& value) {
  return curve(std::move(name), [&](double t) { return t <= kNow + 1e-9 ? value(t) : NAN; });
}

std::vector<Figure> sliding_figures() {
  const Axis value{.title = "value"};
  const Axis area{.title = "area of the overlap"};
  return {{.id = "convolution-overlap",
           .title = "Convolution: g turned round",
           .alternative =
               "f, a box from 0 to 1, and g(t - tau), an exponential decay that runs backwards from t = 1. Where "
               "they overlap, from 0 to 1, their product is shaded.",
           .x = {.title = "τ"},
           .y = value,
           .series = {curve("overlap: the product", [](double x) { return box(x) * decay(kNow - x); }),
                      curve("f(τ)", box), curve("g(t − τ)", [](double x) { return decay(kNow - x); })}},
          {.id = "convolution-result",
           .title = "Its result, f ∗ g",
           .alternative =
               "The area of the overlap over t: 0 up to t = 0, then it rises as 1 - exp(-t) to 0.6321 at t = 1; from "
               "there it would fall off exponentially.",
           .x = {.title = "t"},
           .y = area,
           .series = {until_now("f ∗ g", convolution)}},
          {.id = "correlation-overlap",
           .title = "Correlation: g as it is",
           .alternative =
               "f, a box from 0 to 1, and g(tau - t), an exponential decay that begins at t = 1 and so meets the box "
               "in one point only.",
           .x = {.title = "τ"},
           .y = value,
           .series = {curve("overlap: the product", [](double x) { return box(x) * decay(x - kNow); }),
                      curve("f(τ)", box), curve("g(τ − t)", [](double x) { return decay(x - kNow); })}},
          {.id = "correlation-result",
           .title = "Its result, the correlation",
           .alternative =
               "The area of the overlap over t: it grows exponentially to 0.6321 at t = 0 and is 0 again at t = 1. "
               "It is not the convolution, because the decay is not symmetric.",
           .x = {.title = "t"},
           .y = area,
           .series = {until_now("correlation", correlation)}}};
}

Figure both_forms() {
  const auto bar = [](const char* name, double at, double macs) {
    return Series{.name = name, .mark = Mark::kStackedBars, .x = {at}, .y = {macs}};
  };
  return {.id = "both-forms",
          .title = "MACs of both forms",
          .alternative =
              "Two bars. For 512 to 512 channels, 3 x 3, at 14 x 14 the standard convolution takes 462,422,016 "
              "MACs, the separable one 52,283,392: 903,168 to filter and 51,380,224 to combine.",
          .x = {.title = "Form", .categories = {"standard", "separable"}},
          .y = {.title = "MACs", .unit = Unit::kCount},
          .series = {bar("standard", 0, 462'422'016), bar("depthwise stage", 1, 903'168),
                     bar("pointwise stage", 1, 51'380'224)}};
}

}  // namespace

std::string learn_html() {
  std::vector<Figure> figures = sliding_figures();
  figures.push_back(both_forms());
  figures.push_back(seeds_figure());
  figures.push_back(ratio_over_kernel());
  Page page{.title = "Separable convolutions, step by step",
            .header =
                "<p class=\"lead\">What a convolution is, what it costs, and what it saves to split it in two: filter "
                "each channel, then combine the channels.</p>\n",
            .contents =
                "<a href=\"#sliding\">Sliding</a>\n<a href=\"#counting\">Counting</a>\n<a href=\"#small\">A small "
                "layer</a>\n<a href=\"#pays\">When it pays</a>\n<a href=\"#slips\">Printed and right</a>\n",
            .main = std::string(kLearnBody.text),
            .styles = {&kLearnStyle},
            .scripts = {&kFormulasScript, &kLearnScript}};
  for (const Figure& figure : figures) page.figures.push_back(&figure);
  const std::vector<std::string> stills = stills_within(page.figures, kPageBytes / 4);
  for (std::size_t i = 0; i < figures.size(); ++i) {
    const std::string place = format("<!--figure {}-->", figures[i].id);
    page.main.replace(page.main.find(place), place.size(), figure_block(figures[i], stills[i]));
  }
  return to_html(page);
}

}  // namespace sepal::report
