#include "tests/report/sample.h"

#include <array>
#include <cmath>
#include <limits>

#include "sepal/base/text.h"

namespace sepal::report {

const char* const kNastyNames[6] = {
    "<script>alert(1)</script>",
    "=1+1",
    "</script><b>\"quoted\" & 'single'",
    "📷 畳み込み",
    "esc\033[31mred\xff\u202E",
    "a/very/long/name/of/a/layer/that/no/table/has/room/for/in/one/line/expanded_conv_13/depthwise"};

namespace {

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

struct Layer {
  std::string name;
  std::string kind;
  std::uint64_t macs;
  std::uint64_t parameters;
  std::uint64_t bytes;
};

/// MobileNetV1's chain, near enough to look like it.
std::vector<Layer> layers() {
  std::vector<Layer> all = {{"conv_1", "convolution", 10'838'016, 864, 2'209'792}};
  std::uint64_t channels = 32;
  std::uint64_t side = 112;
  const std::array<std::pair<std::uint64_t, std::uint64_t>, 13> kBlocks = {{{64, 1},
                                                                            {128, 2},
                                                                            {128, 1},
                                                                            {256, 2},
                                                                            {256, 1},
                                                                            {512, 2},
                                                                            {512, 1},
                                                                            {512, 1},
                                                                            {512, 1},
                                                                            {512, 1},
                                                                            {512, 1},
                                                                            {1024, 2},
                                                                            {1024, 1}}};
  for (std::size_t i = 0; i < kBlocks.size(); ++i) {
    const auto [out, stride] = kBlocks[i];
    side /= stride;
    all.push_back({format("block_{}/depthwise", i + 1), "depthwise", channels * side * side * 9, channels * 9,
                   channels * side * side * 4 * (1 + stride * stride) + channels * 36});
    all.push_back({format("block_{}/pointwise", i + 1), "pointwise", channels * out * side * side, channels * out,
                   (channels + out) * side * side * 4});
    channels = out;
  }
  all.push_back({"average_pool", "pool", 0, 0, 204'800});
  all.push_back({"classifier", "dense", 1'024'000, 1'025'000, 4'108'096});
  for (std::size_t i = 0; i < std::size(kNastyNames); ++i) all[2 + 4 * i].name = kNastyNames[i];
  return all;
}

Table layer_table(const std::vector<Layer>& all) {
  Table table{.id = "layers",
              .title = "Layers",
              .columns = {{"Layer"},
                          {"Kind"},
                          {"MACs", Unit::kCount, true},
                          {"Share", Unit::kShare},
                          {"Parameters", Unit::kCount},
                          {"Moved", Unit::kBytes},
                          {"MACs a byte", Unit::kRatio},
                          {"Predicted", Unit::kSeconds}},
              .note = "Nominal MACs: taps that fall into the padding are counted. A pool has no MACs."};
  std::uint64_t macs = 0;
  std::uint64_t parameters = 0;
  std::uint64_t bytes = 0;
  for (const Layer& layer : all) {
    macs += layer.macs;
    parameters += layer.parameters;
    bytes += layer.bytes;
  }
  for (const Layer& layer : all) {
    const auto layer_macs = static_cast<double>(layer.macs);
    table.rows.push_back({layer.name, layer.kind, layer.macs == 0 ? Cell() : Cell(layer.macs),
                          layer_macs / static_cast<double>(macs), layer.parameters, layer.bytes,
                          layer_macs / static_cast<double>(layer.bytes), layer_macs / 3e10});
  }
  table.total = {std::string("all"), std::monostate(), macs, 1.0, parameters, bytes, kNothing, 0.0189};
  return table;
}

Figure by_layer(const std::vector<Layer>& all) {
  Figure figure{.id = "macs-by-layer",
                .title = "MACs by layer, nominal and effective",
                .alternative = "Bars: the pointwise layers take nearly all of the 568,740,352 MACs.",
                .x = {.title = "Layer, in the order of the run"},
                .y = {.title = "MACs", .unit = Unit::kCount}};
  Series nominal{.name = "nominal", .mark = Mark::kBars};
  Series effective{.name = "effective", .mark = Mark::kBars};
  for (std::size_t i = 0; i < all.size(); ++i) {
    figure.x.categories.push_back(all[i].name);
    nominal.x.push_back(static_cast<double>(i));
    nominal.y.push_back(static_cast<double>(all[i].macs));
    effective.x.push_back(static_cast<double>(i));
    effective.y.push_back(all[i].kind == "depthwise" ? std::floor(0.95 * static_cast<double>(all[i].macs))
                                                     : static_cast<double>(all[i].macs));
  }
  figure.series = {nominal, effective};
  return figure;
}

Figure many_layers() {
  Figure figure{.id = "many",
                .title = "Parameters by layer and kind, of a network of 200 layers",
                .alternative = "Stacked bars of 200 layers in four kinds.",
                .x = {.title = "Layer"},
                .y = {.title = "Parameters", .unit = Unit::kCount}};
  for (const char* kind : {"pointwise", "depthwise", "convolution", "dense"}) {
    figure.series.push_back({.name = kind, .mark = Mark::kStackedBars});
  }
  for (int i = 0; i < 200; ++i) {
    figure.x.categories.push_back(
        format("features.{}.conv.{}.{}", i / 6, i % 3, i % 2 == 0 ? "depthwise" : "pointwise"));
    for (std::size_t kind = 0; kind < figure.series.size(); ++kind) {
      const bool its_own = i == 0 ? kind == 2 : i == 199 ? kind == 3 : kind == static_cast<std::size_t>(i % 2 == 0);
      figure.series[kind].x.push_back(i);
      figure.series[kind].y.push_back(its_own ? std::floor(1000.0 * (1 + i) * (kind == 1 ? 0.1 : 1)) : kNothing);
    }
  }
  return figure;
}

Figure memory() {
  Figure figure{.id = "memory",
                .title = "Memory over the run",
                .alternative = "Steps: the most is 4.6 MiB, in the third layer.",
                .x = {.title = "Step of the plan"},
                .y = {.title = "Activations in use", .unit = Unit::kBytes}};
  Series planned{.name = "as planned", .mark = Mark::kSteps};
  Series unplanned{.name = "each value kept to the end", .mark = Mark::kSteps};
  Series peak{.name = "workspace", .mark = Mark::kLine, .x = {0, 30}, .y = {4'816'896, 4'816'896}, .bound = true};
  for (int i = 0; i <= 30; ++i) {
    planned.x.push_back(i);
    planned.y.push_back(std::floor(4'816'896 * std::exp(-0.1 * std::abs(i - 3))));
    unplanned.x.push_back(i);
    unplanned.y.push_back(602'112 + 500'000 * i);
  }
  figure.series = {planned, unplanned, peak};
  return figure;
}

Figure roofline(const std::vector<Layer>& all) {
  Figure figure{
      .id = "roofline",
      .title = "Roofline: every layer under the ceilings of this machine",
      .alternative = "Points: depthwise layers lie under the memory ceiling, pointwise layers under the FMA rate.",
      .x = {.title = "FLOPs a byte", .unit = Unit::kRatio, .log = true},
      .y = {.title = "FLOPs a second", .unit = Unit::kCount, .log = true}};
  Series depthwise{.name = "depthwise", .mark = Mark::kPoints};
  Series pointwise{.name = "pointwise", .mark = Mark::kPoints};
  for (const Layer& layer : all) {
    if (layer.macs == 0) continue;
    const double intensity = 2 * static_cast<double>(layer.macs) / static_cast<double>(layer.bytes);
    Series& series = layer.kind == "depthwise" ? depthwise : pointwise;
    series.x.push_back(intensity);
    series.y.push_back(0.7 * std::min(6e10, 1.2e10 * intensity));
    series.exact.push_back(format("{}\n{:.3f} FLOPs a byte, {:.3g} a second", layer.name, intensity, series.y.back()));
  }
  const Series memory{.name = "memory: 12 GB/s", .x = {0.5, 5}, .y = {6e9, 6e10}, .bound = true};
  const Series fma{.name = "FMA rate: 60 GFLOP/s", .x = {5, 400}, .y = {6e10, 6e10}, .bound = true};
  figure.series = {depthwise, pointwise, memory, fma};
  return figure;
}

Figure ratios() {
  Figure figure{.id = "ratios",
                .title = "Separable over standard, by kernel size",
                .alternative = "Lines: the ratio falls from above 1 at D_K = 1 toward 1/N.",
                .x = {.title = "D_K", .unit = Unit::kCount},
                .y = {.title = "ratio of MACs", .unit = Unit::kRatio, .log = true}};
  for (int out = 8; out <= 1024; out *= 2) {
    Series series{.name = format("N = {}", out)};
    for (int kernel = 1; kernel <= 11; ++kernel) {
      series.x.push_back(kernel);
      series.y.push_back(1.0 / out + 1.0 / (kernel * kernel));
    }
    figure.series.push_back(series);
  }
  Series floor{.name = "1/D_K²", .bound = true};
  for (int kernel = 1; kernel <= 11; ++kernel) {
    floor.x.push_back(kernel);
    floor.y.push_back(1.0 / (kernel * kernel));
  }
  figure.series.push_back(floor);
  return figure;
}

Figure shares() {
  return {
      .id = "shares",
      .title = "Share by kind",
      .alternative = "Bars: pointwise 94.86 % of the MACs and 74.59 % of the parameters.",
      .x = {.title = "Kind", .categories = {"pointwise", "depthwise", "convolution", "dense"}},
      .y = {.title = "Share", .unit = Unit::kShare},
      .series = {{.name = "MACs", .mark = Mark::kBars, .x = {0, 1, 2, 3}, .y = {.9486, .0306, .0191, .0018}},
                 {.name = "parameters", .mark = Mark::kBars, .x = {0, 1, 2, 3}, .y = {.7459, .0106, .0002, .2433}}}};
}

Figure seeds() {
  Figure figure{.id = "seeds",
                .title = "The ratio at N = 3, over D_K = 32 to 1024",
                .alternative = "A line that falls from .334310 to .333334 and never below 1/3.",
                .x = {.title = "D_K", .log = true},
                .y = {.title = "separable / standard", .unit = Unit::kRatio}};
  Series line{.name = "1/3 + 1/D_K²"};
  for (int kernel = 32; kernel <= 1024; kernel *= 2) {
    line.x.push_back(kernel);
    line.y.push_back(1.0 / 3 + 1.0 / (kernel * kernel));
  }
  figure.series = {line, {.name = "1/N = 1/3", .x = {32, 1024}, .y = {1.0 / 3, 1.0 / 3}, .bound = true}};
  return figure;
}

}  // namespace

Document sample_document() {
  const std::vector<Layer> all = layers();
  return {.title = "What mobilenet_v1 costs & <why>",
          .lead =
              "568,740,352 MACs and 4,231,976 parameters for one image of 224 x 224; separable layers take 97.9 % "
              "of the MACs and save 88 % of what standard convolutions would cost.",
          .sections = {{.title = "Layer by layer",
                        .paragraphs = {"Where the multiplications are: nearly all in pointwise convolutions, which "
                                       "combine channels at each position."},
                        .figures = {by_layer(all), shares()},
                        .tables = {layer_table(all)}},
                       {.title = "Memory", .figures = {memory(), many_layers()}},
                       {.title = "On this machine", .figures = {roofline(all)}},
                       {.title = "Standard against separable", .figures = {ratios(), seeds()}}}};
}

}  // namespace sepal::report
