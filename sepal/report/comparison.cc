// A comparison as tables: the pair in one, the runs in another. Accuracies are given with the largest distance of a run
// from the mean, since three seeds are too few for a deviation.

#include "sepal/report/comparison.h"

#include "sepal/base/text.h"

namespace sepal::report {
namespace {

std::uint64_t unsigned_of(std::int64_t count) { return static_cast<std::uint64_t>(std::max<std::int64_t>(count, 0)); }

std::string_view equal_in(Budget budget) {
  switch (budget) {
    case Budget::kWidth:
      return "width";
    case Budget::kParameters:
      return "parameters";
    case Budget::kMacs:
      return "MACs";
    case Budget::kTime:
      break;
  }
  return "time of training";
}

/// "93.41 +- 0.12 %".
std::string with_spread(const Spread& spread) {
  return format("{:.2f} +- {:.2f} %", 100 * spread.mean, 100 * spread.most);
}

std::string verdict(const TrainingComparison& comparison) {
  const Spread separable = comparison.spread(false, &Outcome::accuracy);
  const Spread standard = comparison.spread(true, &Outcome::accuracy);
  const double difference = 100 * (separable.mean - standard.mean);
  const bool once = comparison.outcomes.size() <= 2;
  const bool apart = std::abs(separable.mean - standard.mean) > separable.most + standard.most;
  return format(
      "At equal {}, {} in separable convolutions tells {} of the test images right, in standard ones {}: {:+.2f} "
      "percentage points, {}.",
      equal_in(comparison.budget), to_string(comparison.pair.separable.spec), with_spread(separable),
      with_spread(standard), difference,
      once    ? "from one seed, which says nothing of chance"
      : apart ? "more than the seeds differ among themselves"
              : "no more than seeds differ among themselves");
}

std::vector<Cell> row_of(const TrainingComparison& comparison, const Contender& contender) {
  const auto mean = [&](double Outcome::* figure) { return comparison.spread(contender.standard, figure); };
  const Spread accuracy = mean(&Outcome::accuracy);
  return {contender.name,
          contender.spec.options.width,
          unsigned_of(contender.parameters),
          unsigned_of(contender.macs),
          accuracy.mean,
          accuracy.most,
          mean(&Outcome::loss).mean,
          mean(&Outcome::train_seconds).mean,
          mean(&Outcome::inference_seconds).mean};
}

Table pair_table(const TrainingComparison& comparison) {
  Table table{.id = "pair",
              .title = "The pair",
              .columns = {{"convolutions"},
                          {"width", Unit::kRatio},
                          {"parameters", Unit::kCount},
                          {"MACs", Unit::kCount},
                          {"accuracy", Unit::kShare},
                          {"spread", Unit::kShare},
                          {"loss", Unit::kRatio},
                          {"training", Unit::kSeconds},
                          {"inference", Unit::kSeconds}}};
  table.rows = {row_of(comparison, comparison.pair.separable), row_of(comparison, comparison.pair.standard)};
  table.note =
      "Means over seeds; spread is the largest distance of a run from the mean. MACs and inference are of one image "
      "(inference: the fastest of many runs), training is a whole run.";
  return table;
}

Table run_table(const TrainingComparison& comparison) {
  Table table{.id = "runs",
              .title = "Every run",
              .columns = {{"convolutions"},
                          {"seed", Unit::kCount},
                          {"epochs", Unit::kRatio},
                          {"accuracy", Unit::kShare},
                          {"loss", Unit::kRatio},
                          {"training", Unit::kSeconds},
                          {"inference", Unit::kSeconds}}};
  for (const Outcome& outcome : comparison.outcomes) {
    table.rows.push_back({std::string(outcome.standard ? "standard" : "separable"), outcome.seed, outcome.epochs,
                          outcome.accuracy, outcome.loss, outcome.train_seconds, outcome.inference_seconds});
  }
  return table;
}

Figure accuracy_figure(const TrainingComparison& comparison) {
  Figure figure{.id = "accuracy",
                .title = "Accuracy by seed",
                .alternative = verdict(comparison),
                .x = {.title = "seed", .unit = Unit::kCount},
                .y = {.title = "test images told right", .unit = Unit::kShare, .tight = true}};
  for (const bool standard : {false, true}) {
    Series series{.name = standard ? "standard" : "separable", .mark = Mark::kPoints};
    for (const Outcome& outcome : comparison.outcomes) {
      if (outcome.standard != standard) continue;
      series.x.push_back(static_cast<double>(outcome.seed));
      series.y.push_back(outcome.accuracy);
    }
    figure.series.push_back(std::move(series));
  }
  return figure;
}

}  // namespace

Document to_document(const TrainingComparison& comparison, bool plots) {
  Section pair{.title = "What they cost, and what they came to", .tables = {pair_table(comparison)}};
  if (plots) pair.figures = {accuracy_figure(comparison)};
  return {.title = format("Separable and standard convolutions on {}, equal {}", comparison.data,
                          equal_in(comparison.budget)),
          .lead = verdict(comparison),
          .sections = {std::move(pair), {.title = "Runs", .tables = {run_table(comparison)}}}};
}

Json to_json(const TrainingComparison& comparison) {
  Json json{{"data", comparison.data}, {"budget", name_of(comparison.budget)}};
  for (const Contender* contender : {&comparison.pair.separable, &comparison.pair.standard}) {
    const Spread accuracy = comparison.spread(contender->standard, &Outcome::accuracy);
    Json& one = json[contender->name];
    one = {{"network", to_string(contender->spec)},
           {"width", contender->spec.options.width},
           {"parameters", contender->parameters},
           {"macs", contender->macs},
           {"accuracy", accuracy.mean},
           {"accuracy_spread", accuracy.most},
           {"train_seconds", comparison.spread(contender->standard, &Outcome::train_seconds).mean},
           {"inference_seconds", comparison.spread(contender->standard, &Outcome::inference_seconds).mean}};
    one["runs"] = Json::array();
    for (const Outcome& outcome : comparison.outcomes) {
      if (outcome.standard != contender->standard) continue;
      one["runs"].push_back({{"seed", outcome.seed},
                             {"epochs", outcome.epochs},
                             {"accuracy", outcome.accuracy},
                             {"loss", outcome.loss},
                             {"train_seconds", outcome.train_seconds},
                             {"inference_seconds", outcome.inference_seconds}});
    }
  }
  return json;
}

}  // namespace sepal::report
