// Pages from the outside; what they do in a browser is tested in tests/web.

#include <gtest/gtest.h>

#include <regex>

#include "sepal/base/text.h"
#include "sepal/report/escape.h"
#include "sepal/report/json.h"
#include "sepal/report/layer_report.h"
#include "sepal/report/network_report.h"
#include "sepal/report/page.h"
#include "tests/report/sample.h"

namespace sepal::report {
namespace {

/// The page without the plotting library, whose text is not ours.
std::string own_text(std::string page) {
  if (kChartLibrary.text.empty()) return page;
  const std::size_t at = page.find(kChartLibrary.text);
  EXPECT_NE(at, std::string::npos);
  return page.erase(at, kChartLibrary.text.size());
}

Json data_of(const std::string& page) {
  const std::string begin = "<script type=\"application/json\" id=\"figures\">";
  const std::size_t from = page.find(begin) + begin.size();
  return Json::parse(page.substr(from, page.find("</script>", from) - from));
}

TEST(Html, PagesFetchNothingAndAreNotLarge) {
  for (const std::string& page : {to_html(sample_document()), learn_html()}) {
    EXPECT_LT(page.size(), kPageBytes);
    const std::string text = own_text(page);
    EXPECT_TRUE(text.starts_with("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"));
    EXPECT_NE(text.find("content=\"default-src 'none'; script-src 'sha256-"), std::string::npos);
    EXPECT_EQ(text.find("unsafe-eval"), std::string::npos);
    EXPECT_FALSE(std::regex_search(text, std::regex(R"((src|href)="(https?:)?//)"))) << "nothing from elsewhere";
    EXPECT_FALSE(std::regex_search(text, std::regex(R"( on[a-z]+=")"))) << "the policy would refuse it";
    EXPECT_EQ(text.find("@import"), std::string::npos);
  }
}

TEST(Html, StrangersNamesAreText) {
  std::string page = own_text(to_html(sample_document()));
  for (std::size_t at = page.find("<wbr>"); at != std::string::npos; at = page.find("<wbr>", at)) page.erase(at, 5);
  for (const char* const name : kNastyNames) {
    EXPECT_NE(page.find("<th scope=\"row\">" + markup(name) + "</th>"), std::string::npos) << name;
  }
  EXPECT_EQ(page.find("<script>alert"), std::string::npos);
  EXPECT_EQ(page.find("</script><b>"), std::string::npos);
  EXPECT_NE(page.find("<title>What mobilenet_v1 costs &amp; &lt;why&gt;</title>"), std::string::npos);
  const Json data = data_of(page);
  EXPECT_EQ(data[0]["x"]["categories"][2], kNastyNames[0]);
  EXPECT_EQ(data[0]["x"]["categories"][10], kNastyNames[2]);
}

TEST(Html, TablesHaveFullFiguresAndWhatSortingGoesBy) {
  const std::string page = own_text(to_html(sample_document()));
  EXPECT_NE(page.find("<td data-v=\"2209792\" title=\"2,209,792 B\" class=\"n\">2.1 MiB</td>"), std::string::npos);
  EXPECT_NE(page.find("<td data-v=\"10838016\" style=\"--share:0.211\" class=\"n bar\">10,838,016</td>"),
            std::string::npos);
  EXPECT_NE(page.find("<th scope=\"col\" class=\"n\">MACs</th>"), std::string::npos);
  EXPECT_NE(page.find("<tfoot>\n<tr><th scope=\"row\">all</th><td>-</td><td data-v=\"568740352\" class=\"n\">"),
            std::string::npos);
}

TEST(Html, PlotsHaveTheirDataTheirWordsAndAPicture) {
  const std::string page = own_text(to_html(sample_document()));
  const Json data = data_of(page);
  ASSERT_EQ(data.size(), 7U);
  for (const Json& figure : data) {
    const auto id = figure["id"].get<std::string>();
    EXPECT_NE(page.find("<div class=\"plot\" data-figure=\"" + id + "\"><div class=\"still\"><svg "), std::string::npos)
        << id;
    EXPECT_NE(page.find("<p id=\"" + id + "-words\">"), std::string::npos) << id;
  }
  EXPECT_EQ(data[0]["series"][0]["text"][0], "conv_1: 10,838,016");
  EXPECT_EQ(data[2]["y"]["title"], "Activations in use (MiB)");
  EXPECT_EQ(data[2]["series"][0]["text"][3], "Step of the plan 3: 4,816,896 B");
  EXPECT_NEAR(data[2]["series"][0]["y"][3].get<double>(), 4'816'896.0 / (1 << 20), 1e-9);
  EXPECT_EQ(data[3]["series"][0]["y"][0], nullptr) << "nothing to draw";
  EXPECT_EQ(data[6]["x"]["octaves"], true);
  EXPECT_EQ(data[6]["series"][1]["bound"], true);
}

TEST(Html, PicturesOfLargePagesAreLeftOutFromTheLastOn) {
  const Document document = sample_document();
  std::vector<const Figure*> figures;
  for (const Section& section : document.sections) {
    for (const Figure& figure : section.figures) figures.push_back(&figure);
  }
  const std::vector<std::string> all = stills_within(figures, kPageBytes);
  for (const std::string& still : all) EXPECT_FALSE(still.empty());
  const std::vector<std::string> one = stills_within(figures, all[0].size());
  EXPECT_FALSE(one[0].empty());
  EXPECT_EQ(one[1].empty(), has_interactive_plots()) << "without the library the picture is all there is";
}

/// A network of that many convolutions, each larger than the one before, with names of that many letters.
NetworkReport network_of(std::size_t layers, std::size_t letters) {
  NetworkReport report{.name = "large", .cost = {}};
  for (std::size_t i = 0; i < layers; ++i) {
    LayerCost layer{.node = i, .op = "conv2d", .kind = LayerKind::kConvolution};
    layer.name = format("{}/{}", std::string(letters, 'n'), i);
    layer.cost.macs = 1000 + i;
    layer.cost.nominal = {.multiplications = 1000 + i, .additions = 1000};
    layer.cost.parameters.weights = 10 + i;
    layer.cost.read_bytes = 4096;
    layer.live_bytes = 8192 + i;
    report.cost.total = report.cost.total + layer.cost;
    report.cost.layers.push_back(std::move(layer));
  }
  report.cost.peak_bytes = 8191 + layers;
  report.planned = 9000;
  for (const Convention convention : conventions()) report.counts.emplace_back(convention, ConventionCount{});
  Machine machine;
  machine.processor = "Test";
  machine.flops = machine.all_flops = 1e11;
  machine.levels = {{"memory", std::size_t{1} << 30, 1e10, 1e10}};
  predict_all(report, machine, 1);
  return report;
}

TEST(Html, PagesOfAnyNetworkStaySmallAndSayWhatTheyLeaveOut) {
  struct Case {
    const char* why;
    std::size_t layers, letters;
    bool whole;
  };
  const Case cases[] = {{"an ordinary network", 100, 40, true},
                        {"400 layers with long names", 400, 900, true},
                        {"20,000 layers", 20'000, 40, false},
                        {"20,000 with long names", 20'000, 500, false}};
  for (const Case& test : cases) {
    SCOPED_TRACE(test.why);
    const Document document = to_document(network_of(test.layers, test.letters), true, true);
    const std::string page = to_html(document);
    EXPECT_LT(page.size(), kPageBytes);
    const Json data = data_of(page);
    const auto drawn = data[1]["x"]["categories"].size();
    EXPECT_EQ(drawn == test.layers, test.whole);
    EXPECT_EQ(page.find("Of 20,000 rows the ") == std::string::npos, test.whole);
    EXPECT_EQ(page.find("Of these 20,000 the ") == std::string::npos, test.whole);
    // The last layer is the largest: it is always there, in plots at their end.
    EXPECT_TRUE(data[1]["x"]["categories"][drawn - 1].get<std::string>().ends_with(format("/{}", test.layers - 1)));
    EXPECT_NE(own_text(page).find(format("{}</th>", test.layers - 1)), std::string::npos);
  }
}

TEST(Html, TheRatioPlotHasTheFloorOfEachLine) {
  const Figure figure = ratio_over_kernel();
  const Series& floors = figure.series.back();
  EXPECT_EQ(floors.name, "floors 1 / N");
  EXPECT_TRUE(floors.bound);
  std::vector<double> heights;
  for (std::size_t i = 0; i < floors.y.size(); i += 3) {
    EXPECT_EQ(floors.x[i], 1);
    EXPECT_EQ(floors.x[i + 1], 11);
    EXPECT_EQ(floors.y[i], floors.y[i + 1]);
    heights.push_back(floors.y[i]);
  }
  EXPECT_EQ(heights,
            (std::vector<double>{1.0 / 8, 1.0 / 16, 1.0 / 32, 1.0 / 64, 1.0 / 128, 1.0 / 256, 1.0 / 512, 1.0 / 1024}));
  EXPECT_EQ(figure.series.size(), 10u) << "one legend entry for all";
}

LayerReport layer_report(const char* layer, double speedup) {
  LayerReport report{.comparison = compare(parse_conv_layer(layer))};
  report.measured = MeasuredComparison{};
  report.measured->measured.speedup = speedup;
  report.measured->promised = 1 / report.comparison.mac_ratio();
  report.measured->kept = speedup / report.measured->promised;
  return report;
}

TEST(LayerReport, ItsLeadReadsWell) {
  struct Case {
    const char* why;
    const char* layer;
    double speedup;
    const char* part;
  };
  const Case cases[] = {
      {"a promise of a speed-up", "in=512,out=512,kernel=3,size=14", 4.5,
       "Measured with 1 thread: 4.500 times as fast, where the MACs promise 8.845 times; 50.88 % of the promise is "
       "kept."},
      {"a promise of a slow-down", "in=8,out=1,kernel=3,size=14", 0.8,
       "Measured with 1 thread: it takes 1.250 times as long, where the MACs foretell 1.111 times."},
      {"a bad deal", "in=8,out=1,kernel=3,size=14,multiplier=2147483647", 0.5,
       "it costs 2,386,092,941 times the MACs: here separating does not pay."}};
  for (const Case& test : cases) {
    SCOPED_TRACE(test.why);
    const std::string lead = to_document(layer_report(test.layer, test.speedup), false).lead;
    EXPECT_NE(lead.find(test.part), std::string::npos) << lead;
  }
}

TEST(Html, PagesSayWhetherTheirPlotsMove) {
  const std::string page = to_html(sample_document());
  EXPECT_EQ(page.find("plots of this page are still pictures") == std::string::npos, has_interactive_plots());
  EXPECT_EQ(page.find("Licensed under the MIT license") != std::string::npos, has_interactive_plots());
}

}  // namespace
}  // namespace sepal::report
