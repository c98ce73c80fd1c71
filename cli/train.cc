#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>

#include "cli/console.h"
#include "cli/fitted.h"
#include "cli/interrupt.h"
#include "cli/network.h"
#include "cli/train_log.h"
#include "cli/train_options.h"
#include "cli/verb.h"
#include "sepal/base/mapped_file.h"
#include "sepal/base/text.h"
#include "sepal/data/find.h"
#include "sepal/data/normalise.h"
#include "sepal/formats/onnx_write.h"
#include "sepal/measure/standard_network.h"
#include "sepal/optimize/optimize.h"
#include "sepal/report/run.h"
#include "sepal/train/evaluation.h"
#include "sepal/train/events.h"
#include "sepal/train/reshape.h"
#include "sepal/zoo/zoo.h"

// sepal train: a network and a data set in; a folder with model, history and checkpoints out. All that makes the run is
// kept in its checkpoints, so that it goes on by --resume DIR alone.

namespace sepal::cli {
namespace {

constexpr const char* kOptionsNote = "options";

[[noreturn]] void usage(const char* text) { throw Error(ErrorKind::kUsage, text); }

struct Start {
  std::string name;
  Graph graph;
};

Start network(const TrainOptions& options, const DataSet& set, std::uint64_t seed, Console& console) {
  Start start;
  if (options.from) {
    Network read =
        read_network(*options.from, {}, {.unhandled = onnx::Unhandled::kRefuse, .what = "training"}, console);
    start.graph = without_softmax(without_turned_ends(read.graph));
    start.name = std::filesystem::path(*options.from).filename().string();
    const std::int64_t classes = std::ssize(set.classes);
    const std::optional<std::int64_t> asked = asked_classes(options);
    if (asked && *asked != classes) invalid("--classes is {}, but {} has {}", *asked, printable(set.name), classes);
    if (asked || class_count(start.graph) != classes) start.graph = with_classes(start.graph, classes, seed);
  } else {
    const ZooSpec spec = fitted(*options.network, set, seed);
    start = {to_string(spec), build(spec)};
  }
  if (!options.standard) return start;
  return {start.name + " in standard convolutions", standard_network(start.graph, seed).graph};
}

class Train {
 public:
  explicit Train(TrainOptions options)
      : options_(std::move(options)), console_("sepal train", options_.quiet), folder_(place()) {
    if (options_.resume) {
      const auto text = Checkpoints(checkpoints(), 1).last_text();
      const auto note = text.find(format("note {}", kOptionsNote));
      if (note == text.end()) invalid("{}: holds no run of sepal train", printable(folder_.string()));
      fill_in(options_, note->second);
    }
    if (!options_.network && !options_.from) usage("NET is missing, as in sepal train mobilenet_v1 --data D --out DIR");
    if (options_.network && options_.from) usage("NET and --from are two networks");
    if (options_.classes && !options_.from) usage("--classes is for --from; a network of the zoo has the data's");
    if (!options_.data) usage("--data is missing: the images to learn from");
  }

  void operator()() {
    trainer_options(options_, 1);  // what is wrong with a value is said before anything is read
    const DataSet set = fitted_by(options_, open_data(*options_.data));
    TrainerOptions chosen = trainer_options(options_, set.train.count());
    Start start = network(options_, set, chosen.batches.seed, console_);
    const Shape images = image_shape(start.graph);
    chosen.network = start.name;
    chosen.folder = checkpoints();
    chosen.notes = {{kOptionsNote, to_lines(options_)}};
    const Split split = hold_back_tenth(set.train.count(), chosen.batches.seed);
    chosen.batches.normalisation =
        measured_normalisation(set, split.train, {images.h(), images.w()}, static_cast<int>(images.c()));
    chosen.batches.fit = set.fit;
    Trainer trainer(start.graph, set, chosen);
    if (options_.resume) {
      trainer.resume();
    } else if (!Checkpoints(chosen.folder, 1).steps().empty()) {
      invalid("{}: holds a run already; go on with sepal train --resume {}, or give another folder",
              printable(folder_.string()), printable(folder_.string()));
    }
    std::error_code problem;
    std::filesystem::create_directories(folder_, problem);
    if (problem) fail(ErrorKind::kIo, "{}: cannot be created: {}", printable(folder_.string()), problem.message());
    run(trainer, set, chosen);
  }

 private:
  std::filesystem::path place() const {
    if (options_.resume && options_.out) usage("--resume goes on in its own folder; --out is for a new run");
    if (!options_.resume && !options_.out) usage("--out is missing: the folder for model, history and checkpoints");
    return options_.resume ? *options_.resume : *options_.out;
  }
  std::filesystem::path checkpoints() const { return folder_ / "checkpoints"; }

  void run(Trainer& trainer, const DataSet& set, const TrainerOptions& chosen) {
    TrainLog log("sepal train", options_.log, options_.quiet);
    TrainingEnd end = TrainingEnd::kDone;
    {
      const Polled polled;
      end = trainer.run(observer(log, trainer.step()));
      // Asked for in the last step, or while the last epoch was judged: it ends here as well.
      if (end == TrainingEnd::kStopped || Polled::is_asked()) {
        log.say(format("interrupted after step {} of {}; go on with sepal train --resume {}", trainer.step(),
                       trainer.steps(), printable(folder_.string())));
        leave_interrupted();
      }
    }
    finish(trainer, set, chosen, end, log);
  }

  /// The log's, and TensorBoard's where it is wanted.
  TrainingObserver observer(TrainLog& log, std::int64_t done) {
    TrainingObserver both = log.observer(&Polled::is_asked);
    if (!options_.tensorboard) return both;
    const auto events = std::make_shared<EventWriter>(*options_.tensorboard, done);
    both.record = [events, first = both.record](const StepRecord& record) {
      first(record);
      events->add(record);
    };
    both.epoch = [events, first = both.epoch](const EpochRecord& record) {
      first(record);
      events->add(record);
    };
    return both;
  }

  /// What makes the run again, in words for a shell.
  std::string command() const {
    const auto quoted = [](const std::string& word) {
      constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=,+@%";
      if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
      std::string result = "'";
      for (const char letter : word) result += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
      return result + "'";
    };
    std::string text = "sepal train";
    const std::string lines = to_lines(options_);
    for (std::size_t at = 0; at < lines.size();) {
      const std::size_t end = lines.find('\n', at);
      const std::string line = lines.substr(at, end - at);
      const std::size_t equals = line.starts_with("--") ? line.find('=') : std::string::npos;
      text += " " + (equals == std::string::npos ? quoted(line)
                                                 : line.substr(0, equals) + " " + quoted(line.substr(equals + 1)));
      at = end + 1;
    }
    return text + " --out " + quoted(folder_.string());
  }

  void finish(Trainer& trainer, const DataSet& set, const TrainerOptions& chosen, TrainingEnd end, TrainLog& log) {
    Graph model = trainer.trained();
    const Normalisation& by = chosen.batches.normalisation;
    model.about.name = chosen.network;
    model.about.producer = "sepal";
    model.about.properties["sepal.labels"] = format("{}", join(set.classes, "\n"));
    model.about.properties["sepal.mean"] = format("{}", join(by.mean, ","));
    model.about.properties["sepal.std"] = format("{}", join(by.std, ","));
    model.about.properties["sepal.resize"] = name_of(set.fit);
    if (options_.fold) model = optimize(model);
    const std::filesystem::path file = folder_ / "model.onnx";
    {
      const Uninterrupted whole;
      onnx::write(file, model);
    }
    std::string text = format("{}: {} parameters, {}\n", printable(file.string()),
                              grouped(trainer.history().parameters), why(end, trainer));
    std::optional<Evaluation> judged;
    if (set.test.count() > 0) {
      BatchOptions plain = chosen.batches;
      const Shape images = image_shape(model);
      plain.size = {images.h(), images.w()};
      plain.channels = static_cast<int>(images.c());
      plain.augmentation = {};
      plain.shuffle = plain.full_only = false;
      const Batches batches(set, Part::kTest, all_of(set.test.count()), plain);
      constexpr std::int64_t kShown = 24;
      judged = evaluate_network(model, batches, set.test, {.threads = chosen.threads, .mistakes = kShown});
      text += format("{:.2f} % of {} test images are told right, loss {:.4f}\n", 100 * judged->accuracy,
                     grouped(judged->images), judged->loss);
    }
    History told = trainer.history();
    told.command = command();
    told.whole = end != TrainingEnd::kTimeLimit;
    const Evaluation* const test = judged ? &*judged : nullptr;
    const std::string page = report::run_html(told, test, cost_of(model));
    const std::string history = report::to_text(to_json(told, test));
    {
      const Uninterrupted whole;
      write_file(folder_ / "history.json", std::as_bytes(std::span(history)));
      write_file(folder_ / "report.html", std::as_bytes(std::span(page)));
    }
    log.clear();
    console_.finish(text);
  }

  std::string why(TrainingEnd end, const Trainer& trainer) const {
    const std::string on = format("go on with sepal train --resume {}", printable(folder_.string()));
    switch (end) {
      case TrainingEnd::kPatience:
        return format("ended after {} epochs, as the last {} were no better", trainer.history().epochs.size(),
                      *options_.patience);
      case TrainingEnd::kTimeLimit:
        return format("stopped by the time limit after step {} of {}; {}", trainer.step(), trainer.steps(), on);
      case TrainingEnd::kDone:
      case TrainingEnd::kStopped:
        break;
    }
    return format("{} epochs in {:.0f} s", trainer.history().epochs.size(), trainer.history().seconds);
  }

  TrainOptions options_;
  Console console_;
  std::filesystem::path folder_;
};

Action declare_train(Options& options) {
  const auto chosen = std::make_shared<TrainOptions>();
  declare(options, *chosen);
  return [chosen] {
    Train train(*chosen);
    train();
  };
}

}  // namespace

const Verb kTrain = {"train", "Trains a network on labelled images", R"(Examples:
  sepal train mobilenet_v1:width=0.25 --data fashion-mnist --out run --epochs 10 --augment flip,crop
  sepal train mobilenet_v1:width=0.25 --data fashion-mnist --out twin --standard
  sepal train --from pretrained.onnx --data photos --out fine --rate 0.005 --freeze features.0
  sepal train --resume run
  sepal run run/model.onnx --image shoe.png

A tenth of the training images, chosen by the seed, is held back and judged after each epoch; test images are looked
at when a sitting ends. Ctrl-C finishes the step and writes a checkpoint; after any stop --resume gives the very bits
that a run without it would have had.
)",
                     declare_train};

}  // namespace sepal::cli
