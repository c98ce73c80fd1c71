#include "cli/train_options.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <span>

#include "sepal/base/text.h"
#include "sepal/base/thread_pool.h"

// The options of sepal train, in one table: its rows are declared, kept in checkpoints and read back.

namespace sepal::cli {
namespace {

struct Row {
  const char* name;
  const char* value;
  const char* help;
  std::optional<std::string> TrainOptions::* member;
  bool of_sitting = false;  ///< not kept
  Complete complete = Complete::kNothing;
  std::vector<std::string> choices = {};
};

const std::vector<Row>& rows() {
  using T = TrainOptions;
  static const std::vector<Row> table = {
      {"--data", "D", "fashion-mnist, mnist, cifar10, cifar100, or a folder", &T::data, false, Complete::kFolder},
      {"--out", "DIR", "Where model, history and checkpoints go", &T::out, true, Complete::kFolder},
      {"--epochs", "N", "Times through the images (default: 30)", &T::epochs},
      {"--batch", "N", "Images in a step (default: 64)", &T::batch},
      {"--optimizer",
       "NAME",
       "sgd (default; Nesterov), rmsprop or adamw",
       &T::optimizer,
       false,
       Complete::kChoices,
       {"sgd", "rmsprop", "adamw"}},
      {"--rate", "R", "Learning rate (default: 0.1, or 0.02 with --from; rmsprop 0.005, adamw 0.002)", &T::rate},
      {"--schedule",
       "HOW",
       "How it falls: cosine (default), step or constant",
       &T::schedule,
       false,
       Complete::kChoices,
       {"constant", "step", "cosine"}},
      {"--warmup", "STEPS", "Steps in which it grows first (default: 100, at most a tenth of the run)", &T::warmup},
      {"--weight-decay", "W", "Of filters, but not of depthwise ones (default: 0.0001; adamw 0.02)", &T::weight_decay},
      {"--label-smoothing", "S", "From 0 (default) to less than 1", &T::label_smoothing},
      {"--clip", "N", "Most that the norm of all gradients may be", &T::clip},
      {"--average", "D", "Keep a moving average of the weights that decays so, as 0.999", &T::average},
      {"--dropout", "R", "Rate in front of the last layer", &T::dropout},
      {"--augment", "LIST", "Of flip, crop, resized-crop, jitter, erase, mixup, cutmix, each with =STRENGTH if wanted",
       &T::augment},
      {"--resize",
       "HOW",
       "How images of another size are brought to the network's: stretch (default), crop (default for folders) or pad",
       &T::resize,
       false,
       Complete::kChoices,
       {"crop", "stretch", "pad"}},
      {"--patience", "N", "End after N epochs without a lower validation loss, and keep the best", &T::patience},
      {"--seed", "N", "Of weights, order and chance (default: 1)", &T::seed},
      {"--from", "FILE", "An ONNX network to go on from, in the place of NET", &T::from, false, Complete::kFile},
      {"--classes", "N", "A new last layer for the data's N classes, also where FILE has as many", &T::classes},
      {"--freeze", "PREFIX", "Layers whose names begin so stay as they are", &T::freeze},
      {"--resume", "DIR", "Go on with the run in DIR; all that made it is known", &T::resume, true, Complete::kFolder},
      {"--time-limit", "T", "Stop after so long, as 90s, 10m or 2h; the schedule does not change", &T::time_limit,
       true},
      {"--keep", "K", "Checkpoints to keep (default: 2)", &T::keep},
      {"--save-every", "STEPS", "Checkpoints besides those of each epoch and minute", &T::save_every},
      {"--log", "FILE", "A line of JSON for each record, appended", &T::log, true, Complete::kFile},
      {"--tensorboard", "DIR", "Event files for TensorBoard", &T::tensorboard, true, Complete::kFolder},
  };
  return table;
}

double number(std::string_view option, const std::optional<std::string>& text, double usual, double least,
              double most) {
  if (!text) return usual;
  double value = 0;
  const auto [end, problem] = std::from_chars(text->data(), text->data() + text->size(), value);
  const bool good = problem == std::errc() && end == text->data() + text->size() && value >= least && value <= most;
  if (!good) fail(ErrorKind::kUsage, "{} is a number from {} to {}, not \"{}\"", option, least, most, printable(*text));
  return value;
}

std::int64_t whole(std::string_view option, const std::optional<std::string>& text, std::int64_t usual,
                   std::int64_t least, std::int64_t most) {
  if (!text) return usual;
  std::int64_t value = 0;
  const auto [end, problem] = std::from_chars(text->data(), text->data() + text->size(), value);
  const bool good = problem == std::errc() && end == text->data() + text->size() && value >= least && value <= most;
  if (!good) {
    fail(ErrorKind::kUsage, "{} is a whole number from {} to {}, not \"{}\"", option, least, most, printable(*text));
  }
  return value;
}

/// What --augment knows: a word, what may stand behind its "=", and what it does.
struct AugmentWord {
  std::string_view name;
  double usual;
  double least;
  double most;
  bool whole;
  void (*add)(Augmentation& to, double strength);
};

Mix& mix_of(Augmentation& to) { return to.mix ? *to.mix : to.mix.emplace(); }

constexpr AugmentWord kAugmentWords[] = {
    {"flip", 0.5, 0, 1, false, [](Augmentation& to, double p) { to.flip = Flip{p}; }},
    {"crop", 4, 1, 64, true,
     [](Augmentation& to, double n) { to.padded_crop = PaddedCrop{static_cast<std::int64_t>(n)}; }},
    {"resized-crop", 0.08, 0.01, 1, false, [](Augmentation& to, double area) { to.resized_crop = ResizedCrop{area}; }},
    {"jitter", 0.4, 0, 1, false, [](Augmentation& to, double s) { to.colour = ColourJitter{s, s, s}; }},
    {"erase", 0.25, 0, 1, false, [](Augmentation& to, double p) { to.erase = Erase{.probability = p}; }},
    {"mixup", 0.2, 0.01, 10, false, [](Augmentation& to, double alpha) { mix_of(to).mixup_alpha = alpha; }},
    {"cutmix", 1, 0.01, 10, false, [](Augmentation& to, double alpha) { mix_of(to).cutmix_alpha = alpha; }},
};

Augmentation augmentation(const std::optional<std::string>& text) {
  Augmentation result;
  if (!text) return result;
  for (std::size_t at = 0; at <= text->size();) {
    const std::size_t end = std::min(text->find(',', at), text->size());
    const std::string item = text->substr(at, end - at);
    at = end + 1;
    const std::size_t equals = item.find('=');
    const auto* const word = std::ranges::find(kAugmentWords, item.substr(0, equals), &AugmentWord::name);
    if (word == std::end(kAugmentWords)) {
      fail(ErrorKind::kUsage, "--augment knows flip, crop, resized-crop, jitter, erase, mixup and cutmix, not \"{}\"",
           printable(item.substr(0, equals)));
    }
    std::optional<std::string> strength;
    if (equals != std::string::npos) strength = item.substr(equals + 1);
    const std::string option = format("--augment {}", word->name);
    const double value = number(option, strength, word->usual, word->least, word->most);
    if (word->whole && value != std::floor(value))
      whole(option, strength, 0, static_cast<std::int64_t>(word->least), static_cast<std::int64_t>(word->most));
    word->add(result, value);
  }
  return result;
}

LearningRule learning_rule(const TrainOptions& options) {
  LearningRule rule;
  if (options.optimizer == "rmsprop") {
    rule = {.rule = UpdateRule::kRmsProp, .epsilon = 1e-3f};
  } else if (options.optimizer == "adamw") {
    rule = {.rule = UpdateRule::kAdamW, .decay = 0.999f};
  } else {
    rule = {.rule = UpdateRule::kSgd, .nesterov = true};
  }
  const double usual = rule.rule == UpdateRule::kAdamW ? 0.02 : 1e-4;
  rule.weight_decay = static_cast<float>(number("--weight-decay", options.weight_decay, usual, 0, 10));
  return rule;
}

double usual_rate(UpdateRule rule, bool goes_on) {
  if (rule == UpdateRule::kSgd) return goes_on ? 0.02 : 0.1;
  return rule == UpdateRule::kRmsProp ? 0.005 : 0.002;
}

}  // namespace

void declare(Options& options, TrainOptions& train) {
  options.argument({"NET", "", "A network of the zoo; size, channels, classes and stem follow the data unless given"},
                   train.network);
  for (const Row& row : rows()) {
    options.text({row.name, row.value, row.help, row.complete, row.choices}, train.*row.member);
  }
  options.flag({"--standard", "", "The same in standard convolutions"}, train.standard);
  options.flag({"--decay-depthwise", "", "Weight decay takes depthwise filters, too"}, train.decay_depthwise);
  options.flag({"--fold", "", "Batch norms become part of the convolutions in model.onnx"}, train.fold);
  options.number({"--threads", "N", "Threads (default: the cores that the process may use)"}, 1, 1024, train.threads);
  options.flag({"--quiet", "", "Nothing on stderr but errors"}, train.quiet);
}

void declare_for_comparison(Options& options, TrainOptions& train) {
  options.flag({"--decay-depthwise", "", "Weight decay takes depthwise filters, too"}, train.decay_depthwise);
  options.text({"--net", "NET", "A network of the zoo (default: mobilenet_v1:width=0.25)"}, train.network);
  constexpr std::string_view kOfOneRun[] = {"--patience", "--seed",   "--from",       "--classes",
                                            "--freeze",   "--resume", "--time-limit", "--tensorboard"};
  for (const Row& row : rows()) {
    if (std::ranges::find(kOfOneRun, std::string_view(row.name)) != std::end(kOfOneRun)) continue;
    options.text({row.name, row.value, row.help, row.complete, row.choices}, train.*row.member);
  }
  options.number({"--threads", "N", "Threads (default: the cores that the process may use)"}, 1, 1024, train.threads);
  options.flag({"--quiet", "", "Nothing on stderr but errors"}, train.quiet);
}

std::string to_lines(const TrainOptions& options) {
  std::string lines;
  if (options.network) lines += *options.network + "\n";
  for (const Row& row : rows()) {
    const std::optional<std::string>& value = options.*row.member;
    if (value && !row.of_sitting) lines += format("{}={}\n", row.name, *value);
  }
  if (options.standard) lines += "--standard\n";
  if (options.fold) lines += "--fold\n";
  if (options.decay_depthwise) lines += "--decay-depthwise\n";
  return lines;
}

void fill_in(TrainOptions& options, const std::string& lines) {
  for (std::size_t at = 0; at < lines.size();) {
    const std::size_t end = std::min(lines.find('\n', at), lines.size());
    const std::string line = lines.substr(at, end - at);
    at = end + 1;
    const std::size_t equals = line.find('=');
    const std::string name = line.substr(0, equals);
    const auto row = std::ranges::find(rows(), name, [](const Row& r) { return std::string(r.name); });
    if (line == "--standard") {
      options.standard = true;
    } else if (line == "--fold") {
      options.fold = true;
    } else if (line == "--decay-depthwise") {
      options.decay_depthwise = true;
    } else if (!line.starts_with("--")) {
      if (!options.network) options.network = line;
    } else if (row == rows().end() || equals == std::string::npos) {
      invalid("an option \"{}\" is not known", printable(line));
    } else if (!(options.*(row->member))) {
      options.*(row->member) = line.substr(equals + 1);
    }
  }
}

double parse_duration(std::string_view option, const std::string& text) {
  double value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  const double scale = unit.empty() || unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3600 : 0;
  if (problem != std::errc() || scale == 0 || !(value > 0) || !std::isfinite(value)) {
    fail(ErrorKind::kUsage, "{} is a time as 90s, 10m or 2h, not \"{}\"", option, printable(text));
  }
  return value * scale;
}

std::optional<std::int64_t> asked_classes(const TrainOptions& options) {
  if (!options.classes) return std::nullopt;
  return whole("--classes", options.classes, 1, 1, 1'000'000);
}

DataSet fitted_by(const TrainOptions& options, DataSet set) {
  if (options.resize) set.fit = fit(*options.resize).value();
  return set;
}

TrainerOptions trainer_options(const TrainOptions& options, std::int64_t images) {
  constexpr std::int64_t kMany = 1'000'000'000;
  TrainerOptions result;
  asked_classes(options);  // throws where it is no number
  result.epochs = whole("--epochs", options.epochs, 30, 1, 100'000);
  result.batches.batch = whole("--batch", options.batch, 64, 1, 4096);
  result.batches.seed = static_cast<std::uint64_t>(whole("--seed", options.seed, 1, 0, INT64_MAX));
  result.batches.augmentation = augmentation(options.augment);
  result.graph.seed = result.batches.seed;
  result.graph.dropout = static_cast<float>(number("--dropout", options.dropout, 0, 0, 0.95));
  result.graph.fresh = !options.from;
  if (options.freeze) result.graph.frozen = {*options.freeze};
  result.step.rule = learning_rule(options);
  result.step.decay_depthwise = options.decay_depthwise;
  result.step.label_smoothing = static_cast<float>(number("--label-smoothing", options.label_smoothing, 0, 0, 0.95));
  result.step.clip_norm = static_cast<float>(number("--clip", options.clip, 0, 0, 1e30));
  result.step.average_decay = static_cast<float>(number("--average", options.average, 0, 0, 0.99999));
  const std::int64_t steps = steps_per_epoch(images, result.batches) * result.epochs;
  Schedule& schedule = result.schedule;
  schedule.rate =
      number("--rate", options.rate, usual_rate(result.step.rule.rule, options.from.has_value()), 1e-12, 1e6);
  schedule.kind = schedule_kind(options.schedule.value_or("cosine")).value();
  schedule.warmup = whole("--warmup", options.warmup, std::min<std::int64_t>(100, steps / 10), 0, kMany);
  // Falls to a tenth after each third of the run.
  schedule.every = std::max<std::int64_t>((steps + 2) / 3, 1);
  if (options.patience) result.patience = whole("--patience", options.patience, 1, 1, kMany);
  if (options.time_limit) result.time_limit = parse_duration("--time-limit", *options.time_limit);
  result.threads = options.threads.value_or(available_cores());
  result.keep = static_cast<int>(whole("--keep", options.keep, 2, 1, 1000));
  result.save_steps = whole("--save-every", options.save_every, 0, 1, kMany);
  return result;
}

}  // namespace sepal::cli
