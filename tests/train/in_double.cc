#include "tests/train/in_double.h"

#include <numeric>

#include "sepal/base/visit.h"
#include "sepal/evaluate/evaluate.h"
#include "sepal/kernels/reference/conv.h"
#include "sepal/kernels/reference/elementwise.h"
#include "sepal/kernels/reference/gradient.h"
#include "sepal/kernels/reference/matmul.h"
#include "sepal/kernels/reference/normalize.h"
#include "sepal/kernels/reference/pool.h"
#include "sepal/kernels/reference/reduce.h"
#include "sepal/kernels/reference/resize.h"

namespace sepal {
namespace {

using Values = std::vector<double>;

class Interpreter {
 public:
  Interpreter(const Graph& graph, const std::vector<Values>& inputs) : graph_(graph), values_(graph.value_count()) {
    for (std::size_t i = 0; i < inputs.size(); ++i) at(graph.inputs()[i].value) = inputs[i];
    for (const Node& node : graph.nodes()) {
      for (const ValueId input : node.inputs) {
        if (graph.is_constant(input) && graph.type(input).type == DataType::kF32) {
          const auto floats = graph.constant(input)->values<float>();
          at(input) = Values(floats.begin(), floats.end());
        }
      }
      for (const ValueId output : node.outputs) {
        at(output).resize(static_cast<std::size_t>(graph.shape(output).elements()));
      }
      compute(node);
    }
  }

  const Values& operator[](ValueId value) const { return values_[Graph::index(value)]; }

 private:
  Values& at(ValueId value) { return values_[Graph::index(value)]; }
  TensorView<const double> in(const Node& node, std::size_t i) {
    return {at(node.inputs[i]).data(), graph_.shape(node.inputs[i])};
  }
  TensorView<double> out(const Node& node, std::size_t i = 0) {
    return {at(node.outputs[i]).data(), graph_.shape(node.outputs[i])};
  }
  const double* pointer(const Node& node, std::size_t i) {
    return i < node.inputs.size() ? at(node.inputs[i]).data() : nullptr;
  }

  void compute(const Node& node) {
    using namespace reference;
    std::visit(
        Overload{
            [&](const Conv2d& op) {
              conv2d(Conv2dArgs<double>{in(node, 0), in(node, 1), pointer(node, 2), op.window, op.groups, op.activation,
                                        out(node)});
            },
            [&](const ConvTranspose2d& op) {
              conv_transpose2d(ConvTranspose2dArgs<double>{in(node, 0), in(node, 1), pointer(node, 2), op.window,
                                                           op.groups, out(node)});
            },
            [&](const BatchNorm& op) {
              batch_norm(BatchNormArgs<double>{in(node, 0), pointer(node, 1), pointer(node, 2), pointer(node, 3),
                                               pointer(node, 4), op.epsilon, out(node)});
            },
            [&](const BatchMoments&) {
              batch_moments(BatchMomentsArgs<double>{in(node, 0), out(node, 0).data, out(node, 1).data});
            },
            [&](const TrainingConv2d& op) {
              ConvRead<double> read;
              if (op.read.on) {
                read = {
                    .on = true,
                    .norm = {pointer(node, 2), pointer(node, 3), pointer(node, 4), pointer(node, 5), op.read.epsilon},
                    .activation = op.read.activation};
              }
              training_conv2d(TrainingConv2dArgs<double>{in(node, 0), in(node, 1), op.window, op.groups, read,
                                                         out(node), out(node, 1).data, out(node, 2).data});
            },
            [&](const Unary& op) {
              for (std::size_t i = 0; i < at(node.inputs[0]).size(); ++i) {
                at(node.outputs[0])[i] = apply(op, at(node.inputs[0])[i]);
              }
            },
            [&](const Binary& op) {
              binary(
                  BinaryArgs<double, double>{.kind = op.kind, .a = in(node, 0), .b = in(node, 1), .output = out(node)});
            },
            [&](const Pool& op) {
              if (op.kind == PoolKind::kMax) {
                max_pool(MaxPoolArgs<double>{.input = in(node, 0), .window = op.window, .output = out(node)});
              } else {
                average_pool(AveragePoolArgs<double>{in(node, 0), op.window, op.count_padding, out(node)});
              }
            },
            [&](const Reduce& op) { reduce(ReduceArgs<double>{in(node, 0), op.kind, op.axes, out(node).data}); },
            [&](const MatMul&) { matmul(MatMulArgs<double>{in(node, 0), in(node, 1), out(node)}); },
            [&](const Gemm& op) {
              const TensorView<const double> c = node.inputs.size() > 2 ? in(node, 2) : TensorView<const double>{};
              gemm(GemmArgs<double>{in(node, 0), in(node, 1), c, op.alpha, op.beta, op.transpose_a, op.transpose_b,
                                    out(node)});
            },
            [&](const Softmax& op) { softmax(SoftmaxArgs<double>{in(node, 0), op.axis, op.log, out(node)}); },
            [&](const Resize& op) {
              const ResizeArgs<double> args{in(node, 0), op.how, out(node)};
              op.how.mode == ResizeMode::kNearest ? resize_nearest(args) : resize_smooth(args);
            },
            [&](const CrossEntropy& op) {
              cross_entropy(CrossEntropyArgs<double>{in(node, 0), pointer(node, 1), op.smoothing, out(node).data,
                                                     out(node, 1).data});
            },
            [&](const Dropout& op) {
              dropout(DropoutArgs<double>{in(node, 0), op.rate, op.seed,
                                          graph_.constant(node.inputs[1])->values<std::int64_t>()[0], out(node).data});
            },
            [&](const auto&) { move(node); }},
        node.op);
  }

  /// An operator that moves elements, tried on their numbers; 0 is what it fills up with.
  void move(const Node& node) {
    std::vector<Tensor> numbers;
    std::vector<double> all = {0};
    for (const ValueId input : node.inputs) {
      const Values& values = at(input);
      numbers.emplace_back(DataType::kI64, graph_.shape(input));
      const auto places = numbers.back().values<std::int64_t>();
      std::iota(places.begin(), places.end(), static_cast<std::int64_t>(all.size()));
      all.insert(all.end(), values.begin(), values.end());
    }
    std::vector<const Tensor*> pointers;
    for (const Tensor& tensor : numbers) pointers.push_back(&tensor);
    const std::vector<Tensor> moved = evaluate(node.op, pointers);
    const auto places = moved.front().values<std::int64_t>();
    for (std::size_t i = 0; i < places.size(); ++i) {
      at(node.outputs[0])[i] = all[static_cast<std::size_t>(places[i])];
    }
  }

  const Graph& graph_;
  std::vector<Values> values_;
};

}  // namespace

double loss_in_double(const Graph& graph, ValueId loss, const std::vector<std::vector<double>>& inputs) {
  return Interpreter(graph, inputs)[loss].front();
}

}  // namespace sepal
