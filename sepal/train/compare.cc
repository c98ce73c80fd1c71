#include "sepal/train/compare.h"

#include <algorithm>
#include <cmath>

#include "sepal/base/text.h"
#include "sepal/graph/cost.h"
#include "sepal/measure/paired.h"
#include "sepal/measure/standard_network.h"
#include "sepal/optimize/optimize.h"
#include "sepal/plan/plan.h"
#include "sepal/train/evaluation.h"
#include "sepal/train/identity.h"
#include "sepal/train/reshape.h"

// A comparison is a list of runs, two networks times some seeds, each a Trainer in a folder of its own that is named
// after what makes it. What a run came to is kept (Outcomes) once it is done, so that a comparison that was stopped
// goes on with the run that it was at, and one under another budget finds the runs that it shares.

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
          .parameters = static_cast<std::int64_t>(whole.total.parameters.trained()),
          .macs = static_cast<std::int64_t>(whole.total.macs)};
}

std::int64_t figure_of(const Contender& contender, Budget budget) {
  return budget == Budget::kParameters ? contender.parameters : contender.macs;
}

/// The standard network whose figure is nearest to that of `separable`, of those that a bisection over widths meets:
/// channels are whole numbers, so the figure goes in steps.
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

/// What all runs of a folder have in common: the network that the pairs are made from, and all about their training but
/// seed and length.
Identity common_of(const ZooSpec& spec, const DataSet& set, const CompareOptions& options) {
  ZooSpec base = spec;
  base.options.batch = 1;
  base.options.seed = base.entry->defaults.seed;
  TrainerOptions trainer = options.trainer;
  Identity common = identity_of(build(base, Weights::kNone), set, trainer);
  for (const char* name : {"seed", "epochs", "the network's initial weights"}) common.erase(name);
  common["network"] = to_string(base);
  common["data set"] = printable(set.name);
  common["classes"] = format("{}", set.classes.size());
  return common;
}

std::string run_name(const Contender& contender, std::int64_t steps, std::uint64_t seed) {
  return format("{}-width{}-steps{}-seed{}", contender.name, contender.spec.options.width, steps, seed);
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

namespace {

/// Steps of the standard network that fit into the time of the separable one's: measured once, then kept.
std::int64_t steps_in_equal_time(const ContenderPair& pair, const TrainerOptions& trainer, std::int64_t steps,
                                 Outcomes& kept) {
  const std::string name = format("equal-time-width{}-steps{}", pair.standard.spec.options.width, steps);
  if (const auto before = kept.number(name)) return *before;
  const double share = step_seconds(pair.separable, trainer) / step_seconds(pair.standard, trainer);
  kept.add(name, std::max<std::int64_t>(1, std::llround(share * static_cast<double>(steps))));
  return *kept.number(name);
}

/// The options for a run of so many steps instead of `whole`: the schedule keeps its shape.
TrainerOptions shortened(TrainerOptions options, std::int64_t steps, std::int64_t whole) {
  if (steps == whole) return options;
  const double share = static_cast<double>(steps) / static_cast<double>(whole);
  const auto scaled = [&](std::int64_t count) {
    return static_cast<std::int64_t>(std::floor(share * static_cast<double>(count)));
  };
  options.steps = steps;
  options.schedule.warmup = scaled(options.schedule.warmup);
  options.schedule.every = std::max<std::int64_t>(scaled(options.schedule.every), 1);
  return options;
}

/// Seconds of the fastest run of one image.
double inference_seconds(const Graph& network, int threads) {
  const Plan plan(optimize(with_batch(without_softmax(network), 1)), {.threads = threads});
  const Workspace workspace(plan.workspace_bytes());
  const Tensor input(DataType::kF32, image_shape(network).with(0, 1));
  Tensor output(DataType::kF32, {1, class_count(network)});
  return time_one([&] { plan.run(workspace, std::array{input.buffer()}, std::array{output.buffer()}); }).best;
}

/// Trains and tests one of the networks. Returns nothing where the observer's stop() ended it.
std::optional<Outcome> run_of(const Contender& contender, const DataSet& set, TrainerOptions trainer,
                              const TrainingObserver& observer) {
  const std::uint64_t seed = trainer.batches.seed;
  trainer.network = format("{}{}", to_string(contender.spec), contender.standard ? ", standard" : "");
  trainer.graph.seed = seed;
  Trainer run(contender.build(seed, 1), set, trainer);
  if (!Checkpoints(trainer.folder, trainer.keep).steps().empty()) run.resume();
  if (run.run(observer) != TrainingEnd::kDone) return std::nullopt;
  BatchOptions batches = trainer.batches;
  batches.augmentation = {};
  batches.shuffle = false;
  batches.full_only = false;
  const Batches test(set, Part::kTest, all_of(set.test.count()), batches);
  const Evaluation evaluation = evaluate_network(run.trained(), test, set.test, {.threads = trainer.threads});
  return Outcome{.accuracy = evaluation.accuracy,
                 .loss = evaluation.loss,
                 .train_seconds = run.history().seconds,
                 .inference_seconds = inference_seconds(run.trained(), trainer.threads)};
}

}  // namespace

std::optional<TrainingComparison> compare(const ZooSpec& spec, const DataSet& set, const CompareOptions& options,
                                          const CompareObserver& observer) {
  TrainingComparison result{
      .budget = options.budget, .data = set.name, .pair = pair_of(spec, options.budget), .outcomes = {}};
  Outcomes kept(options.folder, common_of(spec, set, options));
  const std::int64_t epoch = steps_per_epoch(set.train.count(), options.trainer.batches);
  const std::int64_t whole = options.trainer.epochs * epoch;
  const std::int64_t of_standard =
      options.budget == Budget::kTime ? steps_in_equal_time(result.pair, options.trainer, whole, kept) : whole;
  for (int i = 1; i <= options.seeds; ++i) {
    const auto seed = static_cast<std::uint64_t>(i);
    for (const Contender* contender : {&result.pair.separable, &result.pair.standard}) {
      const std::int64_t steps = contender->standard ? of_standard : whole;
      TrainerOptions trainer = shortened(options.trainer, steps, whole);
      trainer.batches.seed = seed;
      const std::string name = run_name(*contender, steps, seed);
      trainer.folder = options.folder / name;
      std::optional<Outcome> outcome = kept.outcome(name);
      const bool before = outcome.has_value();
      if (observer.begin) observer.begin(*contender, seed, before);
      if (!before) outcome = run_of(*contender, set, trainer, observer.training);
      if (!outcome) return std::nullopt;
      outcome->standard = contender->standard;
      outcome->seed = seed;
      outcome->epochs = static_cast<double>(steps) / static_cast<double>(epoch);
      result.outcomes.push_back(*outcome);
      if (before) continue;
      kept.add(name, *outcome);
      if (observer.end) observer.end(*outcome);
    }
  }
  return result;
}

}  // namespace sepal
