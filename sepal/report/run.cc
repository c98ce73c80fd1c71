// The history of a run as curves and tables. Steps are many and noisy, so a curve has at most some hundred points, each
// the mean of a stretch of them; epochs stand where their last step does, so both share one axis.

#include "sepal/report/run.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "sepal/base/text.h"
#include "sepal/report/evaluation.h"
#include "sepal/report/network_report.h"
#include "sepal/report/numbers.h"

namespace sepal::report {
namespace {

constexpr std::size_t kPoints = 500;  // of a curve over steps

std::uint64_t unsigned_of(std::int64_t count) { return static_cast<std::uint64_t>(std::max<std::int64_t>(count, 0)); }

/// "1 h 2 min", "12 min 34 s", "42.1 s".
std::string duration(double seconds) {
  if (!(seconds >= 60)) return format("{:.1f} s", seconds);
  const auto whole = std::llround(seconds);
  if (whole < 3600) return format("{} min {} s", whole / 60, whole % 60);
  return format("{} h {} min", whole / 3600, whole / 60 % 60);
}

/// Records of neighbouring steps as one: the mean of what they saw, at the last of them.
struct Stretches {
  std::size_t length = 1;  ///< records in each
  std::vector<StepRecord> records;
};

Stretches stretches_of(const std::vector<StepRecord>& steps) {
  Stretches result;
  result.length = std::max<std::size_t>((steps.size() + kPoints - 1) / kPoints, 1);
  for (std::size_t first = 0; first < steps.size(); first += result.length) {
    const std::size_t end = std::min(first + result.length, steps.size());
    StepRecord mean = steps[end - 1];
    const auto mean_of = [&](double StepRecord::* value) {
      double sum = 0;
      for (std::size_t i = first; i < end; ++i) sum += steps[i].*value;
      return sum / static_cast<double>(end - first);
    };
    mean.loss = mean_of(&StepRecord::loss);
    mean.accuracy = mean_of(&StepRecord::accuracy);
    mean.images_per_second = mean_of(&StepRecord::images_per_second);
    result.records.push_back(mean);
  }
  return result;
}

/// A quantity that steps and epochs both have.
struct Quantity {
  const char* id;
  const char* title;
  const char* axis;
  Unit unit;
  double StepRecord::* step;
  double EpochRecord::* train;
  double EpochRecord::* validation;
  bool small;  ///< the smaller the better
};

constexpr Quantity kLoss = {
    "loss", "Loss", "cross-entropy", Unit::kRatio, &StepRecord::loss, &EpochRecord::train_loss, &EpochRecord::loss,
    true};
constexpr Quantity kAccuracy = {"accuracy",
                                "Accuracy",
                                "images told right",
                                Unit::kShare,
                                &StepRecord::accuracy,
                                &EpochRecord::train_accuracy,
                                &EpochRecord::accuracy,
                                false};

Axis step_axis() { return {.title = "step", .unit = Unit::kCount}; }

/// Epochs are counted from 1 where people read them.
std::string place_text(std::int64_t epoch, std::int64_t step) {
  return format("epoch {}, step {}", epoch + 1, grouped_count(unsigned_of(step)));
}

void add(Series& series, std::int64_t epoch, std::int64_t step, double value, Unit unit) {
  series.x.push_back(static_cast<double>(step));
  series.y.push_back(value);
  series.exact.push_back(format("{}: {}", place_text(epoch, step), to_readable(value, unit)));
}

/// The epoch that did best on the images held back, or null where no epoch was measured.
const EpochRecord* best_of(const std::vector<EpochRecord>& epochs, const Quantity& quantity) {
  const EpochRecord* best = nullptr;
  for (const EpochRecord& epoch : epochs) {
    const double value = epoch.*quantity.validation;
    if (!std::isfinite(value)) continue;
    const bool better =
        best == nullptr || (quantity.small ? value < best->*quantity.validation : value > best->*quantity.validation);
    if (better) best = &epoch;
  }
  return best;
}

Figure curves(const History& history, const Stretches& stretches, const Quantity& quantity) {
  Figure figure{.id = quantity.id,
                .title = quantity.title,
                .alternative = {},
                .x = step_axis(),
                .y = {.title = quantity.axis, .unit = quantity.unit, .tight = true}};
  Series steps{.name = "training, by step"};
  for (const StepRecord& record : stretches.records) {
    add(steps, record.epoch, record.step, record.*quantity.step, quantity.unit);
  }
  Series train{.name = "training, by epoch"};
  Series validation{.name = "validation, by epoch"};
  for (const EpochRecord& epoch : history.epochs) {
    add(train, epoch.epoch, epoch.step, epoch.*quantity.train, quantity.unit);
    add(validation, epoch.epoch, epoch.step, epoch.*quantity.validation, quantity.unit);
  }
  const auto text = [&](double value) { return to_readable(value, quantity.unit); };
  figure.alternative = "Lines over the steps of the run.";
  if (!steps.y.empty()) {
    figure.alternative += format(" In training from {} to {}.", text(steps.y.front()), text(steps.y.back()));
  }
  if (const EpochRecord* best = best_of(history.epochs, quantity)) {
    figure.alternative +=
        format(" On the images held back {} at the end, at best {} after epoch {}.",
               text(history.epochs.back().*quantity.validation), text(best->*quantity.validation), best->epoch + 1);
  }
  if (stretches.length > 1) {
    figure.alternative += format(" Each point by step is the mean of {} records.", stretches.length);
  }
  for (Series* series : {&steps, &train, &validation}) {
    if (!series->x.empty()) figure.series.push_back(std::move(*series));
  }
  return figure;
}

Figure rate_figure(const Stretches& stretches) {
  Series rate{.name = "learning rate"};
  for (const StepRecord& record : stretches.records) {
    rate.x.push_back(static_cast<double>(record.step));
    rate.y.push_back(record.rate);
    rate.exact.push_back(format("{}: {:.6g}", place_text(record.epoch, record.step), record.rate));
  }
  const auto [least, most] = std::ranges::minmax(rate.y);
  return {.id = "rate",
          .title = "Learning rate",
          .alternative = format("A line over the steps of the run, between {:.4g} and {:.4g}; {:.4g} at the end.",
                                least, most, rate.y.back()),
          .x = step_axis(),
          .y = {.title = "learning rate"},
          .series = {std::move(rate)}};
}

Table epoch_table(const History& history) {
  Table table{.id = "epochs",
              .title = "Epochs",
              .columns = {{"epoch", Unit::kCount},
                          {"steps so far", Unit::kCount},
                          {"training loss", Unit::kRatio},
                          {"training accuracy", Unit::kShare},
                          {"validation loss", Unit::kRatio},
                          {"validation accuracy", Unit::kShare, true},
                          {"time", Unit::kSeconds}}};
  for (const EpochRecord& epoch : history.epochs) {
    table.rows.push_back({unsigned_of(epoch.epoch + 1), unsigned_of(epoch.step), epoch.train_loss, epoch.train_accuracy,
                          epoch.loss, epoch.accuracy, epoch.seconds});
  }
  table.note =
      "Validation is on images held back from training. Training loss and accuracy are means over the epoch, while the "
      "network changed, on images as augmentation left them.";
  return table;
}

/// The mean over the run, or nothing.
std::optional<double> speed_of(const History& history) {
  double sum = 0;
  for (const StepRecord& record : history.steps) sum += record.images_per_second;
  if (sum <= 0) return std::nullopt;
  return sum / static_cast<double>(history.steps.size());
}

Table facts_table(const History& history, const Evaluation* test) {
  Table table{.id = "run", .title = {}, .columns = {{"run"}, {"value"}}};
  const auto row = [&](const char* what, std::string value) { table.rows.push_back({what, std::move(value)}); };
  row("network", history.network);
  row("data", history.classes.empty()
                  ? history.data
                  : format("{}, {}", history.data,
                           history.classes.size() == 1 ? "1 class"
                                                       : format("{} classes", grouped_count(history.classes.size()))));
  if (!history.command.empty()) row("command", history.command);
  row("parameters", grouped_count(unsigned_of(history.parameters)));
  row("MACs of an image", grouped_count(unsigned_of(history.macs)));
  row("epochs", grouped_count(history.epochs.size()));
  if (!history.steps.empty()) row("steps", grouped_count(unsigned_of(history.steps.back().step)));
  row("time", duration(history.seconds));
  if (const std::optional<double> speed = speed_of(history)) {
    row("speed of training", format("{} images a second", to_readable(std::round(*speed), Unit::kCount)));
  }
  if (const EpochRecord* best = best_of(history.epochs, kAccuracy)) {
    row("best accuracy on the images held back",
        format("{} after epoch {}", to_readable(best->accuracy, Unit::kShare), best->epoch + 1));
  }
  if (test != nullptr) {
    row("accuracy on the test images",
        format("{} of {}", to_readable(test->accuracy, Unit::kShare), grouped_count(unsigned_of(test->images))));
    row("loss on the test images", to_readable(test->loss, Unit::kRatio));
  }
  return table;
}

std::string lead_of(const History& history, const Evaluation* test) {
  std::string text = test != nullptr ? format("{} after ", accuracy_sentence(*test)) : std::string("After ");
  if (!history.whole) text = test != nullptr ? text + "a part of its run, " : "Stopped after ";
  text += format("{} in {}", with_noun(history.epochs.size(), "epoch"), duration(history.seconds));
  return text + format(", by {} parameters and {} MACs an image.", grouped_count(unsigned_of(history.parameters)),
                       grouped_count(unsigned_of(history.macs)));
}

}  // namespace

Document to_document(const History& history, const Evaluation* test, const NetworkCost& cost, bool plots) {
  Document document{.title = format("{} on {}", history.network.substr(0, history.network.find(':')), history.data),
                    .lead = lead_of(history, test)};
  document.sections.push_back({.title = "Run", .tables = {facts_table(history, test)}});
  Section learning{.title = "Learning"};
  if (plots && !(history.steps.empty() && history.epochs.empty())) {
    const Stretches stretches = stretches_of(history.steps);
    learning.figures = {curves(history, stretches, kLoss), curves(history, stretches, kAccuracy)};
    if (!stretches.records.empty()) learning.figures.push_back(rate_figure(stretches));
  }
  if (!history.epochs.empty()) learning.tables.push_back(epoch_table(history));
  if (!learning.figures.empty() || !learning.tables.empty()) document.sections.push_back(std::move(learning));
  if (test != nullptr) {
    for (Section& section : evaluation_sections(*test, history.classes, plots)) {
      document.sections.push_back(std::move(section));
    }
  }
  document.sections.push_back({.title = "Cost of an image", .tables = {kind_table(cost)}});
  return document;
}

std::string run_html(const History& history, const Evaluation* test, const NetworkCost& cost) {
  return to_html(to_document(history, test, cost, true));
}

}  // namespace sepal::report
