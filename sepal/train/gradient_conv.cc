// Convolutions and batch norms. In training a batch norm stands between the convolution that took its input's moments
// and those who read it; what they give is g, the gradient with respect to the batch norm, and the sums of g that its
// parameters want. The convolution that made the input takes all of them together (graph/training_op.h).

#include "sepal/train/gradient_sums.h"

namespace sepal {

bool is_batch_mean(const Graph& graph, ValueId mean) {
  const Node* producer = graph.producer(mean);
  return producer != nullptr &&
         (std::holds_alternative<BatchMoments>(producer->op) || std::holds_alternative<TrainingConv2d>(producer->op));
}

namespace {

/// The sum of dy over all but the channels.
void add_bias_gradient(GradientSums& sums, ValueId bias, ValueId dy) {
  if (!sums.needed(bias)) return;
  sums.add(bias, sums.reduce_to(dy, sums.graph().shape(bias)));
}

ValueId zeros_like(GradientSums& sums, ValueId vector) {
  Tensor tensor(DataType::kF32, sums.graph().shape(vector));
  for (float& value : tensor.values<float>()) value = 0;
  return sums.graph().add_constant(std::move(tensor));
}

}  // namespace

void differentiate(GradientSums& sums, const Node& node, const Conv2d& conv, ValueId dy) {
  Graph& graph = sums.graph();
  const ValueId x = node.inputs[0];
  const ValueId filter = node.inputs[1];
  if (conv.activation != Unary{}) {
    // What the activation was given is not kept: the sum is computed once more.
    const ValueId sum = graph.add(Conv2d{.window = conv.window, .groups = conv.groups}, node.inputs);
    dy = graph.add(UnaryGradient{conv.activation}, {sum, dy});
  }
  if (node.inputs.size() > 2) add_bias_gradient(sums, node.inputs[2], dy);
  if (!sums.needed(x) && !sums.needed(filter)) return;
  const Conv2dGradient gradient{.window = conv.window, .groups = conv.groups, .input_gradient = sums.needed(x)};
  const auto results = graph.add_node(gradient, {x, filter, dy});
  const ValueId filter_gradient = results[0];
  const std::optional<ValueId> input_gradient = gradient.input_gradient ? std::optional(results[1]) : std::nullopt;
  sums.add(filter, filter_gradient);
  if (input_gradient) sums.add(x, *input_gradient);
}

void differentiate(GradientSums& sums, const Node& node, const ConvTranspose2d& conv, ValueId dy) {
  // The transpose of a convolution from the output back to x: its gradients are that convolution's.
  Graph& graph = sums.graph();
  const ValueId x = node.inputs[0];
  const ValueId filter = node.inputs[1];
  if (node.inputs.size() > 2) add_bias_gradient(sums, node.inputs[2], dy);
  const Shape to = graph.shape(x);
  // An output padding is rows and columns that no window of the convolution reaches in full; they are cut off.
  const Window& window = conv.window;
  ValueId read = dy;
  const Shape& from = graph.shape(dy);
  const Extent whole = output_extent({from.h(), from.w()}, window);
  if (whole != Extent{to.h(), to.w()}) {
    const Extent span = span_of(window);
    const Shape size{from.n(), (to.h() - 1) * window.stride.h + span.h - window.padding.top - window.padding.bottom,
                     (to.w() - 1) * window.stride.w + span.w - window.padding.left - window.padding.right, from.c()};
    read = graph.add(Slice{.size = size}, {dy});
  }
  if (sums.needed(x)) sums.add(x, graph.add(Conv2d{.window = window, .groups = conv.groups}, {read, filter}));
  if (!sums.needed(filter)) return;
  sums.add(filter, graph.add(Conv2dGradient{.window = window, .groups = conv.groups, .input_gradient = false},
                             {read, filter, x}));
}

void differentiate(GradientSums& sums, const Node& node, const BatchNorm& norm, ValueId dy) {
  Graph& graph = sums.graph();
  const ValueId x = node.inputs[0];
  const ValueId mean = node.inputs[3];
  const ValueId variance = node.inputs[4];
  const auto results = graph.add_node(BatchNormSums{norm.epsilon}, {dy, x, mean, variance});
  NormSums gradient{.input = x,
                    .scale = node.inputs[1],
                    .bias = node.inputs[2],
                    .mean = mean,
                    .variance = variance,
                    .epsilon = norm.epsilon,
                    .g = dy,
                    .scale_gradient = results[0],
                    .bias_gradient = results[1]};
  if (is_batch_mean(graph, mean)) return sums.add(gradient);
  // Given statistics: dx is g scale / deviation, which is what is left of the formula without the sums.
  sums.give_parameters(gradient);
  if (!sums.needed(x)) return;
  const ValueId none = zeros_like(sums, mean);
  sums.add(x, graph.add(BatchNormInputGradient{norm.epsilon}, {dy, x, node.inputs[1], mean, variance, none, none}));
}

void differentiate(GradientSums& sums, const Node& node, const BatchMoments&) {
  if (const auto norm = sums.norm_of(node.outputs[0])) sums.add(node.inputs[0], sums.leave(*norm));
}

void differentiate(GradientSums& sums, const Node& node, const TrainingConv2d& conv) {
  Graph& graph = sums.graph();
  std::optional<ValueId> plain = sums.of(node.outputs[0]);
  std::optional<NormSums> norm = sums.norm_of(node.outputs[1]);
  if (!plain && !norm) return;
  if (plain && norm) {
    plain = sums.binary(BinaryKind::kAdd, *plain, sums.leave(*norm));
    norm.reset();
  }
  Conv2dGradient gradient{.window = conv.window,
                          .groups = conv.groups,
                          .read = conv.read,
                          .normalized = norm.has_value(),
                          .epsilon = norm ? norm->epsilon : 1e-5f,
                          .input_gradient = sums.needed(node.inputs[0])};
  if (conv.read.on) {
    gradient.input_gradient = gradient.input_gradient || sums.needed(node.inputs[2]) || sums.needed(node.inputs[3]);
  }
  std::vector<ValueId> inputs = node.inputs;
  if (norm) {
    sums.give_parameters(*norm);
    inputs.insert(inputs.end(), {norm->g, node.outputs[0], norm->scale, norm->mean, norm->variance,
                                 norm->scale_gradient, norm->bias_gradient});
  } else {
    inputs.push_back(*plain);
  }
  const auto added = graph.add_node(gradient, std::move(inputs), node.name.empty() ? "" : node.name + "/gradient");
  const std::vector<ValueId> results(added.begin(), added.end());
  sums.add(node.inputs[1], results[0]);
  if (!gradient.input_gradient) return;
  if (!conv.read.on) return sums.add(node.inputs[0], results[1]);
  const NormSums read{.input = node.inputs[0],
                      .scale = node.inputs[2],
                      .bias = node.inputs[3],
                      .mean = node.inputs[4],
                      .variance = node.inputs[5],
                      .epsilon = conv.read.epsilon,
                      .g = results[1],
                      .scale_gradient = results[2],
                      .bias_gradient = results[3]};
  if (is_batch_mean(graph, read.mean)) return sums.add(read);
  sums.give_parameters(read);
  if (!sums.needed(read.input)) return;
  const ValueId none = zeros_like(sums, read.mean);
  sums.add(read.input, graph.add(BatchNormInputGradient{read.epsilon},
                                 {read.g, read.input, read.scale, read.mean, read.variance, none, none}));
}

}  // namespace sepal
