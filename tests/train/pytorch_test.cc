// The first steps of a small network against PyTorch's in double (scripts/make_training_goldens.py, which builds the
// same network from the same formulas). Where both differ by convention:
//   layout         PyTorch has NCHW and filters [co, ci, h, w]; the script turns them.
//   running moment both mix in a tenth of the batch's: the variance with n - 1, as of the population, while batch norm
//                  itself divides by n.
//   weight decay   of filters and matrices alone: two groups of parameters there.
//   RMSProp        divides by sqrt(s) + epsilon there, by sqrt(s + epsilon) here, as TensorFlow and so MobileNet's
//   authors
//                  did; their epsilons mean different things, so it is compared with one too small to matter, 1e-10
//                  there and 1e-20 here. PyTorch's momentum is of g / sqrt(s), ours has the rate in it: the same while
//                  the rate stays.
//   AdamW          the decay comes first there and belongs to the step here, which is the same.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <sstream>

#include "sepal/plan/plan.h"
#include "sepal/train/step_graph.h"

namespace sepal {
namespace {

constexpr std::int64_t kBatch = 8;
constexpr std::int64_t kSize = 12;
constexpr std::int64_t kClasses = 5;
constexpr float kEpsilon = 1e-3f;
constexpr Unary kRelu6 = {UnaryKind::kClip, 0, 6};

/// -1/2 to 1/2, times `scale`, around `centre`: as the script has them.
Tensor numbers(const Shape& shape, std::uint32_t salt, double scale, double centre) {
  Tensor tensor(DataType::kF32, shape);
  std::uint32_t state = 7919 * (salt + 1);
  for (float& value : tensor.values<float>()) {
    state = state * 1664525u + 1013904223u;
    value = static_cast<float>((state >> 8) / 0x1p24 * scale - 0.5 * scale + centre);
  }
  return tensor;
}

/// The script's network, layer by layer in its order.
class Network {
 public:
  Graph build() {
    ValueId x = graph_.add_input("images", {DataType::kF32, Shape{kBatch, kSize, kSize, 3}});
    x = graph_.add(Unary{UnaryKind::kHardSwish}, {layer("stem", x, 8, 3, 2)});
    ValueId inside = graph_.add(kRelu6, {layer("block1/depthwise", x, 8, 3, 1, 8, 3)});
    x = graph_.add(Binary{BinaryKind::kAdd}, {x, layer("block1/pointwise", inside, 8)});
    ValueId gate = graph_.add(Reduce{ReduceKind::kMean, {1, 2}, true}, {x});
    gate = graph_.add(Unary{UnaryKind::kRelu}, {biased("gate/squeeze", gate, 4)});
    gate = graph_.add(Unary{UnaryKind::kHardSigmoid, 1.0f / 6, 0.5f}, {biased("gate/excite", gate, 8)});
    x = graph_.add(Binary{BinaryKind::kMultiply}, {x, gate});
    const Window halving{.kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1, 1, 1}};
    x = graph_.add(Pool{.kind = PoolKind::kMax, .window = halving}, {x});
    x = graph_.add(kRelu6, {layer("block2/expand", x, 12)});
    x = graph_.add(Unary{UnaryKind::kSwish, 1}, {layer("block2/depthwise", x, 12, 3, 1, 12)});
    x = graph_.add(Pool{.kind = PoolKind::kAverage, .window = {.kernel = {2, 2}}}, {x});
    x = graph_.add(Reduce{ReduceKind::kMean, {1, 2}, false}, {x});
    const ValueId weights = constant({12, kClasses}, std::sqrt(24.0 / 12), 0);
    graph_.add_output("logits", graph_.add(Gemm{}, {x, weights, constant({kClasses}, 0.5, 0)}, "dense"));
    return std::move(graph_);
  }

 private:
  ValueId constant(const Shape& shape, double scale, double centre) {
    return graph_.add_constant(numbers(shape, count_++, scale, centre));
  }

  ValueId filter(ValueId x, std::int64_t out, std::int64_t kernel, std::int64_t groups) {
    const std::int64_t in = graph_.shape(x).c() / groups;
    return constant({out, kernel, kernel, in}, std::sqrt(24.0 / static_cast<double>(kernel * kernel * in)), 0);
  }

  /// A convolution and its batch norm.
  ValueId layer(const std::string& name, ValueId x, std::int64_t out, std::int64_t kernel = 1, std::int64_t stride = 1,
                std::int64_t groups = 1, double scale = 1) {
    const std::int64_t edge = kernel / 2;
    const Window window{.kernel = {kernel, kernel}, .stride = {stride, stride}, .padding = {edge, edge, edge, edge}};
    const ValueId y = graph_.add(Conv2d{.window = window, .groups = groups}, {x, filter(x, out, kernel, groups)}, name);
    const ValueId factor = constant({out}, 0.5, scale);
    const ValueId shift = constant({out}, 0.5, 0);
    const ValueId mean = constant({out}, 1, 0);
    const ValueId variance = constant({out}, 1, 1);
    return graph_.add(BatchNorm{kEpsilon}, {y, factor, shift, mean, variance}, name + "/norm");
  }

  ValueId biased(const std::string& name, ValueId x, std::int64_t out) {
    const ValueId weights = filter(x, out, 1, 1);
    return graph_.add(Conv2d{}, {x, weights, constant({out}, 0.5, 0)}, name);
  }

  Graph graph_;
  std::uint32_t count_ = 0;
};

/// A planned step with its tensors.
class Training {
 public:
  Training(const StepGraph& graph, const PlanOptions& options)
      : slots_(graph.slots), plan_(graph.graph, options), workspace_(plan_.workspace_bytes()) {
    tensors_.push_back(numbers({kBatch, kSize, kSize, 3}, 1000, 4, 0));
    tensors_.emplace_back(DataType::kI64, Shape{});
    tensors_.emplace_back(DataType::kF32, Shape{kBatch, kClasses});
    for (std::int64_t i = 0; i < kBatch; ++i) {
      tensors_[2].values<float>()[static_cast<std::size_t>(i * kClasses + (7 * i + 3) % kClasses)] = 1;
    }
    tensors_.emplace_back(DataType::kF32, Shape{3});
    for (const Slot& slot : slots_) tensors_.push_back(slot.initial->copy());
  }

  void step(const LearningRule& rule, double rate) {
    const auto done = static_cast<double>(++tensors_[1].values<std::int64_t>()[0]);
    const auto rates = tensors_[3].values<float>();
    rates[0] = static_cast<float>(rate);
    rates[1] = static_cast<float>(1 - std::pow(double{rule.momentum}, done));
    rates[2] = static_cast<float>(1 - std::pow(double{rule.decay}, done));
    std::vector<ConstBuffer> inputs;
    std::vector<Buffer> outputs = {loss_.buffer(), logits_.buffer()};
    for (const Tensor& tensor : tensors_) inputs.push_back(tensor.buffer());
    for (std::size_t i = StepGraph::kFirstSlotInput; i < tensors_.size(); ++i) outputs.push_back(tensors_[i].buffer());
    plan_.run(workspace_, inputs, outputs);
  }

  /// "loss", "logits" or a slot.
  const Tensor& operator[](const std::string& name) const {
    if (name == "loss") return loss_;
    if (name == "logits") return logits_;
    const auto slot = std::ranges::find(slots_, name, &Slot::name);
    if (slot == slots_.end()) throw std::runtime_error("there is no slot " + name);
    return tensors_[StepGraph::kFirstSlotInput + static_cast<std::size_t>(slot - slots_.begin())];
  }

 private:
  std::vector<Slot> slots_;
  Plan plan_;
  Workspace workspace_;
  std::vector<Tensor> tensors_;
  Tensor loss_{DataType::kF32, Shape{}};
  Tensor logits_{DataType::kF32, Shape{kBatch, kClasses}};
};

using Values = std::map<std::string, std::vector<double>>;

/// What the script stored: by rule, by steps done, by name.
std::map<std::string, std::map<int, Values>> stored() {
  std::map<std::string, std::map<int, Values>> result;
  std::ifstream file(SEPAL_SOURCE_DIR "/tests/train/data/steps.txt");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream words(line);
    std::string rule;
    int steps = 0;
    std::string name;
    words >> rule >> steps >> name;
    std::vector<double>& values = result[rule][steps][name];
    for (double value = 0; words >> value;) values.push_back(value);
  }
  return result;
}

struct Case {
  const char* why;
  LearningRule rule;
  double rate;
};

const Case kCases[] = {
    {"SGD with Nesterov's momentum", {.rule = UpdateRule::kSgd, .nesterov = true, .weight_decay = 0.01f}, 0.1},
    {"RMSProp", {.rule = UpdateRule::kRmsProp, .epsilon = 1e-20f, .weight_decay = 0.01f}, 0.002},
    {"AdamW", {.rule = UpdateRule::kAdamW, .decay = 0.99f, .epsilon = 1e-4f, .weight_decay = 0.01f}, 0.01},
};

// Of the largest value of a tensor: floats against doubles. The worst that was measured is 5e-6.
constexpr double kTolerance = 3e-5;

void compare(const Training& run, const Values& theirs) {
  for (const auto& [name, values] : theirs) {
    const auto ours = run[name].values<float>();
    ASSERT_EQ(ours.size(), values.size()) << name;
    double most = 0;
    double worst = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      most = std::max(most, std::abs(values[i]));
      worst = std::max(worst, std::isfinite(ours[i]) ? std::abs(double{ours[i]} - values[i]) : HUGE_VAL);
    }
    EXPECT_LE(worst, kTolerance * most) << name << " differs by " << worst / most;
  }
}

TEST(PyTorch, MakesTheSameStepsOfTheSameNetwork) {
  const auto goldens = stored();
  ASSERT_EQ(goldens.size(), std::size(kCases));
  const TrainingGraph network = training_graph(Network().build(), {.fresh = false});
  for (const bool reference : {false, true}) {
    for (const Case& test : kCases) {
      SCOPED_TRACE(std::string(test.why) + (reference ? ", by the reference" : ", planned"));
      const std::map<int, Values>& theirs = goldens.at(std::string(name_of(test.rule.rule)));
      Training run(step_graph(network, {.rule = test.rule, .label_smoothing = 0.1f}), {.reference_only = reference});
      for (int step = 1; step <= 6; ++step) {
        SCOPED_TRACE("step " + std::to_string(step));
        run.step(test.rule, test.rate);
        compare(run, theirs.at(step));
      }
    }
  }
}

}  // namespace
}  // namespace sepal
