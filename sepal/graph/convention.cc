// Facts about other people's counters, read in their sources: fvcore/nn/jit_handles.py and flop_count.py,
// ptflops/pytorch_ops.py, tensorflow/python/profiler/internal/flops_registry.py and ops/nn_ops.py. What they count by
// mistake (ptflops counts some functions twice, TensorFlow needs NHWC) is left out; docs/conventions.md says so.

#include "sepal/graph/convention.h"

#include <algorithm>
#include <array>

#include "sepal/base/text.h"
#include "sepal/base/visit.h"
#include "sepal/graph/count.h"
#include "sepal/graph/op_cost.h"
#include "sepal/graph/op_kind.h"

namespace sepal {
namespace {

using Types = std::span<const TensorType>;
using Counted = std::optional<std::uint64_t>;

std::uint64_t elements(const TensorType& type) { return Count(type.shape.elements()); }

/// The MACs of linear operators; nothing for all others.
Counted macs_of(const Op& op, Types inputs, Types outputs) {
  if (factors_of(op).activations < 0) return std::nullopt;
  return arithmetic_of(op, inputs, outputs).macs;
}

bool has_bias(const Op& op, Types inputs) {
  for (std::size_t k = 1; k < inputs.size(); ++k) {
    if (role_of(op, k) == ParameterRole::kBias) return true;
  }
  return false;
}

/// The mean over all positions of [n, ..., c]: what frameworks call (adaptive) global average pooling.
bool is_global_average(const Op& op, Types inputs) {
  const auto* reduce = std::get_if<Reduce>(&op);
  return reduce != nullptr && reduce->kind == ReduceKind::kMean && inputs[0].shape.rank() == 4 &&
         reduce->axes == std::vector{1, 2};
}

Counted by_fvcore(const Op& op, Types inputs, Types outputs) {
  if (const Counted macs = macs_of(op, inputs, outputs)) return macs;
  const std::uint64_t in = elements(inputs[0]);
  if (is_global_average(op, inputs)) return in;
  return std::visit(Overload{[&](const BatchNorm&) -> Counted { return Count(in) * 2; },
                             [&](const LayerNorm&) -> Counted { return Count(in) * 5; },
                             [&](const GroupNorm&) -> Counted { return Count(in) * 5; },
                             [&](const Resize& resize) -> Counted {
                               if (resize.how.mode == ResizeMode::kCubic) return std::nullopt;
                               return Count(elements(outputs[0])) * (resize.how.mode == ResizeMode::kLinear ? 4 : 1);
                             },
                             [](const auto&) -> Counted { return std::nullopt; }},
                    op);
}

Counted by_ptflops(const Op& op, Types inputs, Types outputs) {
  const std::uint64_t out = elements(outputs[0]);
  const std::uint64_t in = elements(inputs[0]);
  if (const Counted macs = macs_of(op, inputs, outputs)) return Count(*macs) + (has_bias(op, inputs) ? out : 0);
  if (is_global_average(op, inputs)) return in;
  return std::visit(
      Overload{[&](const BatchNorm&) -> Counted { return Count(in) * 2; },
               [&](const GroupNorm&) -> Counted { return Count(in) * 2; },
               [&](const LayerNorm&) -> Counted { return in; }, [&](const Pool&) -> Counted { return in; },
               [&](const Resize&) -> Counted { return out; },
               [&](const Softmax& softmax) -> Counted { return softmax.log ? std::nullopt : Counted(in); },
               [&](const Binary& binary) -> Counted {
                 return binary.kind == BinaryKind::kPRelu ? Counted(out) : std::nullopt;
               },
               [&](const Unary& unary) -> Counted {
                 switch (unary.kind) {
                   case UnaryKind::kRelu:
                   case UnaryKind::kClip:  // ReLU6
                   case UnaryKind::kLeakyRelu:
                   case UnaryKind::kElu:
                   case UnaryKind::kGelu:
                   case UnaryKind::kGeluTanh:
                   case UnaryKind::kSwish:
                     return out;
                   default:
                     return std::nullopt;
                 }
               },
               [](const auto&) -> Counted { return std::nullopt; }},
      op);
}

Counted by_tensorflow(const Op& op, Types inputs, Types outputs) {
  const std::uint64_t out = elements(outputs[0]);
  const std::uint64_t in = elements(inputs[0]);
  if (const auto* conv = std::get_if<ConvTranspose2d>(&op)) {
    // From the output backwards: every output value as though it heard every tap, over the area of the stride.
    const Shape& filter = inputs[1].shape;
    const Extent& stride = conv->window.stride;
    return share(Count(out) * 2 * filter.h() * filter.w() * filter.n(), Count(stride.h) * stride.w);
  }
  if (const Counted macs = macs_of(op, inputs, outputs)) return Count(*macs) * 2 + (has_bias(op, inputs) ? out : 0);
  return std::visit(
      Overload{[&](const Pool& pool) -> Counted { return Count(out) * pool.window.kernel.h * pool.window.kernel.w; },
               [&](const Reduce& reduce) -> Counted {
                 if (reduce.kind == ReduceKind::kMean) return in;
                 return reduce.kind == ReduceKind::kSum ? Counted(excess(in, out)) : std::nullopt;
               },
               [&](const ArgReduce&) -> Counted { return excess(in, out); },
               [&](const Softmax& softmax) -> Counted { return softmax.log ? std::nullopt : Counted(Count(in) * 5); },
               [&](const Binary& binary) -> Counted {
                 switch (binary.kind) {
                   case BinaryKind::kPRelu:
                   case BinaryKind::kModulo:
                   case BinaryKind::kAnd:
                   case BinaryKind::kOr:
                   case BinaryKind::kXor:
                     return std::nullopt;
                   default:
                     return out;
                 }
               },
               [&](const Unary& unary) -> Counted {
                 switch (unary.kind) {
                   case UnaryKind::kNegate:
                   case UnaryKind::kLog:
                   case UnaryKind::kReciprocal:
                     return in;
                   default:
                     return std::nullopt;
                 }
               },
               [](const auto&) -> Counted { return std::nullopt; }},
      op);
}

/// Whether leaving the operator out leaves out any arithmetic.
bool computes(const Cost& cost) {
  const Arithmetic& a = cost.nominal;
  return (a.multiplications | a.additions | a.divisions | a.comparisons | a.functions) != 0;
}

}  // namespace

std::span<const Convention> conventions() {
  static constexpr std::array kAll = {Convention::kPaper, Convention::kFvcore, Convention::kPtflops,
                                      Convention::kTensorflow};
  return kAll;
}

std::string_view name_of(Convention convention) {
  switch (convention) {
    case Convention::kPaper:
      return "paper";
    case Convention::kFvcore:
      return "fvcore";
    case Convention::kPtflops:
      return "ptflops";
    case Convention::kTensorflow:
      return "tensorflow";
  }
  return "?";
}

Convention parse_convention(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Convention convention : conventions()) {
    if (name_of(convention) == name) return convention;
    names.push_back(name_of(convention));
  }
  fail(ErrorKind::kUsage, "no convention \"{}\"; there are {}", printable(name), join(names, ", "));
}

std::string_view unit_of(Convention convention) {
  switch (convention) {
    case Convention::kPaper:
    case Convention::kPtflops:
      return "MACs";
    case Convention::kFvcore:
      return "flops";
    case Convention::kTensorflow:
      return "float operations";
  }
  return "?";
}

std::string_view describe(Convention convention) {
  switch (convention) {
    case Convention::kPaper:
      return "multiply-adds of convolutions and matrix products, biases not counted";
    case Convention::kFvcore:
      return "a multiply-add is one flop; batch norm 2 a value, layer and group norm 5, interpolation and global "
             "average pooling; biases, activations and other pooling not counted";
    case Convention::kPtflops:
      return "a multiply-add is one MAC, and so is a bias, an activation, a pooled value; batch norm 2 a value; "
             "additions, sigmoid and hard swish not counted";
    case Convention::kTensorflow:
      return "a multiply-add is two operations; biases, pooling, sums, softmax (5 a value) and functions of two "
             "values; "
             "activations and batch norm not counted";
  }
  return "?";
}

std::optional<std::uint64_t> count_by(Convention convention, const Op& op, Types inputs, Types outputs) {
  switch (convention) {
    case Convention::kPaper:
      return macs_of(op, inputs, outputs);
    case Convention::kFvcore:
      return by_fvcore(op, inputs, outputs);
    case Convention::kPtflops:
      return by_ptflops(op, inputs, outputs);
    case Convention::kTensorflow:
      return by_tensorflow(op, inputs, outputs);
  }
  return std::nullopt;
}

ConventionCount count_by(Convention convention, const Graph& graph, const NetworkCost& cost) {
  ConventionCount result;
  Count operations;
  for (const LayerCost& layer : cost.layers) {
    if (layer.kind == LayerKind::kConstant) continue;
    const Node& node = graph.nodes()[layer.node];
    std::vector<TensorType> inputs;
    std::vector<TensorType> outputs;
    for (const ValueId input : node.inputs) inputs.push_back(graph.type(input));
    for (const ValueId output : node.outputs) outputs.push_back(graph.type(output));
    in_place(printable(layer.name), [&] {
      if (const Counted counted = count_by(convention, node.op, inputs, outputs)) {
        operations += *counted;
      } else if (computes(layer.cost) && std::ranges::find(result.left_out, layer.op) == result.left_out.end()) {
        result.left_out.push_back(layer.op);
      }
    });
  }
  result.operations = operations;
  result.parameters = cost.total.parameters.trained();
  return result;
}

}  // namespace sepal
