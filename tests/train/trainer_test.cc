// Whole runs on a data set of a few small images: that they learn, that they go on after a stop or a kill as if nothing
// had been, and that nothing that goes wrong costs a checkpoint.

#include "sepal/train/trainer.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>

#include "sepal/train/evaluation.h"
#include "sepal/train/reshape.h"
#include "sepal/zoo/zoo.h"
#include "tests/folder.h"
#include "tests/raises.h"
#include "tests/train/small_data.h"

namespace sepal {
namespace {

constexpr std::int64_t kEpochs = 3;

Graph network() { return build(parse_zoo_spec("mobilenet_v1_shallow:width=0.1,size=16,channels=1,classes=3,stem=1")); }

TrainerOptions options(const std::filesystem::path& folder = {}, int threads = 1) {
  return {.network = "small",
          .graph = {.dropout = 0.1f, .seed = 3},
          .step = {.rule = {.rule = UpdateRule::kRmsProp, .momentum = 0.9f, .epsilon = 1e-3f},
                   .label_smoothing = 0.1f,
                   .clip_norm = 5,
                   .average_decay = 0.5f},
          .schedule = {.rate = 0.01, .warmup = 2},
          .batches = {.batch = 16,
                      .normalisation = {{0.4, 0.4, 0.4}, {0.25, 0.25, 0.25}},
                      .augmentation = {.flip = Flip{}, .mix = Mix{.mixup_alpha = 0.2}},
                      .seed = 5},
          .epochs = kEpochs,
          .threads = threads,
          .folder = folder};
}

/// Until `step`, where there is one.
TrainingObserver until(const Trainer& trainer, std::int64_t step) {
  return {.stop = [&trainer, step] { return trainer.step() >= step; }};
}

void expect_same(const Trainer& a, const Trainer& b) {
  ASSERT_EQ(a.step(), b.step());
  for (std::size_t i = 0; i < a.slots().size(); ++i) {
    EXPECT_TRUE(identical(a.value(i), b.value(i))) << a.slots()[i].name;
  }
  ASSERT_EQ(a.history().epochs.size(), b.history().epochs.size());
  for (std::size_t i = 0; i < a.history().epochs.size(); ++i) {
    EXPECT_EQ(a.history().epochs[i].loss, b.history().epochs[i].loss);
    EXPECT_EQ(a.history().epochs[i].train_loss, b.history().epochs[i].train_loss);
  }
  ASSERT_EQ(a.history().steps.size(), b.history().steps.size());
  for (std::size_t i = 0; i < a.history().steps.size(); ++i) {
    EXPECT_EQ(a.history().steps[i].loss, b.history().steps[i].loss);
    EXPECT_EQ(a.history().steps[i].step, b.history().steps[i].step);
  }
}

TEST(Trainer, Learns) {
  const DataSet set = small_data(300);
  TrainerOptions chosen = options();
  chosen.step = {.rule = {.nesterov = true}};
  chosen.schedule.rate = 0.05;
  chosen.graph.dropout = 0;
  chosen.batches.augmentation = {};
  chosen.epochs = 6;
  Trainer trainer(network(), set, chosen);
  EXPECT_EQ(trainer.run(), TrainingEnd::kDone);
  EXPECT_EQ(trainer.step(), trainer.steps());
  EXPECT_EQ(trainer.history().epochs.size(), 6u);
  BatchOptions plain = chosen.batches;
  plain.size = {16, 16};
  plain.channels = 1;
  plain.shuffle = plain.full_only = false;
  const Batches batches(set, Part::kTest, all_of(set.test.count()), plain);
  const Evaluation judged = evaluate_network(trainer.trained(), batches, set.test, {.mistakes = 2});
  EXPECT_EQ(judged.images, 30);
  EXPECT_GE(judged.accuracy, 0.9);
  std::int64_t sum = 0;
  for (const std::int64_t count : judged.confusion) sum += count;
  EXPECT_EQ(sum, 30);
}

TEST(Trainer, GoesOnBitByBitOnAnyNumberOfThreads) {
  const DataSet set = small_data();
  Trainer whole(network(), set, options());
  EXPECT_EQ(whole.run(), TrainingEnd::kDone);
  for (const std::int64_t stop : {1, 4, 5, 7, 10}) {
    SCOPED_TRACE(stop);
    const Folder folder;
    Trainer first(network(), set, options(folder.path(), 1));
    EXPECT_EQ(first.run(until(first, stop)), TrainingEnd::kStopped);
    EXPECT_EQ(first.step(), stop);
    Trainer second(network(), set, options(folder.path(), 2));
    second.resume();
    EXPECT_EQ(second.step(), stop);
    EXPECT_EQ(second.run(), TrainingEnd::kDone);
    expect_same(whole, second);
  }
}

TEST(Trainer, LosesOnlyWhatCameAfterTheLastCheckpointOfARunThatIsKilled) {
  const DataSet set = small_data();
  Trainer whole(network(), set, options());
  whole.run();
  for (const std::int64_t step : {3, 8, 11}) {
    SCOPED_TRACE(step);
    const Folder folder;
    TrainerOptions chosen = options(folder.path());
    chosen.save_steps = 2;
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      Trainer trainer(network(), set, chosen);
      trainer.run({.step = [&](const TrainingProgress& at) {
        if (at.latest.step == step) ::raise(SIGKILL);
      }});
      ::_exit(1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    Trainer trainer(network(), set, chosen);
    trainer.resume();
    EXPECT_GE(trainer.step(), step - 2);
    EXPECT_EQ(trainer.run(), TrainingEnd::kDone);
    expect_same(whole, trainer);
  }
}

/// A disk on which something goes wrong from the byte or call of that number on.
class Faulty : public Storage {
 public:
  std::ptrdiff_t bytes = 1 << 30;  ///< that are left
  int sync_code = 0;
  int rename_code = 0;
  std::ptrdiff_t most_at_once = 1 << 30;

  int create(const std::filesystem::path& path) override { return disk().create(path); }
  std::ptrdiff_t write(int file, std::span<const std::byte> from) override {
    if (bytes <= 0) return -ENOSPC;
    const auto size = std::min({std::ssize(from), bytes, most_at_once});
    bytes -= size;
    return disk().write(file, from.first(static_cast<std::size_t>(size)));
  }
  int sync(int file) override { return sync_code != 0 ? -sync_code : disk().sync(file); }
  void close(int file) override { disk().close(file); }
  int rename(const std::filesystem::path& from, const std::filesystem::path& to) override {
    return rename_code != 0 ? -rename_code : disk().rename(from, to);
  }
  int sync_folder(const std::filesystem::path& folder) override { return disk().sync_folder(folder); }
  void remove(const std::filesystem::path& path) override { disk().remove(path); }
};

TEST(Trainer, KeepsTheGoodCheckpointWhereWritingFails) {
  struct Fault {
    const char* why;
    void (*set)(Faulty&);
    const char* reason;
  };
  constexpr Fault kFaults[] = {
      {"no byte fits", [](Faulty& disk) { disk.bytes = 0; }, "No space left on device"},
      {"the header does not fit", [](Faulty& disk) { disk.bytes = 100; }, "No space left on device"},
      {"the arrays do not fit", [](Faulty& disk) { disk.bytes = 20'000; }, "No space left on device"},
      {"the disk loses what was written", [](Faulty& disk) { disk.sync_code = EIO; }, "Input/output error"},
      {"the name cannot be given", [](Faulty& disk) { disk.rename_code = EACCES; }, "Permission denied"},
  };
  const DataSet set = small_data();
  for (const Fault& fault : kFaults) {
    SCOPED_TRACE(fault.why);
    const Folder folder;
    Faulty storage;
    storage.most_at_once = 1000;  // short writes are none of the faults
    TrainerOptions chosen = options(folder.path());
    chosen.storage = &storage;
    Trainer first(network(), set, chosen);
    first.run(until(first, 2));
    fault.set(storage);
    const std::string file = (folder.path() / "step-000000004.safetensors").string();
    EXPECT_TRUE(raises([&] { first.run(until(first, 4)); },
                       file + ": cannot be written: " + fault.reason + "; the checkpoint of step 2 is as it was",
                       ErrorKind::kIo));
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
    Trainer second(network(), set, options(folder.path()));
    second.resume();
    EXPECT_EQ(second.step(), 2);
  }
}

TEST(Trainer, RefusesWhatIsNotItsCheckpoint) {
  const DataSet set = small_data();
  const Folder folder;
  const std::filesystem::path file = folder.path() / "step-000000002.safetensors";
  EXPECT_TRUE(raises([&] { Trainer(network(), set, options(folder.path())).resume(); },
                     folder.path().string() + ": no checkpoint to go on from", ErrorKind::kInvalid));
  {
    Trainer first(network(), set, options(folder.path()));
    first.run(until(first, 2));
  }
  TrainerOptions other = options(folder.path());
  other.schedule.rate = 0.02;
  EXPECT_TRUE(raises([&] { Trainer(network(), set, other).resume(); },
                     file.string() + ": is of another run: rate is \"0.01\" there and \"0.02\" here",
                     ErrorKind::kInvalid));
  TrainerOptions renamed = options(folder.path());
  renamed.network = "another";
  EXPECT_TRUE(raises([&] { Trainer(network(), set, renamed).resume(); },
                     file.string() + ": is of another run: network is \"small\" there and \"another\" here",
                     ErrorKind::kInvalid));
  const auto size = std::filesystem::file_size(file);
  {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(static_cast<std::streamoff>(size) - 9);
    stream.put('x');
  }
  EXPECT_TRUE(raises([&] { Trainer(network(), set, options(folder.path())).resume(); },
                     file.string() + ": is damaged: its checksum is not that of its contents; remove it to go on from "
                                     "the one before",
                     ErrorKind::kInvalid));
}

TEST(Trainer, StopsWhereTheLossIsNoNumber) {
  const DataSet set = small_data();
  const Folder folder;
  TrainerOptions chosen = options(folder.path());
  chosen.step = {.rule = {.rule = UpdateRule::kSgd}};
  chosen.schedule = {.kind = ScheduleKind::kConstant, .rate = 1e38};
  chosen.batches.augmentation = {};
  Trainer trainer(network(), set, chosen);
  try {
    trainer.run();
    FAIL() << "it goes on";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
    EXPECT_TRUE(std::string_view(error.what())
                    .ends_with("; no checkpoint was written; a smaller rate, a longer warm-up or clipping helps"))
        << error.what();
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(Trainer, KeepsTheGoodCheckpointWhereNumbersGetTooLarge) {
  struct Divergence {
    double rate;
    const char* begin;
    const char* end;
  };
  constexpr Divergence kDivergences[] = {
      // The weights of the first step are finite, the squares of what they give are not.
      {1e34, "stem/norm/variance is no finite number after step 2",
       "; the checkpoint of step 1 is as it was; a smaller rate, a longer warm-up or "
       "clipping helps"},
      // Beyond f32.
      {1e300, "stem/filter is no finite number after step 1; ",
       "no checkpoint was written; a smaller rate, a longer warm-up or clipping helps"},
  };
  const DataSet set = small_data();
  for (const Divergence& divergence : kDivergences) {
    const Folder folder;
    TrainerOptions chosen = options(folder.path());
    chosen.step = {.rule = {.rule = UpdateRule::kSgd}};
    chosen.schedule = {.kind = ScheduleKind::kConstant, .rate = divergence.rate};
    chosen.save_steps = 1;
    Trainer trainer(network(), set, chosen);
    try {
      trainer.run();
      FAIL() << "it goes on";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
      EXPECT_TRUE(std::string_view(error.what()).starts_with(divergence.begin)) << error.what();
      EXPECT_TRUE(std::string_view(error.what()).ends_with(divergence.end)) << error.what();
    }
    const bool saved = divergence.rate < 1e35;
    EXPECT_EQ(Checkpoints(folder.path(), 2).steps().size(), saved ? 1u : 0u);
    if (!saved) continue;
    Trainer again(network(), set, chosen);
    again.resume();
    EXPECT_EQ(again.step(), 1);
  }
}

TEST(Trainer, MakesSoManySteps) {
  const DataSet set = small_data();
  const Folder folder;
  TrainerOptions chosen = options(folder.path());
  chosen.steps = 7;  // an epoch has 5
  EXPECT_EQ(steps_per_epoch(set.train.count(), chosen.batches), 5);
  Trainer trainer(network(), set, chosen);
  EXPECT_EQ(trainer.run(), TrainingEnd::kDone);
  EXPECT_EQ(trainer.step(), 7);
  ASSERT_EQ(trainer.history().epochs.size(), 2u);
  EXPECT_EQ(trainer.history().epochs[1].step, 7);
  EXPECT_GT(trainer.history().epochs[1].accuracy, 0);
  EXPECT_EQ(trainer.history().steps.back().rate, rate_at({.rate = 0.01, .warmup = 2, .steps = 7}, 7));
  TrainerOptions none = chosen;
  none.steps = 0;
  EXPECT_TRUE(raises([&] { Trainer(network(), set, none); }, "0 steps", ErrorKind::kInvalid));
}

/// A slot's tensor of the network that a trainer gives.
bool gives(const Trainer& trainer, const Graph& network, std::size_t slot) {
  for (std::size_t i = 0; i < network.value_count(); ++i) {
    const Constant& constant = network.constant(ValueId{static_cast<std::uint32_t>(i)});
    if (constant != nullptr && identical(*constant, trainer.value(slot))) return true;
  }
  return false;
}

TEST(Trainer, GivesTheBestEpochWhereThereIsPatience) {
  const DataSet set = small_data();
  const Folder folder;
  TrainerOptions chosen = options(folder.path());
  // Ever larger rates, and with them scores and loss.
  chosen.step = {.rule = {.rule = UpdateRule::kSgd}};
  chosen.graph.dropout = 0;
  chosen.schedule = {.kind = ScheduleKind::kConstant, .rate = 50, .warmup = 10};
  chosen.patience = 1;
  Trainer trainer(network(), set, chosen);
  EXPECT_EQ(trainer.run(), TrainingEnd::kPatience);
  ASSERT_EQ(trainer.history().epochs.size(), 2u);
  EXPECT_LT(trainer.history().epochs[0].loss, trainer.history().epochs[1].loss);
  EXPECT_FALSE(gives(trainer, trainer.trained(), 0));

  Trainer first(network(), set, chosen);  // as far as the best
  EXPECT_EQ(first.run(until(first, 5)), TrainingEnd::kStopped);
  EXPECT_TRUE(gives(first, trainer.trained(), 0));
  Trainer again(network(), set, chosen);
  again.resume();  // the last checkpoint of the first
  EXPECT_EQ(again.run(), TrainingEnd::kPatience);
  EXPECT_TRUE(gives(first, again.trained(), 0));

  TrainerOptions late = chosen;
  late.patience = std::nullopt;
  EXPECT_THROW(Trainer(network(), set, late).resume(), Error);
}

TEST(Trainer, EndsByPatienceAndByTime) {
  const DataSet set = small_data();
  const Folder folder;
  TrainerOptions chosen = options(folder.path());
  chosen.schedule = {.kind = ScheduleKind::kConstant, .rate = 1e-30};  // nothing gets better
  chosen.step = {.rule = {.rule = UpdateRule::kSgd}, .moment_rate = 0};
  chosen.patience = 2;
  chosen.epochs = 50;
  Trainer trainer(network(), set, chosen);
  EXPECT_EQ(trainer.run(), TrainingEnd::kPatience);
  EXPECT_EQ(trainer.history().epochs.size(), 3u);
  Trainer again(network(), set, chosen);
  again.resume();
  EXPECT_EQ(again.run(), TrainingEnd::kPatience);
  EXPECT_EQ(again.step(), trainer.step());

  TrainerOptions quick = options();
  quick.time_limit = 0;
  Trainer timed(network(), set, quick);
  EXPECT_EQ(timed.run(), TrainingEnd::kTimeLimit);
  EXPECT_EQ(timed.step(), 1);
}

TEST(Trainer, KeepsTheLastCheckpoints) {
  const DataSet set = small_data();
  const Folder folder;
  folder.write("step-000000001.safetensors.77.0.tmp", "half");
  folder.write("notes.txt", "mine");
  TrainerOptions chosen = options(folder.path());
  chosen.save_steps = 1;
  chosen.keep = 3;
  Trainer trainer(network(), set, chosen);
  trainer.run();
  const std::int64_t last = trainer.steps();
  EXPECT_EQ(Checkpoints(folder.path(), 3).steps(), (std::vector{last - 2, last - 1, last}));
  EXPECT_TRUE(std::filesystem::exists(folder.path() / "notes.txt"));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 4);
}

TEST(Trainer, SaysWhatDoesNotFit) {
  const DataSet set = small_data();
  const Graph five = build(parse_zoo_spec("mobilenet_v1_shallow:width=0.1,size=16,channels=1,classes=5,stem=1"));
  EXPECT_TRUE(raises([&] { Trainer(five, set, options()); }, "the network tells 5 classes apart, rows has 3",
                     ErrorKind::kInvalid));
  TrainerOptions none = options();
  none.epochs = 0;
  EXPECT_TRUE(raises([&] { Trainer(network(), set, none); }, "0 epochs", ErrorKind::kInvalid));
  TrainerOptions hasty = options();
  hasty.patience = 0;
  EXPECT_TRUE(raises([&] { Trainer(network(), set, hasty); }, "a patience of 0 epochs", ErrorKind::kInvalid));
}

TEST(Reshape, ChangesBatchAndClasses) {
  for (const char* spec : {"mobilenet_v1:width=0.25,size=32,classes=5", "mobilenet_v3_small:width=0.25,size=32",
                           "vgg16:width=0.1,size=32,classes=5"}) {
    SCOPED_TRACE(spec);
    ZooSpec chosen = parse_zoo_spec(spec);
    const Graph one = build(chosen);
    chosen.options.batch = 4;
    Graph four = with_batch(one, 4);
    four.about = build(chosen).about;
    EXPECT_TRUE(four == build(chosen));
    EXPECT_TRUE(with_batch(with_batch(one, 7), 1) == one);
    const Graph seven = with_classes(one, 7, 1);
    EXPECT_EQ(class_count(seven), 7);
  }
}

TEST(Reshape, SaysWhatIsNoClassifierOfImages) {
  const auto refused = [](const Shape& shape, const char* message) {
    Graph graph;
    graph.add_output("y", graph.add_input("x", {DataType::kF32, shape}));
    return raises([&] { image_shape(graph); }, message, ErrorKind::kInvalid);
  };
  EXPECT_TRUE(refused({1, 4}, "input \"x\" is f32 1x4: not images of 1 or 3 channels in f32"));
  EXPECT_TRUE(refused({1, 4, 4, 2}, "input \"x\" is f32 1x4x4x2: not images of 1 or 3 channels in f32"));
  EXPECT_TRUE(refused({1, 4, 4, 3}, "the network gives 1x4x4x3, not scores [n, classes]"));
  Graph two;
  const ValueId x = two.add_input("x", {DataType::kF32, {1, 2, 2, 3}});
  const ValueId flat = two.add(Reshape{{1, 12}}, {x});
  Graph one = two;
  two.add_output("y", flat);
  two.add_output("z", flat);
  EXPECT_TRUE(raises([&] { image_shape(two); }, "1 inputs and 2 outputs; images want a network with one of each",
                     ErrorKind::kInvalid));
  one.add_output("y", flat);
  EXPECT_TRUE(
      raises([&] { with_classes(one, 3, 1); }, "no layer has weights, so none can get 3 classes", ErrorKind::kInvalid));
}

TEST(Reshape, NamesWhatCannotFollowTheClasses) {
  Graph scaled;
  const ValueId input = scaled.add_input("x", {DataType::kF32, {1, 8, 8, 3}});
  const ValueId flat = scaled.add(Reshape{{1, 192}}, {input});
  const ValueId scores = scaled.add(MatMul{}, {flat, scaled.add_constant(Tensor(DataType::kF32, {192, 5}))}, "scores");
  const ValueId bias = scaled.add_constant(Tensor(DataType::kF32, {5}));
  const ValueId sum = scaled.add(Binary{BinaryKind::kAdd}, {scores, bias}, "bias");
  Graph plain = scaled;
  plain.add_output("y", sum);
  EXPECT_EQ(class_count(with_classes(plain, 7, 1)), 7);
  scaled.add_output("y", scaled.add(Binary{BinaryKind::kMultiply}, {sum, bias}, "scale"));
  EXPECT_TRUE(raises([&] { with_classes(scaled, 7, 1); },
                     "scale: multiply with f32 5 behind the last layer has a value for each class, which gets no other "
                     "number of classes",
                     ErrorKind::kUnsupported));
}

}  // namespace
}  // namespace sepal
