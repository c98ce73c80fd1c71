// How long a network takes as tables: the run, its blocks beside their rivals, its steps. Plots are in
// bench_figures.cc, JSON in bench_json.cc.

#include "sepal/report/bench_report.h"

#include <algorithm>

#include "sepal/base/text.h"
#include "sepal/report/bench_figures.h"
#include "sepal/report/numbers.h"

namespace sepal::report {
namespace {

std::string time_text(double seconds) { return format("{:.4g} ms", seconds * 1e3); }
std::string share_text(double share) { return to_readable(share, Unit::kShare); }

/// The number, where it is there.
Cell number_if(bool there, double value) {
  if (!there) return {};
  return value;
}

/// Facts of the run, and of the rival where there is one.
Table run_table(const BenchReport& report) {
  std::vector<const NetworkTiming*> timings = {&report.timing};
  Table table{.id = "run", .title = {}, .columns = {{"run"}, {"value"}}};
  if (report.rival) {
    timings.push_back(&report.rival->timing);
    table.columns = {{"run"}, {"this plan"}, {std::string(name_of(report.rival->against))}};
  }
  const auto row = [&](const char* what, auto value) {
    std::vector<Cell> cells = {what};
    for (const NetworkTiming* timing : timings) cells.emplace_back(std::string(value(*timing)));
    table.rows.push_back(std::move(cells));
  };
  row("fastest", [](const NetworkTiming& timing) { return time_text(timing.whole.best); });
  row("median", [](const NetworkTiming& timing) { return time_text(timing.whole.median); });
  row("spread", [](const NetworkTiming& timing) { return share_text(timing.whole.spread); });
  row("rounds", [](const NetworkTiming& timing) {
    return format("{} of {}", timing.whole.rounds, with_noun(static_cast<std::uint64_t>(timing.whole.runs), "run"));
  });
  row("MACs", [](const NetworkTiming& timing) { return to_readable(timing.macs, Unit::kCount); });
  row("rate", [&](const NetworkTiming& timing) { return format("{:.1f} GFLOP/s", report.rate_of(timing) * 1e-9); });
  row("of this machine's peak",
      [&](const NetworkTiming& timing) { return share_text(report.share_of(report.rate_of(timing))); });
  table.note = format(
      "Instruction set {}, {}, batch {}{}. Loaded in {}, planned in {}. Spread is the distance of the "
      "5th from the 95th percentile of rounds, over the median.",
      report.target, threads_text(report.threads), report.batch,
      report.fuse ? "" : ", every operator in a step by itself", time_text(report.load_seconds),
      time_text(report.timing.plan_seconds));
  return table;
}

Table block_table(const BenchReport& report) {
  const Rival& rival = *report.rival;
  const bool standard = promises(rival);
  Table table{.id = "blocks",
              .title = {},
              .columns = {{standard ? "block" : "step"},
                          {standard ? "standard takes" : format("{} takes", name_of(rival.against)), Unit::kSeconds},
                          {standard ? "separable takes" : "this plan takes", Unit::kSeconds},
                          {"speed-up", Unit::kRatio}}};
  if (standard) {
    table.columns.insert(
        table.columns.end(),
        {{"promised", Unit::kRatio}, {"promise kept", Unit::kShare, true}, {"standard of peak", Unit::kShare}});
    table.note =
        "promised: the MACs of the standard convolution over those of the pair. promise kept: measured "
        "speed-up / promised. What a step of several blocks takes is divided as its operators take in steps of their "
        "own.";
  }
  for (const PartTiming& part : rival.parts) {
    std::vector<Cell> row = {part.name, part.opponent_seconds, part.seconds, part.speedup};
    if (standard) {
      row.insert(row.end(), {part.promised(), part.kept(),
                             report.share_of(2 * static_cast<double>(part.opponent_macs) / part.opponent_seconds)});
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

Table step_table(const BenchReport& report) {
  const bool standard = report.rival && promises(*report.rival);
  Table table{.id = "steps",
              .title = {},
              .columns = {{"step"},
                          {"kernel"},
                          {"time", Unit::kSeconds},
                          {"share", Unit::kShare, true},
                          {"GFLOP/s", Unit::kRatio},
                          {"of peak", Unit::kShare},
                          {"bound"},
                          {"at least", Unit::kSeconds}}};
  if (report.rival) table.columns.push_back({"speed-up", Unit::kRatio});
  if (standard) table.columns.push_back({"promise kept", Unit::kShare});
  double sum = 0;
  for (const StepTiming& step : report.timing.steps) sum += step.seconds;
  for (std::size_t i = 0; i < report.timing.steps.size(); ++i) {
    const StepTiming& step = report.timing.steps[i];
    const double rate = 2 * static_cast<double>(step.macs) / step.seconds;
    std::vector<Cell> row = {step.node,
                             step.kernel,
                             step.seconds,
                             step.seconds / sum,
                             number_if(step.macs > 0, rate * 1e-9),
                             number_if(step.macs > 0, report.share_of(rate)),
                             step.predicted.bound == Bound::kCompute ? "compute" : "memory",
                             step.predicted.seconds};
    const PartTiming* part = part_with(report, i);
    if (report.rival) row.push_back(number_if(part != nullptr, part != nullptr ? part->speedup : 0));
    if (standard) row.push_back(number_if(part != nullptr, part != nullptr ? part->kept() : 0));
    table.rows.push_back(std::move(row));
  }
  table.total = std::vector<Cell>(table.columns.size());
  table.total[0] = "all steps";
  table.total[2] = sum;
  table.note =
      "at least: the longer of the time of its arithmetic and of its traffic at the ceilings of this machine; "
      "bound: which of the two that is.";
  if (report.rival) table.note += " speed-up and promise kept are those of the block that a step computes most of.";
  return table;
}

std::string rival_sentence(const BenchReport& report, const Rival& rival) {
  std::string text = format(" The same {} takes {}: this is {:.2f} times as fast", phrase_of(rival.against),
                            time_text(rival.timing.whole.median), rival.speedup);
  if (promises(rival)) {
    text += format(
        ", where the MACs promise {:.2f} times; {} of the promise is kept. The standard network runs at {} of "
        "the peak",
        rival.promised, share_text(rival.kept()), share_text(report.share_of(report.rate_of(rival.timing))));
  }
  return text + ".";
}

void add_rival(const BenchReport& report, bool plots, Document& document) {
  const Rival& rival = *report.rival;
  if (rival.parts.empty()) return;
  Section section{.title = format("Against {}", name_of(rival.against)), .tables = {block_table(report)}};
  if (plots) section.figures.push_back(against_figure(report));
  if (plots && promises(rival)) section.figures.push_back(kept_figure(report));
  document.sections.push_back(std::move(section));
}

}  // namespace

const PartTiming* part_with(const BenchReport& report, std::size_t step) {
  const PartTiming* most = nullptr;
  double share = 0;
  if (!report.rival) return most;
  for (const PartTiming& part : report.rival->parts) {
    const auto found = std::ranges::find(part.steps, step, &Portion::step);
    if (found == part.steps.end() || found->share <= share) continue;
    most = &part;
    share = found->share;
  }
  return most;
}

std::string_view phrase_of(Against against) {
  switch (against) {
    case Against::kStandard:
      return "in standard convolutions";
    case Against::kUnfused:
      return "with every operator by itself";
    case Against::kReference:
      return "by the reference kernels";
  }
  return "";
}

Document to_document(const BenchReport& report, bool plots) {
  const double rate = report.rate_of(report.timing);
  Document document{.title = report.model, .lead = {}, .sections = {}};
  document.lead = format("One run takes {}, which is {:.1f} GFLOP/s: {} of the peak of {} with {}.",
                         time_text(report.timing.whole.median), rate * 1e-9, share_text(report.share_of(rate)),
                         report.machine.processor, threads_text(report.threads));
  if (report.rival) document.lead += rival_sentence(report, *report.rival);
  document.sections.push_back({.title = "Run", .tables = {run_table(report)}});
  if (report.rival) add_rival(report, plots, document);
  if (report.timing.steps.empty()) return document;
  Section steps{.title = "By step", .tables = {step_table(report)}};
  if (plots) steps.figures.push_back(time_figure(report));
  document.sections.push_back(std::move(steps));
  if (plots) {
    document.sections.push_back(
        {.title = "Roofline",
         .paragraphs = {"Each step at the rate that was measured. Under a slope it waits for that level of memory, "
                        "under the flat roof for arithmetic; traffic is what has to move if caches kept all else, so a "
                        "step whose data lie in a cache may stand above the slope of memory."},
         .figures = {step_roofline(report)}});
  }
  return document;
}

}  // namespace sepal::report
