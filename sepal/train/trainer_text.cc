#include "sepal/train/trainer_text.h"

#include <charconv>
#include <string_view>

#include "sepal/base/text.h"

namespace sepal {
namespace {

/// Numbers of one text, in order.
class Numbers {
 public:
  Numbers(std::string_view name, std::string_view text) : name_(name), text_(text) {}

  bool is_done() const { return text_.empty(); }

  template <typename... Values>
  void operator()(Values&... values) {
    (read(values), ...);
  }

 private:
  template <typename Value>
  void read(Value& value) {
    const auto [end, problem] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
    const auto length = static_cast<std::size_t>(end - text_.data());
    const bool ends = length == text_.size() || text_[length] == ' ' || text_[length] == '\n';
    if (problem != std::errc() || !ends) invalid("its text \"{}\" is not what this version writes", name_);
    text_.remove_prefix(std::min(length + 1, text_.size()));
  }

  std::string_view name_;
  std::string_view text_;
};

std::string text_of(const RunningSums& sums) {
  return format("{} {} {} {} {}", sums.loss, sums.steps, sums.right, sums.images, sums.seconds);
}

void read(Numbers numbers, RunningSums& sums) { numbers(sums.loss, sums.steps, sums.right, sums.images, sums.seconds); }

}  // namespace

std::map<std::string, std::string> to_text(const RunState& state) {
  std::string steps;
  for (const StepRecord& r : state.history.steps) {
    steps += format("{} {} {} {} {} {}\n", r.step, r.epoch, r.loss, r.accuracy, r.rate, r.images_per_second);
  }
  std::string epochs;
  for (const EpochRecord& r : state.history.epochs) {
    epochs += format("{} {} {} {} {} {} {}\n", r.epoch, r.step, r.train_loss, r.train_accuracy, r.loss, r.accuracy,
                     r.seconds);
  }
  return {{"since the record", text_of(state.record)},
          {"of the epoch", text_of(state.epoch)},
          {"steps", steps},
          {"epochs", epochs},
          {"seconds", format("{}", state.history.seconds)}};
}

void read_text(const std::map<std::string, std::string>& text, RunState& state) {
  const auto numbers = [&](const std::string& name) {
    const auto found = text.find(name);
    if (found == text.end()) invalid("it has no text \"{}\"", name);
    return Numbers(name, found->second);
  };
  read(numbers("since the record"), state.record);
  read(numbers("of the epoch"), state.epoch);
  state.history.steps.clear();
  for (Numbers next = numbers("steps"); !next.is_done();) {
    StepRecord r;
    next(r.step, r.epoch, r.loss, r.accuracy, r.rate, r.images_per_second);
    state.history.steps.push_back(r);
  }
  state.history.epochs.clear();
  for (Numbers next = numbers("epochs"); !next.is_done();) {
    EpochRecord r;
    next(r.epoch, r.step, r.train_loss, r.train_accuracy, r.loss, r.accuracy, r.seconds);
    state.history.epochs.push_back(r);
  }
  numbers("seconds")(state.history.seconds);
}

}  // namespace sepal
