#include "sepal/train/compare.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <sstream>

#include "sepal/base/text.h"
#include "sepal/graph/cost.h"
#include "sepal/measure/standard_network.h"
#include "sepal/plan/plan.h"
#include "sepal/train/evaluation.h"
#include "sepal/train/reshape.h"

// A comparison is a list of runs, two networks times some seeds, each a Trainer in a folder of its own. What a run gave
// is appended as a line to the folder's outcomes.txt once it is done, so that a comparison that was stopped goes on
// with the run that it was at.

namespace sepal {
namespace {

constexpr double kTolerance = 0.02;

ZooSpec with_width(ZooSpec spec, double width) {
  spec.options.width = width;
  return spec;
}

/// A contender with its counts, which need no weights.
Contender counted(ZooSpec spec, bool standard) {
  spec.options.batch = 1;
  Graph graph = build(spec, Weights::kNone);
  if (standard) graph = standard_network(graph).graph;
  const NetworkCost whole = cost_of(graph);
  return {.name = standard ? "standard" : "separable",
          .spec = spec,
          .standard = standard,
          .parameters = count_parameters(graph),
          .macs = static_cast<std::int64_t>(whole.total.macs)};
}

std::int64_t figure_of(const Contender& contender, Budget budget) {
  return budget == Budget::kParameters ? contender.parameters : contender.macs;
}

/// The standard network whose figure is nearest to that of `separable`: bisection over widths, then those around, since
/// channels are whole numbers and the figure goes in steps.
Contender nearest_standard(const Contender& separable, Budget budget) {
  const double wanted = static_cast<double>(figure_of(separable, budget));
  const auto at = [&](double width) { return counted(with_width(separable.spec, width), true); };
  const auto distance = [&](const Contender& contender) {
    return std::abs(static_cast<double>(figure_of(contender, budget)) / wanted - 1);
  };
  double low = 0.01;
  double high = separable.spec.options.width;
  Contender best = at(high);
  for (int i = 0; i < 40 && high - low > 1e-4; ++i) {
    const double middle = std::round((low + high) / 2 * 1e4) / 1e4;
    const Contender contender = at(middle);
    if (distance(contender) < distance(best)) best = contender;
    (static_cast<double>(figure_of(contender, budget)) < wanted ? low : high) = middle;
  }
  if (distance(best) > kTolerance) {
    invalid("no width of the standard network comes within 2 % of {}'s {} {}: {} has {}; choose another width",
            to_string(separable.spec), grouped(figure_of(separable, budget)),
            budget == Budget::kParameters ? "parameters" : "MACs", best.spec.options.width,
            grouped(figure_of(best, budget)));
  }
  return best;
}

/// Seconds that a step of the contender's training takes: the fastest of a few.
double step_seconds(const Contender& contender, const TrainerOptions& options) {
  const TrainingGraph training = training_graph(contender.build(1, options.batches.batch), options.graph);
  const StepGraph step = step_graph(training, options.step);
  const Plan plan(step.graph, {.threads = options.threads});
  const Workspace workspace(plan.workspace_bytes());
  std::vector<Tensor> tensors;
  for (std::size_t i = 0; i < step.graph.inputs().size(); ++i) {
    const TensorType& type = step.graph.type(step.graph.inputs()[i].value);
    tensors.push_back(i < StepGraph::kFirstSlotInput ? Tensor(type.type, type.shape)
                                                     : step.slots[i - StepGraph::kFirstSlotInput].initial->copy());
  }
  std::vector<Tensor> results;
  for (std::size_t i = 0; i < StepGraph::kFirstSlotOutput; ++i) {
    const TensorType& type = step.graph.type(step.graph.outputs()[i].value);
    results.emplace_back(type.type, type.shape);
  }
  std::vector<ConstBuffer> inputs;
  std::vector<Buffer> outputs;
  for (Tensor& tensor : results) outputs.push_back(tensor.buffer());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    inputs.push_back(tensors[i].buffer());
    if (i >= StepGraph::kFirstSlotInput) outputs.push_back(tensors[i].buffer());
  }
  double best = 1e300;
  for (int i = 0; i < 5; ++i) {
    const auto start = std::chrono::steady_clock::now();
    plan.run(workspace, inputs, outputs);
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

// --- outcomes.txt: a line for each run that is done ---

std::filesystem::path outcomes_of(const std::filesystem::path& folder) { return folder / "outcomes.txt"; }

std::string line_of(const Outcome& outcome) {
  return format("{} {} {} {} {} {} {}\n", outcome.standard ? "standard" : "separable", outcome.seed, outcome.epochs,
                outcome.accuracy, outcome.loss, outcome.train_seconds, outcome.images_per_second);
}

/// The first line: what is compared, so that outcomes of another comparison are not taken for this one's.
std::string heading_of(const ZooSpec& spec, const std::string& data, const CompareOptions& options) {
  const TrainerOptions& trainer = options.trainer;
  return format("{} on {}, equal {}, {} epochs, batch {}, rate {}", to_string(spec), data, name_of(options.budget),
                trainer.epochs, trainer.batches.batch, trainer.schedule.rate);
}

std::vector<Outcome> read_outcomes(const std::filesystem::path& folder, const std::string& heading) {
  std::vector<Outcome> outcomes;
  std::ifstream file(outcomes_of(folder));
  std::string line;
  if (std::getline(file, line) && line != heading) {
    invalid("{}: is of another comparison, {}, not {}; give another folder", outcomes_of(folder).string(),
            printable(line), heading);
  }
  for (int number = 2; std::getline(file, line); ++number) {
    std::istringstream words(line);
    std::string name;
    Outcome outcome;
    words >> name >> outcome.seed >> outcome.epochs >> outcome.accuracy >> outcome.loss >> outcome.train_seconds >>
        outcome.images_per_second;
    if (!words || (name != "standard" && name != "separable")) {
      invalid("{}: line {} is not of a comparison; remove it and that run is done again", outcomes_of(folder).string(),
              number);
    }
    outcome.standard = name == "standard";
    outcomes.push_back(outcome);
  }
  return outcomes;
}

void write_outcomes(const std::filesystem::path& folder, const std::string& heading,
                    const std::vector<Outcome>& outcomes) {
  std::string text = heading + "\n";
  for (const Outcome& outcome : outcomes) text += line_of(outcome);
  const auto bytes = std::as_bytes(std::span(text));
  replace_file(disk(), outcomes_of(folder), std::array{bytes}, outcomes_of(folder));
}

}  // namespace

std::string_view name_of(Budget budget) {
  switch (budget) {
    case Budget::kWidth:
      return "width";
    case Budget::kParameters:
      return "params";
    case Budget::kMacs:
      return "macs";
    case Budget::kTime:
      break;
  }
  return "time";
}

std::optional<Budget> budget(std::string_view name) {
  for (const Budget one : {Budget::kWidth, Budget::kParameters, Budget::kMacs, Budget::kTime}) {
    if (name_of(one) == name) return one;
  }
  return std::nullopt;
}

Graph Contender::build(std::uint64_t seed, std::int64_t batch) const {
  ZooSpec seeded = spec;
  seeded.options.seed = seed;
  seeded.options.batch = 1;
  const Graph graph = sepal::build(seeded);
  return with_batch(standard ? standard_network(graph, seed).graph : graph, batch);
}

ContenderPair pair_of(const ZooSpec& spec, Budget budget) {
  const Contender separable = counted(spec, false);
  if (budget == Budget::kWidth || budget == Budget::kTime) return {separable, counted(spec, true)};
  const auto options = options_of(*spec.entry);
  if (std::ranges::find(options, std::string_view("width")) == options.end()) {
    fail(ErrorKind::kUsage,
         "{} has no width to choose, so equal {} cannot be had; take another network, or --budget "
         "width",
         spec.entry->name, name_of(budget));
  }
  return {separable, nearest_standard(separable, budget)};
}

Spread TrainingComparison::spread(bool standard, double Outcome::* figure) const {
  Spread spread;
  double count = 0;
  for (const Outcome& outcome : outcomes) {
    if (outcome.standard != standard) continue;
    spread.mean += outcome.*figure;
    ++count;
  }
  spread.mean /= std::max(count, 1.0);
  for (const Outcome& outcome : outcomes) {
    if (outcome.standard == standard) spread.most = std::max(spread.most, std::abs(outcome.*figure - spread.mean));
  }
  return spread;
}

std::optional<TrainingComparison> compare(const ZooSpec& spec, const DataSet& set, const CompareOptions& options,
                                          const CompareObserver& observer) {
  const std::string heading = heading_of(spec, set.name, options);
  TrainingComparison result{.budget = options.budget,
                            .data = set.name,
                            .pair = pair_of(spec, options.budget),
                            .outcomes = read_outcomes(options.folder, heading)};
  const auto done = [&](bool standard, std::uint64_t seed) {
    return std::ranges::any_of(
        result.outcomes, [&](const Outcome& outcome) { return outcome.standard == standard && outcome.seed == seed; });
  };
  double share = 1;  // of the separable network's epochs that the standard one has
  if (options.budget == Budget::kTime) {
    share = step_seconds(result.pair.separable, options.trainer) / step_seconds(result.pair.standard, options.trainer);
    // A comparison that is taken up again keeps what it began with.
    for (const Outcome& outcome : result.outcomes) {
      if (outcome.standard) share = static_cast<double>(outcome.epochs) / static_cast<double>(options.trainer.epochs);
    }
  }
  for (int i = 1; i <= options.seeds; ++i) {
    const auto seed = static_cast<std::uint64_t>(i);
    for (const Contender* contender : {&result.pair.separable, &result.pair.standard}) {
      const bool before = done(contender->standard, seed);
      if (observer.begin) observer.begin(*contender, seed, before);
      if (before) continue;
      TrainerOptions trainer = options.trainer;
      trainer.network = format("{}{}", to_string(contender->spec), contender->standard ? ", standard" : "");
      trainer.folder = options.folder / format("{}-{}", contender->name, seed);
      trainer.batches.seed = seed;
      trainer.graph.seed = seed;
      if (contender->standard) {
        const double epochs = std::round(share * static_cast<double>(trainer.epochs));
        trainer.epochs = std::max<std::int64_t>(1, static_cast<std::int64_t>(epochs));
      }
      Trainer run(contender->build(seed, 1), set, trainer);
      if (!Checkpoints(trainer.folder, trainer.keep).steps().empty()) run.resume();
      if (run.run(observer.training) != TrainingEnd::kDone) return std::nullopt;
      BatchOptions batches = trainer.batches;
      batches.augmentation = {};
      batches.shuffle = false;
      batches.full_only = false;
      const Batches test(set, Part::kTest, all_of(set.test.count()), batches);
      const Evaluation evaluation = evaluate_network(run.trained(), test, set.test, {.threads = trainer.threads});
      result.outcomes.push_back({.standard = contender->standard,
                                 .seed = seed,
                                 .epochs = trainer.epochs,
                                 .accuracy = evaluation.accuracy,
                                 .loss = evaluation.loss,
                                 .train_seconds = run.history().seconds,
                                 .images_per_second = evaluation.images_per_second});
      write_outcomes(options.folder, heading, result.outcomes);
      if (observer.end) observer.end(result.outcomes.back());
    }
  }
  return result;
}

}  // namespace sepal
