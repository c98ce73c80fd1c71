#include "sepal/train/step_graph.h"

#include <algorithm>

#include "sepal/base/text.h"
#include "sepal/train/gradient.h"
#include "sepal/train/update_order.h"

namespace sepal {
namespace {

class Builder {
 public:
  Builder(const TrainingGraph& training, const StepOptions& options) : training_(training), options_(options) {}

  StepGraph run() {
    graph() = begin();
    const Shape logits = graph().shape(output_);
    if (logits.rank() != 2) invalid("the network gives {}; training wants logits [n, classes]", to_string(logits));
    const auto loss = graph().add_node(CrossEntropy{options_.label_smoothing}, {output_, targets_}, "loss");
    const ValueId value = loss[0];
    const std::vector<std::optional<ValueId>> gradients = add_gradients(graph(), value, parameters_);
    graph().add_output("loss", value);
    graph().add_output("logits", output_);
    const std::size_t passes = graph().nodes().size();
    const ValueId factor = clipping(gradients);
    for (std::size_t i = 0; i < parameters_.size(); ++i) update(i, gradients[i], factor);
    for (std::size_t i = 0; i < training_.moments.size(); ++i) follow(i);
    for (std::size_t i = 0; i < result_.slots.size(); ++i) {
      graph().add_output("new " + result_.slots[i].name, made_[i]);
    }
    return with_early_updates(std::move(result_), passes);
  }

 private:
  Graph& graph() { return result_.graph; }

  /// The forward pass again, with the inputs of a step.
  Graph begin() {
    const Graph& forward = training_.graph;
    Graph graph;
    std::vector<std::optional<ValueId>> map(forward.value_count());
    const auto input = [&](ValueId old, const std::string& name) {
      const ValueId now = graph.add_input(name, forward.type(old));
      map[Graph::index(old)] = now;
      return now;
    };
    input(training_.input, "images");
    input(training_.step, "step");
    targets_ = graph.add_input("targets", forward.type(training_.output));
    rates_ = graph.add_input("rates", {DataType::kF32, Shape{3}});
    const auto slot = [&](Slot made, const Shape& shape) {
      const ValueId value = graph.add_input(made.name, {DataType::kF32, shape});
      result_.slots.push_back(std::move(made));
      return value;
    };
    for (const Parameter& parameter : training_.parameters) {
      const ValueId value =
          slot({parameter.name, SlotKind::kParameter, parameter.initial, parameter.source}, parameter.initial->shape());
      map[Graph::index(parameter.value)] = value;
      parameters_.push_back(value);
    }
    const auto zeros = [](const Shape& shape) { return std::make_shared<const Tensor>(DataType::kF32, shape); };
    for (int state = 0; state < states_of(options_.rule.rule); ++state) {
      for (const Parameter& parameter : training_.parameters) {
        const Shape& shape = parameter.initial->shape();
        states_.push_back(slot(
            {(state == 0 ? "momentum/" : "square/") + parameter.name, SlotKind::kState, zeros(shape), parameter.source},
            shape));
      }
    }
    for (const RunningMoment& moment : training_.moments) {
      running_.push_back(
          slot({moment.name, SlotKind::kMoment, moment.initial, moment.source}, moment.initial->shape()));
    }
    if (options_.average_decay > 0) {
      for (const Parameter& parameter : training_.parameters) {
        averages_.push_back(slot({"average/" + parameter.name, SlotKind::kAverage, parameter.initial, parameter.source},
                                 parameter.initial->shape()));
      }
    }
    made_.resize(result_.slots.size());
    const auto value = [&](ValueId old) {
      std::optional<ValueId>& now = map[Graph::index(old)];
      if (!now) now = graph.add_constant(forward.constant(old));
      return *now;
    };
    for (const Node& node : forward.nodes()) {
      std::vector<ValueId> inputs;
      for (const ValueId from : node.inputs) inputs.push_back(value(from));
      const auto outputs = graph.add_node(node.op, std::move(inputs), node.name);
      for (std::size_t i = 0; i < node.outputs.size(); ++i) map[Graph::index(node.outputs[i])] = outputs[i];
    }
    output_ = value(training_.output);
    for (const RunningMoment& moment : training_.moments) batch_.push_back(value(moment.batch));
    return graph;
  }

  ValueId number(float value) { return graph().add_constant(Tensor::of<float>(Shape{}, {value})); }
  ValueId binary(BinaryKind kind, ValueId a, ValueId b) { return graph().add(Binary{kind}, {a, b}); }

  /// min(1, clip / norm), 1 where nothing is clipped. A norm that is no number stays one, so that the step shows it.
  ValueId clipping(const std::vector<std::optional<ValueId>>& gradients) {
    if (options_.clip_norm <= 0) return number(1);
    std::optional<ValueId> squares;
    for (const std::optional<ValueId>& gradient : gradients) {
      if (!gradient) continue;
      std::vector<int> axes;
      for (int axis = 0; axis < graph().shape(*gradient).rank(); ++axis) axes.push_back(axis);
      const ValueId sum = graph().add(Reduce{ReduceKind::kSumSquare, axes, false}, {*gradient});
      squares = squares ? binary(BinaryKind::kAdd, *squares, sum) : sum;
    }
    if (!squares) return number(1);
    const ValueId norm = graph().add(Unary{UnaryKind::kSqrt}, {*squares});
    const ValueId least = binary(BinaryKind::kMaximum, norm, number(options_.clip_norm));
    return binary(BinaryKind::kDivide, number(options_.clip_norm), least);
  }

  void update(std::size_t i, std::optional<ValueId> gradient, ValueId factor) {
    const Parameter& parameter = training_.parameters[i];
    const std::size_t count = parameters_.size();
    if (!gradient) {
      gradient = graph().add_constant(std::make_shared<const Tensor>(DataType::kF32, parameter.initial->shape()));
    }
    LearningRule rule = options_.rule;
    const bool decays = parameter.kind == ParameterKind::kFilter ||
                        (parameter.kind == ParameterKind::kDepthwise && options_.decay_depthwise);
    if (!decays) rule.weight_decay = 0;
    std::vector<ValueId> inputs = {parameters_[i], *gradient, rates_, factor};
    const auto states = static_cast<std::size_t>(states_of(rule.rule));
    for (std::size_t state = 0; state < states; ++state) inputs.push_back(states_[state * count + i]);
    const auto results = graph().add_node(Update{rule}, std::move(inputs), "update " + parameter.name);
    for (std::size_t j = 0; j <= states; ++j) made_[j * count + i] = results[j];
    if (averages_.empty()) return;
    const ValueId now = made_[i];
    const ValueId kept = binary(BinaryKind::kMultiply, averages_[i], number(options_.average_decay));
    const ValueId added = binary(BinaryKind::kMultiply, now, number(1 - options_.average_decay));
    made_[(1 + states) * count + running_.size() + i] = binary(BinaryKind::kAdd, kept, added);
  }

  void follow(std::size_t i) {
    const RunningMoment& moment = training_.moments[i];
    float rate = options_.moment_rate;
    const ValueId kept = binary(BinaryKind::kMultiply, running_[i], number(1 - rate));
    // The variance of the population, from the batch's biased one.
    if (moment.variance && moment.count > 1) {
      rate *= static_cast<float>(moment.count) / static_cast<float>(moment.count - 1);
    }
    const ValueId added = binary(BinaryKind::kMultiply, batch_[i], number(rate));
    const std::size_t first = parameters_.size() + states_.size();
    made_[first + i] = binary(BinaryKind::kAdd, kept, added);
  }

  const TrainingGraph& training_;
  const StepOptions& options_;
  StepGraph result_;
  ValueId targets_{};
  ValueId rates_{};
  ValueId output_{};
  std::vector<ValueId> parameters_;
  std::vector<ValueId> states_;
  std::vector<ValueId> running_;
  std::vector<ValueId> batch_;
  std::vector<ValueId> averages_;
  std::vector<ValueId> made_;  ///< by slot, its new value
};

}  // namespace

StepGraph step_graph(const TrainingGraph& training, const StepOptions& options) {
  return Builder(training, options).run();
}

}  // namespace sepal
