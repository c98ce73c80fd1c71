// Whole steps of training: the planned one against the reference, one thread against several, and what a step does.

#include "sepal/train/step_graph.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <span>

#include "sepal/plan/plan.h"
#include "sepal/zoo/zoo.h"
#include "tests/kernels/reference_random.h"
#include "tests/raises.h"

namespace sepal {
namespace {

/// The tensors of a step, and a plan that goes over them.
class Step {
 public:
  Step(const StepGraph& graph, const PlanOptions& options)
      : plan_(graph.graph, options), workspace_(plan_.workspace_bytes()) {
    Random random(5);
    for (std::size_t i = 0; i < graph.graph.inputs().size(); ++i) {
      const TensorType& type = graph.graph.type(graph.graph.inputs()[i].value);
      if (i >= StepGraph::kFirstSlotInput) {
        tensors_.push_back(graph.slots[i - StepGraph::kFirstSlotInput].initial->copy());
        continue;
      }
      tensors_.emplace_back(type.type, type.shape);
      if (i == 0) {
        for (float& value : tensors_[0].values<float>()) value = static_cast<float>(random.real());
      }
    }
    const Shape targets = tensors_[2].shape();
    for (std::int64_t row = 0; row < targets[0]; ++row) {
      tensors_[2].values<float>()[static_cast<std::size_t>(row * targets[1] + random.whole(0, targets[1] - 1))] = 1;
    }
    const auto rates = tensors_[3].values<float>();
    rates[0] = 0.05f;
    rates[1] = 0.1f;  // AdamW's corrections in the first step
    rates[2] = 0.001f;
    loss_ = Tensor(DataType::kF32, Shape{});
    logits_ = Tensor(DataType::kF32, targets);
  }

  float run() {
    ++tensors_[1].values<std::int64_t>()[0];
    std::vector<ConstBuffer> inputs;
    std::vector<Buffer> outputs = {loss_.buffer(), logits_.buffer()};
    for (const Tensor& tensor : tensors_) inputs.push_back(tensor.buffer());
    for (std::size_t i = StepGraph::kFirstSlotInput; i < tensors_.size(); ++i) outputs.push_back(tensors_[i].buffer());
    plan_.run(workspace_, inputs, outputs);
    return loss_.values<float>()[0];
  }

  const Tensor& slot(std::size_t i) const { return tensors_[StepGraph::kFirstSlotInput + i]; }
  const Plan& plan() const { return plan_; }

 private:
  Plan plan_;
  Workspace workspace_;
  std::vector<Tensor> tensors_;
  Tensor loss_;
  Tensor logits_;
};

Graph network(const char* spec) { return build(parse_zoo_spec(spec)); }

double largest(const Tensor& tensor) {
  double most = 0;
  for (const float value : tensor.values<float>()) most = std::max(most, std::abs(double{value}));
  return most;
}

/// Largest difference over the largest value, or over `least` where that is more.
double difference(const Tensor& a, const Tensor& b, double least) {
  double most = least;
  double worst = 0;
  for (std::size_t i = 0; i < a.values<float>().size(); ++i) {
    const double x = a.values<float>()[i];
    const double y = b.values<float>()[i];
    most = std::max({most, std::abs(x), std::abs(y)});
    worst = std::max(worst, std::isfinite(x) && std::isfinite(y) ? std::abs(x - y) : 1e9);
  }
  return worst / most;
}

constexpr const char* kNetworks[] = {
    "mobilenet_v1:width=0.25,size=32,stem=1,classes=5,batch=24",
    "mobilenet_v2:width=0.1,size=32,stem=1,classes=5,batch=24",
    "mobilenet_v3_small:width=0.25,size=32,classes=5,batch=16",
    "ds_cnn_s:classes=4,batch=16",
    "efficientnet_lite0:size=32,classes=5,batch=16",
    "resnet18:size=32,classes=5,batch=16",
};

/// The last two take the reference many seconds and have nothing that the others lack.
constexpr std::span kQuickNetworks = std::span(kNetworks).first<4>();

TEST(StepGraph, GivesWhatTheReferenceGives) {
  for (const char* spec : kQuickNetworks) {
    SCOPED_TRACE(spec);
    const StepGraph graph = step_graph(training_graph(network(spec), {}), {.rule = {.weight_decay = 1e-4f}});
    Step fast(graph, {});
    Step reference(graph, {.reference_only = true});
    EXPECT_NEAR(fast.run(), reference.run(), 1e-4);
    // Momentum is the gradient here. Where a batch norm follows a batch norm, the first one's shift, or its scale,
    // makes no difference and its gradient is a rest of rounding: measured against all gradients, not against itself.
    double most = 0;
    for (std::size_t i = 0; i < graph.slots.size(); ++i) {
      if (graph.slots[i].kind == SlotKind::kState) most = std::max(most, largest(reference.slot(i)));
    }
    for (std::size_t i = 0; i < graph.slots.size(); ++i) {
      EXPECT_LE(difference(fast.slot(i), reference.slot(i), 0.01 * most), 2e-2) << graph.slots[i].name;
    }
  }
}

TEST(StepGraph, GivesTheSameBitsOnAnyNumberOfThreads) {
  for (const char* spec : kNetworks) {
    SCOPED_TRACE(spec);
    const StepGraph graph = step_graph(training_graph(network(spec), {.dropout = 0.2f}),
                                       {.rule = {.rule = UpdateRule::kRmsProp}, .clip_norm = 1, .average_decay = 0.9f});
    Step one(graph, {.threads = 1});
    Step three(graph, {.threads = 3});
    for (int i = 0; i < 2; ++i) {
      const float a = one.run();
      const float b = three.run();
      EXPECT_EQ(std::memcmp(&a, &b, sizeof a), 0);
    }
    for (std::size_t i = 0; i < graph.slots.size(); ++i) {
      EXPECT_TRUE(identical(one.slot(i), three.slot(i))) << graph.slots[i].name;
    }
  }
}

TEST(StepGraph, LearnsABatchByHeart) {
  for (const LearningRule& rule : {LearningRule{.rule = UpdateRule::kSgd, .nesterov = true},
                                   LearningRule{.rule = UpdateRule::kRmsProp, .momentum = 0.5f, .epsilon = 1e-3f}}) {
    const StepGraph graph = step_graph(training_graph(network(kNetworks[0]), {}), {.rule = rule});
    Step step(graph, {});
    const float first = step.run();
    float last = first;
    for (int i = 0; i < 40; ++i) last = step.run();
    EXPECT_LT(last, 0.1f * first) << name_of(rule.rule);
  }
}

TEST(StepGraph, HasNoSlowStep) {
  const StepGraph graph = step_graph(training_graph(network(kNetworks[0]), {}), {});
  const Plan plan(graph.graph, {});
  for (const sepal::Step& step : plan.steps()) {
    const bool small = step.outputs[0].type.shape.elements() <= 16;  // the loss
    EXPECT_TRUE(step.kernel != "reference" || small) << step.node;
  }
}

/// Gradients of convolutions that are computed when the first parameter is already updated.
std::ptrdiff_t gradients_behind_first_update(const StepGraph& graph) {
  const std::span<const Node> nodes = graph.graph.nodes();
  const auto is_update = [](const Node& node) { return std::holds_alternative<Update>(node.op); };
  return std::count_if(std::ranges::find_if(nodes, is_update), nodes.end(),
                       [](const Node& node) { return std::holds_alternative<Conv2dGradient>(node.op); });
}

TEST(StepGraph, UpdatesAsSoonAsAGradientIsThere) {
  const TrainingGraph training = training_graph(network(kNetworks[0]), {});
  const StepGraph soon = step_graph(training, {});
  const StepGraph late = step_graph(training, {.clip_norm = 1});  // by the norm of all gradients
  EXPECT_EQ(gradients_behind_first_update(soon), 27);             // the stem's and those of 13 pairs
  EXPECT_EQ(gradients_behind_first_update(late), 0);
  const std::size_t room = Plan(soon.graph, {}).workspace_bytes();
  EXPECT_LT(room, Plan(late.graph, {}).workspace_bytes());
  // What moving averages are made of is there for a moment only.
  const StepGraph averaged = step_graph(training, {.average_decay = 0.9f});
  EXPECT_LT(Plan(averaged.graph, {}).workspace_bytes(), room + room / 50);
}

void expect_nothing_read_after_overwritten(const StepGraph& graph) {
  const Graph& g = graph.graph;
  for (std::size_t i = 0; i < graph.slots.size(); ++i) {
    const ValueId old = g.inputs()[StepGraph::kFirstSlotInput + i].value;
    const Node* maker = g.producer(g.outputs()[StepGraph::kFirstSlotOutput + i].value);
    for (const Node& node : g.nodes()) {
      for (const ValueId input : node.inputs) {
        if (input == old) {
          EXPECT_LE(&node, maker) << graph.slots[i].name;
        }
      }
    }
  }
}

TEST(StepGraph, ReadsNothingAfterItWasOverwritten) {
  for (const float clip : {0.0f, 1.0f}) {
    SCOPED_TRACE(clip);
    const StepGraph graph =
        step_graph(training_graph(network(kNetworks[1]), {}), {.clip_norm = clip, .average_decay = 0.9f});
    expect_nothing_read_after_overwritten(graph);
  }
}

TEST(StepGraph, DecaysFiltersAlone) {
  const Graph net = network(kNetworks[0]);
  for (const bool depthwise : {false, true}) {
    const TrainingGraph training = training_graph(net, {});
    const StepGraph graph = step_graph(training, {.rule = {.weight_decay = 0.5f}, .decay_depthwise = depthwise});
    std::size_t updates = 0;
    for (const Node& node : graph.graph.nodes()) {
      const auto* update = std::get_if<Update>(&node.op);
      if (update == nullptr) continue;
      ++updates;
      const auto parameter = std::ranges::find(training.parameters,
                                               node.name.substr(std::string_view("update ").size()), &Parameter::name);
      ASSERT_NE(parameter, training.parameters.end()) << node.name;
      const ParameterKind kind = parameter->kind;
      const bool decays = kind == ParameterKind::kFilter || (depthwise && kind == ParameterKind::kDepthwise);
      EXPECT_EQ(update->rule.weight_decay, decays ? 0.5f : 0.0f) << node.name;
    }
    EXPECT_EQ(updates, training.parameters.size());
  }
}

TEST(StepGraph, SaysWhatItCannotTrain) {
  Graph maps;
  const ValueId x = maps.add_input("x", {DataType::kF32, {2, 4, 4, 3}});
  const ValueId filter = maps.add_constant(Tensor(DataType::kF32, {5, 1, 1, 3}));
  const ValueId y = maps.add(Conv2d{}, {x, filter}, "conv");
  Graph moving = maps;
  maps.add_output("y", y);
  EXPECT_TRUE(raises([&] { step_graph(training_graph(maps, {}), {}); },
                     "the network gives 2x4x4x5; training wants logits [n, classes]", ErrorKind::kInvalid));
  Graph two = maps;
  two.add_output("again", y);
  EXPECT_TRUE(raises([&] { training_graph(two, {}); },
                     "1 inputs and 2 outputs; training takes a network with one of each", ErrorKind::kInvalid));
  const ValueId scale = moving.add_constant(Tensor(DataType::kF32, {5}));
  const ValueId mean = moving.add(Reduce{ReduceKind::kMean, {0, 1, 2}, false}, {y});
  moving.add_output("y", moving.add(BatchNorm{}, {y, scale, scale, mean, scale}, "norm"));
  EXPECT_TRUE(raises([&] { training_graph(moving, {}); }, "norm: a batch norm whose statistics are no constants",
                     ErrorKind::kInvalid));
}

TEST(TrainingGraph, LeavesFrozenPartsAsTheyAre) {
  const Graph net = network(kNetworks[0]);
  const TrainingGraph all = training_graph(net, {});
  const TrainingGraph some = training_graph(net, {.frozen = {"stem", "block1/", "block2/"}});
  EXPECT_LT(some.parameters.size(), all.parameters.size());
  for (const Parameter& parameter : some.parameters) EXPECT_FALSE(parameter.name.starts_with("block2/"));
  for (const RunningMoment& moment : some.moments) EXPECT_FALSE(moment.name.starts_with("stem"));
  EXPECT_LT(Step(step_graph(some, {}), {}).run(), 1e6);
  EXPECT_TRUE(raises([&] { training_graph(net, {.frozen = {"stem", "blok1"}}); },
                     "no layer with weights has a name that begins with \"blok1\"; the first is called \"stem\"",
                     ErrorKind::kInvalid));
  EXPECT_TRUE(raises([&] { training_graph(net, {.frozen = {""}}); },
                     "nothing to learn: all weights are frozen, or there are none", ErrorKind::kInvalid));
}

TEST(TrainingGraph, BecomesANetworkAgain) {
  const Graph net = network(kNetworks[0]);
  const TrainingGraph training = training_graph(net, {});
  std::map<ValueId, Constant> values;
  for (const Parameter& parameter : training.parameters) values[parameter.source] = parameter.initial;
  const Graph again = with_values(net, values);
  EXPECT_EQ(again.nodes().size(), net.nodes().size());
  EXPECT_EQ(count_parameters(again), count_parameters(net));
  EXPECT_TRUE(with_values(net, {}) == net);
}

}  // namespace
}  // namespace sepal
