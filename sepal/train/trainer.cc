// The loop around a planned step: a batch in, the slots changed in place, sums kept; at an epoch's end a look at the
// images held back with the network as inference sees it, and a checkpoint. The step's number is all that batches,
// rates and dropout depend on, so going on after a checkpoint is to set it and the slots.

#include "sepal/train/trainer.h"

#include <algorithm>
#include <cmath>

#include "sepal/base/memory.h"
#include "sepal/base/text.h"
#include "sepal/data/batch_loader.h"
#include "sepal/graph/cost.h"
#include "sepal/optimize/optimize.h"
#include "sepal/train/evaluation.h"
#include "sepal/train/identity.h"
#include "sepal/train/reshape.h"
#include "sepal/train/trainer_text.h"

namespace sepal {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begun) { return std::chrono::duration<double>(Clock::now() - begun).count(); }

Shape checked_shape(const Graph& network, const DataSet& set) {
  const Shape shape = image_shape(network);
  const std::int64_t classes = class_count(network);
  if (classes != std::ssize(set.classes)) {
    invalid("the network tells {} classes apart, {} has {}", classes, printable(set.name), set.classes.size());
  }
  return shape;
}

TrainerOptions completed(TrainerOptions options, const Shape& images) {
  options.batches.size = {images.h(), images.w()};
  options.batches.channels = static_cast<int>(images.c());
  options.batches.shuffle = true;
  options.batches.full_only = true;
  options.threads = std::max(options.threads, 1);
  if (options.epochs < 1) invalid("{} epochs", options.epochs);
  if (options.steps && *options.steps < 1) invalid("{} steps", *options.steps);
  if (options.patience && *options.patience < 1) invalid("a patience of {} epochs", *options.patience);
  return options;
}

/// The images held back, as they are, in order; the last batch may be smaller.
BatchOptions to_judge_by(BatchOptions options, std::int64_t count) {
  options.augmentation = {};
  options.shuffle = false;
  options.full_only = false;
  options.batch = std::min(options.batch, std::max<std::int64_t>(count, 1));
  return options;
}

bool is_finite(const Tensor& tensor) {
  // A sum of magnitudes is finite if all are, but for overflow, which double does not know here.
  double sum = 0;
  for (const float value : tensor.values<float>()) sum += std::abs(double{value});
  return std::isfinite(sum);
}

}  // namespace

struct Trainer::State {
  TrainerOptions options;
  Graph network;
  const DataSet& set;
  Identity identity;
  Split split;
  Batches batches;
  std::optional<Batches> validation;
  StepGraph graph;
  Plan plan;
  Workspace workspace;
  Checkpoints checkpoints;
  std::int64_t total = 0;
  std::int64_t record_steps = 1;

  std::int64_t done = 0;
  RunState run;
  std::vector<Tensor> tensors;  ///< the inputs of the step's graph
  Tensor loss{DataType::kF32, Shape{}};
  Tensor logits;
  std::map<std::size_t, Tensor> best;  ///< by slot: what inference uses, of the best epoch so far
  std::optional<std::int64_t> saved;   ///< step of the last checkpoint

  Clock::time_point begun;    ///< of this sitting
  double earlier = 0;         ///< seconds of the sittings before
  std::int64_t begun_at = 0;  ///< steps done then
  Clock::time_point last_saved;

  State(const Graph& given, const DataSet& data, TrainerOptions chosen)
      : options(completed(std::move(chosen), checked_shape(given, data))),
        network(with_batch(given, options.batches.batch)),
        set(data),
        identity(identity_of(given, data, options)),
        split(hold_back_tenth(data.train.count(), options.batches.seed)),
        batches(data, Part::kTrain, split.train, options.batches),
        graph(step_graph(training_graph(network, options.graph), options.step)),
        plan(graph.graph, {.threads = options.threads, .memory_limit = machine_memory()}),
        workspace(plan.workspace_bytes()),
        checkpoints(options.folder, options.keep, options.storage == nullptr ? disk() : *options.storage) {
    total = options.steps.value_or(options.epochs * spe());
    options.schedule.steps = total;
    static_cast<void>(rate_at(options.schedule, 1));  // throws where the schedule cannot be
    record_steps = options.record_steps > 0 ? options.record_steps : std::max<std::int64_t>(spe() / 50, 1);
    if (!split.validation.empty()) {
      validation.emplace(data, Part::kTrain, split.validation,
                         to_judge_by(options.batches, std::ssize(split.validation)));
    }
    for (std::size_t i = 0; i < graph.graph.inputs().size(); ++i) {
      if (i >= StepGraph::kFirstSlotInput) {
        tensors.push_back(graph.slots[i - StepGraph::kFirstSlotInput].initial->copy());
      } else {
        const TensorType& type = graph.graph.type(graph.graph.inputs()[i].value);
        tensors.emplace_back(type.type, type.shape);
      }
    }
    logits = Tensor(DataType::kF32, tensors[2].shape());
    describe();
  }

  void describe() {
    History& history = run.history;
    history.network = options.network;
    history.data = set.name;
    history.classes = set.classes;
    const Graph one = with_batch(network, 1);
    const NetworkCost cost = cost_of(one);
    history.macs = static_cast<std::int64_t>(cost.total.macs);
    for (const Slot& slot : graph.slots) {
      if (slot.kind == SlotKind::kParameter) history.parameters += slot.initial->elements();
    }
  }

  std::int64_t spe() const { return batches.steps_per_epoch(); }
  Tensor& value(std::size_t slot) { return tensors[StepGraph::kFirstSlotInput + slot]; }

  /// Whether inference uses the slot: moments, and parameters or their averages.
  bool is_learned(const Slot& slot) const {
    const bool averages = options.step.average_decay > 0;
    return slot.kind == SlotKind::kMoment || slot.kind == (averages ? SlotKind::kAverage : SlotKind::kParameter);
  }

  Graph trained(std::int64_t batch, bool of_best) {
    std::map<ValueId, Constant> values;
    for (std::size_t i = 0; i < graph.slots.size(); ++i) {
      if (!is_learned(graph.slots[i])) continue;
      const auto kept = best.find(i);
      const Tensor& from = of_best && kept != best.end() ? kept->second : value(i);
      values[graph.slots[i].source] = std::make_shared<const Tensor>(from.copy());
    }
    return with_values(with_batch(network, batch), values);
  }

  // One step.

  void take(const Batch& batch) {
    std::ranges::copy(batch.images.values<float>(), tensors[0].values<float>().begin());
    tensors[1].values<std::int64_t>()[0] = done + 1;
    const std::span<float> targets = tensors[2].values<float>();
    if (batch.targets.elements() > 0) {
      std::ranges::copy(batch.targets.values<float>(), targets.begin());
    } else {
      std::ranges::fill(targets, 0.0f);
      const auto classes = static_cast<std::size_t>(logits.shape()[1]);
      const auto labels = batch.labels.values<std::int64_t>();
      for (std::size_t i = 0; i < labels.size(); ++i) targets[i * classes + static_cast<std::size_t>(labels[i])] = 1;
    }
    std::ranges::copy(rates_at(options.schedule, options.step.rule, done + 1), tensors[3].values<float>().begin());
  }

  /// Its time is from when a batch was asked for.
  void step(BatchLoader& loader) {
    const auto start = Clock::now();
    const Batch batch = loader.next();
    take(batch);
    std::vector<ConstBuffer> inputs;
    std::vector<Buffer> outputs = {loss.buffer(), logits.buffer()};
    for (Tensor& tensor : tensors) inputs.push_back(tensor.buffer());
    for (std::size_t i = 0; i < graph.slots.size(); ++i) outputs.push_back(value(i).buffer());
    plan.run(workspace, inputs, outputs);
    const double now = loss.values<float>()[0];
    if (!std::isfinite(now)) diverged(format("the loss of step {} is {}", done + 1, now));
    ++done;
    std::int64_t right = 0;
    const auto classes = static_cast<std::size_t>(logits.shape()[1]);
    const auto labels = batch.labels.values<std::int64_t>();
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const auto scores = std::as_const(logits).values<float>().subspan(i * classes, classes);
      right += std::ranges::max_element(scores) - scores.begin() == labels[i] ? 1 : 0;
    }
    for (RunningSums* sums : {&run.record, &run.epoch}) {
      sums->loss += now;
      ++sums->steps;
      sums->right += right;
      sums->images += std::ssize(labels);
      sums->seconds += seconds_since(start);
    }
  }

  [[noreturn]] void diverged(const std::string& what) const {
    invalid("{}; {}; a smaller rate, a longer warm-up or clipping helps", what,
            saved ? format("the checkpoint of step {} is as it was", *saved) : "no checkpoint was written");
  }

  // What is kept of it.

  StepRecord latest() const {
    const RunningSums& sums = run.record;
    return {.step = done,
            .epoch = (done - 1) / spe(),
            .loss = sums.mean_loss(),
            .accuracy = sums.accuracy(),
            .rate = rate_at(options.schedule, std::max<std::int64_t>(done, 1)),
            .images_per_second = sums.seconds > 0 ? static_cast<double>(sums.images) / sums.seconds : 0};
  }

  TrainingProgress progress() const {
    const double per_step = seconds_since(begun) / static_cast<double>(std::max<std::int64_t>(done - begun_at, 1));
    return {.latest = latest(),
            .steps = total,
            .steps_per_epoch = spe(),
            .epochs = (total + spe() - 1) / spe(),
            .seconds_left = per_step * static_cast<double>(total - done)};
  }

  void record(const TrainingObserver& observer) {
    run.history.steps.push_back(latest());
    run.record = {};
    if (observer.record) observer.record(run.history.steps.back());
  }

  void end_epoch(const TrainingObserver& observer) {
    const auto judging = Clock::now();
    EpochRecord epoch{.epoch = (done - 1) / spe(),
                      .step = done,
                      .train_loss = run.epoch.mean_loss(),
                      .train_accuracy = run.epoch.accuracy()};
    if (validation) {
      const Evaluation judged = evaluate_network(trained(validation->options().batch, false), *validation, set.train,
                                                 {.threads = options.threads});
      epoch.loss = judged.loss;
      epoch.accuracy = judged.accuracy;
    }
    epoch.seconds = run.epoch.seconds + seconds_since(judging);
    const bool is_best =
        std::ranges::all_of(run.history.epochs, [&](const EpochRecord& r) { return epoch.loss < r.loss; });
    if (options.patience && is_best) keep_best();
    run.history.epochs.push_back(epoch);
    run.epoch = {};
    if (observer.epoch) observer.epoch(epoch);
  }

  void keep_best() {
    for (std::size_t i = 0; i < graph.slots.size(); ++i) {
      if (is_learned(graph.slots[i])) best[i] = value(i).copy();
    }
  }

  bool is_out_of_patience() const {
    const std::vector<EpochRecord>& epochs = run.history.epochs;
    if (!options.patience || epochs.empty()) return false;
    const auto lowest = std::ranges::min_element(epochs, {}, &EpochRecord::loss);
    return epochs.end() - lowest > *options.patience;
  }

  // Checkpoints.

  void save(const TrainingObserver& observer) {
    last_saved = Clock::now();
    if (options.folder.empty() || saved == done) return;
    run.history.seconds = earlier + seconds_since(begun);
    std::vector<NamedTensor> arrays;
    for (std::size_t i = 0; i < graph.slots.size(); ++i) {
      if (!is_finite(value(i))) diverged(format("{} is no finite number after step {}", graph.slots[i].name, done));
      arrays.push_back({graph.slots[i].name, value(i).buffer()});
    }
    for (const auto& [slot, tensor] : best) arrays.push_back({"best/" + graph.slots[slot].name, tensor.buffer()});
    std::map<std::string, std::string> text = to_text(run);
    for (const auto& [name, note] : options.notes) text["note " + name] = note;
    try {
      checkpoints.save(done, identity, text, arrays);
    } catch (const Error& error) {
      if (!saved) throw;
      throw Error(error.kind(), format("{}; the checkpoint of step {} is as it was", error.what(), *saved));
    }
    saved = done;
    if (observer.saved) observer.saved(done, checkpoints.path_of(done));
  }

  void resume() {
    const std::vector<std::int64_t> steps = checkpoints.steps();
    if (steps.empty()) invalid("{}: no checkpoint to go on from", printable(options.folder.string()));
    Checkpoint from = checkpoints.load(steps.back(), identity);
    in_place(printable(checkpoints.path_of(from.step).string()), [&] {
      for (std::size_t i = 0; i < graph.slots.size(); ++i) {
        const Slot& slot = graph.slots[i];
        restore(from.tensors, slot.name, value(i));
        if (!options.patience || !from.tensors.contains("best/" + slot.name)) continue;
        Tensor& kept = best[i] = Tensor(DataType::kF32, slot.initial->shape());
        restore(from.tensors, "best/" + slot.name, kept);
      }
      read_text(from.text, run);
    });
    done = from.step;
    saved = done;
  }

  static void restore(std::map<std::string, Tensor>& from, const std::string& name, Tensor& to) {
    const auto found = from.find(name);
    const bool fits = found != from.end() && found->second.type() == to.type() && found->second.shape() == to.shape();
    if (!fits) invalid("no array \"{}\" of {} {}", printable(name), name_of(to.type()), to_string(to.shape()));
    to = std::move(found->second);
  }

  TrainingEnd go_on(const TrainingObserver& observer) {
    begun = last_saved = Clock::now();
    begun_at = done;
    earlier = run.history.seconds;
    BatchLoader loader(batches, {done / spe(), done % spe()}, options.threads, 2 * options.threads,
                       Position{total / spe(), total % spe()});
    TrainingEnd end = TrainingEnd::kDone;
    while (done < total) {
      if (is_out_of_patience()) {
        end = TrainingEnd::kPatience;
        break;
      }
      step(loader);
      const bool epoch_ends = done % spe() == 0 || done == total;
      if (done % record_steps == 0 || epoch_ends) record(observer);
      if (observer.step) observer.step(progress());
      if (epoch_ends) end_epoch(observer);
      const bool is_due = options.save_steps > 0 && done % options.save_steps == 0;
      if (epoch_ends || is_due || seconds_since(last_saved) >= options.save_seconds) save(observer);
      if (done == total) break;
      if (observer.stop && observer.stop()) {
        end = TrainingEnd::kStopped;
        break;
      }
      if (options.time_limit && seconds_since(begun) >= *options.time_limit) {
        end = TrainingEnd::kTimeLimit;
        break;
      }
    }
    save(observer);
    run.history.seconds = earlier + seconds_since(begun);
    return end;
  }
};

std::int64_t steps_per_epoch(std::int64_t images, const BatchOptions& batches) {
  return std::ssize(hold_back_tenth(images, batches.seed).train) / batches.batch;
}

Trainer::Trainer(const Graph& network, const DataSet& set, TrainerOptions options)
    : state_(std::make_unique<State>(network, set, std::move(options))) {}

Trainer::~Trainer() = default;

void Trainer::resume() { state_->resume(); }

TrainingEnd Trainer::run(const TrainingObserver& observer) { return state_->go_on(observer); }

std::int64_t Trainer::step() const { return state_->done; }
std::int64_t Trainer::steps() const { return state_->total; }
const History& Trainer::history() const { return state_->run.history; }
const std::vector<Slot>& Trainer::slots() const { return state_->graph.slots; }
const Tensor& Trainer::value(std::size_t slot) const { return state_->value(slot); }
const Identity& Trainer::identity() const { return state_->identity; }

Graph Trainer::trained(std::int64_t batch) const {
  return state_->trained(batch, state_->options.patience.has_value());
}

}  // namespace sepal
