#include "sepal/train/identity.h"

#include "sepal/base/text.h"

namespace sepal {
namespace {

std::string text_of(const LearningRule& rule) {
  return format("{} of momentum {}{}, decay {}, epsilon {}", name_of(rule.rule), rule.momentum,
                rule.nesterov ? " (Nesterov)" : "", rule.decay, rule.epsilon);
}

std::string text_of(const Schedule& schedule) {
  const std::string steps = format(" every {} times {}", schedule.every, schedule.factor);
  return format("{}{}", name_of(schedule.kind), schedule.kind == ScheduleKind::kStep ? steps : "");
}

std::string text_of(const Augmentation& a) {
  std::vector<std::string> parts;
  if (a.resized_crop) {
    parts.push_back(format("resized-crop {} to {} by {}", a.resized_crop->least_area, a.resized_crop->most_area,
                           a.resized_crop->ratio));
  }
  if (a.colour)
    parts.push_back(format("jitter {} {} {}", a.colour->brightness, a.colour->contrast, a.colour->saturation));
  if (a.flip) parts.push_back(format("flip {}", a.flip->probability));
  if (a.padded_crop) parts.push_back(format("crop {}", a.padded_crop->padding));
  if (a.erase) {
    parts.push_back(format("erase {} of {} to {} by {}{}", a.erase->probability, a.erase->least_area,
                           a.erase->most_area, a.erase->ratio, a.erase->noise ? " in noise" : ""));
  }
  if (a.mix) {
    parts.push_back(format("mixup {} cutmix {} at {}", a.mix->mixup_alpha, a.mix->cutmix_alpha, a.mix->probability));
  }
  return parts.empty() ? "none" : format("{}", join(parts, ", "));
}

std::string text_of(const Normalisation& by) { return format("{}; {}", join(by.mean, ","), join(by.std, ",")); }

/// A digest of all that the network holds: what is frozen is in no checkpoint.
std::string weights_of(const Graph& network) {
  std::vector<ConstBuffer> constants;
  for (std::size_t i = 0; i < network.value_count(); ++i) {
    const Constant& constant = network.constant(ValueId{static_cast<std::uint32_t>(i)});
    if (constant != nullptr) constants.push_back(constant->buffer());
  }
  return checksum(constants);
}

std::string labels_of(const LabelledImages& images) {
  const Shape shape{images.count()};
  return checksum(std::array{ConstBuffer{images.labels().data(), DataType::kI64, shape}});
}

}  // namespace

Identity identity_of(const Graph& network, const DataSet& set, const TrainerOptions& options) {
  const StepOptions& step = options.step;
  Identity identity = {
      {"network", options.network},
      {"the network's initial weights", weights_of(network)},
      {"data set", set.name},
      {"number of images", format("{}", set.train.count())},
      {"labels", labels_of(set.train)},
      {"classes", format("{}", join(set.classes, ", "))},
      {"batch", format("{}", options.batches.batch)},
      {"optimizer", text_of(step.rule)},
      {"rate", format("{}", options.schedule.rate)},
      {"schedule", text_of(options.schedule)},
      {"warm-up", format("{}", options.schedule.warmup)},
      {"weight decay", format("{}{}", step.rule.weight_decay, step.decay_depthwise ? ", depthwise too" : "")},
      {"label smoothing", format("{}", step.label_smoothing)},
      {"clip", format("{}", step.clip_norm)},
      {"average", format("{}", step.average_decay)},
      {"moment rate", format("{}", step.moment_rate)},
      {"dropout", format("{}", options.graph.dropout)},
      {"frozen", format("{}", join(options.graph.frozen, ", "))},
      {"augmentation", text_of(options.batches.augmentation)},
      {"resizing", format("{}", name_of(options.batches.fit.value_or(set.fit)))},
      {"normalisation", text_of(options.batches.normalisation)},
      {"seed", format("{}", options.batches.seed)},
      // Without patience no weights of an earlier epoch are kept, so it cannot come later.
      {"patience", options.patience ? "keeps the best epoch" : "none"},
  };
  // The cosine's rates depend on where it ends; others may go on for longer than was thought.
  if (options.schedule.kind == ScheduleKind::kCosine) identity["epochs"] = format("{}", options.epochs);
  if (options.steps) identity["steps"] = format("{}", *options.steps);
  return identity;
}

}  // namespace sepal
