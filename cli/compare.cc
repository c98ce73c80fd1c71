#include <filesystem>

#include "cli/console.h"
#include "cli/fitted.h"
#include "cli/interrupt.h"
#include "cli/outputs.h"
#include "cli/train_log.h"
#include "cli/train_options.h"
#include "cli/verb.h"
#include "sepal/base/mapped_file.h"
#include "sepal/base/text.h"
#include "sepal/data/find.h"
#include "sepal/data/normalise.h"
#include "sepal/report/comparison.h"
#include "sepal/report/json.h"
#include "sepal/train/compare.h"
#include "sepal/train/reshape.h"

// sepal compare: one architecture in separable and in standard convolutions, trained alike with several seeds, at equal
// width, parameters, MACs or time.

namespace sepal::cli {
namespace {

struct CompareVerb {
  TrainOptions train;
  std::optional<std::string> budget;
  std::optional<int> seeds;
  std::optional<std::string> html;
  bool json = false;
};

constexpr const char* kUsualNetwork = "mobilenet_v1:width=0.25";

class Compare {
 public:
  explicit Compare(CompareVerb options)
      : options_(std::move(options)), console_("sepal compare", options_.train.quiet) {
    if (!options_.train.data) throw Error(ErrorKind::kUsage, "--data is missing: the images to learn from");
    if (!options_.train.out) throw Error(ErrorKind::kUsage, "--out is missing: the folder for the runs");
    if (!options_.train.network) options_.train.network = kUsualNetwork;
  }

  void operator()() {
    trainer_options(options_.train, 1);  // what is wrong with a value is said before anything is read
    if (options_.html) check_output(*options_.html);
    const DataSet set = fitted_by(options_.train, open_data(*options_.train.data));
    if (set.test.count() == 0) invalid("{}: has no test images to compare by", printable(set.name));
    const ZooSpec spec = fitted(*options_.train.network, set, 1);
    CompareOptions chosen;
    chosen.budget = budget(options_.budget.value_or("width")).value();
    chosen.seeds = options_.seeds.value_or(3);
    chosen.folder = *options_.train.out;
    chosen.trainer = trainer_options(options_.train, set.train.count());
    const Shape images = image_shape(build(spec, Weights::kNone));
    chosen.trainer.batches.size = {images.h(), images.w()};
    chosen.trainer.batches.channels = static_cast<int>(images.c());
    chosen.trainer.batches.fit = set.fit;
    chosen.trainer.batches.normalisation = measured_normalisation(
        set, all_of(set.train.count()), chosen.trainer.batches.size, chosen.trainer.batches.channels);
    std::error_code problem;
    std::filesystem::create_directories(chosen.folder, problem);
    if (problem)
      fail(ErrorKind::kIo, "{}: cannot be created: {}", printable(chosen.folder.string()), problem.message());
    finish(run(spec, set, chosen));
  }

 private:
  TrainingComparison run(const ZooSpec& spec, const DataSet& set, const CompareOptions& chosen) {
    const Polled polled;
    TrainLog log("sepal compare", options_.train.log, options_.train.quiet);
    CompareObserver observer;
    observer.begin = [&](const Contender& contender, std::uint64_t seed, bool done_before) {
      if (done_before) return;
      log.clear();
      log.say(format("{} {}, {} parameters, {} MACs, seed {}", contender.name, to_string(contender.spec),
                     grouped(contender.parameters), grouped(contender.macs), seed));
    };
    observer.end = [&](const Outcome& outcome) {
      log.clear();
      log.say(format("{} seed {}: {:.2f} % in {:.0f} s", outcome.standard ? "standard" : "separable", outcome.seed,
                     100 * outcome.accuracy, outcome.train_seconds));
    };
    observer.training = log.observer(&Polled::is_asked);
    std::optional<TrainingComparison> result = compare(spec, set, chosen, observer);
    if (!result || Polled::is_asked()) {
      log.say(format("interrupted; the same command goes on where it was, in {}", printable(chosen.folder.string())));
      leave_interrupted();
    }
    return std::move(*result);
  }

  void finish(const TrainingComparison& comparison) {
    const std::string json = report::to_text(report::to_json(comparison));
    {
      const Uninterrupted whole;
      write_file(std::filesystem::path(*options_.train.out) / format("{}.json", name_of(comparison.budget)),
                 std::as_bytes(std::span(json)));
      if (options_.html) {
        const std::string page = report::to_html(report::to_document(comparison, true));
        write_file(*options_.html, std::as_bytes(std::span(page)));
      }
    }
    console_.finish(options_.json ? json : report::to_text(report::to_document(comparison, false), {}));
  }

  CompareVerb options_;
  Console console_;
};

Action declare_compare(Options& options) {
  const auto chosen = std::make_shared<CompareVerb>();
  declare_for_comparison(options, chosen->train);
  options.text({"--budget",
                "WHAT",
                "What both have in common: width (default), params, macs or time",
                Complete::kChoices,
                {"width", "params", "macs", "time"}},
               chosen->budget);
  options.number({"--seeds", "N", "Runs of each network (default: 3)"}, 1, 100, chosen->seeds);
  options.text({"--html", "FILE", "The comparison as one page", Complete::kFile}, chosen->html);
  options.flag({"--json", "", "One JSON document on stdout; nothing there on failure"}, chosen->json);
  return [chosen] {
    Compare compare(*chosen);
    compare();
  };
}

}  // namespace

const Verb kCompare = {"compare", "Trains a network in separable and in standard convolutions, and compares",
                       R"(Examples:
  sepal compare --data fashion-mnist --out width --epochs 10
  sepal compare --data fashion-mnist --net mobilenet_v1:width=0.5 --budget macs --out macs --html macs.html

Both networks see the same images in the same order with each seed. With --budget params or macs the standard network
is made narrower until it is within 2 %; with --budget time it makes as many steps as fit into the separable one's time.
What is done is kept in the folder: the same command goes on after a stop, and one with another --budget finds there
the runs that both have in common.
)",
                       declare_compare};

}  // namespace sepal::cli
