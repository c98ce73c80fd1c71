#include "cli/train_log.h"

#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "cli/console.h"
#include "sepal/base/text.h"

namespace sepal::cli {

using report::Json;
namespace {

std::string duration(double seconds) {
  const auto whole = static_cast<long long>(seconds + 0.5);
  if (whole < 60) return format("{} s", whole);
  if (whole < 3600) return format("{} min {:02} s", whole / 60, whole % 60);
  return format("{} h {:02} min", whole / 3600, whole / 60 % 60);
}

Json to_json(const StepRecord& r) {
  return {{"step", r.step},         {"epoch", r.epoch}, {"loss", r.loss},
          {"accuracy", r.accuracy}, {"rate", r.rate},   {"images_per_second", r.images_per_second}};
}

Json to_json(const EpochRecord& r) {
  return {{"epoch", r.epoch},           {"step", r.step},
          {"train_loss", r.train_loss}, {"train_accuracy", r.train_accuracy},
          {"validation_loss", r.loss},  {"validation_accuracy", r.accuracy},
          {"seconds", r.seconds}};
}

}  // namespace

Json to_json(const History& history, const Evaluation* test) {
  Json json{{"network", history.network}, {"data", history.data}, {"command", history.command},
            {"classes", history.classes}, {"macs", history.macs}, {"parameters", history.parameters},
            {"seconds", history.seconds}};
  if (test != nullptr) {
    json["test"] = {{"images", test->images}, {"accuracy", test->accuracy}, {"loss", test->loss}};
  }
  json["epochs"] = Json::array();
  for (const EpochRecord& epoch : history.epochs) json["epochs"].push_back(to_json(epoch));
  json["steps"] = Json::array();
  for (const StepRecord& step : history.steps) json["steps"].push_back(to_json(step));
  return json;
}

TrainLog::TrainLog(std::string verb, const std::optional<std::string>& file, bool quiet)
    : verb_(std::move(verb)), quiet_(quiet), terminal_(::isatty(STDERR_FILENO) != 0) {
  if (!file) return;
  file_ = *file;
  log_.open(file_, std::ios::app);
  if (!log_) cannot_be_written();
}

void TrainLog::cannot_be_written() const {
  fail(ErrorKind::kIo, "{}: cannot be written: {}", printable(file_), std::generic_category().message(errno));
}

TrainingObserver TrainLog::observer(std::function<bool()> stop) {
  return {.step = [this](const TrainingProgress& progress) { show(progress); },
          .record =
              [this](const StepRecord& record) {
                Json line{{"event", "step"}};
                line.update(to_json(record));
                write(line);
              },
          .epoch =
              [this](const EpochRecord& record) {
                Json line{{"event", "epoch"}};
                line.update(to_json(record));
                write(line);
                say(format("epoch {}: loss {:.4f}, accuracy {:.2f} %; validation loss {:.4f}, accuracy {:.2f} %; {}",
                           record.epoch + 1, record.train_loss, 100 * record.train_accuracy, record.loss,
                           100 * record.accuracy, duration(record.seconds)));
              },
          .stop = std::move(stop)};
}

void TrainLog::show(const TrainingProgress& progress) {
  if (quiet_) return;
  using namespace std::chrono_literals;
  const auto now = std::chrono::steady_clock::now();
  const auto wait = terminal_ ? std::chrono::milliseconds(200) : std::chrono::milliseconds(30s);
  if (shown_ == std::chrono::steady_clock::time_point() && !terminal_) shown_ = now;
  if (now - shown_ < wait || progress.latest.images_per_second <= 0) return;
  shown_ = now;
  const StepRecord& at = progress.latest;
  const std::string line =
      format("epoch {} of {}, step {} of {}: loss {:.4f}, accuracy {:.1f} %, {:.0f} images/s, {} left", at.epoch + 1,
             progress.epochs, at.step, progress.steps, at.loss, 100 * at.accuracy, at.images_per_second,
             duration(progress.seconds_left));
  if (terminal_) {
    write_all(STDERR_FILENO, format("\r\x1b[K{}", line));
  } else {
    say(line);
  }
}

void TrainLog::say(const std::string& text) {
  if (quiet_) return;
  clear();
  write_all(STDERR_FILENO, format("{}: {}\n", verb_, text));
}

void TrainLog::clear() {
  if (!quiet_ && terminal_) write_all(STDERR_FILENO, "\r\x1b[K");
}

void TrainLog::write(const Json& line) {
  if (file_.empty()) return;
  log_ << line.dump() << '\n' << std::flush;
  if (!log_) cannot_be_written();
}

}  // namespace sepal::cli
