// What is said of timings that are known.

#include "sepal/report/bench_report.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "sepal/report/numbers.h"

namespace sepal::report {
namespace {

/// Two steps that are one block, 40 ms and 10 ms, and a third; the standard network takes 400 ms for the block.
BenchReport sample(Against against) {
  BenchReport report{.model = "net",
                     .batch = 2,
                     .threads = 1,
                     .fuse = true,
                     .target = "AVX9",
                     .machine = {.processor = "Pocket 7",
                                 .cores = 4,
                                 .target = "AVX9",
                                 .flops = 1e9,
                                 .all_flops = 4e9,
                                 .levels = {{"L1", 1024, 1e10, 4e10}, {"memory", 1 << 30, 1e9, 2e9}}},
                     .load_seconds = 0.25,
                     .timing = {}};
  report.timing = {.whole = {.best = 0.09, .median = 0.1, .spread = 0.05, .rounds = 7, .runs = 3},
                   .steps = {{.node = "b1/depthwise",
                              .kernel = "depthwise f32",
                              .seconds = 0.04,
                              .macs = 2'000'000,
                              .flops = 4'000'000,
                              .bytes = 8'000'000,
                              .predicted = {0.008, 0.004, 0.008, Bound::kMemory}},
                             {.node = "b1/pointwise",
                              .kernel = "pointwise f32",
                              .seconds = 0.01,
                              .macs = 4'000'000,
                              .flops = 8'000'000,
                              .bytes = 1'000'000,
                              .predicted = {0.008, 0.008, 0.001, Bound::kCompute}},
                             {.node = "pool",
                              .kernel = "pool f32",
                              .seconds = 0.05,
                              .macs = 0,
                              .flops = 1000,
                              .bytes = 4000,
                              .predicted = {4e-6, 1e-6, 4e-6, Bound::kMemory}}},
                   .macs = 20'000'000,
                   .plan_seconds = 0.125};
  const bool standard = against == Against::kStandard;
  report.rival = {.against = against,
                  .timing = {.whole = {.best = 0.4, .median = 0.5, .spread = 0.01, .rounds = 7, .runs = 1},
                             .steps = {{.node = "b1/pointwise", .kernel = "direct f32", .seconds = 0.4}},
                             .macs = standard ? 200'000'000U : 20'000'000U,
                             .plan_seconds = 0.1},
                  .speedup = 5,
                  .promised = standard ? 10.0 : 1.0};
  report.rival->parts = {{.name = "b1/depthwise + pointwise",
                          .steps = {{0}, {1}},
                          .opponents = {{0}},
                          .seconds = 0.05,
                          .opponent_seconds = 0.4,
                          .speedup = 8,
                          .macs = 6'000'000,
                          .opponent_macs = standard ? 60'000'000U : 6'000'000U}};
  if (standard) return report;
  report.rival->parts.push_back(
      {.name = "pool", .steps = {{2}}, .opponents = {{1}}, .seconds = 0.05, .opponent_seconds = 0.05, .speedup = 1});
  return report;
}

const Table& table(const Document& document, std::string_view id) {
  for (const Section& section : document.sections) {
    const auto found = std::ranges::find(section.tables, id, &Table::id);
    if (found != section.tables.end()) return *found;
  }
  throw std::out_of_range(std::string(id));
}

/// A row as people read it.
std::string shown(const Table& table, std::size_t row) {
  std::string text;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    text += (i == 0 ? "" : "|") + to_readable(table.rows[row][i], table.columns[i].unit);
  }
  return text;
}

std::vector<std::string> figures(const Document& document) {
  std::vector<std::string> ids;
  for (const Section& section : document.sections) {
    for (const Figure& figure : section.figures) ids.push_back(figure.id);
  }
  return ids;
}

const Figure& figure(const Document& document, std::string_view id) {
  for (const Section& section : document.sections) {
    const auto found = std::ranges::find(section.figures, id, &Figure::id);
    if (found != section.figures.end()) return *found;
  }
  throw std::out_of_range(std::string(id));
}

TEST(BenchReport, SaysWhatThePromiseCameTo) {
  const Document document = to_document(sample(Against::kStandard), false);
  EXPECT_EQ(document.lead,
            "One run takes 100 ms, which is 0.4 GFLOP/s: 40.00 % of the peak of Pocket 7 with 1 thread. The same in "
            "standard convolutions takes 500 ms: this is 5.00 times as fast, where the MACs promise 10.00 times; "
            "50.00 % of the promise is kept. The standard network runs at 80.00 % of the peak.");
  const Table& blocks = table(document, "blocks");
  ASSERT_EQ(blocks.rows.size(), 1u);
  EXPECT_EQ(shown(blocks, 0), "b1/depthwise + pointwise|400 ms|50 ms|8.000|10.00|80.00 %|30.00 %");
  const Table& steps = table(document, "steps");
  ASSERT_EQ(steps.rows.size(), 3u);
  EXPECT_EQ(shown(steps, 0), "b1/depthwise|depthwise f32|40 ms|40.00 %|0.1000|10.00 %|memory|8 ms|8.000|80.00 %");
  EXPECT_EQ(shown(steps, 2), "pool|pool f32|50 ms|50.00 %|-|-|memory|4 us|-|-");
  EXPECT_TRUE(figures(document).empty());
}

TEST(BenchReport, OtherRivalsPromiseNothing) {
  const Document unfused = to_document(sample(Against::kUnfused), true);
  EXPECT_NE(unfused.lead.find("The same with every operator by itself takes 500 ms: this is 5.00 times as fast."),
            std::string::npos);
  EXPECT_EQ(table(unfused, "blocks").rows.size(), 2u);
  EXPECT_EQ(table(unfused, "blocks").columns.size(), 4u);
  EXPECT_EQ(table(unfused, "steps").columns.back().name, "speed-up");
  EXPECT_EQ(figures(unfused), (std::vector<std::string>{"against", "time-by-step", "roofline"}));
  EXPECT_NE(to_document(sample(Against::kReference), false).lead.find("The same by the reference kernels takes"),
            std::string::npos);
}

TEST(BenchReport, FiguresHoldEveryStepAndBlock) {
  const Document document = to_document(sample(Against::kStandard), true);
  EXPECT_EQ(figures(document), (std::vector<std::string>{"against", "promise-kept", "time-by-step", "roofline"}));
  const Figure& times = figure(document, "time-by-step");
  EXPECT_EQ(times.x.categories, (std::vector<std::string>{"b1/depthwise", "b1/pointwise", "pool"}));
  ASSERT_EQ(times.series.size(), 4u) << "a kernel each, and the least time";
  EXPECT_EQ(times.series[0].name, "pool f32") << "the longest first";
  EXPECT_EQ(times.series[3].y, (std::vector<double>{0.008, 0.008, 4e-6}));
  const Figure& roofline = figure(document, "roofline");
  ASSERT_EQ(roofline.series.size(), 5u) << "three kernels under two ceilings";
  EXPECT_EQ(roofline.series[2].x, std::vector<double>{8});
  EXPECT_EQ(roofline.series[2].y, std::vector<double>{8e8}) << "as measured, not as predicted";
  EXPECT_EQ(figure(document, "against").series[0].y, std::vector<double>{0.4});
  EXPECT_EQ(figure(document, "against").x.categories, std::vector<std::string>{"b1"});
  EXPECT_EQ(figure(document, "promise-kept").series[0].y, std::vector<double>{0.8});
}

TEST(BenchReport, BlocksOfOneNameAreToldInFull) {
  BenchReport report = sample(Against::kStandard);
  report.rival->parts.push_back(report.rival->parts[0]);
  report.rival->parts.back().name = "b1/other + pointwise";
  EXPECT_EQ(figure(to_document(report, true), "against").x.categories,
            (std::vector<std::string>{"b1/depthwise + pointwise", "b1/other + pointwise"}));
}

TEST(BenchReport, AStepIsOfTheBlockThatItComputesMostOf) {
  BenchReport report = sample(Against::kStandard);
  report.rival->parts[0].steps[1].share = 0.25;
  PartTiming next = report.rival->parts[0];
  next.steps = {{1, 0.75}};
  report.rival->parts.push_back(next);
  EXPECT_EQ(part_with(report, 0), &report.rival->parts[0]);
  EXPECT_EQ(part_with(report, 1), &report.rival->parts[1]);
  EXPECT_EQ(part_with(report, 2), nullptr);
}

TEST(BenchReport, ARunAlone) {
  BenchReport report = sample(Against::kStandard);
  report.rival = {};
  report.timing.steps.clear();
  report.fuse = false;
  const Document document = to_document(report, true);
  EXPECT_TRUE(figures(document).empty());
  EXPECT_EQ(table(document, "run").columns.size(), 2u);
  EXPECT_EQ(
      table(document, "run")
          .note.find("Instruction set AVX9, 1 thread, batch 2, every operator in a step by itself. Loaded in 250 ms, "
                     "planned in 125 ms."),
      0u);
  const Json json = to_json(report);
  EXPECT_FALSE(json.contains("against"));
  EXPECT_FALSE(json.contains("steps"));
  EXPECT_EQ(json["fused"], false);
}

TEST(BenchReport, JsonHoldsTheSame) {
  const Json json = to_json(sample(Against::kStandard));
  EXPECT_EQ(json["load_ms"], 250);
  EXPECT_EQ(json["plan_ms"], 125);
  EXPECT_EQ(json["runs"], 21);
  EXPECT_DOUBLE_EQ(json["peak_share"].get<double>(), 0.4);
  const Json& against = json["against"];
  EXPECT_EQ(against["form"], "standard");
  EXPECT_EQ(against["median_ms"], 500);
  EXPECT_EQ(against["speedup"], 5);
  EXPECT_EQ(against["promised"], 10);
  EXPECT_EQ(against["kept"], 0.5);
  ASSERT_EQ(against["blocks"].size(), 1u);
  EXPECT_EQ(against["blocks"][0]["against_ms"], 400);
  EXPECT_EQ(against["blocks"][0]["kept"], 0.8);
  EXPECT_DOUBLE_EQ(against["blocks"][0]["against_peak_share"].get<double>(), 0.3);
  EXPECT_EQ(json["steps"][1]["kept"], 0.8);
  EXPECT_FALSE(json["steps"][2].contains("speedup"));
  EXPECT_EQ(against["blocks"][0]["steps"][1], Json({{"step", 1}, {"share", 1.0}}));
  const Json unfused = to_json(sample(Against::kUnfused));
  EXPECT_FALSE(unfused["against"].contains("kept"));
  EXPECT_EQ(unfused["against"]["blocks"].size(), 2u);
  EXPECT_FALSE(unfused["steps"][0].contains("kept"));
  EXPECT_EQ(unfused["steps"][2]["speedup"], 1);
}

}  // namespace
}  // namespace sepal::report
